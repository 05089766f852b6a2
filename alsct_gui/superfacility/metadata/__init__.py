"""The catalogue of metadata outside: what a record says, and who keeps it."""
