"""Compiled loops of gradients, and of the eigenvalues of Hessian and structure tensor.

As `smoothing`: on one block with its surroundings, joined to the bit, without the GIL.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_alsct_segment.features.smoothing import across, along

Float32Array = NDArray[np.float32]

CHUNK = 128
"""Voxels of a row whose matrices are solved at once."""
_HALF, _QUARTER = np.float32(0.5), np.float32(0.25)
_THIRD, _SIXTH, _ROOT = np.float32(1 / 3), np.float32(1 / 6), np.float32(math.sqrt(3) / 2)
_ZERO, _ONE, _TWO, _THREE, _FOUR, _TWELVE = (np.float32(value) for value in (0, 1, 2, 3, 4, 12))
_TINY = np.float32(1e-30)
_START, _SLOPE, _BEND = np.float32(0.8660254), np.float32(1 / 6), np.float32(0.0326921)
"""Where Newton's method begins: a parabola, right within 0.001."""


@njit(nogil=True, cache=True)
def _half_difference(line: Float32Array, a: Float32Array, b: Float32Array) -> None:
    for x in range(line.size):
        line[x] = _HALF * (a[x] - b[x])


@njit(nogil=True, cache=True)
def gradient(
    source: Float32Array, deep: int, down: Float32Array, over: Float32Array, side: Float32Array
) -> None:
    """Central differences along slices, y and x.

    Parameters
    ----------
    source
        One voxel more on each side than the results, across slices only if `deep` is 1.
    deep
        1, or 0 where slices are looked at alone: `down` is then zero.
    """
    slices, rows, columns = down.shape
    for z in range(slices):
        for y in range(rows):
            before, after = source[z, y + 1], source[z + 2 * deep, y + 1]
            above, below = source[z + deep, y], source[z + deep, y + 2]
            here, n = source[z + deep, y + 1], columns + 1
            _half_difference(down[z, y], after[1:n], before[1:n])
            _half_difference(over[z, y], below[1:n], above[1:n])
            _half_difference(side[z, y], here[2 : n + 1], here[: n - 1])


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues(chunk: Float32Array) -> None:
    """Eigenvalues of `CHUNK` symmetric matrices, without branches.

    The trigonometric solution (Smith, Comm. ACM 4, 168, 1961); cos(acos(r) / 3) is taken as
    the root of 4 x^3 - 3 x = |r| by Newton's method, so that many voxels go at once.

    Parameters
    ----------
    chunk
        Six parts of `CHUNK` values: zz, yy, xx, zy, zx, yx. The first three become the
        eigenvalues, largest first. One array with parts of a fixed length, because the
        compiler sees that these cannot overlap.
    """
    for x in range(CHUNK):
        zz, yy, xx = chunk[x], chunk[CHUNK + x], chunk[2 * CHUNK + x]
        zy, zx, yx = chunk[3 * CHUNK + x], chunk[4 * CHUNK + x], chunk[5 * CHUNK + x]
        mean = (zz + yy + xx) * _THIRD
        a, b, c = zz - mean, yy - mean, xx - mean
        size = math.sqrt((a * a + b * b + c * c + _TWO * (zy * zy + zx * zx + yx * yx)) * _SIXTH)
        scale = _ONE / (size + _TINY)
        a, b, c, d, e, f = a * scale, b * scale, c * scale, zy * scale, zx * scale, yx * scale
        r = _HALF * (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e))
        s = min(abs(r), _ONE)
        t = _START + s * (_SLOPE - _BEND * s)
        t -= (t * (_FOUR * t * t - _THREE) - s) / (_TWELVE * t * t - _THREE)
        t -= (t * (_FOUR * t * t - _THREE) - s) / (_TWELVE * t * t - _THREE)
        far = _TWO * size * t
        near = size * (t + _TWO * _ROOT * math.sqrt(max(_ONE - t * t, _ZERO)))
        # Of the two outer values the farther lies on the side of r's sign.
        high = far if r >= _ZERO else near
        low = near if r >= _ZERO else far
        chunk[x] = mean + high
        chunk[CHUNK + x] = mean + low - high
        chunk[2 * CHUNK + x] = mean - low


@njit(nogil=True, cache=True)
def _second(line: Float32Array, a: Float32Array, b: Float32Array, here: Float32Array) -> None:
    """Second difference along one axis: of its two neighbours and itself."""
    for x in range(line.size):
        line[x] = (a[x] + b[x]) - _TWO * here[x]


@njit(nogil=True, cache=True)
def _mixed(
    line: Float32Array, a: Float32Array, b: Float32Array, c: Float32Array, d: Float32Array
) -> None:
    """Second difference along two axes: of the four neighbours across."""
    for x in range(line.size):
        line[x] = _QUARTER * ((a[x] - b[x]) - (c[x] - d[x]))


@njit(nogil=True, cache=True)
def _begin_length(line: Float32Array, a: Float32Array, b: Float32Array) -> None:
    for x in range(line.size):
        step = _HALF * (a[x] - b[x])
        line[x] = step * step


@njit(nogil=True, cache=True)
def _add_length(line: Float32Array, a: Float32Array, b: Float32Array) -> None:
    for x in range(line.size):
        step = _HALF * (a[x] - b[x])
        line[x] += step * step


@njit(nogil=True, cache=True)
def _root(line: Float32Array, a: Float32Array) -> None:
    for x in range(line.size):
        line[x] = math.sqrt(max(a[x], _ZERO))


@njit(nogil=True, cache=True)
def curvature(
    source: Float32Array, deep: int, edge: Float32Array, first: Float32Array,
    second: Float32Array, third: Float32Array,
) -> None:  # fmt: skip
    """Length of the gradient and eigenvalues of the Hessian, from differences.

    Parameters
    ----------
    source
        A smoothed block with one voxel more on each side, across slices only if `deep` is 1.
    deep
        1, or 0 where slices are looked at alone.
    edge, first, second, third
        Results, shape (slice, y, x); the eigenvalues largest first.
    """
    slices, rows, columns = edge.shape
    chunk = np.zeros(6 * CHUNK, np.float32)
    for z in range(slices):
        above, here, below = source[z], source[z + deep], source[z + 2 * deep]
        for y in range(rows):
            a0, a1, a2 = above[y], above[y + 1], above[y + 2]
            h0, h1, h2 = here[y], here[y + 1], here[y + 2]
            b0, b1, b2 = below[y], below[y + 1], below[y + 2]
            for x in range(0, columns, CHUNK):
                n = min(CHUNK, columns - x)
                p, q, r = x, x + 1, x + 2
                i, j, k = p + n, q + n, r + n
                steep = edge[z, y, x : x + n]
                _begin_length(steep, b1[q:j], a1[q:j])
                _add_length(steep, h2[q:j], h0[q:j])
                _add_length(steep, h1[r:k], h1[p:i])
                _root(steep, steep)
                _second(chunk[0:n], b1[q:j], a1[q:j], h1[q:j])
                _second(chunk[CHUNK : CHUNK + n], h2[q:j], h0[q:j], h1[q:j])
                _second(chunk[2 * CHUNK : 2 * CHUNK + n], h1[r:k], h1[p:i], h1[q:j])
                _mixed(chunk[3 * CHUNK : 3 * CHUNK + n], b2[q:j], b0[q:j], a2[q:j], a0[q:j])
                _mixed(chunk[4 * CHUNK : 4 * CHUNK + n], b1[r:k], b1[p:i], a1[r:k], a1[p:i])
                _mixed(chunk[5 * CHUNK : 5 * CHUNK + n], h2[r:k], h2[p:i], h0[r:k], h0[p:i])
                _eigenvalues(chunk)
                first[z, y, x : x + n] = chunk[0:n]
                second[z, y, x : x + n] = chunk[CHUNK : CHUNK + n]
                third[z, y, x : x + n] = chunk[2 * CHUNK : 2 * CHUNK + n]


@njit(nogil=True, cache=True)
def _begin_product(line: Float32Array, a: Float32Array, b: Float32Array, w: np.float32) -> None:
    for x in range(line.size):
        line[x] = w * (a[x] * b[x])


@njit(nogil=True, cache=True)
def _add_products(
    line: Float32Array, a: Float32Array, b: Float32Array, c: Float32Array, d: Float32Array,
    w: np.float32,
) -> None:  # fmt: skip
    for x in range(line.size):
        line[x] += w * (a[x] * b[x] + c[x] * d[x])


@njit(nogil=True, cache=True)
def _product_through(
    one: Float32Array, other: Float32Array, z: int, y0: int, x0: int, weights: Float32Array,
    plane: Float32Array,
) -> None:  # fmt: skip
    """Smooth the product of two gradients along the slices into one plane."""
    rows, n = plane.shape
    x1 = x0 + n
    for y in range(rows):
        at = y0 + y
        _begin_product(plane[y], one[z, at, x0:x1], other[z, at, x0:x1], weights[0])
        for k in range(1, weights.size):
            _add_products(
                plane[y], one[z - k, at, x0:x1], other[z - k, at, x0:x1],
                one[z + k, at, x0:x1], other[z + k, at, x0:x1], weights[k],
            )  # fmt: skip


@njit(nogil=True, cache=True)
def texture(
    down: Float32Array, over: Float32Array, side: Float32Array, cut: tuple[int, int, int],
    through: Float32Array, weights: Float32Array,
    first: Float32Array, second: Float32Array, third: Float32Array,
) -> None:  # fmt: skip
    """Eigenvalues of the structure tensor within a Gaussian window.

    Parameters
    ----------
    down, over, side
        Gradients along slices, y and x.
    cut, through, weights
        As for `smooth`.
    first, second, third
        Square roots of the eigenvalues, largest first, shape (slice, y, x).
    """
    reach = weights.size - 1
    slices, rows, columns = first.shape
    plane = np.empty((rows + 2 * reach, columns + 2 * reach), np.float32)
    halfway = np.empty((rows, columns + 2 * reach), np.float32)
    tensor = np.empty((6, rows, columns), np.float32)
    chunk = np.zeros(6 * CHUNK, np.float32)
    y0, x0 = cut[1] - reach, cut[2] - reach
    pairs = ((down, down), (over, over), (side, side), (down, over), (down, side), (over, side))
    for z in range(slices):
        for part in range(6):
            one, other = pairs[part]
            _product_through(one, other, z + cut[0], y0, x0, through, plane)
            across(plane, weights, halfway)
            along(halfway, weights, tensor[part])
        for y in range(rows):
            for x in range(0, columns, CHUNK):
                n = min(CHUNK, columns - x)
                for part in range(6):
                    chunk[part * CHUNK : part * CHUNK + n] = tensor[part, y, x : x + n]
                _eigenvalues(chunk)
                _root(first[z, y, x : x + n], chunk[0:n])
                _root(second[z, y, x : x + n], chunk[CHUNK : CHUNK + n])
                _root(third[z, y, x : x + n], chunk[2 * CHUNK : 2 * CHUNK + n])
