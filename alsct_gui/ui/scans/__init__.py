"""The list of scans and volumes at the left."""
