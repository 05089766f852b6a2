"""The window: all of Qt, napari and pyqtgraph."""
