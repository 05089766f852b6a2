"""The widgets that napari opens: thin faces of the steps, and two that one works in."""
