"""Halving a volume for the next level of a pyramid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def next_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the shape of the next coarser level: half of each axis, rounded up."""
    return ((shape[0] + 1) // 2, (shape[1] + 1) // 2, (shape[2] + 1) // 2)


def level_shapes(shape: tuple[int, int, int], smallest_px: int = 256) -> list[tuple[int, int, int]]:
    """Return the shapes of all levels, finest first, down to planes of `smallest_px`."""
    shapes = [shape]
    while max(shapes[-1]) > smallest_px:
        shapes.append(next_shape(shapes[-1]))
    return shapes


def halve(block: NDArray[Any]) -> NDArray[Any]:
    """Average 2 x 2 x 2 voxels; at odd ends, those that are there.

    Parameters
    ----------
    block
        Shape (slice, y, x), float32, uint16 or uint8; its first slice must be even in
        the volume.

    Returns
    -------
    halved
        Same type, shape as by `next_shape`. Integers are rounded half up. The mean of
        float voxels is that of the finite ones, NaN where there are none.
    """
    out = np.empty(next_shape((block.shape[0], block.shape[1], block.shape[2])), block.dtype)
    if block.dtype == np.float32:
        _halve_float(block, out)
    else:
        _halve_int(block, out)
    return out


@njit(nogil=True, cache=True)
def _halve_float(block: NDArray[Any], out: NDArray[Any]) -> None:
    n_slices, n_y, n_x = block.shape
    eighth, half_x = np.float32(0.125), n_x // 2
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            bad = 0
            if 2 * k + 1 < n_slices and 2 * j + 1 < n_y:
                a, b = block[2 * k, 2 * j], block[2 * k, 2 * j + 1]
                c, d = block[2 * k + 1, 2 * j], block[2 * k + 1, 2 * j + 1]
                row = out[k, j]
                # The plain sum runs in SIMD; a row with anything not finite is done again.
                for i in range(half_x):
                    left = (a[2 * i] + b[2 * i]) + (c[2 * i] + d[2 * i])
                    right = (a[2 * i + 1] + b[2 * i + 1]) + (c[2 * i + 1] + d[2 * i + 1])
                    mean = (left + right) * eighth
                    row[i] = mean
                    bad |= not (abs(mean) < np.inf)
                start = out.shape[2] if n_x % 2 == 0 else half_x
            else:
                start = 0
            for i in range(0 if bad else start, out.shape[2]):
                out[k, j, i] = _mean_of_finite(block, k, j, i)


@njit(nogil=True, cache=True)
def _mean_of_finite(block: NDArray[Any], k: int, j: int, i: int) -> np.float32:
    total, count = 0.0, 0
    for z in range(2 * k, min(2 * k + 2, block.shape[0])):
        for y in range(2 * j, min(2 * j + 2, block.shape[1])):
            for x in range(2 * i, min(2 * i + 2, block.shape[2])):
                value = block[z, y, x]
                if np.isfinite(value):
                    total += value
                    count += 1
    return np.float32(total / count) if count else np.float32(np.nan)


@njit(nogil=True, cache=True)
def _halve_int(block: NDArray[Any], out: NDArray[Any]) -> None:
    n_slices, n_y, n_x = block.shape
    half_x = n_x // 2
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            start = 0
            if 2 * k + 1 < n_slices and 2 * j + 1 < n_y:
                a, b = block[2 * k, 2 * j], block[2 * k, 2 * j + 1]
                c, d = block[2 * k + 1, 2 * j], block[2 * k + 1, 2 * j + 1]
                row = out[k, j]
                for i in range(half_x):
                    left = np.uint32(a[2 * i]) + b[2 * i] + c[2 * i] + d[2 * i]
                    right = np.uint32(a[2 * i + 1]) + b[2 * i + 1] + c[2 * i + 1] + d[2 * i + 1]
                    row[i] = (np.uint32(left + right) + np.uint32(4)) >> np.uint32(3)
                start = half_x
            for i in range(start, out.shape[2]):
                total, count = 0, 0
                for z in range(2 * k, min(2 * k + 2, n_slices)):
                    for y in range(2 * j, min(2 * j + 2, n_y)):
                        for x in range(2 * i, min(2 * i + 2, n_x)):
                            total += block[z, y, x]
                            count += 1
                out[k, j, i] = (total + count // 2) // count
