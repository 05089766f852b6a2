"""Compiled loops of Gaussians: smoothing, and the spread within a window, each on one block.

A block comes with its surroundings; ``cut`` says how many voxels of them (slice, y, x) the
result no longer has. Every voxel's value is a sum in one fixed order that does not depend on
where in the block it lies, so blocks join to the bit. The kernels free the GIL; threads share
out blocks, not loops.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


@njit(nogil=True, cache=True)
def _begin(line: Float32Array, a: Float32Array, u: np.float32) -> None:
    for x in range(line.size):
        line[x] = u * a[x]


@njit(nogil=True, cache=True)
def _add_pair(line: Float32Array, a: Float32Array, b: Float32Array, u: np.float32) -> None:
    for x in range(line.size):
        line[x] += u * (a[x] + b[x])


@njit(nogil=True, cache=True)
def _add_pairs(
    line: Float32Array,
    a: Float32Array, b: Float32Array, u: np.float32,
    c: Float32Array, d: Float32Array, v: np.float32,
    e: Float32Array, f: Float32Array, w: np.float32,
) -> None:  # fmt: skip
    for x in range(line.size):
        line[x] += u * (a[x] + b[x]) + v * (c[x] + d[x]) + w * (e[x] + f[x])


@njit(nogil=True, cache=True)
def across(plane: Float32Array, weights: Float32Array, halfway: Float32Array) -> None:
    """Smooth a plane along y; `halfway` has as many lines less as the weights reach."""
    reach = weights.size - 1
    for y in range(halfway.shape[0]):
        line, at = halfway[y], y + reach
        _begin(line, plane[at], weights[0])
        k = 1
        while k + 2 <= reach:
            _add_pairs(
                line,
                plane[at - k], plane[at + k], weights[k],
                plane[at - k - 1], plane[at + k + 1], weights[k + 1],
                plane[at - k - 2], plane[at + k + 2], weights[k + 2],
            )  # fmt: skip
            k += 3
        while k <= reach:
            _add_pair(line, plane[at - k], plane[at + k], weights[k])
            k += 1


@njit(nogil=True, cache=True)
def along(halfway: Float32Array, weights: Float32Array, out: Float32Array) -> None:
    """Smooth lines along x."""
    reach = weights.size - 1
    n = out.shape[1]
    for y in range(out.shape[0]):
        line, s = out[y], halfway[y]
        _begin(line, s[reach : reach + n], weights[0])
        k = 1
        while k + 2 <= reach:
            low, high = reach - k, reach + k
            _add_pairs(
                line,
                s[low : low + n], s[high : high + n], weights[k],
                s[low - 1 : low - 1 + n], s[high + 1 : high + 1 + n], weights[k + 1],
                s[low - 2 : low - 2 + n], s[high + 2 : high + 2 + n], weights[k + 2],
            )  # fmt: skip
            k += 3
        while k <= reach:
            low, high = reach - k, reach + k
            _add_pair(line, s[low : low + n], s[high : high + n], weights[k])
            k += 1


@njit(nogil=True, cache=True)
def _through(
    source: Float32Array, z: int, y0: int, x0: int, weights: Float32Array, plane: Float32Array
) -> None:
    """Smooth along the slices into one plane, plane by plane, so that few are read at once."""
    reach = weights.size - 1
    rows, n = plane.shape
    x1 = x0 + n
    for y in range(rows):
        _begin(plane[y], source[z, y0 + y, x0:x1], weights[0])
    k = 1
    while k + 2 <= reach:
        for y in range(rows):
            at = y0 + y
            _add_pairs(
                plane[y],
                source[z - k, at, x0:x1], source[z + k, at, x0:x1], weights[k],
                source[z - k - 1, at, x0:x1], source[z + k + 1, at, x0:x1], weights[k + 1],
                source[z - k - 2, at, x0:x1], source[z + k + 2, at, x0:x1], weights[k + 2],
            )  # fmt: skip
        k += 3
    while k <= reach:
        for y in range(rows):
            at = y0 + y
            _add_pair(
                plane[y], source[z - k, at, x0:x1], source[z + k, at, x0:x1], weights[k]
            )  # fmt: skip
        k += 1


@njit(nogil=True, cache=True)
def smooth(
    source: Float32Array,
    cut: tuple[int, int, int],
    through: Float32Array,
    weights: Float32Array,
    out: Float32Array,
) -> None:
    """Convolve with a Gaussian.

    Parameters
    ----------
    source
        Shape (slice, y, x) with its surroundings.
    cut
        What `out` has less on each side; at least the reach of the weights.
    through, weights
        Of the Gaussian across slices and within them, from the middle outwards.
    out
        Shape of `source` less twice `cut`.
    """
    reach = weights.size - 1
    slices, rows, columns = out.shape
    plane = np.empty((rows + 2 * reach, columns + 2 * reach), np.float32)
    halfway = np.empty((rows, columns + 2 * reach), np.float32)
    for z in range(slices):
        _through(source, z + cut[0], cut[1] - reach, cut[2] - reach, through, plane)
        across(plane, weights, halfway)
        along(halfway, weights, out[z])


@njit(nogil=True, cache=True)
def spread(
    source: Float32Array,
    cut: tuple[int, int, int],
    through: Float32Array,
    weights: Float32Array,
    out: Float32Array,
) -> None:
    """Standard deviation within a Gaussian window; parameters as for `smooth`."""
    reach = weights.size - 1
    deep = through.size - 1
    slices, rows, columns = out.shape
    mean = np.empty((rows + 2 * reach, columns + 2 * reach), np.float32)
    square = np.empty_like(mean)
    halfway = np.empty((rows, columns + 2 * reach), np.float32)
    middle = np.empty((rows, columns), np.float32)
    y0, x0 = cut[1] - reach, cut[2] - reach
    for z in range(slices):
        mean[:] = 0
        square[:] = 0
        for k in range(-deep, deep + 1):
            w = through[abs(k)]
            for y in range(mean.shape[0]):
                line = source[z + cut[0] + k, y0 + y, x0 : x0 + mean.shape[1]]
                for x in range(mean.shape[1]):
                    part = w * line[x]
                    mean[y, x] += part
                    square[y, x] += part * line[x]
        across(mean, weights, halfway)
        along(halfway, weights, middle)
        across(square, weights, halfway)
        along(halfway, weights, out[z])
        for y in range(rows):
            for x in range(columns):
                variance = out[z, y, x] - middle[y, x] * middle[y, x]
                out[z, y, x] = math.sqrt(max(variance, np.float32(0)))
