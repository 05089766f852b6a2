"""What is counted of each labelled object, added up slab by slab.

Surfaces are by Crofton's formula: crossings of the object's surface along the 13 directions
between neighbouring voxels, weighted by the solid angle that each direction stands for (Ohser
and Schladitz, 3D Images of Materials Structures, Wiley, 2009, chapter 5; Legland, Kieu and
Devaux, Image Analysis and Stereology 26, 83-92, 2007). A smooth, closed surface comes out
within about 1 %; a plane is wrong by up to 9 %, by how it lies to the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_alsct_measure.neighbours import AFTER, flat_steps, in_the_midst, inside

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
UInt32Array = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Census:
    """Sums over the voxels of each object; entry 0 is the background. Lengths in voxels."""

    count: Int64Array
    """Voxels, shape (object,)."""
    first: Float64Array
    """Sums of z, y, x, shape (object, 3)."""
    second: Float64Array
    """Sums of zz, yy, xx, zy, zx, yx, shape (object, 6)."""
    low: Int64Array
    """Smallest z, y, x, shape (object, 3)."""
    high: Int64Array
    """Largest z, y, x, shape (object, 3)."""
    crossings: Int64Array
    """Ends of the object along each of `neighbours.AFTER`, shape (object, 13)."""
    grey: Float64Array
    """Sum of grey values, shape (object,)."""
    n_grey: Int64Array
    """Voxels with a finite grey value, shape (object,)."""

    @classmethod
    def start(cls, n_objects: int) -> Census:
        """Return a census of nothing yet."""
        n = n_objects + 1
        return cls(
            np.zeros(n, np.int64), np.zeros((n, 3)), np.zeros((n, 6)),
            np.full((n, 3), np.iinfo(np.int64).max), np.full((n, 3), -1, np.int64),
            np.zeros((n, len(AFTER)), np.int64), np.zeros(n), np.zeros(n, np.int64),
        )  # fmt: skip

    def add(
        self,
        labels: UInt32Array,
        n_own: int,
        first_slice: int,
        grey: NDArray[np.float32] | None = None,
    ) -> None:
        """Add a slab.

        Parameters
        ----------
        labels
            The slab and, but for the last one, the slice that follows it.
        n_own
            Slices of the slab itself.
        first_slice
            Index of its first slice in the volume.
        grey
            Values of the slab itself; those that are not finite are passed over.
        """
        own = np.ascontiguousarray(labels[:n_own])
        _add_moments(own, first_slice, self.count, self.first, self.second, self.low, self.high)
        _add_crossings(np.ascontiguousarray(labels), n_own, self.crossings)
        if grey is not None:
            _add_grey(own, np.ascontiguousarray(grey, np.float32), self.grey, self.n_grey)


def surface_um2(census: Census, voxel_um: tuple[float, float, float]) -> Float64Array:
    """Surface of each object, where it does not leave the volume; shape (object,)."""
    steps = AFTER * np.array(voxel_um)
    lengths = np.linalg.norm(steps, axis=1)
    shares = np.array(direction_shares(voxel_um))
    # Cauchy: surface = 4 x mean projected area; a line crosses a body's surface twice.
    area = np.prod(voxel_um) / lengths
    return np.asarray(2 * census.crossings @ (shares * area))


@cache
def direction_shares(voxel_um: tuple[float, float, float]) -> tuple[float, ...]:
    """Share of the sphere that is nearer to each of the 13 directions than to the others."""
    steps = AFTER * np.array(voxel_um)
    units = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    # Points of a spiral cover the half sphere evenly; both ends of a direction are one.
    n = 400_000
    height = (np.arange(n) + 0.5) / n
    turn = np.pi * (1 + 5**0.5) * np.arange(n)
    flat = np.sqrt(1 - height**2)
    points = np.column_stack([height, flat * np.sin(turn), flat * np.cos(turn)])
    nearest = np.abs(points @ units.T).argmax(axis=1)
    return tuple((np.bincount(nearest, minlength=len(units)) / n).tolist())


@njit(cache=True, nogil=True)
def _add_moments(
    labels: UInt32Array,
    first_slice: int,
    count: Int64Array,
    first: Float64Array,
    second: Float64Array,
    low: Int64Array,
    high: Int64Array,
) -> None:
    n_slices, n_y, n_x = labels.shape
    for k in range(n_slices):
        z = k + first_slice
        for y in range(n_y):
            for x in range(n_x):
                own = labels[k, y, x]
                if own == 0:
                    continue
                count[own] += 1
                first[own, 0] += z
                first[own, 1] += y
                first[own, 2] += x
                second[own, 0] += z * z
                second[own, 1] += y * y
                second[own, 2] += x * x
                second[own, 3] += z * y
                second[own, 4] += z * x
                second[own, 5] += y * x
                low[own, 0], high[own, 0] = min(low[own, 0], z), max(high[own, 0], z)
                low[own, 1], high[own, 1] = min(low[own, 1], y), max(high[own, 1], y)
                low[own, 2], high[own, 2] = min(low[own, 2], x), max(high[own, 2], x)


@njit(cache=True, nogil=True)
def _add_crossings(labels: UInt32Array, n_own: int, crossings: Int64Array) -> None:
    n_slices, n_y, n_x = labels.shape
    flat = labels.reshape(-1)
    jumps = flat_steps(AFTER, n_y, n_x)
    for z in range(n_own):
        for y in range(n_y):
            for x in range(n_x):
                here = (z * n_y + y) * n_x + x
                own = flat[here]
                free = in_the_midst(z, y, x, n_slices, n_y, n_x)
                for way in range(len(jumps)):
                    if not free and not inside(
                        z + AFTER[way, 0], y + AFTER[way, 1], x + AFTER[way, 2],
                        n_slices, n_y, n_x,
                    ):  # fmt: skip
                        continue
                    other = flat[here + jumps[way]]
                    if own != other:
                        crossings[own, way] += 1
                        crossings[other, way] += 1


@njit(cache=True, nogil=True)
def _add_grey(
    labels: UInt32Array, grey: NDArray[np.float32], total: Float64Array, count: Int64Array
) -> None:
    flat, values = labels.reshape(-1), grey.reshape(-1)
    for index in range(flat.size):
        if flat[index] and np.isfinite(values[index]):
            total[flat[index]] += values[index]
            count[flat[index]] += 1
