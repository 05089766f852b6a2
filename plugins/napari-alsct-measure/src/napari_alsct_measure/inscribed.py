"""Which inscribed balls are needed: the exact medial axis, by a table of lattice points.

A ball is left out when a neighbour's ball holds all its voxels. Whether it does is looked up
for the squared radii of the two, as in Remy and Thiel, Image and Vision Computing 23, 167-175
(2005), so that nothing is lost: the balls that stay cover the same voxels with the same
largest radii.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

_STEPS = [(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)][1:]
_JUST_BELOW = 1 - 2e-7
"""Equal squares may differ by rounding."""


@dataclass(frozen=True, eq=False)
class CoverTable:
    """What a neighbour needs to cover a ball, by the ball's squared radius."""

    norms: Float64Array
    """Squared lengths of lattice vectors, ascending, shape (n,)."""
    needed: Float64Array
    """Largest squared distance, from a neighbour, of any lattice point within each length;
    shape (kind of neighbour, n). The kind is its step's absolute (z, y, x) as three bits."""


def cover_table(largest: float, ratio: tuple[float, float, float]) -> CoverTable:
    """Make the table for balls up to a radius.

    Parameters
    ----------
    largest
        Radius, in edges along x.
    ratio
        Edges of a voxel over the edge along x.
    """
    counts = [int(largest / edge) + 2 for edge in ratio]
    axes = np.meshgrid(*(np.arange(count) for count in counts), indexing="ij", sparse=True)
    norm = _squares(axes, (0, 0, 0), ratio)
    within = norm <= (largest + 2 * max(ratio)) ** 2
    norms, place = np.unique(np.round(norm[within], 6), return_inverse=True)
    needed = np.zeros((8, len(norms)))
    for step in _STEPS:
        # The lattice point farthest from the neighbour lies on the other side of it.
        far = _squares(axes, step, ratio)
        kind = step[0] * 4 + step[1] * 2 + step[2]
        np.maximum.at(needed[kind], place, far[within])
        np.maximum.accumulate(needed[kind], out=needed[kind])
    return CoverTable(norms, needed)


def _squares(
    axes: Sequence[NDArray[np.int64]], step: tuple[int, int, int], ratio: tuple[float, float, float]
) -> Float64Array:
    """Squared lengths of lattice vectors (z, y, x) with a step added."""
    z, y, x = (
        (edge * (axis + move)) ** 2 for edge, axis, move in zip(ratio, axes, step, strict=True)
    )
    return np.asarray(z + y + x, np.float64)


@njit(cache=True, nogil=True)
def needed_balls(
    squared: Float32Array, first: int, last: int, norms: Float64Array, needed: Float64Array
) -> NDArray[np.bool_]:
    """Say which voxels of slices ``first`` to ``last`` are centres of needed balls.

    Parameters
    ----------
    squared
        Squared distances, shape (slice, y, x); slices about the range are looked at.
    norms, needed
        Of a `CoverTable`.
    """
    n_slices, n_y, n_x = squared.shape
    out = np.zeros((last - first, n_y, n_x), np.bool_)
    for z in range(first, last):
        for y in range(n_y):
            for x in range(n_x):
                own = squared[z, y, x]
                if own <= 0:
                    continue
                # The last lattice length that is smaller than the radius.
                place = np.searchsorted(norms, own * _JUST_BELOW) - 1
                out[z - first, y, x] = True
                for a in range(max(0, z - 1), min(n_slices, z + 2)):
                    for b in range(max(0, y - 1), min(n_y, y + 2)):
                        for c in range(max(0, x - 1), min(n_x, x + 2)):
                            if squared[a, b, c] <= own:
                                continue
                            kind = abs(a - z) * 4 + abs(b - y) * 2 + abs(c - x)
                            if squared[a, b, c] * _JUST_BELOW > needed[kind, place]:
                                out[z - first, y, x] = False
    return out
