"""See, reconstruct and place micro-CT scans of ALS beamline 8.3.2, here and at NERSC."""

from importlib.metadata import version

__version__ = version("alsct-gui")
