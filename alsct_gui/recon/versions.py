"""Versions of everything that touches the values of a product."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from alsct_gui import __version__

_LIBRARIES = ("numpy", "scipy", "numba", "h5py", "zarr", "PyWavelets", "scikit-image")


def software_versions(engine: str = "") -> dict[str, str]:
    """Return name and version of this program, Python and the libraries behind the values."""
    found = {"alsct-gui": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name.lower()] = version(name)
        except PackageNotFoundError:  # a library that is optional in this environment
            continue
    if engine:
        found["engine"] = engine
    return found
