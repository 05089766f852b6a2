"""What napari saves: volumes as OME-Zarr or TIFF slices, labels as OME-Zarr; slab by slab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alsct_gui.face.sources import edges_um
from alsct_gui.files.labels import save_labels
from alsct_gui.files.writers.base import VolumeFormat, create_volume
from alsct_gui.model.errors import OutputError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.values import array_volume

_STORED = ("float32", "uint16", "uint8")
_SLAB_SLICES = 16


def write_zarr(path: str, data: Any, about: Mapping[str, Any]) -> list[str]:
    """Write an image layer as an OME-Zarr volume with a pyramid.

    Raises
    ------
    OutputError
        The layer is no volume, the name is taken, or the disk refuses.
    """
    return [str(_write_volume(Path(path), data, about, "ome-zarr"))]


def write_tiff(path: str, data: Any, about: Mapping[str, Any]) -> list[str]:
    """Write an image layer as a folder of TIFF slices, named like the file without ``.tif``.

    Raises
    ------
    OutputError
        As for `write_zarr`.
    """
    return [str(_write_volume(Path(path).with_suffix(""), data, about, "tiff"))]


def write_labels(path: str, data: Any, about: Mapping[str, Any]) -> list[str]:
    """Write a labels layer as OME-Zarr; an earlier copy is kept beside it.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    labels = _three_axes(data, about, Path(path))
    stand_in = Volume(
        path=Path(path), layout="memory", levels=(labels,),
        voxel_um=edges_um(about["scale"], about["units"]),
    )  # fmt: skip
    return [str(save_labels(labels, stand_in, Path(path)))]


def _write_volume(path: Path, data: Any, about: Mapping[str, Any], layout: VolumeFormat) -> Path:
    array = _three_axes(data, about, path)
    dtype = array.dtype.name if array.dtype.name in _STORED else "float32"
    n_slices, n_y, n_x = array.shape
    metadata = about.get("metadata", {})
    provenance = dict(metadata.get("provenance", {}))
    if np.dtype(dtype).kind == "f":
        provenance.pop("scale", None)  # the layer shows values, no stored integers
    writer = create_volume(
        path, shape=(n_slices, n_y, n_x), dtype=dtype, format=layout,
        voxel_um=edges_um(about["scale"], about["units"]),
        provenance={**provenance, "units": metadata.get("value_units", "")},
    )  # fmt: skip
    with writer:
        for first in range(0, n_slices, _SLAB_SLICES):
            slab = np.asarray(array[first : first + _SLAB_SLICES])
            writer.write(first, np.ascontiguousarray(slab, dtype))
        return writer.finish()


def _three_axes(data: Any, about: Mapping[str, Any], path: Path) -> Any:
    """Return the finest level as an array of (slice, y, x)."""
    finest = data[0] if isinstance(data, list | tuple) or about.get("multiscale") else data
    if about.get("rgb") or finest.ndim not in (2, 3):
        raise OutputError(
            f"the layer has {finest.ndim} axes{' of colours' * bool(about.get('rgb'))}",
            where=str(path), fix="Save a layer of grey values with the axes (slice, y, x)",
        )  # fmt: skip
    return array_volume(np.asarray(finest)).levels[0] if finest.ndim == 2 else finest
