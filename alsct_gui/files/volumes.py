"""Volumes on disk: OME-Zarr 0.4 and 0.5, and TIFF stacks of slices.

OME-Zarr: https://ngff.openmicroscopy.org/0.5/ ; our own provenance stands under the
attribute ``alsct``, in a TIFF stack in ``provenance.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, finding, unsafe
from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.files.rawfile import RawFile
from alsct_gui.files.shardread import ShardedArray, check_size, read_layout
from alsct_gui.model.errors import InputError
from alsct_gui.model.scan import FrameStack
from alsct_gui.model.volume import LazyArray, Volume

PROVENANCE_FILE = "provenance.json"
MAX_JSON_BYTES = 1 << 24
MAX_LEVELS = 32

_ZARR_FILES = ("zarr.json", ".zattrs", ".zgroup")
_MICROMETRE = {
    "angstrom": 1e-4, "nanometer": 1e-3, "nm": 1e-3, "micrometer": 1.0, "um": 1.0, "µm": 1.0,
    "micron": 1.0, "millimeter": 1e3, "mm": 1e3, "centimeter": 1e4, "meter": 1e6,
}  # fmt: skip
_ERRORS = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError,
           NotImplementedError, OverflowError, MemoryError, RecursionError)  # fmt: skip


def is_volume(path: str | Path) -> bool:
    """Say whether a path looks like a volume rather than a raw scan.

    A folder is one when it is a zarr group, or holds TIFF slices beside a provenance file
    or under the name of a reconstruction (``rec…``).
    """
    path = Path(path)
    if not path.is_dir():
        return False
    if path.suffix == ".zarr" or any((path / name).is_file() for name in _ZARR_FILES):
        return True
    return (path / PROVENANCE_FILE).is_file() or (
        path.name.startswith("rec") and next(path.glob("*.tif*"), None) is not None
    )


def open_volume(path: str | Path) -> Volume:
    """Open a volume lazily; no voxel is read.

    Raises
    ------
    InputError
        It is neither an OME-Zarr image nor a stack of TIFF slices of one size.
    """
    path = Path(path)
    if not path.exists():
        raise broken("not-found", "There is no such volume", where=str(path))
    if path.is_dir() and any((path / name).is_file() for name in _ZARR_FILES):
        return _open_zarr(path)
    return _open_tiff(path)


class StackArray(DiskArray):
    """A frame stack in the clothes of an array."""

    def __init__(self, stack: FrameStack) -> None:
        super().__init__(stack.shape, stack.dtype)
        self._stack = stack

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        return self._stack.read(*(slice(axis.start, axis.stop, axis.step) for axis in ranges))


class ImageArray(DiskArray):
    """The last three axes of a zarr array, whose leading axes have one element."""

    def __init__(self, array: Any, where: str) -> None:
        if array.ndim < 3 or any(size != 1 for size in array.shape[:-3]):
            raise broken("shape-absurd", f"The shape is {array.shape}", where=where)
        check_size(array.shape[-3:], array.dtype, where)
        super().__init__(array.shape[-3:], np.dtype(array.dtype))
        self._array = array
        self._where = where
        self._lead = (0,) * (array.ndim - 3)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Smallest block that is read at once."""
        return tuple(self._array.chunks[-3:])

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        part = (slice(axis.start, axis.stop, axis.step) for axis in ranges)
        try:
            return np.asarray(self._array[(*self._lead, *part)], self.dtype)
        except _ERRORS as error:
            raise broken("frames-unreadable", f"zarr says: {error}"[:300],
                         where=self._where) from error  # fmt: skip


def _open_zarr(path: Path) -> Volume:
    return describe_zarr(path, path)


def describe_zarr(folder: Path, name: Path, levels: tuple[LazyArray, ...] = ()) -> Volume:
    """Make a volume of an OME-Zarr group.

    Parameters
    ----------
    folder
        Where the group lies.
    name
        Path that the volume goes by.
    levels
        What reads its levels, finest first; none opens all that the group names.

    Raises
    ------
    InputError
        It is no OME-Zarr image.
    """
    try:
        attributes = _group_attributes(folder)
        image = attributes.get("ome", attributes)["multiscales"][0]
        datasets = image["datasets"][:MAX_LEVELS]
        if not levels:
            names = [_inner_path(folder, str(dataset["path"])) for dataset in datasets]
            levels = tuple(open_level(folder, inner) for inner in names)
        voxel_um = _voxel_um(image, datasets[0])
    except InputError:
        raise
    except _ERRORS as error:
        raise broken("unreadable", f"No OME-Zarr image: {error}"[:300],
                     where=str(folder)) from error  # fmt: skip
    return _volume(name, "ome-zarr", levels, voxel_um, attributes.get("alsct"))


def open_level(root: Path, name: str) -> LazyArray:
    """Open an array of a zarr group: directly when this program wrote it, else by zarr."""
    where = f"{root.name}/{name}"
    layout = read_layout(root / name, where)
    if layout is not None:
        return ShardedArray(root / name, layout, where)
    import zarr

    return ImageArray(zarr.open_group(str(root), mode="r")[name], where)


def _group_attributes(path: Path) -> dict[str, Any]:
    """Return a group's attributes; zarr-python, slow to import, is asked for zarr 2 alone."""
    file = path / "zarr.json"
    if not file.is_file():
        import zarr

        return dict(zarr.open_group(str(path), mode="r").attrs)
    if file.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"zarr.json has more than {MAX_JSON_BYTES} bytes")
    group = json.loads(file.read_text(encoding="utf-8"))
    if group["zarr_format"] != 3 or group["node_type"] != "group":
        raise ValueError("zarr.json is not that of a group")
    return dict(group.get("attributes", {}))


def _inner_path(root: Path, name: str) -> str:
    """Return a dataset's path once it is known to lie inside the volume."""
    inner = PurePosixPath(name)
    home = root.resolve()
    if inner.is_absolute() or ".." in inner.parts or "\\" in name:
        raise unsafe("external-link-refused", f"A level lies at {name!r}", where=root.name)
    if not (home / inner).resolve().is_relative_to(home):
        raise unsafe("external-link-refused", f"{name!r} leads outside", where=root.name)
    return name


def _voxel_um(
    image: Mapping[str, Any], dataset: Mapping[str, Any]
) -> tuple[float, float, float] | None:
    """Edges (z, y, x) of the finest voxel, None unless all three axes have a known unit."""
    transforms = [*dataset.get("coordinateTransformations", ()),
                  *image.get("coordinateTransformations", ())]  # fmt: skip
    scale = np.ones(3)
    for transform in transforms:
        if transform.get("type") == "scale":
            scale = scale * np.asarray(transform["scale"][-3:], dtype=np.float64)
    axes = image.get("axes", ())[-3:]
    units = [axis.get("unit", "") if isinstance(axis, Mapping) else "" for axis in axes]
    if len(units) < 3 or any(unit not in _MICROMETRE for unit in units):
        return None
    z, y, x = (scale * [_MICROMETRE[unit] for unit in units]).tolist()
    return z, y, x


def _open_tiff(path: Path) -> Volume:
    from alsct_gui.files.readers.tiff import is_tiff, natural_order, stack_of_files

    opened: list[RawFile] = []

    def close() -> None:
        for file in opened:
            file.close()

    paths = [path]
    if path.is_dir():
        paths = sorted((item for item in path.iterdir() if is_tiff(item)), key=natural_order)
        for item in paths:
            if not item.resolve().is_relative_to(path.resolve()):
                raise unsafe("external-link-refused", "A slice lies outside", where=item.name)
    if not paths:
        raise broken("not-a-scan", "There are no slices in it", where=str(path))
    try:
        stack = stack_of_files(paths, opened)
        provenance = _provenance(path)
        return _volume(path, "tiff", (StackArray(stack),), None, provenance, close)
    except BaseException:
        close()
        raise


def _provenance(path: Path) -> Any:
    file = path / PROVENANCE_FILE
    if not path.is_dir() or not file.is_file() or file.stat().st_size > MAX_JSON_BYTES:
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise broken("unreadable", f"{error}"[:200], where=str(file)) from error


def _row_step(provenance: Mapping[str, Any]) -> int:
    """Detector rows from one slice to the next, in units of its edge; 1 when it is not told."""
    place: Any = provenance
    for key in ("resolved", "region", "row_step"):
        place = place.get(key) if isinstance(place, Mapping) else None
    return place if isinstance(place, int) and place > 0 else 1


def _told_voxel(provenance: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Edges of a voxel by the provenance, which is all that a TIFF stack has."""
    edges = provenance.get("voxel_um")
    if isinstance(edges, list) and len(edges) == 3 and all(_is_length(edge) for edge in edges):
        return float(edges[0]), float(edges[1]), float(edges[2])
    edge = provenance.get("pixel_size_um")
    if edge is None or not _is_length(edge):
        return None
    return float(edge) * _row_step(provenance), float(edge), float(edge)


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf


def _volume(
    path: Path,
    layout: str,
    levels: tuple[LazyArray, ...],
    voxel_um: tuple[float, float, float] | None,
    provenance: Any,
    closer: Any = None,
) -> Volume:
    known = provenance if isinstance(provenance, dict) else {}
    voxel_um = voxel_um or _told_voxel(known)
    missing = finding("pixel-size-missing", "The volume holds no voxel size with a unit")
    return Volume(
        path=path,
        layout=layout,
        levels=levels,
        voxel_um=voxel_um,
        units=str(known.get("units", "")),
        provenance=known,
        warnings=() if voxel_um else (missing,),
        closer=closer,
    )
