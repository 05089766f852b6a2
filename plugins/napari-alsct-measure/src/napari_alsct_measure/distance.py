"""Squared Euclidean distance of foreground voxels to the background: exact, slab by slab.

Two sweeps along z leave the distance within each column, then every slice is finished by the
lower envelope of parabolas along y and x (Felzenszwalb and Huttenlocher, Theory of Computing
8, 415-428, 2012). Since the sweeps carry one slice from slab to slab, the result does not
depend on how the volume is cut, and is that of the whole.

Distances are to the centre of the nearest background voxel, in units of an edge along x.
What lies outside of the volume is not known, and counts for neither side.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split
from napari_alsct_measure.blocks import Mask, Room

BoolArray = NDArray[np.bool_]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
UInt16Array = NDArray[np.uint16]

Ratio = tuple[float, float, float]
"""Edges of a voxel (z, y, x) over the edge along x."""

_FAR = 65535
"""Column distance that means: no background in this column."""
_INFINITE = 1e30


def edge_ratio(voxel_um: tuple[float, float, float] | None) -> Ratio:
    """Return the edges of a voxel over the edge along x; 1 for voxels of unknown size."""
    if voxel_um is None:
        return 1.0, 1.0, 1.0
    z, y, x = voxel_um
    return z / x, y / x, 1.0


def squared_distance(
    mask: Mask,
    ratio: Ratio,
    room: Room,
) -> Float32Array:
    """Squared distance of every foreground voxel to the nearest background voxel.

    Parameters
    ----------
    mask
        Shape (slice, y, x), True in the foreground; read twice, slab by slab.
    ratio
        See `edge_ratio`.
    room
        Gives the result its place, in memory or on disk.

    Returns
    -------
    squared
        float32, shape of the mask, 0 in the background; exact for cubes up to distances of
        4096 voxels. A volume without background has the square of its diagonal everywhere.
    """
    n_slices, n_y, n_x = mask.shape
    result = room.array((n_slices, n_y, n_x), np.float32)
    above = room.array((n_slices, n_y, n_x), np.uint16)
    parts = room.slabs(n_slices)
    carried = np.full((n_y, n_x), _FAR, np.uint16)
    for start, stop in parts:
        slab = np.asarray(mask[start:stop], np.bool_)
        above[start:stop] = _sweep(slab, carried)
        room.step("distances", stop, 2 * n_slices, above)
    carried[:] = _FAR
    ceiling = sum((edge * size) ** 2 for edge, size in zip(ratio, mask.shape, strict=True))
    for start, stop in reversed(parts):
        slab = np.asarray(mask[start:stop], np.bool_)
        below = _sweep(slab[::-1], carried)[::-1]
        column = np.minimum(below, above[start:stop])
        out = np.empty(slab.shape, np.float32)
        run_split(stop - start, room.threads, _finisher(column, out, ratio, ceiling))
        result[start:stop] = out
        room.step("distances", 2 * n_slices - start, 2 * n_slices, above, result)
    room.free(above)
    return result


def distance_within(mask: BoolArray, ratio: Ratio, threads: int = 1) -> Float32Array:
    """Squared distances as of `squared_distance`, of an array in memory."""
    carried = np.full(mask.shape[1:], _FAR, np.uint16)
    above = _sweep(mask, carried)
    carried[:] = _FAR
    column = np.minimum(_sweep(mask[::-1], carried)[::-1], above)
    ceiling = sum((edge * size) ** 2 for edge, size in zip(ratio, mask.shape, strict=True))
    out = np.empty(mask.shape, np.float32)
    run_split(len(mask), threads, _finisher(column, out, ratio, ceiling))
    return out


def _finisher(
    column: UInt16Array, out: Float32Array, ratio: Ratio, ceiling: float
) -> Callable[[int, int], None]:
    def work(start: int, stop: int) -> None:
        for index in range(start, stop):
            across = np.ascontiguousarray(column[index].T)
            turned = np.empty(across.shape, np.float64)
            _first_envelope(across, ratio[0] ** 2, ratio[1] ** 2, turned)
            _second_envelope(np.ascontiguousarray(turned.T), ratio[2] ** 2, ceiling, out[index])

    return work


@njit(cache=True, nogil=True)
def _sweep(slab: BoolArray, carried: UInt16Array) -> UInt16Array:
    """Distance in slices to the last background voxel before each; `carried` goes on."""
    n_slices, n_y, n_x = slab.shape
    out = np.empty((n_slices, n_y, n_x), np.uint16)
    for z in range(n_slices):
        for y in range(n_y):
            for x in range(n_x):
                far = carried[y, x]
                if not slab[z, y, x]:
                    far = np.uint16(0)
                elif far < _FAR:
                    far = np.uint16(far + 1)
                carried[y, x] = far
                out[z, y, x] = far
    return out


@njit(cache=True, nogil=True)
def _envelope(
    line: Float64Array,
    weight: float,
    seats: NDArray[np.int64],
    bounds: Float64Array,
    out: Float64Array,
) -> None:
    """Lowest of the parabolas ``line[q] + weight (p - q)^2`` at every p."""
    size = len(line)
    last = -1
    for q in range(size):
        if line[q] >= _INFINITE:
            continue
        cross = -_INFINITE
        while last >= 0:
            v = seats[last]
            cross = (line[q] - line[v]) / (2 * weight * (q - v)) + (q + v) / 2
            if cross > bounds[last]:
                break
            last -= 1
        if last < 0:
            cross = -_INFINITE
        last += 1
        seats[last] = q
        bounds[last] = cross
    if last < 0:
        out[:] = _INFINITE
        return
    k = 0
    for p in range(size):
        while k < last and bounds[k + 1] < p:
            k += 1
        far = p - seats[k]
        out[p] = line[seats[k]] + weight * far * far


@njit(cache=True, nogil=True)
def _first_envelope(column: UInt16Array, weight_z: float, weight: float, out: Float64Array) -> None:
    """From distances along z, in slices, to squared distances in z and along each row."""
    n_lines, size = column.shape
    line, seats = np.empty(size), np.empty(size, np.int64)
    bounds = np.empty(size)
    for row in range(n_lines):
        for p in range(size):
            far = float(column[row, p])
            line[p] = _INFINITE if column[row, p] == _FAR else weight_z * far * far
        _envelope(line, weight, seats, bounds, out[row])


@njit(cache=True, nogil=True)
def _second_envelope(
    squared: Float64Array, weight: float, ceiling: float, out: Float32Array
) -> None:
    n_lines, size = squared.shape
    seats, bounds, line = np.empty(size, np.int64), np.empty(size), np.empty(size)
    for row in range(n_lines):
        _envelope(squared[row], weight, seats, bounds, line)
        for p in range(size):
            out[row, p] = min(line[p], ceiling)


def largest_distance(squared: Float32Array, room: Room) -> float:
    """Return the largest distance, not squared, of a result of `squared_distance`."""
    parts = room.slabs(len(squared))
    return math.sqrt(max(float(squared[start:stop].max()) for start, stop in parts))
