"""Passes between basins, and which basins are one object because the pass is no neck.

Merging by the depth of passes between summits (dynamics: Grimaud, SPIE 1769, 292-305, 1992),
which is what markers at h-maxima amount to.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_alsct_measure.blocks import Room, ranges
from napari_alsct_measure.neighbours import AFTER, flat_steps, in_the_midst, inside

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
UInt32Array = NDArray[np.uint32]
UInt64Array = NDArray[np.uint64]

_HALF = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)


def find_passes(
    labels: UInt32Array, squared: Float32Array, room: Room
) -> tuple[UInt64Array, Float32Array]:
    """Find the pairs of basins that touch, and the highest pass of each.

    Parameters
    ----------
    labels
        Basin of each voxel, shape (slice, y, x).
    squared
        Squared distances, likewise.
    room
        Memory and progress; this is the last third of the stage of the basins.

    Returns
    -------
    pairs, passes
        As in `basins.Basins`.
    """
    n_slices = len(labels)
    found: list[tuple[UInt64Array, Float32Array]] = []
    # Where labels are noisy every voxel meets several others: slabs of a quarter hold the list.
    for start, stop in ranges(n_slices, max(1, room.slab_slices // 4)):
        end = min(n_slices, stop + 1)
        found.append(
            _highest(*_meetings(
                np.ascontiguousarray(labels[start:end]), np.ascontiguousarray(squared[start:end]),
                stop - start,
            ))
        )  # fmt: skip
        room.step("basins", 2 * n_slices + stop, 3 * n_slices, labels, squared)
    pairs = np.concatenate([item[0] for item in found])
    passes = np.concatenate([item[1] for item in found])
    found.clear()
    return _highest(pairs, passes)


def merge(
    summits: Float32Array, pairs: UInt64Array, passes: Float32Array, neck: float, depth: float
) -> Int64Array:
    """Say which basins are one object.

    Parameters
    ----------
    summits, pairs, passes
        As in `basins.Basins`.
    neck
        Two summits are one object when the pass between them is at least so high, as a share
        of the lower summit (both as distances, not squared).
    depth
        Also when the lower summit is less than so much above the pass, in edges along x.

    Returns
    -------
    objects
        Object of each basin, numbered from 1 in the order of their first voxels; entry 0 is
        0. Shape (basin + 1,).
    """
    heights = np.sqrt(summits.astype(np.float64))
    order = np.lexsort((pairs, -passes))
    roots = _join(heights, pairs, passes, order, neck, depth)
    kept = np.flatnonzero(roots == np.arange(len(roots)))
    number = np.zeros(len(roots), np.int64)
    number[kept] = np.arange(len(kept))
    return number[roots]


def _meetings(
    labels: UInt32Array, squared: Float32Array, n_own: int
) -> tuple[UInt64Array, Float32Array]:
    """Pairs of basins that touch, with the height of each touch."""
    none = np.empty(0, np.uint64), np.empty(0, np.float32)
    count = _list_meetings(labels, squared, n_own, *none)
    pairs, heights = np.empty(count, np.uint64), np.empty(count, np.float32)
    _list_meetings(labels, squared, n_own, pairs, heights)
    return pairs, heights


@njit(cache=True, nogil=True)
def _list_meetings(
    labels: UInt32Array,
    squared: Float32Array,
    n_own: int,
    pairs: UInt64Array,
    heights: Float32Array,
) -> int:
    """Fill in pairs and heights as far as there is room; returns how many there are."""
    n_slices, n_y, n_x = labels.shape
    flat, height = labels.reshape(-1), squared.reshape(-1)
    jumps = flat_steps(AFTER, n_y, n_x)
    room = len(heights)
    used = 0
    for z in range(n_own):
        for y in range(n_y):
            for x in range(n_x):
                here = (z * n_y + y) * n_x + x
                own = flat[here]
                if own == 0:
                    continue
                free = in_the_midst(z, y, x, n_slices, n_y, n_x)
                for way in range(len(jumps)):
                    if not free and not inside(
                        z + AFTER[way, 0], y + AFTER[way, 1], x + AFTER[way, 2],
                        n_slices, n_y, n_x,
                    ):  # fmt: skip
                        continue
                    there = here + jumps[way]
                    other = flat[there]
                    if other == 0 or other == own:
                        continue
                    if used < room:
                        smaller, larger = np.uint64(min(own, other)), np.uint64(max(own, other))
                        pairs[used] = (smaller << _HALF) | larger
                        heights[used] = min(height[here], height[there])
                    used += 1
    return used


def _highest(pairs: UInt64Array, heights: Float32Array) -> tuple[UInt64Array, Float32Array]:
    """Keep the highest of each pair, in the order of the pairs."""
    if not len(pairs):
        return pairs, heights
    order = np.argsort(pairs)
    pairs, heights = pairs[order], heights[order]
    del order
    first = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    return pairs[first], np.maximum.reduceat(heights, first)


@njit(cache=True)
def _join(
    heights: Float64Array, pairs: UInt64Array, squared: Float32Array, order: Int64Array,
    neck: float, depth: float,
) -> Int64Array:  # fmt: skip
    """Union of basins over their passes, in an order; the smallest number is the root."""
    parent = np.arange(len(heights))
    top = heights.copy()
    for index in order:
        a, b = np.int64(pairs[index] >> _HALF), np.int64(pairs[index] & _LOWER)
        height = math.sqrt(np.float64(squared[index]))
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            continue
        lower = min(top[a], top[b])
        if height >= neck * lower or lower - height < depth:
            low, high = min(a, b), max(a, b)
            parent[high] = low
            top[low] = max(top[a], top[b])
    for index in range(len(parent)):
        root = index
        while parent[root] != root:
            root = parent[root]
        parent[index] = root
    return parent
