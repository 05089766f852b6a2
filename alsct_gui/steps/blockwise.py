"""A volume that is computed when it is read: what most steps return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.blocks import Block, Box, Sizes, map_blocks, plan_blocks
from alsct_gui.steps.reporter import Reporter


class Blockwise(DiskArray):
    """A function of blocks in the clothes of an array.

    Reading a slice computes that slice and its neighbourhood, which is how a preview is made;
    `blocks` computes all of it, on several processors and within a budget. As the blocks end
    where the volume ends, a function that does something special at the edges of its block
    does so at the edges of the volume alone, when the halo is wide enough.

    Parameters
    ----------
    function
        Gets the same block of every array, shape (slice, y, x), and returns one of the same
        shape; with ``processes`` it must be picklable.
    arrays
        At least one; all of one shape.
    dtype
        Of what the function returns.
    halo
        Neighbourhood that a voxel needs on each side, along slice, y, x.
    voxel_bytes
        Memory that the function takes for each voxel, the arrays it gets and returns included.
    whole_planes
        Whether the function needs whole slices.
    processes
        Whether it holds the interpreter's lock, so that threads would wait for each other.
    """

    def __init__(
        self,
        function: Callable[..., NDArray[Any]],
        arrays: Sequence[LazyArray | NDArray[Any]],
        *,
        dtype: DTypeLike = np.float32,
        halo: Sizes = (0, 0, 0),
        voxel_bytes: float = 16,
        whole_planes: bool = False,
        processes: bool = False,
    ) -> None:
        shapes = {tuple(array.shape) for array in arrays}
        if len(shapes) != 1:
            raise ValueError(f"arrays of {shapes} are not of one shape")
        z, y, x = shapes.pop()
        super().__init__((z, y, x), np.dtype(dtype))
        self._function, self._arrays = function, tuple(arrays)
        self._halo, self._voxel_bytes = halo, voxel_bytes
        self._whole_planes, self._processes = whole_planes, processes

    def plan(self, memory_bytes: int, workers: int) -> list[Block]:
        """Return the blocks it is computed in; see `plan_blocks`."""
        z, y, x = self.shape
        return plan_blocks(
            (z, y, x), halo=self._halo, voxel_bytes=self._voxel_bytes, memory_bytes=memory_bytes,
            workers=workers, whole_planes=self._whole_planes,
        )  # fmt: skip

    def blocks(
        self, blocks: Sequence[Block], reporter: Reporter, stage: str = "blocks"
    ) -> Iterator[tuple[Box, NDArray[Any]]]:
        """Compute blocks; yields the box of each and its values."""
        made = map_blocks(
            self._function, self._arrays, blocks, reporter, stage=stage, processes=self._processes
        )
        for block, values in made:
            yield block.inner, self._checked(values, block.outer)[block.core]

    def compute(self, reporter: Reporter | None = None, *, stage: str = "blocks") -> NDArray[Any]:
        """Compute all of it into memory."""
        reporter = reporter or Reporter()
        result = np.empty(self.shape, self.dtype)
        blocks = self.plan(reporter.memory_bytes, reporter.threads)
        for box, values in self.blocks(blocks, reporter, stage):
            result[box] = values
        return result

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        if not all(ranges):
            return np.empty([len(axis) for axis in ranges], self.dtype)
        hull = [(axis[0], axis[-1] + 1) for axis in ranges]
        if self._whole_planes:
            hull[1:] = [(0, size) for size in self.shape[1:]]
        outer = [
            (max(0, first - halo), min(size, stop + halo))
            for (first, stop), halo, size in zip(hull, self._halo, self.shape, strict=True)
        ]
        z, y, x = (slice(*span) for span in outer)
        values = self._checked(
            self._function(*(array[z, y, x] for array in self._arrays)), (z, y, x)
        )
        wanted = tuple(
            slice(axis.start - first, axis.stop - first, axis.step)
            for axis, (first, _) in zip(ranges, outer, strict=True)
        )
        return np.array(values[wanted], self.dtype)

    def _checked(self, values: NDArray[Any], outer: Box) -> NDArray[Any]:
        shape = tuple(axis.stop - axis.start for axis in outer)
        if values.shape != shape:
            raise ValueError(f"a block of {shape} became one of {values.shape}")
        return values
