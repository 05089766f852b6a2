"""What a step is told and says while it works."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alsct_gui.model.errors import ResourceError
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback

T = TypeVar("T")

DEFAULT_MEMORY_BYTES = 4_000_000_000


class ScratchFolder:
    """A folder whose files go when nobody refers to it any more.

    Parameters
    ----------
    path
        The folder, which is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)


class Reporter:
    """Progress and cancel, and what the step may use.

    Parameters
    ----------
    progress
        Called as the work goes on, from the thread that works.
    cancel
        Looked at between the parts of the work.
    say
        Called with a sentence for people that is worth keeping: "1,204 particles".
    threads
        Processors that may be used.
    memory_bytes
        Memory not to be exceeded.
    scratch
        Folder on a disk with room for arrays that do not fit; None for the system's.
    """

    def __init__(
        self,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
        say: Callable[[str], None] | None = None,
        threads: int = 1,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        scratch: Path | None = None,
    ) -> None:
        self.cancel = cancel or CancelToken()
        self.threads, self.memory_bytes = max(1, threads), memory_bytes
        self._progress = progress or (lambda step: None)
        self._say = say or (lambda sentence: None)
        self._scratch = scratch
        self.recorded: dict[str, object] = {}
        """What the step told of this run, for the provenance."""
        self._stage, self._began_s = "", 0.0

    def check(self) -> None:
        """Raise when the work was cancelled.

        Raises
        ------
        CancelledError
            It was.
        """
        self.cancel.check()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say how far a stage (a noun) is; the time that is left is worked out here."""
        now_s = time.monotonic()
        if stage != self._stage:
            self._stage, self._began_s = stage, now_s
        elapsed_s = now_s - self._began_s
        eta_s = elapsed_s / done * (total - done) if done and elapsed_s else None
        self._progress(Progress(stage, done, total, elapsed_s, eta_s))

    def each(self, items: Sequence[T], stage: str) -> Iterator[T]:
        """Walk over parts of the work: cancel is looked at before, progress told after each."""
        self.progress(stage, 0, len(items))
        for done, item in enumerate(items, start=1):
            self.check()
            yield item
            self.progress(stage, done, len(items))

    def say(self, sentence: str) -> None:
        """Tell people something."""
        self._say(sentence)

    def record(self, **facts: object) -> None:
        """Keep what the step knows of this run, plain data, for the provenance."""
        self.recorded.update(facts)

    def scratch_folder(self) -> ScratchFolder:
        """Return a folder for files, which goes with the last reference to it.

        Raises
        ------
        ResourceError
            The disk refuses.
        """
        try:
            return ScratchFolder(Path(tempfile.mkdtemp(prefix="alsct-", dir=self._scratch)))
        except OSError as error:
            raise ResourceError(
                f"there is no scratch space ({error.strerror})",
                where=str(self._scratch or tempfile.gettempdir()),
                fix="Free space, or name another folder in TMPDIR",
            ) from error

    def scratch_array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of zeros on disk, which goes with the last reference to it.

        Its file has no name, so that nothing is left after a crash.

        Raises
        ------
        ResourceError
            The disk has no room for it.
        """
        n_bytes = max(1, int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)
        with tempfile.TemporaryFile(dir=self._scratch, prefix="alsct-") as file:
            try:
                # Room is taken at once: a full disk would end the process when it is written.
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            except OSError as error:
                raise ResourceError(
                    f"{n_bytes / 1e9:.1f} GB of scratch space are needed ({error.strerror})",
                    where=str(self._scratch or tempfile.gettempdir()),
                    fix="Free space, or name another folder in TMPDIR",
                ) from error
            return np.memmap(file, np.dtype(dtype), "r+", shape=shape)
