"""Compiled loops of a network at work: one layer on some rows of all pictures.

A product that is added may be fused (``contract``); nothing else is reordered. The kernels
free the GIL.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

_FLAGS = {"contract"}


@njit(nogil=True, cache=True, fastmath=_FLAGS, error_model="numpy")
def _add_row(
    line: Float32Array, a: Float32Array, s: int, pad: int, u: np.float32, v: np.float32,
    w: np.float32,
) -> None:  # fmt: skip
    n = line.size
    left, here, right = a[pad - s : pad - s + n], a[pad : pad + n], a[pad + s : pad + s + n]
    for x in range(n):
        line[x] += u * left[x] + v * here[x] + w * right[x]


@njit(nogil=True, cache=True, fastmath=_FLAGS, error_model="numpy")
def _add_two_rows(
    line: Float32Array, a: Float32Array, b: Float32Array, s: int, pad: int, u: np.float32,
    v: np.float32, w: np.float32, p: np.float32, q: np.float32, r: np.float32,
) -> None:  # fmt: skip
    n = line.size
    left, here, right = a[pad - s : pad - s + n], a[pad : pad + n], a[pad + s : pad + s + n]
    west, mid, east = b[pad - s : pad - s + n], b[pad : pad + n], b[pad + s : pad + s + n]
    for x in range(n):
        line[x] += u * left[x] + v * here[x] + w * right[x] + p * west[x] + q * mid[x] + r * east[x]


@njit(nogil=True, cache=True)
def _thrown_back(index: int, size: int) -> int:
    """Mirror an index at the ends; the edge itself is not repeated."""
    if size == 1:
        return 0
    if index < 0:
        index = -index
    if index >= size:
        index = 2 * size - 2 - index
    return index


@njit(nogil=True, cache=True)
def mirror_rows(picture: Float32Array, pad: int, start: int, stop: int) -> None:
    """Fill `pad` columns on each side of some rows with their mirror image."""
    size = picture.shape[1] - 2 * pad
    for y in range(start, stop):
        for x in range(1, pad + 1):
            picture[y, pad - x] = picture[y, pad + _thrown_back(x, size)]
            last = _thrown_back(size - 1 + x, size)
            picture[y, pad + size - 1 + x] = picture[y, pad + last]


@njit(nogil=True, cache=True)
def layer(
    pictures: Float32Array, seen: int, dilation: int, weights: Float32Array, bias: np.float32,
    pad: int, start: int, stop: int,
) -> None:  # fmt: skip
    """Make some rows of one picture from those before it.

    Parameters
    ----------
    pictures
        Shape (picture, y, x) with `pad` mirrored columns on each side; larger than `pad` along
        y and x.
    seen
        How many pictures there are; the next one is made.
    dilation
        Distance of the taps, at most `pad`.
    weights
        Shape (seen * 9,).
    bias
        Added before the negative part is cut.
    pad
        Mirrored columns.
    start, stop
        Rows.
    """
    rows = pictures.shape[1]
    n = pictures.shape[2] - 2 * pad
    for y in range(start, stop):
        line = pictures[seen, y, pad : pad + n]
        for x in range(n):
            line[x] = bias
        above, below = _thrown_back(y - dilation, rows), _thrown_back(y + dilation, rows)
        for c in range(seen):
            k = 9 * c
            _add_two_rows(
                line, pictures[c, above], pictures[c, y], dilation, pad,
                weights[k], weights[k + 1], weights[k + 2],
                weights[k + 3], weights[k + 4], weights[k + 5],
            )  # fmt: skip
            _add_row(
                line, pictures[c, below], dilation, pad,
                weights[k + 6], weights[k + 7], weights[k + 8],
            )  # fmt: skip
        for x in range(n):
            line[x] = max(line[x], np.float32(0))
    mirror_rows(pictures[seen], pad, start, stop)


@njit(nogil=True, cache=True, fastmath=_FLAGS, error_model="numpy")
def last_layer(
    pictures: Float32Array, weights: Float32Array, biases: Float32Array, pad: int,
    out: Float32Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Weigh all pictures, pixel by pixel, on some rows of `out`, shape (output, y, x)."""
    n = out.shape[2]
    for o in range(out.shape[0]):
        for y in range(start, stop):
            line = out[o, y]
            for x in range(n):
                line[x] = biases[o]
            for c in range(pictures.shape[0]):
                row, weight = pictures[c, y, pad : pad + n], weights[o, c]
                for x in range(n):
                    line[x] += weight * row[x]
