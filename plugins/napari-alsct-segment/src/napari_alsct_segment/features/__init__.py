"""What the pixel classifier looks at: numbers that describe each voxel's surroundings."""
