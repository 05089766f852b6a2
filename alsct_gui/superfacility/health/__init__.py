"""Which links of the chain from the camera to the archive are well, and what a fault affects."""
