"""See, reconstruct and place micro-CT scans of ALS beamline 8.3.2, here and at NERSC."""

__version__: str


def __getattr__(name: str) -> str:
    """Look the version up when somebody asks for it: that takes a tenth of a second."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("alsct-gui")
