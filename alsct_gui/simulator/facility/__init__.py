"""A whole facility on loopback: services that the real client libraries talk to."""
