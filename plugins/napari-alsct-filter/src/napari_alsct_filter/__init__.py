"""Filters of micro-CT volumes: steps of alsct-gui, and their widgets for napari."""
