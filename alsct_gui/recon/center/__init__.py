"""Finding the rotation axis."""
