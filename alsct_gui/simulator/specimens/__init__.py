"""Volumes as an analysis gets them, made directly and with their truth: no scan lies between.

A scan's phantom (`alsct_gui.simulator.phantoms`) is projected and reconstructed; a specimen
is written voxel by voxel, partial volumes and noise included, so that what an analysis finds
can be held against numbers that are known.
"""
