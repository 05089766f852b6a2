"""What napari opens: raw scans as projections, volumes with their levels, labels; all lazily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from alsct_gui.face.layerdata import LayerData, is_labels, labels_layer, volume_layer
from alsct_gui.files.open import is_volume, open_volume
from napari_alsct_io.scans import scan_layers

Kind = Literal["scan", "volume"]
Reader = Callable[[Any], list[LayerData]]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_ENDINGS = (".tif", ".tiff")


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return what reads a path, or None when it is neither a scan nor a volume.

    Only names and the first bytes are looked at.
    """
    names = [path] if isinstance(path, str) else list(path)
    if not names or any(kind_of(Path(name)) is None for name in names):
        return None
    return read


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Return the layers of a path, or of several.

    Raises
    ------
    InputError
        One cannot be read; the sentence says why and what to do.
    """
    names = [path] if isinstance(path, str) else list(path)
    return [layer for name in names for layer in _layers(Path(name))]


def kind_of(path: Path) -> Kind | None:
    """Say what a path looks like; None for neither."""
    if path.is_dir():
        if is_volume(path):
            return "volume"
        slices = (item for item in path.iterdir() if item.suffix.lower() in _TIFF_ENDINGS)
        return "scan" if next(slices, None) is not None else None
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(len(_HDF5))
    if head == _HDF5:
        return "scan"
    return "volume" if head[:4] in _TIFF else None


def _layers(path: Path) -> list[LayerData]:
    if kind_of(path) == "scan":
        return scan_layers(path)
    volume = open_volume(path)
    return [labels_layer(volume) if is_labels(volume) else volume_layer(volume)]
