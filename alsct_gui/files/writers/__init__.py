"""Volumes out: OME-Zarr and TIFF stacks, written beside their name and renamed when whole."""
