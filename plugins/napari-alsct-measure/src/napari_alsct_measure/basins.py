"""Basins of a distance map: each voxel climbs to a summit.

The watershed by steepest ascent (topographic distance: Meyer, Signal Processing 38, 113-125,
1994). It is local, so a volume is done slab by slab, and the result is that of the whole; see
`passes` for which basins are one object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split
from napari_alsct_measure.blocks import Room
from napari_alsct_measure.distance import Ratio
from napari_alsct_measure.neighbours import (
    ITSELF,
    STEPS,
    flat_steps,
    in_the_midst,
    inside,
)
from napari_alsct_measure.passes import find_passes

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
UInt32Array = NDArray[np.uint32]
UInt64Array = NDArray[np.uint64]


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
    target, count = np.zeros(1, np.uint32), 0
    tops: list[tuple[UInt32Array, Float32Array]] = []
    carried = np.empty((0, 3), np.int64)
    desk = _Desk.of(parts[0][1], squared.shape)
    for start, stop in parts:
        begin, end = max(0, start - 1), min(n_slices, stop + 1)
        part, root = desk.heights[: end - begin], desk.roots[: end - begin]
        slab, ways = desk.labels[: stop - start], desk.ways[: stop - start]
        part[:] = squared[begin:end]
        np.sqrt(part, out=root)
        run_split(stop - start, room.threads, _climber(root, start - begin, ratio, ways))
        inner = part[start - begin : stop - begin]
        own, summits, heights, upward, downward = _settle(ways, inner, slab, count)
        labels[start:stop] = slab
        target = _longer(target, count + own + 1)
        target[count + 1 : count + own + 1] = np.arange(count + 1, count + own + 1)
        count += own
        # Whoever climbs over the seam goes where the voxel there goes.
        if start:
            above = labels[start - 1]
            target[upward[:, 0]] = above[upward[:, 1], upward[:, 2]]
            target[carried[:, 0]] = slab[0][carried[:, 1], carried[:, 2]]
        carried = downward
        tops.append((summits, heights))
        room.step("basins", stop, 3 * n_slices, labels, squared)
    target = target[: count + 1]
    _resolve(target)
    number = np.zeros(count + 1, np.uint32)
    used = 0
    for start, stop in parts:
        slab = desk.labels[: stop - start]
        slab[:] = labels[start:stop]
        used = number_by_first(slab, target, number, used)
        labels[start:stop] = slab
        room.step("basins", n_slices + stop, 3 * n_slices, labels)
    heights = np.zeros(used + 1, np.float32)
    for summits, own_heights in tops:
        heights[number[summits]] = own_heights
    heights[0] = 0.0
    del desk, target, number
    pairs, passes = find_passes(labels, squared, room)
    return Basins(labels, heights, pairs, passes)


def _climber(
    root: Float32Array, shift: int, ratio: Ratio, ways: NDArray[np.int8]
) -> Callable[[int, int], None]:
    def work(first: int, last: int) -> None:
        _ways(root, shift + first, shift + last, ratio, ways[first:last])

    return work


@dataclass(frozen=True, eq=False)
class _Desk:
    """Arrays of a slab, made once: made anew for each slab they would tear memory to pieces."""

    heights: Float32Array
    """Squared, with a slice of the slabs beside it. Shape (slice, y, x), as all of these."""
    roots: Float32Array
    """Not squared."""
    ways: NDArray[np.int8]
    labels: UInt32Array

    @classmethod
    def of(cls, slices: int, shape: tuple[int, ...]) -> _Desk:
        """Make room for slabs of so many slices."""
        own, beside = (slices, *shape[1:]), (slices + 2, *shape[1:])
        return cls(
            np.empty(beside, np.float32), np.empty(beside, np.float32), np.empty(own, np.int8),
            np.empty(own, np.uint32),
        )  # fmt: skip


def _longer(array: UInt32Array, size: int) -> UInt32Array:
    """Return an array with room for so many entries; it doubles, so that few are copied often."""
    if size <= len(array):
        return array
    longer = np.empty(max(size, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True)
def _resolve(target: UInt32Array) -> None:
    """Follow links from basin to basin to their ends, in place."""
    for start in range(len(target)):
        end = start
        while target[end] != end:
            end = target[end]
        here = start
        while target[here] != end:
            there = target[here]
            target[here] = end
            here = there


@njit(cache=True, nogil=True)
def number_by_first(
    slab: UInt32Array, target: UInt32Array | Int64Array, number: UInt32Array, used: int
) -> int:
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
    ways: NDArray[np.int8], heights: Float32Array, labels: UInt32Array, count: int
) -> tuple[int, UInt32Array, Float32Array, Int64Array, Int64Array]:
    """Number the basins of a slab from ``count + 1``, into ``labels``.

    Returns how many there are, the numbers and squared heights of those that have their summit
    here, and rows (basin, y, x) of those whose end climbs into the slab above (smaller z) and
    below.
    """
    n_slices, n_y, n_x = ways.shape
    labels[:] = 0
    flat_labels, flat_ways = labels.reshape(-1), ways.reshape(-1)
    flat_heights = heights.reshape(-1)
    plane = n_y * n_x
    jumps = flat_steps(STEPS, n_y, n_x)
    path = np.empty(1024, np.int64)
    summits, tops = np.empty(1024, np.uint32), np.empty(1024, np.float32)
    upward, downward = np.empty(3 * 1024, np.int64), np.empty(3 * 1024, np.int64)
    own, n_summits, n_up, n_down = 0, 0, 0, 0
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
            if way == ITSELF:
                if n_summits == len(summits):
                    summits = np.concatenate((summits, np.empty(len(summits), np.uint32)))
                    tops = np.concatenate((tops, np.empty(len(tops), np.float32)))
                own += 1
                number = np.uint32(count + own)
                summits[n_summits], tops[n_summits] = number, flat_heights[here]
                n_summits += 1
                break
            if z + dz < 0 or z + dz >= n_slices:
                own += 1
                number = np.uint32(count + own)
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
    return (
        own, summits[:n_summits].copy(), tops[:n_summits].copy(),
        upward[:n_up].copy().reshape(-1, 3), downward[:n_down].copy().reshape(-1, 3),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _append(rows: Int64Array, used: int, number: int, y: int, x: int) -> tuple[Int64Array, int]:
    if used + 3 > len(rows):
        rows = np.concatenate((rows, np.empty(len(rows), np.int64)))
    rows[used], rows[used + 1], rows[used + 2] = number, y, x
    return rows, used + 3
