"""Numbers from volumes: phases, particles, pores, thickness, profiles.

The algorithms are plain functions on arrays, in memory or read when they are asked for
(`objects`, `phases`, `thickness`, `lines`); `steps` offers them to the program, the command
line and napari.
"""
