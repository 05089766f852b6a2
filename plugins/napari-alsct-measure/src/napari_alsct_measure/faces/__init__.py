"""The widgets that napari opens: thin faces of the steps, and rulers to draw with."""
