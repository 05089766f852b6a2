"""Fibres and their breaks in micro-CT volumes of composites.

The algorithms are plain functions on arrays, in memory or read when they are asked for;
`steps` offers them to the program, the command line and napari.
"""
