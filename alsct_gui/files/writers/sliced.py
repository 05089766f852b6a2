"""What the volume writers share: who wrote which slice, syncing, and the end.

A volume is divided into slabs of a few slices. When a slab is whole, a background thread
brings its bytes to the disk and notes it in the journal, while the callers go on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.provenance import json_safe
from alsct_gui.files.writers.partial import Partial, sync_tree
from alsct_gui.model.errors import CancelledError, OutputError


class SlicedWriter(ABC):
    """Base of the writers; a subclass says how slices are stored, synced and sealed."""

    slab_size: int
    """Slices that are synced and noted together."""
    piece_size: int = 4
    """Slices that one thread stores at a time."""

    def __init__(
        self,
        partial: Partial,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        provenance: Mapping[str, Any],
        threads: int,
    ) -> None:
        self._partial = partial
        self._shape = shape
        self._dtype = dtype
        self._provenance = provenance
        self._lock = Lock()
        self._claimed = np.zeros(shape[0], dtype=np.bool_)
        self._done = np.zeros(shape[0], dtype=np.bool_)
        for first, stop in partial.recorded:
            self._done[first:stop] = True
        self._kept = self._done.copy()
        """Slices that an earlier run stored."""
        self._pool = ThreadPoolExecutor(threads, "alsct-write") if threads > 1 else None
        self._journal = ThreadPoolExecutor(1, "alsct-journal")
        self._syncs: list[Future[None]] = []

    @property
    def path(self) -> Path:
        """Final name of the product."""
        return self._partial.final

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume (slice, y, x)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Stored type."""
        return self._dtype

    def done_slices(self) -> NDArray[np.bool_]:
        """Return which slices are stored, shape (slice,)."""
        with self._lock:
            return self._done.copy()

    def write(self, first_slice: int, slices: NDArray[Any]) -> None:
        """Store a block of slices; see `alsct_gui.files.writers.base.VolumeWriter`."""
        self._claim(first_slice, slices)
        jobs = []
        try:
            for start, stop in self._pieces(first_slice, first_slice + len(slices)):
                piece = slices[start - first_slice : stop - first_slice]
                if self._pool is None:
                    self._store(start, piece)
                else:
                    jobs.append(self._pool.submit(self._store, start, piece))
            for job in jobs:
                job.result()
        except OSError as error:
            raise self._disk_error(error) from error
        finally:
            wait(jobs)  # the caller may use its array again once this returns
        self._note(first_slice, first_slice + len(slices))

    def finish(self, provenance: Mapping[str, Any] | None = None) -> Path:
        """Make the product whole and give it its name; see `VolumeWriter.finish`."""
        missing = np.flatnonzero(~self.done_slices())
        if missing.size:
            raise OutputError(
                f"{missing.size} of {self._shape[0]} slices are missing, the first is "
                f"{missing[0]}", where=str(self.path), fix="Resume the run that makes it",
            )  # fmt: skip
        self._stop_threads()
        try:
            for sync in self._syncs:
                sync.result()
            self._seal(json_safe(self._provenance if provenance is None else provenance))
            sync_tree(self._partial.content)
        except OSError as error:
            raise self._disk_error(error) from error
        return self._partial.publish()

    def abort(self) -> None:
        """Remove the partial product."""
        self._stop_threads()
        self._partial.discard()

    def close(self) -> None:
        """Free threads and files; the partial product stays."""
        self._stop_threads()
        self._partial.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, CancelledError):
            self.abort()
        else:
            self.close()

    @abstractmethod
    def _store(self, first: int, slices: NDArray[Any]) -> None:
        """Store slices that lie in one slab."""

    @abstractmethod
    def _sync(self, first: int, stop: int) -> None:
        """Bring the slices [first, stop) of a whole slab to the disk."""

    @abstractmethod
    def _seal(self, provenance: Mapping[str, Any]) -> None:
        """Write what belongs into the product beside the slices."""

    def _claim(self, first: int, slices: NDArray[Any]) -> None:
        n_slices, *plane = self._shape
        wrong = ""
        if slices.ndim != 3 or list(slices.shape[1:]) != plane or slices.dtype != self._dtype:
            wrong = f"a block of {slices.dtype}{slices.shape} is not part of this volume"
        elif first < 0 or first + len(slices) > n_slices:
            wrong = f"slices {first} to {first + len(slices) - 1} lie outside {n_slices} slices"
        else:
            with self._lock:
                span = slice(first, first + len(slices))
                if self._claimed[span].any():
                    wrong = f"some of slices {first} to {span.stop - 1} were written before"
                else:
                    self._claimed[span] = True
        if wrong:
            raise OutputError(wrong, where=str(self.path))

    def _pieces(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Cut what is new of [first, stop) at multiples of the piece size."""
        size = min(self.piece_size, self.slab_size)
        kept = self._kept[first:stop]
        seams = first + 1 + np.flatnonzero(kept[1:] != kept[:-1])
        cuts = sorted({first, stop, *seams.tolist(), *range(-(-first // size) * size, stop, size)})
        return [(a, b) for a, b in pairwise(cuts) if not self._kept[a]]

    def _note(self, first: int, stop: int) -> None:
        """Mark slices as stored; a slab that is whole by this goes to the journal."""
        with self._lock:
            self._done[first:stop] = True
            for slab in range(first // self.slab_size, -(-stop // self.slab_size)):
                start = slab * self.slab_size
                end = min(start + self.slab_size, self._shape[0])
                if self._done[start:end].all() and not self._kept[start:end].all():
                    self._syncs.append(self._journal.submit(self._sync_and_record, start, end))

    def _sync_and_record(self, first: int, stop: int) -> None:
        self._sync(first, stop)
        self._partial.record(first, stop)

    def _stop_threads(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._journal.shutdown()

    def _disk_error(self, error: OSError) -> OutputError:
        return OutputError(
            f"the disk refuses ({error.strerror or error})", where=str(self.path),
            fix="Free space or give another folder, then resume the run",
        )  # fmt: skip
