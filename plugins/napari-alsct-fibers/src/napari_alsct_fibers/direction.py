"""Which way the fibres run, and a volume turned so that they run along its first axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.volume import LazyArray

Float64Array = NDArray[np.float64]
Axis = Literal["z", "y", "x"]

AXES: tuple[Axis, ...] = ("z", "y", "x")
_BLOCK_PX = 128
"""Edge of the block that the direction is found in."""
_ORDERS: dict[Axis, tuple[int, int, int]] = {"z": (0, 1, 2), "y": (1, 0, 2), "x": (2, 0, 1)}


@dataclass(frozen=True, slots=True)
class Direction:
    """The mean direction of the fibres."""

    axis: Axis
    """The volume's axis that they are nearest to."""
    lean: tuple[float, float]
    """How far they go sideways with each slice along that axis, along the two others."""
    order: float
    """0: no direction at all; 1: as if drawn with a ruler."""


def found_direction(volume: LazyArray) -> Direction:
    """Find the mean direction of fibres from the gradients in the middle of a volume.

    The direction along which grey values change least is the eigenvector of the smallest
    eigenvalue of the mean structure tensor.

    Parameters
    ----------
    volume
        Shape (slice, y, x); a block of 128 voxels is read.
    """
    from scipy.ndimage import gaussian_filter

    box = tuple(
        slice((size - min(size, _BLOCK_PX)) // 2, (size + min(size, _BLOCK_PX)) // 2)
        for size in volume.shape
    )
    block = np.nan_to_num(np.asarray(volume[box], np.float32))
    tensor = np.empty((3, 3))
    orders = np.eye(3, dtype=int)
    slopes = [gaussian_filter(block, 1.5, order=tuple(order)) for order in orders.tolist()]
    for a in range(3):
        for b in range(3):
            tensor[a, b] = np.mean(slopes[a] * slopes[b], dtype=np.float64)
    values, vectors = np.linalg.eigh(tensor)
    along = vectors[:, 0]
    number = int(np.abs(along).argmax())
    axis = AXES[number]
    turned = along[list(_ORDERS[axis])]
    order = float(1 - values[0] / max(values[1], 1e-30))
    return Direction(axis, (float(turned[1] / turned[0]), float(turned[2] / turned[0])), order)


class Turned(DiskArray):
    """A volume whose first axis is the one that the fibres run along.

    Parameters
    ----------
    volume
        Shape (slice, y, x).
    axis
        Axis of the volume that becomes the first.
    """

    def __init__(self, volume: LazyArray, axis: Axis) -> None:
        self._order = _ORDERS[axis]
        first, second, third = (volume.shape[number] for number in self._order)
        super().__init__((first, second, third), np.dtype(np.float32))
        self._volume = volume

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        key: list[slice] = [slice(0)] * 3
        for number, part in zip(self._order, ranges, strict=True):
            key[number] = slice(part.start, part.stop, part.step)
        block = np.asarray(self._volume[tuple(key)], np.float32)
        return np.ascontiguousarray(block.transpose(self._order))


def turned_edges(voxel_um: tuple[float, float, float], axis: Axis) -> tuple[float, float, float]:
    """Return the edges of a voxel in the order of a `Turned` volume."""
    first, second, third = (voxel_um[number] for number in _ORDERS[axis])
    return first, second, third


def in_volume(places: Float64Array, axis: Axis) -> Float64Array:
    """Return places of a `Turned` volume as (z, y, x) of the volume itself, shape (n, 3)."""
    back = np.empty_like(places)
    back[:, list(_ORDERS[axis])] = places
    return back
