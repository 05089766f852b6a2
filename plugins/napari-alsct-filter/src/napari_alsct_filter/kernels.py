"""The inner loops; compiled, and without the interpreter's lock."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

LANES = 32
"""Voxels of a row whose medians are found together."""


def median_block(block: Array, half: int, depth: int) -> Array:
    """Median over (2 depth + 1) x (2 half + 1)^2 voxels; shape (z, y, x), float32."""
    block = np.ascontiguousarray(block, np.float32)
    out = np.empty_like(block)
    _median(block, out, depth, half)
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _median(block: Array, out: Array, depth: int, half: int) -> None:
    """Take `LANES` voxels of a row at a time: all compare the same places, so it is SIMD."""
    n_z, n_y, n_x = block.shape
    count = (2 * depth + 1) * (2 * half + 1) ** 2
    near = np.empty((count, LANES), np.float32)
    for z in range(n_z):
        for y in range(n_y):
            for first in range(0, n_x, LANES):
                k = 0
                for dz in range(z - depth, z + depth + 1):
                    for dy in range(y - half, y + half + 1):
                        row = block[min(max(dz, 0), n_z - 1), min(max(dy, 0), n_y - 1)]
                        for dx in range(first - half, first + half + 1):
                            for lane in range(LANES):
                                near[k, lane] = row[min(max(dx + lane, 0), n_x - 1)]
                            k += 1
                _select_middle(near)
                for lane in range(min(LANES, n_x - first)):
                    out[z, y, first + lane] = near[1, lane]


@njit(nogil=True, cache=True, fastmath=True)
def _select_middle(near: Array) -> None:
    """Bring the middle one of an odd number of values, at least three, to row 1.

    Of n / 2 + 2 values neither the least nor the greatest is the middle one of all: both are
    dropped, one more is taken in, and so on (Paeth 1990, Graphics Gems I, p. 171).
    """
    count = near.shape[0]
    held = count // 2 + 2
    for taken in range(held, count + 1):
        last = held - 1
        for i in range(held // 2):
            _order(near, i, last - i)
        for i in range(1, (held + 1) // 2):
            _order(near, 0, i)
        for i in range(held // 2, last):
            _order(near, i, last)
        if taken < count:
            for lane in range(LANES):
                near[0, lane] = near[taken, lane]
        held -= 1


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _order(near: Array, i: int, j: int) -> None:
    for lane in range(LANES):
        a, b = near[i, lane], near[j, lane]
        near[i, lane] = min(a, b)
        near[j, lane] = max(a, b)


def tv_block(block: Array, weight: float, iterations: int) -> Array:
    """Minimise ``|u - block|^2 / 2 + weight * TV(u)``; shape (z, y, x), float32.

    Fast gradient projection on the dual (Beck and Teboulle 2009, IEEE Transactions on Image
    Processing 18:2419), isotropic, in three dimensions or, for one slice, in two.
    """
    block = np.ascontiguousarray(block, np.float32)
    step = np.float32(1.0 / ((12.0 if len(block) > 1 else 8.0) * weight))
    p = np.zeros((3, *block.shape), np.float32)
    r = np.zeros_like(p)
    u = block.copy()
    t = 1.0
    for _ in range(iterations):
        _primal(block, r, u, np.float32(weight))
        t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
        _dual(u, p, r, step, np.float32((t - 1) / t_next))
        t = t_next
    _primal(block, p, u, np.float32(weight))
    return u


@njit(nogil=True, cache=True, fastmath=True)
def _primal(block: Array, p: Array, u: Array, weight: np.float32) -> None:
    """Put ``block - weight * div*(p)`` into u."""
    n_z, n_y, n_x = block.shape
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                s = p[0, z, y, x] + p[1, z, y, x] + p[2, z, y, x]
                if z > 0:
                    s -= p[0, z - 1, y, x]
                if y > 0:
                    s -= p[1, z, y - 1, x]
                if x > 0:
                    s -= p[2, z, y, x - 1]
                u[z, y, x] = block[z, y, x] - weight * s


@njit(nogil=True, cache=True, fastmath=True)
def _dual(u: Array, p: Array, r: Array, step: np.float32, momentum: np.float32) -> None:
    """Step along the gradient from r, project onto the unit ball, put that into p and r."""
    n_z, n_y, n_x = u.shape
    one = np.float32(1)
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                here = u[z, y, x]
                a = b = c = np.float32(0)
                if z + 1 < n_z:
                    a = r[0, z, y, x] + step * (here - u[z + 1, y, x])
                if y + 1 < n_y:
                    b = r[1, z, y, x] + step * (here - u[z, y + 1, x])
                if x + 1 < n_x:
                    c = r[2, z, y, x] + step * (here - u[z, y, x + 1])
                scale = one / max(one, np.sqrt(a * a + b * b + c * c))
                a, b, c = a * scale, b * scale, c * scale
                r[0, z, y, x] = a + momentum * (a - p[0, z, y, x])
                r[1, z, y, x] = b + momentum * (b - p[1, z, y, x])
                r[2, z, y, x] = c + momentum * (c - p[2, z, y, x])
                p[0, z, y, x], p[1, z, y, x], p[2, z, y, x] = a, b, c
