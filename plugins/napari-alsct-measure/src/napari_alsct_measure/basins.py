"""Objects of a distance map: each voxel climbs to a summit, and summits without a neck are one.

The watershed by steepest ascent (topographic distance: Meyer, Signal Processing 38, 113-125,
1994), and its merging by the depth of the passes between summits (dynamics: Grimaud, SPIE 1769,
292-305, 1992), which is what markers at h-maxima amount to. Both are local, or work on a list of
passes; so a volume is done slab by slab, and the result is that of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split
from napari_alsct_measure.blocks import Room, ranges
from napari_alsct_measure.distance import Ratio
from napari_alsct_measure.neighbours import (
    AFTER,
    ITSELF,
    STEPS,
    flat_steps,
    in_the_midst,
    inside,
)

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
UInt32Array = NDArray[np.uint32]
UInt64Array = NDArray[np.uint64]

_HALF = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, eq=False)
class Basins:
    """A volume cut into basins, and the passes between them."""

    labels: UInt32Array
    """Basin of each voxel, from 1; 0 in the background. Shape (slice, y, x)."""
    summits: Float32Array
    """Squared height of each basin's summit, shape (basin + 1,)."""
    pairs: UInt64Array
    """Neighbouring basins, the smaller number in the upper half of the bits, shape (pass,)."""
    passes: Float32Array
    """Squared height of the highest pass between them, shape (pass,)."""


def climb(
    squared: Float32Array,
    ratio: Ratio,
    room: Room,
) -> Basins:
    """Cut a distance map into basins.

    Parameters
    ----------
    squared
        Of `distance.squared_distance`.
    ratio
        As it was given there.
    room
        Gives the labels their place.
    """
    n_slices = len(squared)
    labels: UInt32Array = room.array(squared.shape, np.uint32)
    parts = room.slabs(n_slices)
    tops, links, count = [np.zeros(1, np.float32)], [np.empty((0, 2), np.int64)], 0
    carried = np.empty(0, np.int64)
    for start, stop in parts:
        begin, end = max(0, start - 1), min(n_slices, stop + 1)
        part = np.ascontiguousarray(squared[begin:end])
        ways = np.empty((stop - start, *squared.shape[1:]), np.int8)
        run_split(stop - start, room.threads, _climber(np.sqrt(part), start - begin, ratio, ways))
        slab, summits, upward, downward = _settle(ways, part[start - begin : stop - begin], count)
        labels[start:stop] = slab
        # Whoever climbs over the seam goes where the voxel there goes.
        if start:
            links.append(_seam(upward, labels[start - 1]))
            links.append(_seam(carried, slab[0]))
        carried = downward
        tops.append(summits)
        count += len(summits)
        room.step("basins", stop, 3 * n_slices, labels, squared)
    target = _resolve(np.concatenate(links), count)
    number = np.zeros(count + 1, np.uint32)
    used = 0
    for start, stop in parts:
        slab = labels[start:stop]
        used = number_by_first(slab, target, number, used)
        labels[start:stop] = slab
        room.step("basins", n_slices + stop, 3 * n_slices, labels)
    heights = np.zeros(used + 1, np.float32)
    heights[number] = np.concatenate(tops)
    heights[0] = 0.0
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
    pairs, passes = _highest(pairs, passes)
    return Basins(labels, heights, pairs, passes)


def _climber(
    root: Float32Array, shift: int, ratio: Ratio, ways: NDArray[np.int8]
) -> Callable[[int, int], None]:
    def work(first: int, last: int) -> None:
        _ways(root, shift + first, shift + last, ratio, ways[first:last])

    return work


def merge(basins: Basins, neck: float, depth: float) -> Int64Array:
    """Say which basins are one object.

    Parameters
    ----------
    basins
        Of `climb`.
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
    heights = np.sqrt(basins.summits.astype(np.float64))
    order = np.lexsort((basins.pairs, -basins.passes))
    roots = _join(heights, basins.pairs, basins.passes, order, neck, depth)
    kept = np.flatnonzero(roots == np.arange(len(roots)))
    number = np.zeros(len(roots), np.int64)
    number[kept] = np.arange(len(kept))
    return number[roots]


def _seam(climbers: Int64Array, across: UInt32Array) -> Int64Array:
    """Pairs (own basin, basin on the other side) of rows (basin, y, x)."""
    if not len(climbers):
        return np.empty((0, 2), np.int64)
    rows = climbers.reshape(-1, 3)
    return np.column_stack([rows[:, 0], across[rows[:, 1], rows[:, 2]]]).astype(np.int64)


def _resolve(links: Int64Array, count: int) -> Int64Array:
    """Follow links from basin to basin to their ends, shape (count + 1,)."""
    target = np.arange(count + 1)
    target[links[:, 0]] = links[:, 1]
    while True:
        further = target[target]
        if (further == target).all():
            return target
        target = further


@njit(cache=True, nogil=True)
def number_by_first(slab: UInt32Array, target: Int64Array, number: UInt32Array, used: int) -> int:
    """Give labels new numbers in the order in which a scan of the volume meets them.

    Parameters
    ----------
    slab
        Labels, changed in place; slabs come in order.
    target
        Which label each old one stands for; 0 is the background.
    number
        New number of each target, 0 while it has none; filled in.
    used
        Numbers given so far; returned with those of this slab.
    """
    flat = slab.reshape(-1)
    for index in range(flat.size):
        old = target[flat[index]]
        if old == 0:
            flat[index] = 0
            continue
        if number[old] == 0:
            used += 1
            number[old] = used
        flat[index] = number[old]
    return used


@njit(cache=True, nogil=True)
def _ways(root: Float32Array, first: int, last: int, ratio: Ratio, out: NDArray[np.int8]) -> None:
    """Which of `STEPS` each voxel of slices ``first`` to ``last`` climbs; -1: background.

    Steepest by height over step; where nothing is higher, to the first neighbour of its own
    height, in the order of a scan, so that plains have few summits.
    """
    n_slices, n_y, n_x = root.shape
    flat = root.reshape(-1)
    jumps = flat_steps(STEPS, n_y, n_x)
    per_step = np.empty(27, np.float32)
    for way in range(27):
        square = 0.0
        for axis in range(3):
            square += (STEPS[way, axis] * ratio[axis]) ** 2
        per_step[way] = 1 / np.sqrt(max(square, 1e-9))
    for z in range(first, last):
        for y in range(n_y):
            for x in range(n_x):
                here = (z * n_y + y) * n_x + x
                own = flat[here]
                if own <= 0:
                    out[z - first, y, x] = -1
                    continue
                free = in_the_midst(z, y, x, n_slices, n_y, n_x)
                best, best_slope, level = ITSELF, np.float32(0), ITSELF
                for way in range(27):
                    if not free and not inside(
                        z + STEPS[way, 0], y + STEPS[way, 1], x + STEPS[way, 2],
                        n_slices, n_y, n_x,
                    ):  # fmt: skip
                        continue
                    slope = (flat[here + jumps[way]] - own) * per_step[way]
                    if slope > best_slope:
                        best, best_slope = way, slope
                    elif slope == 0 and way < level:
                        level = way
                out[z - first, y, x] = level if best == ITSELF else best


@njit(cache=True, nogil=True)
def _settle(
    ways: NDArray[np.int8], heights: Float32Array, count: int
) -> tuple[UInt32Array, Float32Array, Int64Array, Int64Array]:
    """Number the basins of a slab from ``count + 1``.

    Returns the labels, the squared heights of the summits, and flat rows (basin, y, x) of those
    whose end climbs into the slab above (smaller z) and below.
    """
    n_slices, n_y, n_x = ways.shape
    labels = np.zeros(ways.shape, np.uint32)
    flat_labels, flat_ways = labels.reshape(-1), ways.reshape(-1)
    flat_heights = heights.reshape(-1)
    plane = n_y * n_x
    jumps = flat_steps(STEPS, n_y, n_x)
    path = np.empty(1024, np.int64)
    summits = np.empty(1024, np.float32)
    upward, downward = np.empty(3 * 1024, np.int64), np.empty(3 * 1024, np.int64)
    n_summits, n_up, n_down = 0, 0, 0
    for start in range(flat_ways.size):
        if flat_ways[start] < 0 or flat_labels[start] > 0:
            continue
        here, length = start, 0
        number = np.uint32(0)
        while True:
            if length == len(path):
                path = np.concatenate((path, np.empty(len(path), np.int64)))
            path[length] = here
            length += 1
            way = flat_ways[here]
            dz = STEPS[way, 0]
            z = here // plane
            outside = z + dz < 0 or z + dz >= n_slices
            if way == ITSELF or outside:
                if n_summits == len(summits):
                    summits = np.concatenate((summits, np.empty(len(summits), np.float32)))
                summits[n_summits] = flat_heights[here]
                n_summits += 1
                number = np.uint32(count + n_summits)
                if outside:
                    y = here % plane // n_x + STEPS[way, 1]
                    x = here % n_x + STEPS[way, 2]
                    if dz < 0:
                        upward, n_up = _append(upward, n_up, number, y, x)
                    else:
                        downward, n_down = _append(downward, n_down, number, y, x)
                break
            here += jumps[way]
            if flat_labels[here] > 0:
                number = flat_labels[here]
                break
        for step in range(length):
            flat_labels[path[step]] = number
    return labels, summits[:n_summits].copy(), upward[:n_up].copy(), downward[:n_down].copy()


@njit(cache=True, nogil=True)
def _append(rows: Int64Array, used: int, number: int, y: int, x: int) -> tuple[Int64Array, int]:
    if used + 3 > len(rows):
        rows = np.concatenate((rows, np.empty(len(rows), np.int64)))
    rows[used], rows[used + 1], rows[used + 2] = number, y, x
    return rows, used + 3


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
