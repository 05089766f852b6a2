"""Volumes and labels as napari takes layers: data, what is known of them, kind. Without Qt."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.values import LAYER_PATH, PhysicalArray

LayerData = tuple[Any, dict[str, Any], Literal["image", "labels"]]
"""As napari's readers return them and `Viewer.add_layer` of `Layer.create` takes them."""

AXES = ("z", "y", "x")
EDITABLE_BYTES = 256_000_000
"""Labels up to this size are held in memory, so that they can be painted on."""
_LIMITS_PERCENT = (0.5, 99.5)
_SAMPLE_PX = 512


def volume_layer(volume: Volume, name: str = "") -> LayerData:
    """Return a volume as a lazy image layer with its scale, unit and axes.

    The volume is closed when the last reference to its finest level is gone.

    Raises
    ------
    InputError
        A slice cannot be read, or its scale is none.
    """
    close_with(volume)
    levels = [_physical(level, volume) for level in volume.levels]
    about = {
        **layer_place(volume),
        "name": name or volume.path.stem,
        "multiscale": len(levels) > 1,
        "contrast_limits": contrast_limits(levels[-1]),
        "metadata": layer_facts(volume),
    }
    return (levels if len(levels) > 1 else levels[0]), about, "image"


def labels_layer(volume: Volume, name: str = "") -> LayerData:
    """Return labels as a layer; small ones are read, so that they can be painted on."""
    close_with(volume)
    labels: Any = volume.levels[0]
    if labels.size * labels.dtype.itemsize <= EDITABLE_BYTES:
        labels = np.asarray(labels[:])
    about = {
        **layer_place(volume),
        "name": name or volume.path.name.removesuffix(".zarr").removesuffix(".labels"),
        "metadata": layer_facts(volume),
    }
    index = volume.provenance.get("slice_index")
    if isinstance(index, int):  # painted on one slice
        edge = volume.voxel_um[0] if volume.voxel_um else 1.0
        about["translate"] = (index * edge, 0.0, 0.0)
    return labels, about, "labels"


def close_with(volume: Volume) -> None:
    """Close a volume's files when nobody holds its finest level any more."""
    if volume.closer is not None:
        weakref.finalize(volume.levels[0], volume.closer)


def layer_place(volume: Volume) -> dict[str, Any]:
    """Scale, units and axis labels of a layer of three axes."""
    unit = "um" if volume.voxel_um else "pixel"
    return {
        "scale": volume.voxel_um or (1.0, 1.0, 1.0), "units": (unit,) * 3, "axis_labels": AXES,
    }  # fmt: skip


def layer_facts(volume: Volume) -> dict[str, Any]:
    """What a layer's metadata holds: where it lies, the unit of its values, how it was made."""
    return {
        LAYER_PATH: str(volume.path.absolute()),
        "value_units": volume.units,
        "provenance": dict(volume.provenance),
    }


def is_labels(volume: Volume) -> bool:
    """Say whether a volume is labels that this program has written."""
    return volume.provenance.get("kind") == "labels" and volume.dtype.kind in "iu"


def contrast_limits(array: LazyArray | NDArray[Any]) -> tuple[float, float]:
    """Return limits between which nearly all values of the middle slice lie."""
    step = max(1, max(array.shape[-2:]) // _SAMPLE_PX)
    sample = np.asarray(array[array.shape[0] // 2, ::step, ::step], np.float32)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, _LIMITS_PERCENT))
    return (low, high) if low < high else (low, low + 1.0)


def free_name(path: Path) -> Path:
    """Return a path, with a number when it is taken."""
    stem, suffix = path.name.split(".", 1) if "." in path.name else (path.name, "")
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{stem}-{number}{'.' if suffix else ''}{suffix}")
        number += 1
    return free


def _physical(level: LazyArray, volume: Volume) -> Any:
    return level if volume.scale is None else PhysicalArray(level, volume.scale)
