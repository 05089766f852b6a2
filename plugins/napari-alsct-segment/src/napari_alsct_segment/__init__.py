"""Segmentation of volumes: thresholds, a pixel classifier, a network, and proof-reading."""
