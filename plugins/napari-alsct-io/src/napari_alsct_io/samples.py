"""Simulated scans and their reconstructions, made once and kept in the user's cache.

They are made by the command line of alsct-gui, in processes of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from alsct_gui.face.layerdata import LayerData
from alsct_gui.model.errors import OutputError
from napari_alsct_io.reader import read

_SIZES = {"foam": (384, 64, 481), "fibres": (320, 96, 401), "spheres": (320, 64, 401)}
"""Detector columns, rows and projections."""


def foam_scan() -> list[LayerData]:
    """A raw scan of a foam, with noise and rings."""
    return read(str(scan_of("foam")))


def foam_volume() -> list[LayerData]:
    """The same, reconstructed."""
    return read(str(volume_of("foam")))


def fibres_volume() -> list[LayerData]:
    """Fibres along the axis."""
    return read(str(volume_of("fibres")))


def spheres_volume() -> list[LayerData]:
    """Spheres that touch."""
    return read(str(volume_of("spheres")))


def scan_of(phantom: str) -> Path:
    """Return a simulated scan, which is made when there is none.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    path = _folder() / f"{phantom}.h5"
    columns, rows, angles = _SIZES[phantom]
    if not path.exists():
        words = ["--phantom", phantom, "--columns", columns, "--rows", rows, "--angles", angles]
        _run("simulate", path, *words)
    return path


def volume_of(phantom: str) -> Path:
    """Return the reconstruction of a simulated scan, which is made when there is none.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    path = _folder() / f"{phantom}.zarr"
    if not path.exists():
        _run("recon", scan_of(phantom), "--output", path)
    return path


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = cache / "alsct-gui" / "samples" / version("alsct-gui")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(*words: object) -> None:
    command = [sys.executable, "-m", "alsct_gui", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OutputError(
            f"the sample cannot be made: {done.stderr.strip()[-300:]}", where=str(_folder()),
            fix="Free space, or name another folder in XDG_CACHE_HOME",
        )  # fmt: skip
