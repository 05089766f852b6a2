"""Local thickness: at each voxel the diameter of the largest ball that fits and holds it.

After Hildebrand and Ruegsegger, Journal of Microscopy 185, 67-75 (1997). Balls are painted
from the largest down, so that each voxel is painted once; rows remember where they are still
unpainted, so that a ball costs as many steps as it has rows and not as it has voxels. Slabs
are painted by themselves, with the balls of all neighbouring slices that reach into them: the
result is that of the whole.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split
from napari_alsct_measure.blocks import Room, ranges
from napari_alsct_measure.distance import Ratio, largest_distance
from napari_alsct_measure.inscribed import CoverTable, cover_table, needed_balls

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

_JUST_BELOW = 1 - 2e-7
"""A voxel that lies on a ball's rim by rounding alone is not in it."""

_PARTS = 16
"""Balls of a slab are painted in so many parts: cancel is looked at between them."""

Take = Callable[[int, Float32Array], None]
"""Gets the first slice of a slab, and its diameters."""


def local_thickness(
    squared: Float32Array,
    ratio: Ratio,
    room: Room,
    take: Take,
) -> None:
    """Local thickness of a foreground, slab by slab.

    A voxel belongs to a ball when its centre is nearer to the ball's centre than the nearest
    background voxel's is.

    Parameters
    ----------
    squared
        Of `distance.squared_distance`.
    ratio
        As it was given there.
    room
        Says how thick slabs are.
    take
        Gets each slab: float32, diameters ``2 d`` in edges along x, with d the distance of
        the ball's centre to the nearest background voxel's centre; 0 in the background.
    """
    n_slices, n_y, n_x = squared.shape
    largest = largest_distance(squared, room)
    table = cover_table(largest, ratio)
    reach = int(np.ceil(largest / ratio[0]))
    for start, stop in room.slabs(n_slices):
        low, high = max(0, start - reach), min(n_slices, stop + reach)
        places, radii = _balls(squared, low, high, table, room)
        out = np.zeros((stop - start, n_y, n_x), np.float32)
        free = np.empty((stop - start, n_y, n_x + 1), np.int32)
        free[:] = np.arange(n_x + 1)
        for part in np.array_split(np.arange(len(radii)), _PARTS):
            painter = _painter(out, free, start, places[part], radii[part], ratio)
            run_split(stop - start, room.threads, painter)
            room.step("thickness", start, n_slices, squared)
        take(start, out)
        room.step("thickness", stop, n_slices, squared)


def _painter(
    out: Float32Array,
    free: NDArray[np.int32],
    start: int,
    places: Int32Array,
    radii: Float32Array,
    ratio: Ratio,
) -> Callable[[int, int], None]:
    def work(first: int, last: int) -> None:
        _paint(out[first:last], free[first:last], start + first, places, radii, *ratio)

    return work


def _balls(
    squared: Float32Array, first: int, last: int, table: CoverTable, room: Room
) -> tuple[Int32Array, Float32Array]:
    """Centres (z, y, x) and squared radii of the needed balls of a range, largest first."""
    found: list[tuple[Int32Array, Float32Array]] = []
    for start, stop in ranges(last - first, room.slab_slices):
        low, high = first + start, first + stop
        # One slice on either side is enough to judge by.
        begin, end = max(0, low - 1), min(len(squared), high + 1)
        part = np.ascontiguousarray(squared[begin:end])
        kept = np.empty((high - low, *squared.shape[1:]), np.bool_)
        run_split(high - low, room.threads, _judge(part, kept, low - begin, table))
        places = np.argwhere(kept).astype(np.int32)
        places[:, 0] += low
        found.append((places, part[low - begin : high - begin][kept]))
        room.reporter.check()
    places = np.concatenate([item[0] for item in found])
    radii = np.concatenate([item[1] for item in found])
    del found
    order = np.argsort(-radii, kind="stable")
    return places[order], radii[order]


def _judge(
    part: Float32Array, kept: NDArray[np.bool_], shift: int, table: CoverTable
) -> Callable[[int, int], None]:
    def work(first: int, last: int) -> None:
        kept[first:last] = needed_balls(
            part, shift + first, shift + last, table.norms, table.needed
        )

    return work


@njit(cache=True, nogil=True)
def _next(free: NDArray[np.int32], x: int) -> int:
    """First unpainted place of a row from x on; shortens the way for the next time."""
    end = x
    while free[end] != end:
        end = free[end]
    while free[x] != end:
        further = free[x]
        free[x] = end
        x = further
    return end


@njit(cache=True, nogil=True)
def _paint(
    out: Float32Array,
    free: NDArray[np.int32],
    first: int,
    places: Int32Array,
    squared: Float32Array,
    edge_z: float,
    edge_y: float,
    edge_x: float,
) -> None:
    """Paint balls, given largest first, into slices from ``first`` on."""
    n_slices, n_y, n_x = out.shape
    for ball in range(len(squared)):
        z0, y0, x0 = places[ball]
        square = np.float64(squared[ball])
        diameter = np.float32(2 * np.sqrt(square))
        left = square * _JUST_BELOW
        reach = int(np.sqrt(left) / edge_z)
        for z in range(max(first, z0 - reach), min(first + n_slices, z0 + reach + 1)):
            plane = left - (edge_z * (z - z0)) ** 2
            if plane <= 0:
                continue
            wide = int(np.sqrt(plane) / edge_y)
            for y in range(max(0, y0 - wide), min(n_y, y0 + wide + 1)):
                row = plane - (edge_y * (y - y0)) ** 2
                if row <= 0:
                    continue
                # Largest whole step whose square is smaller than what is left.
                half = int(np.sqrt(row) / edge_x)
                if (edge_x * half) ** 2 >= row:
                    half -= 1
                line = free[z - first, y]
                stop = min(n_x, x0 + half + 1)
                x = _next(line, max(0, x0 - half))
                while x < stop:
                    out[z - first, y, x] = diameter
                    line[x] = x + 1
                    x = _next(line, x + 1)
