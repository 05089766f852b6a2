"""The outside world: one Protocol and one adapter for each service that a scan meets."""
