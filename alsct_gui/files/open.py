"""Open whatever lies on disk as a `Scan`, after finding out which layout it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.files.findings import broken, finding
from alsct_gui.model.errors import InputError
from alsct_gui.model.scan import Scan

if TYPE_CHECKING:
    from alsct_gui.files.hdf5 import Hdf5Source
    from alsct_gui.files.readers.keys import Keys

LAYOUTS = ("als-8.3.2", "als-8.3.2-legacy", "dxchange", "nxtomo", "tiff")
"""Names that `open_scan` takes and `Scan.layout` holds."""

_NAME_KEYS = (
    "/measurement/sample/experiment/beamline",
    "/measurement/instrument/instrument_name",
    "/measurement/instrument/source/source_name",
    "/measurement/instrument/name",
    "/measurement/instrument/source/name",
)
"""Keys whose text may say where a DXchange file was taken."""
_ALS_WORDS = ("8.3.2", "832", "als", "advanced light source")
_APS_WORDS = ("aps", "advanced photon source")


def open_scan(path: str | Path, *, layout: str | None = None) -> Scan:
    """Open a scan lazily; no frame is read.

    Parameters
    ----------
    path
        An HDF5 file, a TIFF file, or a folder of TIFF files.
    layout
        One of `LAYOUTS`; None finds it out.

    Returns
    -------
    scan
        Its `warnings` say what was missing or odd. Close it, or use it in ``with``.

    Raises
    ------
    InputError
        It cannot be read as a scan; ``name`` of the error is a name of docs/checks.md.
    """
    path = Path(path)
    if layout is not None and layout not in LAYOUTS:
        raise InputError(f"unknown layout {layout!r}", where=str(path),
                         fix=f"Take one of {', '.join(LAYOUTS)}")  # fmt: skip
    return _open_hdf5(path, layout)


def _open_hdf5(path: Path, layout: str | None) -> Scan:
    from alsct_gui.files.hdf5 import H5_ERRORS, Hdf5Source

    source = Hdf5Source(path)
    try:
        return _read(path, source, layout)
    except H5_ERRORS as error:
        source.close()
        raise broken("unreadable", f"HDF5 says: {error}"[:300], where=path.name) from error
    except BaseException:
        source.close()
        raise


def _read(path: Path, source: Hdf5Source, layout: str | None) -> Scan:
    from dataclasses import replace

    from alsct_gui.files.readers.als832 import read_als832
    from alsct_gui.files.readers.dxchange import read_dxchange

    found = layout or detect_layout(source)
    if found == "als-8.3.2":
        return read_als832(path, source)
    scan = read_dxchange(path, source)
    if layout is None and _origin(_keys(source)) == "":
        note = finding("layout-assumed", "Neither the ALS nor the APS is named")
        scan = replace(scan, warnings=(*scan.warnings, note))
    return scan


def detect_layout(source: Hdf5Source) -> str:
    """Tell the layout of an HDF5 file by what it holds.

    Raises
    ------
    InputError
        It holds no frames where any known layout keeps them.
    """
    keys = _keys(source)
    if keys.has("/exchange/data"):
        return "als-8.3.2" if _origin(keys) == "als" else "dxchange"
    raise broken("not-a-scan", "The layout is unknown", where=source.path.name)


def _origin(keys: Keys) -> str:
    """``als``, ``aps`` or empty: by the names in the file, else by keys only 8.3.2 writes."""
    from alsct_gui.files.readers.als832 import MARKER_KEYS

    words = " ".join(keys.text(name).lower() for name in _NAME_KEYS if keys.has(name))
    for origin, marks in (("aps", _APS_WORDS), ("als", _ALS_WORDS)):
        if any(mark in words.split() or (" " in mark and mark in words) for mark in marks):
            return origin
    if any(mark in words for mark in ("8.3.2", "als832", "als-832")):
        return "als"
    return "als" if any(keys.has(name) for name in MARKER_KEYS) else ""


def _keys(source: Hdf5Source) -> Keys:
    from alsct_gui.files.readers.keys import Keys

    return Keys(source)
