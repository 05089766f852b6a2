"""Blocks with all of their surroundings: what lies beyond the volume is its mirror image.

`alsct_gui.steps.blockwise.Blockwise` hands a function the block and its neighbourhood and
takes back as much. Features and networks cost too much to be computed for the neighbourhood
too: their functions get it whole and give the block alone.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.errors import ResourceError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.blocks import Block, Box, Sizes, map_blocks
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter

_SHARES = tuple(0.92**step for step in range(40))
_TILE_EDGE_PX = 256
"""Edge of what a thread works on at a time when a slice is read."""


class Mirrored(DiskArray):
    """An array with its mirror image on each side, as float32.

    Parameters
    ----------
    array
        Shape (slice, y, x).
    reach
        How many voxels are added on each side along slice, y, x. The edge is repeated, as
        scipy's mode ``reflect`` has it.
    """

    def __init__(self, array: LazyArray | NDArray[Any], reach: Sizes) -> None:
        z, y, x = (size + 2 * r for size, r in zip(array.shape, reach, strict=True))
        super().__init__((z, y, x), np.dtype(np.float32))
        self._array, self._reach = array, reach

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        if not all(ranges):
            return np.empty([len(axis) for axis in ranges], np.float32)
        places = [
            _mirror(np.asarray(axis) - r, size)
            for axis, r, size in zip(ranges, self._reach, self._array.shape, strict=True)
        ]
        first = [int(place.min()) for place in places]
        z, y, x = (
            slice(low, int(place.max()) + 1) for low, place in zip(first, places, strict=True)
        )
        values = np.asarray(self._array[z, y, x], np.float32)
        for axis, (low, place) in enumerate(zip(first, places, strict=True)):
            if place.size != values.shape[axis] or (np.diff(place) != 1).any():
                values = np.take(values, place - low, axis)
        return np.ascontiguousarray(values)


def _mirror(index: NDArray[Any], size: int) -> NDArray[Any]:
    """Where an index lies once it is thrown back at both ends."""
    there_and_back = index % (2 * size)
    thrown_back: NDArray[Any] = np.minimum(there_and_back, 2 * size - 1 - there_and_back)
    return thrown_back


class Surrounded(Blockwise):
    """A volume that is computed from blocks with all of their surroundings.

    Parameters
    ----------
    function
        Gets a float32 block with `reach` voxels on each side, C order, and returns the block
        without them; called from several threads.
    array
        Shape (slice, y, x).
    reach
        Voxels on each side along slice, y, x.
    dtype
        Of what the function returns.
    voxel_bytes
        Memory that the function takes for each voxel of a block with its surroundings.
    whole_planes
        Whether it needs whole slices.
    """

    def __init__(
        self,
        function: Callable[[NDArray[np.float32]], NDArray[Any]],
        array: LazyArray | NDArray[Any],
        *,
        reach: Sizes,
        dtype: DTypeLike = np.float32,
        voxel_bytes: float = 16,
        whole_planes: bool = False,
    ) -> None:
        super().__init__(
            function, (array,), dtype=dtype, halo=reach, voxel_bytes=voxel_bytes,
            whole_planes=whole_planes,
        )  # fmt: skip
        self._make, self._reach, self._whole = function, reach, whole_planes
        self._wide = Mirrored(array, reach)

    def plan(self, memory_bytes: int, workers: int) -> list[Block]:
        """Return the blocks it is computed in, whose surroundings are never cut off.

        Raises
        ------
        ResourceError
            Not even the smallest block fits into memory.
        """
        # The planner takes it that surroundings end where the volume ends: it is given less
        # memory until what it plans fits with whole ones.
        least = math.inf
        for share in _SHARES:
            try:
                blocks = super().plan(int(memory_bytes * share), workers)
            except ResourceError:
                if math.isinf(least):
                    raise
                break
            largest = max(self._outer_voxels(block.inner) for block in blocks)
            needed = (workers + 1) * largest * self._voxel_bytes
            if needed <= memory_bytes:
                return blocks
            least = min(least, needed)
        raise ResourceError(
            f"the smallest block needs {least / 1e6:,.0f} MB, {memory_bytes / 1e6:,.0f} MB may be "
            "used", fix="Allow more memory or fewer threads, or look less far",
        )  # fmt: skip

    def blocks(
        self, blocks: Sequence[Block], reporter: Reporter, stage: str = "blocks"
    ) -> Iterator[tuple[Box, NDArray[Any]]]:
        """Compute blocks; yields the box of each and its values."""
        wide = [Block(block.inner, self._outer(block.inner)) for block in blocks]
        for block, values in map_blocks(self._make, (self._wide,), wide, reporter, stage=stage):
            yield block.inner, values

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        values = np.empty([len(axis) for axis in ranges], self.dtype)
        if not values.size:
            return values
        hull = [range(axis[0], axis[-1] + 1) for axis in ranges]
        tiles = list(_tiles(hull, whole=self._whole))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "alsct-tile") as pool:
            made = pool.map(lambda tile: self._make(self._wide[self._outer(tile)]), tiles)
            whole = np.empty([len(axis) for axis in hull], self.dtype)
            for tile, part in zip(tiles, made, strict=True):
                whole[_within(tile, hull)] = part
        return whole[tuple(slice(None, None, axis.step) for axis in ranges)]

    def _outer_voxels(self, inner: Box) -> int:
        return math.prod(axis.stop - axis.start for axis in self._outer(inner))

    def _outer(self, inner: Box) -> Box:
        """A box with its surroundings, counted in the mirrored array."""
        z, y, x = (
            slice(axis.start, axis.stop + 2 * r) for axis, r in zip(inner, self._reach, strict=True)
        )
        return z, y, x


def _tiles(hull: Sequence[range], *, whole: bool) -> Iterator[Box]:
    """Cut what is read into pieces for the threads: single slices, and tiles of them."""
    edges = (1, len(hull[1]), len(hull[2])) if whole else (1, _TILE_EDGE_PX, _TILE_EDGE_PX)
    axes = [
        [slice(first, min(first + edge, axis.stop)) for first in range(axis.start, axis.stop, edge)]
        for axis, edge in zip(hull, edges, strict=True)
    ]
    yield from itertools.product(*axes)


def _within(tile: Box, hull: Sequence[range]) -> Box:
    z, y, x = (
        slice(part.start - axis.start, part.stop - axis.start)
        for part, axis in zip(tile, hull, strict=True)
    )
    return z, y, x
