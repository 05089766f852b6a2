"""A volume larger than memory, in blocks with their neighbourhood, on several processors."""

from __future__ import annotations

import itertools
import math
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from alsct_gui.model.errors import ResourceError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter

R = TypeVar("R")

Box = tuple[slice, slice, slice]
Sizes = tuple[int, int, int]

_THICKNESSES = (1, 2, 4, 8, 16, 32, 64, 128)
_LEAST_EDGE_PX = 64
"""Blocks are not cut smaller than this along y and x: rows would be read over and over."""
_SHARE = 0.7
"""Of the memory, so much is for blocks; reading, writing and checksums take some, too."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a volume."""

    inner: Box
    """What is to be made; the inner boxes of all blocks fill the volume once."""
    outer: Box
    """The same with its neighbourhood, cut off at the volume's ends."""

    @property
    def core(self) -> Box:
        """The inner box within the outer."""
        z, y, x = (
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(self.inner, self.outer, strict=True)
        )
        return z, y, x


def plan_blocks(
    shape: Sizes,
    *,
    halo: Sizes = (0, 0, 0),
    voxel_bytes: float = 16,
    memory_bytes: int,
    workers: int = 1,
    whole_planes: bool = False,
) -> list[Block]:
    """Cut a volume so that the work fits into memory.

    The cut is the one with the least work done twice, for a neighbourhood is computed for
    every block that needs it, and with work for all processors.

    Parameters
    ----------
    shape
        Slices, y, x.
    halo
        Neighbourhood that each side of a block needs, along slice, y, x.
    voxel_bytes
        Memory that the work takes for each voxel of a block with its neighbourhood: input,
        output and all that lies between.
    memory_bytes
        Not to be exceeded by all blocks that are worked on at once.
    workers
        How many that are.
    whole_planes
        Never cut along y and x.

    Returns
    -------
    blocks
        In the order slice, y, x.

    Raises
    ------
    ResourceError
        Not even the smallest block fits.
    """
    best: tuple[float, Sizes] | None = None
    least_bytes = math.inf
    for size in _candidates(shape, halo, whole_planes):
        reach = [min(edge + 2 * h, n) for edge, h, n in zip(size, halo, shape, strict=True)]
        # A strip of whole slices is put together while the next blocks are worked on.
        strip = size[0] * shape[1] * shape[2] * 4
        needed = ((workers + 1) * math.prod(reach) * voxel_bytes + 2 * strip) / _SHARE
        least_bytes = min(least_bytes, needed)
        if needed > memory_bytes:
            continue
        count = math.prod(-(-n // edge) for edge, n in zip(size, shape, strict=True))
        idle = -(-count // workers) * workers / count
        cost = math.prod(reach) / math.prod(size) * idle
        if best is None or cost < best[0] * 0.999:
            best = cost, size
    if best is None:
        raise ResourceError(
            f"the smallest block needs {least_bytes / 1e6:,.0f} MB, {memory_bytes / 1e6:,.0f} MB "
            "may be used", fix="Allow more memory or fewer threads, or take a smaller window",
        )  # fmt: skip
    return list(_cut(shape, best[1], halo))


def map_blocks(
    function: Callable[..., R],
    arrays: Sequence[LazyArray | NDArray[Any]],
    blocks: Sequence[Block],
    reporter: Reporter,
    *,
    stage: str = "blocks",
    processes: bool = False,
) -> Iterator[tuple[Block, R]]:
    """Call a function with each block of some arrays and yield what it returns, in order.

    At most two blocks more than there are threads are in memory.

    Parameters
    ----------
    function
        Gets the outer box of every array, in order.
    arrays
        All of the volume's shape; read from several threads.
    blocks
        See `plan_blocks`.
    reporter
        Says how many threads; told the progress; its cancel ends the work.
    stage
        What the progress calls it, a noun.
    processes
        Work in processes of their own, started fresh: for functions that hold the
        interpreter's lock. The function and what it returns must be picklable.

    Raises
    ------
    CancelledError
        By the reporter. The first error of the function or the arrays is raised as it is.
    """
    workers = min(reporter.threads, len(blocks))

    def read(block: Block) -> list[NDArray[Any]]:
        return [array[block.outer] for array in arrays]

    def work(block: Block) -> R:
        return function(*read(block))

    waiting: deque[tuple[Block, Future[R]]] = deque()
    reporter.progress(stage, 0, len(blocks))
    with _pool(workers, processes=processes) as pool:
        try:
            done = 0
            for block in itertools.chain(blocks, [None] * (workers + 1)):
                reporter.check()
                if block is not None and processes:
                    waiting.append((block, pool.submit(function, *read(block))))
                elif block is not None:
                    waiting.append((block, pool.submit(work, block)))
                if waiting and (block is None or len(waiting) > workers):
                    first, future = waiting.popleft()
                    yield first, future.result()
                    done += 1
                    reporter.progress(stage, done, len(blocks))
        finally:
            for _, future in waiting:
                future.cancel()


def _pool(workers: int, *, processes: bool) -> Executor:
    if processes and workers > 1:
        return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    return ThreadPoolExecutor(workers, "alsct-block")


def _candidates(shape: Sizes, halo: Sizes, whole_planes: bool) -> Iterator[Sizes]:
    """Sizes of blocks, the thickest and widest first."""
    yield from itertools.product(
        sorted({min(n, shape[0]) for n in _THICKNESSES}, reverse=True),
        _edges(shape[1], halo[1], whole_planes), _edges(shape[2], halo[2], whole_planes),
    )  # fmt: skip


def _edges(size: int, halo: int, whole: bool) -> list[int]:
    found = [size]
    while not whole and -(-found[-1] // 2) >= max(_LEAST_EDGE_PX, 2 * halo):
        found.append(-(-found[-1] // 2))
    return found


def _cut(shape: Sizes, size: Sizes, halo: Sizes) -> Iterator[Block]:
    axes = [
        [(first, min(first + edge, n)) for first in range(0, n, edge)]
        for edge, n in zip(size, shape, strict=True)
    ]
    for spans in itertools.product(*axes):
        z, y, x = (slice(first, stop) for first, stop in spans)
        reach = [
            slice(max(0, first - h), min(n, stop + h))
            for (first, stop), h, n in zip(spans, halo, shape, strict=True)
        ]
        yield Block((z, y, x), (reach[0], reach[1], reach[2]))
