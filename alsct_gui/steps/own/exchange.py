"""Volumes handed over as files, and what comes back as files."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.files.open import open_volume
from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.tables import MAX_BYTES, read_table, write_table
from alsct_gui.files.volumes import ImageArray
from alsct_gui.files.writers.base import VolumeFormat, create_volume
from alsct_gui.model.errors import InputError, OutputError, ResourceError
from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.own.description import Format, OutputKind
from alsct_gui.steps.reporter import Reporter, ScratchFolder
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume, physical_array

_SLAB_SLICES = 8
_SUFFIXES = {"volume": ".tif", "labels": ".tif", "table": ".csv", "report": ".html"}
_UNREADABLE = (ValueError, OSError, LookupError, TypeError, csv.Error, RecursionError)
"""What libraries raise at files that are not what they seem."""
_STORED = ("float32", "uint16", "uint8")


class _HeldArray(DiskArray):
    """An array whose files lie in a scratch folder, which stays while the array is used."""

    def __init__(self, array: LazyArray, folder: ScratchFolder) -> None:
        z, y, x = array.shape
        super().__init__((z, y, x), array.dtype)
        self._array, self._folder = array, folder

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        return np.asarray(self._array[tuple(slice(r.start, r.stop, r.step) for r in ranges)])


def hand_over(given: Any, name: str, wanted: Format, folder: Path, reporter: Reporter) -> Path:
    """Return a file that holds an input as somebody's code wants it.

    Parameters
    ----------
    given
        A volume, labels or a table.
    name
        Of the input.
    wanted
        Of volumes: ``npy``, values in the volume's unit, in one file that numpy maps; ``zarr`` or
        ``tiff``; empty for the file that it lies in. Tables are CSV files.
    folder
        For files that must be written first.
    reporter
        Told the progress.

    Raises
    ------
    OutputError, ResourceError
        The disk has no room for it.
    """
    if isinstance(given, Table):
        return write_table(folder / f"{name}.csv", given)
    on_disk = given.path.exists()
    if not wanted and on_disk:
        return Path(given.path)
    if wanted == "npy":
        path = folder / f"{name}.npy"
        _write_npy(given, path, reporter)
        return path
    layout: VolumeFormat = "tiff" if wanted == "tiff" else "ome-zarr"
    if on_disk and given.layout == layout:
        return Path(given.path)
    path = folder / (name if wanted == "tiff" else f"{name}.zarr")
    if on_disk:
        from alsct_gui.files.convert import convert_volume  # compiled code: not to list steps

        return convert_volume(given.path, path, format=layout, cancel=reporter.cancel)
    array = given.levels[0]
    dtype = array.dtype.name if array.dtype.name in _STORED else "float32"
    with create_volume(
        path, shape=given.shape, dtype=dtype, voxel_um=given.voxel_um, format=layout
    ) as writer:
        for first in range(0, given.shape[0], _SLAB_SLICES):
            reporter.check()
            slab = np.ascontiguousarray(array[first : first + _SLAB_SLICES], dtype)
            writer.write(first, slab)
        return writer.finish()


def output_suffix(kind: OutputKind) -> str:
    """Return the ending of an output when a description names none."""
    return _SUFFIXES[kind]


def take_back(kind: OutputKind, path: Path, source: Volume | None, folder: ScratchFolder) -> Any:
    """Return what somebody's code wrote, as the output of a step.

    Parameters
    ----------
    kind
        What it should be.
    path
        The file or folder that it should have written.
    source
        The volume that it was given.
    folder
        In which the path lies.

    Raises
    ------
    OutputError
        It wrote nothing, or something else.
    """
    if not path.exists():
        raise OutputError(
            "nothing was written there", where=str(path),
            fix="Let the code write to the path that it gets as {output}",
        )  # fmt: skip
    try:
        if kind == "volume":
            return _volume_of(path, source, folder)
        if kind == "labels":
            return _labels_of(path, source, folder)
        if kind == "table":
            return _table_of(path)
        if not path.is_file():
            raise ValueError("it is a folder")
    except (InputError, *_UNREADABLE) as error:
        raise OutputError(
            f"what was written is no {kind} ({error})"[:300], where=str(path),
            fix="Write OME-Zarr, TIFF or .npy for volumes and labels, CSV for tables",
        ) from error  # fmt: skip

    def keep(target: Path, made: Mapping[str, Any]) -> None:
        shutil.copyfile(folder.path / path.name, target)

    return MadeFile(path.suffix, keep)


def _write_npy(volume: Volume, path: Path, reporter: Reporter) -> None:
    array = physical_array(volume) if volume.scale is not None else volume.levels[0]
    require_space(path, volume_bytes(volume.shape, array.dtype, pyramid=False))
    about = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False,
             "shape": volume.shape}  # fmt: skip
    try:
        with path.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, about)
            starts = range(0, volume.shape[0], _SLAB_SLICES)
            for first in reporter.each(starts, "handing over"):
                file.write(np.ascontiguousarray(array[first : first + _SLAB_SLICES]).tobytes())
    except OSError as error:
        raise ResourceError(
            f"the volume cannot be handed over ({error.strerror})", where=str(path),
            fix="Free space, or name another folder in TMPDIR",
        ) from error  # fmt: skip


def _volume_of(path: Path, source: Volume | None, folder: ScratchFolder) -> MadeVolume:
    made = _opened(path)
    array = _checked(made.levels[0], folder)
    units: str | None = made.units or None
    scaled = source is not None and source.scale is not None
    if units is None and scaled and array.dtype.kind != "f":
        units = ""  # integers of the code's own, that stand for no value
    same = source is None or array.shape == source.shape
    return MadeVolume(array, units, made.scale, made.voxel_um, same_voxels=same)


def _labels_of(path: Path, source: Volume | None, folder: ScratchFolder) -> MadeLabels:
    array = _checked(_opened(path).levels[0], folder)
    if array.dtype.kind not in "iub":
        raise ValueError(f"labels are whole numbers, not {array.dtype}")
    return MadeLabels(array, same_voxels=source is None or array.shape == source.shape)


def _checked(array: Any, folder: ScratchFolder) -> LazyArray | NDArray[Any]:
    if len(array.shape) == 2:
        array = np.asarray(array[:])[None]
    if len(array.shape) != 3 or 0 in array.shape:
        raise ValueError(f"its shape is {tuple(array.shape)}, not (slice, y, x)")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"its values are of type {array.dtype}")
    # Arrays that numpy maps outlive their file.
    return array if isinstance(array, np.ndarray) else _HeldArray(array, folder)


def _opened(path: Path) -> Volume:
    """What was written, in the clothes of a volume; of an array alone nothing more is known."""
    if path.suffix == ".npy":
        return _bare(np.load(path, mmap_mode="r"), path)
    if (path / "zarr.json").is_file() or (path / ".zarray").is_file():
        import zarr

        opened = zarr.open(str(path), mode="r")
        if isinstance(opened, zarr.Array):  # written by zarr alone, without OME's words
            return _bare(ImageArray(opened, path.name) if opened.ndim == 3 else opened, path)
    return open_volume(path)


def _bare(array: Any, path: Path) -> Volume:
    return Volume(path=path, layout="", levels=(array,))


def _table_of(path: Path) -> Table:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    if path.suffix == ".json":
        columns = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(columns, dict) or not all(
            isinstance(column, list) for column in columns.values()
        ):
            raise ValueError("it holds no columns by name")
        return _columns(list(columns.items()))
    if path.with_suffix(".json").is_file():
        return read_table(path)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    if not rows:
        raise ValueError("the file is empty")
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(rows[0])
    return _columns(list(zip(rows[0], map(list, cells), strict=True)))


def _columns(named: Sequence[tuple[str, list[Any]]]) -> Table:
    """A table of columns whose names tell all that is known of them."""
    names = [str(name) for name, _ in named]
    if len(set(names)) != len(names) or not names:
        raise ValueError("its columns have no names of their own")
    return Table(tuple(map(Column, names)), tuple(_numbers(column) for _, column in named))


def _numbers(column: list[Any]) -> NDArray[Any]:
    """Whole numbers where all are, else numbers with NaN for empty cells, else texts."""
    try:
        found = np.array([float(item) if item != "" else np.nan for item in column], np.float64)
    except (TypeError, ValueError):
        return np.array([str(item) for item in column], np.str_)
    if any("." in str(item) or "e" in str(item).lower() for item in column):
        return found
    try:
        return np.array([int(item) for item in column], np.int64)
    except (ValueError, OverflowError):  # empty cells, or larger than such numbers are
        return found
