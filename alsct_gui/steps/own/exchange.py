"""Volumes handed over as files, and what comes back as files."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.convert import convert_volume
from alsct_gui.files.open import open_volume
from alsct_gui.files.tables import read_table
from alsct_gui.files.volumes import ImageArray
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import InputError, OutputError
from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.own.description import Format, OutputKind
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume, physical_array

_SLAB_SLICES = 8
_SUFFIXES = {"volume": ".tif", "labels": ".tif", "table": ".csv", "report": ".html"}
_STORED = ("float32", "uint16", "uint8")


def hand_over(volume: Volume, name: str, wanted: Format, folder: Path, reporter: Reporter) -> Path:
    """Return a file that holds a volume as somebody's code wants it.

    Parameters
    ----------
    volume
        What is handed over.
    name
        Of the input.
    wanted
        ``npy``: values in the volume's unit, in one file that numpy maps; ``zarr`` or ``tiff``;
        empty for the file that it lies in.
    folder
        For files that must be written first.
    reporter
        Told the progress.
    """
    on_disk = volume.path.exists()
    if not wanted and on_disk:
        return volume.path
    if wanted == "npy":
        path = folder / f"{name}.npy"
        _write_npy(volume, path, reporter)
        return path
    layout = "tiff" if wanted == "tiff" else "ome-zarr"
    if on_disk and volume.layout == layout:
        return volume.path
    path = folder / (name if wanted == "tiff" else f"{name}.zarr")
    if on_disk:
        return convert_volume(
            volume.path, path, format="tiff" if wanted == "tiff" else "ome-zarr",
            cancel=reporter.cancel,
        )  # fmt: skip
    array = volume.levels[0]
    dtype = array.dtype.name if array.dtype.name in _STORED else "float32"
    with create_volume(
        path, shape=volume.shape, dtype=dtype, voxel_um=volume.voxel_um,
        format="tiff" if wanted == "tiff" else "ome-zarr",
    ) as writer:  # fmt: skip
        for first in range(0, volume.shape[0], _SLAB_SLICES):
            reporter.check()
            slab = np.ascontiguousarray(array[first : first + _SLAB_SLICES], dtype)
            writer.write(first, slab)
        return writer.finish()


def output_suffix(kind: OutputKind) -> str:
    """Return the ending of an output when a description names none."""
    return _SUFFIXES[kind]


def take_back(kind: OutputKind, path: Path) -> Any:
    """Return what somebody's code wrote, as the output of a step.

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
            return MadeVolume(_array_of(path))
        if kind == "labels":
            return MadeLabels(_whole(_array_of(path), path))
        if kind == "table":
            return _table_of(path)
    except (InputError, ValueError, OSError) as error:
        raise OutputError(
            f"what was written is no {kind} ({error})"[:300], where=str(path),
            fix="Write OME-Zarr, TIFF or .npy for volumes and labels, CSV for tables",
        ) from error  # fmt: skip

    def keep(target: Path, made: Mapping[str, Any]) -> None:
        shutil.copyfile(path, target)

    return MadeFile(path.suffix, keep)


def _write_npy(volume: Volume, path: Path, reporter: Reporter) -> None:
    array = physical_array(volume) if volume.scale is not None else volume.levels[0]
    target = np.lib.format.open_memmap(path, "w+", array.dtype, volume.shape)
    starts = range(0, volume.shape[0], _SLAB_SLICES)
    for first in reporter.each(starts, "handing over"):
        target[first : first + _SLAB_SLICES] = array[first : first + _SLAB_SLICES]
    target.flush()


def _array_of(path: Path) -> LazyArray | NDArray[Any]:
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r")
        return array if array.ndim == 3 else array[None]
    if (path / "zarr.json").is_file() or (path / ".zarray").is_file():
        import zarr

        opened = zarr.open(str(path), mode="r")
        if isinstance(opened, zarr.Array):  # written by zarr alone, without OME's words
            return ImageArray(opened, path.name)
    return open_volume(path).levels[0]


def _whole(array: LazyArray | NDArray[Any], path: Path) -> LazyArray | NDArray[Any]:
    if array.dtype.kind not in "iub":
        raise InputError(f"labels are whole numbers, not {array.dtype}", where=path.name)
    return array


def _table_of(path: Path) -> Table:
    if path.suffix == ".json":
        columns = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(columns, dict):
            raise ValueError("it holds no columns by name")
        return _columns(columns)
    if path.with_suffix(".json").is_file():
        return read_table(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or not rows[0]:
        raise ValueError("the file is empty")
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(rows[0])
    return _columns(dict(zip(rows[0], map(list, cells), strict=True)))


def _columns(values: Mapping[str, list[Any]]) -> Table:
    """A table of columns whose names tell all that is known of them."""
    arrays = tuple(_numbers(column) for column in values.values())
    return Table(tuple(Column(str(name)) for name in values), arrays)


def _numbers(column: list[Any]) -> NDArray[Any]:
    try:
        found = np.array([float(item) if item != "" else np.nan for item in column], np.float64)
    except (TypeError, ValueError):
        return np.array([str(item) for item in column], np.str_)
    whole = found.size and np.isfinite(found).all() and (found == np.rint(found)).all()
    return found.astype(np.int64) if whole and not any("." in str(i) for i in column) else found
