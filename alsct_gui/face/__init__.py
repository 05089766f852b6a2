"""The face of a step in any napari; docs/decisions/0024-steps-and-face.md says why."""
