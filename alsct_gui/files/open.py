"""Open whatever lies on disk as a `Scan`, after finding out which layout it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.files.findings import broken, finding
from alsct_gui.model.errors import InputError
from alsct_gui.model.scan import Scan
from alsct_gui.model.volume import Volume

if TYPE_CHECKING:
    from alsct_gui.files.hdf5 import Hdf5Source
    from alsct_gui.files.readers.keys import Keys
    from alsct_gui.files.readers.tiff import Kind, Quantity

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

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


def open_scan(
    path: str | Path,
    *,
    layout: str | None = None,
    kind: Kind = "auto",
    range_deg: float | None = None,
    quantity: Quantity = "auto",
    pixel_size_um: float | None = None,
    tile: int = 0,
) -> Scan:
    """Open a scan lazily; no frame is read, but one of a TIFF that does not say what it holds.

    Parameters
    ----------
    path
        An HDF5 file, a TIFF file, or a folder of TIFF files.
    layout
        One of `LAYOUTS`; None finds it out.
    kind, range_deg, quantity, pixel_size_um
        What a TIFF does not say of itself; see `alsct_gui.files.readers.tiff.TiffOptions`.
    tile
        Which tile of a legacy file.

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
    if layout == "tiff" or (layout is None and _looks_like_tiff(path)):
        from alsct_gui.files.readers.tiff import TiffOptions, open_tiff

        return open_tiff(path, TiffOptions(kind, range_deg, quantity, pixel_size_um))
    return _with_stack_findings(_open_hdf5(path, layout, tile))


def _with_stack_findings(scan: Scan) -> Scan:
    """Add what the stacks themselves know to be amiss."""
    stacks = {"projections": scan.projections, "flats": scan.flats, "darks": scan.darks}
    notes = [
        finding("unknown-filter", ", ".join(missing), where=name)
        for name, stack in stacks.items()
        if (missing := getattr(stack, "missing_filters", ()))
    ]
    return replace(scan, warnings=(*scan.warnings, *notes)) if notes else scan


def open_volume(path: str | Path) -> Volume:
    """Open a reconstructed volume lazily; see `alsct_gui.files.volumes.open_volume`.

    Raises
    ------
    InputError
        It is neither an OME-Zarr image nor a stack of TIFF slices of one size.
    """
    from alsct_gui.files import volumes

    return volumes.open_volume(path)


def is_volume(path: str | Path) -> bool:
    """Say whether a path looks like a volume rather than a raw scan."""
    from alsct_gui.files import volumes

    return volumes.is_volume(path)


def _looks_like_tiff(path: Path) -> bool:
    from alsct_gui.files.hdf5 import regular_file

    if path.is_dir():
        return True
    with regular_file(path).open("rb") as file:
        return file.read(4) in _TIFF_MAGIC


def _open_hdf5(path: Path, layout: str | None, tile: int) -> Scan:
    from alsct_gui.files.hdf5 import H5_ERRORS, Hdf5Source

    source = Hdf5Source(path)
    try:
        return _read(path, source, layout or detect_layout(source), tile, named=layout is not None)
    except H5_ERRORS as error:
        source.close()
        raise broken("unreadable", f"HDF5 says: {error}"[:300], where=path.name) from error
    except BaseException:
        source.close()
        raise


def _read(path: Path, source: Hdf5Source, layout: str, tile: int, *, named: bool) -> Scan:
    from alsct_gui.files.readers.als832 import read_als832
    from alsct_gui.files.readers.als832_legacy import read_als832_legacy
    from alsct_gui.files.readers.dxchange import read_dxchange
    from alsct_gui.files.readers.nxtomo import read_nxtomo

    if layout == "als-8.3.2":
        return read_als832(path, source)
    if layout == "als-8.3.2-legacy":
        return read_als832_legacy(path, source, tile=tile)
    if layout == "nxtomo":
        return read_nxtomo(path, source)
    scan = read_dxchange(path, source)
    if not named and _origin(_keys(source)) == "":
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
    from alsct_gui.files.readers.als832_legacy import find_group
    from alsct_gui.files.readers.nxtomo import find_detectors

    keys = _keys(source)
    if source.resolve("/exchange/data") is not None:
        return "als-8.3.2" if _origin(keys) == "als" else "dxchange"
    if find_group(source) is not None:
        return "als-8.3.2-legacy"
    if find_detectors(source):
        return "nxtomo"
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
