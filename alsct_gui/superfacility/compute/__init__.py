"""Where reconstructions run: NERSC, this workstation, and what both have in common."""
