"""Work on volumes larger than memory: slabs of slices, and room for what lies between steps."""

from __future__ import annotations

import math
import mmap
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter

VOXEL_BYTES = 48
"""What the steps here hold of a voxel while they work on its slab."""
HALO_BYTES = 20
"""The same of a voxel that is only looked at from the slab beside it."""
SHARE = 0.5
"""Of the memory, so much is for a slab, and as much for what lies between steps."""
_SHARE_BESIDE = 0.8
"""The same of a slab that is looked at with its neighbours, where nothing lies between."""
_MOST_SLICES = 128
"""Of a slab: cancel is looked at between slabs."""


class Mask(Protocol):
    """A boolean array (slice, y, x), in memory or read when it is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, y, x."""

    def __getitem__(self, key: Any) -> Any:
        """Read a block."""


class Chosen:
    """The voxels of a volume whose values lie in a range, as a mask.

    Parameters
    ----------
    source
        Grey values or labels.
    low, high
        Both included; None leaves a side open. What is not finite is never chosen.
    """

    def __init__(
        self, source: LazyArray, low: float | None = None, high: float | None = None
    ) -> None:
        self._source, self._low, self._high = source, low, high

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, y, x."""
        return self._source.shape

    def __getitem__(self, key: Any) -> NDArray[np.bool_]:
        values = np.asarray(self._source[key])
        chosen = np.isfinite(values)
        if self._low is not None:
            chosen &= values >= self._low
        if self._high is not None:
            chosen &= values <= self._high
        return chosen


def ranges(size: int, step: int) -> list[tuple[int, int]]:
    """Cut ``range(size)`` into [start, stop) of at most ``step``."""
    return [(start, min(start + step, size)) for start in range(0, size, step)]


class Room:
    """Where arrays between steps lie: in memory while they fit, else on the scratch disk.

    Parameters
    ----------
    shape
        Of the volume (slice, y, x).
    reporter
        Says how much memory and how many threads there are, is told the progress, and ends
        the work when it is cancelled.
    """

    def __init__(self, shape: tuple[int, ...], reporter: Reporter) -> None:
        self.reporter = reporter
        self.threads = reporter.threads
        part = int(SHARE * reporter.memory_bytes)
        fitting = part // (VOXEL_BYTES * shape[1] * shape[2])
        self.slab_slices = max(1, min(shape[0], fitting, _MOST_SLICES))
        """Slices that are worked on at once."""
        self._left = part
        self._of_a_slice = reporter.memory_bytes // (shape[1] * shape[2])

    def slabs(self, n_slices: int, halo: int = 0) -> list[tuple[int, int]]:
        """Return the slabs of so many slices, as [start, stop).

        Parameters
        ----------
        n_slices
            In all.
        halo
            Slices that are read on either side of a slab. Work that reads some should keep
            no arrays: it is given their part of the memory, too.
        """
        if not halo:
            return ranges(n_slices, self.slab_slices)
        fitting = (_SHARE_BESIDE * self._of_a_slice - 2 * halo * HALO_BYTES) // VOXEL_BYTES
        return ranges(n_slices, max(1, min(int(fitting), _MOST_SLICES)))

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array whose values are not set; `free` it when it is used no more.

        Raises
        ------
        ResourceError
            Neither memory nor the scratch disk has room for it.
        """
        n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        if n_bytes > self._left:
            return self.reporter.scratch_array(shape, dtype)
        self._left -= n_bytes
        return np.empty(shape, dtype)

    def free(self, array: NDArray[Any]) -> None:
        """Count the room of an array as free again."""
        if not isinstance(array, np.memmap):
            self._left += array.nbytes

    def step(self, stage: str, done: int, total: int, *arrays: NDArray[Any]) -> None:
        """Tell the progress, and let go of the pages of arrays on the scratch disk.

        Raises
        ------
        CancelledError
            The work was cancelled.
        """
        self.reporter.check()
        self.reporter.progress(stage, done, total)
        for array in arrays:
            memory: Any = array.base
            if isinstance(memory, mmap.mmap):
                memory.madvise(mmap.MADV_DONTNEED)
