"""The widgets that napari opens: faces of the steps, and the review of breaks."""
