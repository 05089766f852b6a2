"""Reconstruction in a plain napari, over alsct_gui.recon."""
