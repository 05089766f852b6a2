"""What comes in: the folder watch and the process it runs in. No Qt."""
