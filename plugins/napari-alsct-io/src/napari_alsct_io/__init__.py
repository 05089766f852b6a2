"""Scans and volumes in napari: readers, writers, sample data."""
