"""The 26 neighbours of a voxel, in the order of a scan."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

STEPS: NDArray[np.int64] = np.array(
    [(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)]
)
"""Steps (z, y, x), shape (27, 3); 13 is the voxel itself, those before it come earlier."""
ITSELF = 13
AFTER: NDArray[np.int64] = STEPS[ITSELF + 1 :].copy()
"""The 13 that come later; with their opposites they are all."""


@njit(cache=True, nogil=True, inline="always")
def inside(z: int, y: int, x: int, n_slices: int, n_y: int, n_x: int) -> bool:
    """Say whether a voxel lies in the volume."""
    return 0 <= z < n_slices and 0 <= y < n_y and 0 <= x < n_x


@njit(cache=True, nogil=True, inline="always")
def in_the_midst(z: int, y: int, x: int, n_slices: int, n_y: int, n_x: int) -> bool:
    """Say whether all neighbours of a voxel lie in the volume."""
    return 0 < z < n_slices - 1 and 0 < y < n_y - 1 and 0 < x < n_x - 1


@njit(cache=True, nogil=True)
def flat_steps(steps: NDArray[np.int64], n_y: int, n_x: int) -> NDArray[np.int64]:
    """Return steps as differences of the index into a flat array."""
    return (steps[:, 0] * n_y + steps[:, 1]) * n_x + steps[:, 2]
