"""Sinogram columns in order of their values, and back.

The filters of Vo et al. (2018) compare columns after sorting each along the angles. Here a
value and its angle are packed into one 64-bit integer whose order is the order of the
values, so that one plain integer sort (vectorised in numpy) does the work of an argsort.
Ties are ordered by angle, and values that are not finite have a defined place, so results
depend on nothing but the input.

Arrays of this module are ordered (column, rank), so that a column is contiguous.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Keys = NDArray[np.uint32]
Float32Array = NDArray[np.float32]

_SIGN = np.uint32(0x80000000)
_TILE = 32


@njit(nogil=True, cache=True)
def key_of(value: np.float32) -> np.uint32:
    """Return an unsigned integer that orders as the float does."""
    bits = np.float32(value).view(np.uint32)
    # A negative float grows with falling magnitude: turn all bits; else set the sign bit.
    flip = np.uint32(0xFFFFFFFF) if bits >= _SIGN else _SIGN
    return np.uint32(bits ^ flip)


@njit(nogil=True, cache=True)
def value_of(key: np.uint32) -> np.float32:
    """Inverse of `key_of`."""
    flip = _SIGN if key >= _SIGN else np.uint32(0xFFFFFFFF)
    return np.uint32(key ^ flip).view(np.float32)


@njit(nogil=True, cache=True)
def _pack(sinogram: Float32Array, packed: NDArray[np.uint64]) -> None:
    n_angles, n_columns = sinogram.shape
    # By tiles, because one of the two arrays is always walked against its grain.
    for a0 in range(0, n_angles, _TILE):
        a1 = min(a0 + _TILE, n_angles)
        for c0 in range(0, n_columns, _TILE):
            for c in range(c0, min(c0 + _TILE, n_columns)):
                for a in range(a0, a1):
                    key = np.uint64(key_of(sinogram[a, c]))
                    packed[c, a] = (key << np.uint64(32)) | np.uint64(a)


@njit(nogil=True, cache=True)
def _unpack(packed: NDArray[np.uint64], keys: Keys, angles: NDArray[np.uint16]) -> None:
    n_columns, n_ranks = packed.shape
    for c in range(n_columns):
        for r in range(n_ranks):
            item = packed[c, r]
            keys[c, r] = np.uint32(item >> np.uint64(32))
            angles[c, r] = np.uint16(item & np.uint64(0xFFFF))


@njit(nogil=True, cache=True)
def _unrank(
    keys: Keys, angles: NDArray[np.uint16], column: Float32Array, sinogram: Float32Array
) -> None:
    n_columns, n_ranks = keys.shape
    for c0 in range(0, n_columns, _TILE):
        c1 = min(c0 + _TILE, n_columns)
        for c in range(c0, c1):
            for r in range(n_ranks):
                column[c - c0, angles[c, r]] = value_of(keys[c, r])
        for a in range(n_ranks):
            for c in range(c0, c1):
                sinogram[a, c] = column[c - c0, a]


def rank_columns(sinogram: Float32Array) -> tuple[Keys, NDArray[np.uint16]]:
    """Sort every column along the angles.

    Parameters
    ----------
    sinogram
        Shape (angle, column), float32; at most 65536 angles.

    Returns
    -------
    keys
        Sorted values as `key_of` gives them, shape (column, rank).
    angles
        Angle index of each, shape (column, rank).
    """
    n_angles, n_columns = sinogram.shape
    packed = np.empty((n_columns, n_angles), np.uint64)
    _pack(sinogram, packed)
    packed.sort(axis=1)
    keys = np.empty((n_columns, n_angles), np.uint32)
    angles = np.empty((n_columns, n_angles), np.uint16)
    _unpack(packed, keys, angles)
    return keys, angles


def unrank_columns(keys: Keys, angles: NDArray[np.uint16], out: Float32Array) -> None:
    """Put ranked values back to their angles: the inverse of `rank_columns`.

    Parameters
    ----------
    keys, angles
        As from `rank_columns`; the keys may have been changed.
    out
        Sinogram to write, shape (angle, column).
    """
    _unrank(keys, angles, np.empty((_TILE, keys.shape[1]), np.float32), out)
