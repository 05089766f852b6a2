"""Write a simulated scan, frame by frame, in memory that does not grow with the scan."""

from __future__ import annotations

import shutil
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import CancelledError, OutputError
from alsct_gui.simulator import layout_832
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.truth import truth_folder, write_truth

if TYPE_CHECKING:
    import h5py

Progress = Callable[[int, int], None]
"""Called with frames written and frames in all."""


def simulate_scan(
    path: str | Path,
    spec: SimulationSpec,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    threads: int = 2,
    *,
    live: bool = False,
    frames_per_s: float | None = None,
    overwrite: bool = False,
    truth: bool = True,
) -> Path:
    """Simulate a scan into a file; its truth goes beside it as ``<stem>.truth/``.

    Parameters
    ----------
    path
        The file to write, or an existing folder, in which the scan gets its beamline name.
    spec
        What to simulate.
    progress
        Called after every frame.
    cancel
        Set it to stop. Nothing is left then, except a ``live`` file as far as it came.
    threads
        Frames that are made at once; the result does not depend on it.
    live
        Write in place, so that others see the scan arrive, instead of renaming it when whole.
    frames_per_s
        Pace of a live scan; as fast as possible when None.
    overwrite
        Whether a file of that name may be replaced.
    truth
        Whether the truth goes beside it.

    Returns
    -------
    path
        The scan.

    Raises
    ------
    OutputError
        The file exists, or cannot be written.
    CancelledError
        ``cancel`` was set.
    """
    frames = iterate_scan(
        path, spec, threads=threads, live=live, overwrite=overwrite, truth=truth
    )  # fmt: skip
    target = scan_path(path, spec)
    stop = cancel or threading.Event()
    with closing(frames):
        for done, total in frames:
            if progress is not None:
                progress(done, total)
            if frames_per_s:
                stop.wait(1 / frames_per_s)
            if stop.is_set():
                raise CancelledError("the simulation was cancelled", where=str(target))
    return target


def scan_path(path: str | Path, spec: SimulationSpec) -> Path:
    """Return the file that a scan is written to: ``path``, or its own name in that folder."""
    given = Path(path)
    return given / spec.file_name if given.is_dir() else given


def iterate_scan(
    path: str | Path,
    spec: SimulationSpec,
    *,
    threads: int = 1,
    live: bool = False,
    overwrite: bool = False,
    truth: bool = True,
) -> Generator[tuple[int, int], None, None]:
    """Write a scan step by step: yields (frames written, frames in all) after each frame.

    Frames come in the order in which they are taken. A live file is flushed before each
    yield and can be opened by others then. Closing the generator early stops the scan as
    `simulate_scan` describes for ``cancel``.
    """
    target = scan_path(path, spec)
    if target.exists() and not overwrite:
        raise OutputError("the file exists", where=str(target), fix="Choose another name")
    if not target.parent.is_dir():
        raise OutputError(
            "the folder does not exist", where=str(target.parent), fix="Make it first"
        )
    phantom = spec.build()
    source = FrameSource(spec, phantom)
    written = target if live else target.with_name(f".{target.name}.partial")
    notes = truth_folder(target)
    notes_written = notes if live else notes.with_name(f".{notes.name}.partial")
    _remove(notes_written)
    finished = False
    try:
        if truth:
            write_truth(notes_written, spec, phantom, source)
        with _create(written) as file:
            yield from _write_frames(file, spec, source, threads=threads, live=live)
        if not live:
            if truth:
                _remove(notes)
                notes_written.rename(notes)
            written.replace(target)
        finished = True
    except OSError as error:
        raise OutputError(
            f"the scan could not be written ({error})", where=str(target),
            fix="Look at free space and permissions",
        ) from error  # fmt: skip
    finally:
        if not finished and not live:
            written.unlink(missing_ok=True)
            _remove(notes_written)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _create(path: Path) -> h5py.File:
    import h5py

    # Others read a live scan while it is written, so that no lock is taken.
    return h5py.File(path, "w", locking=False)


def _write_frames(
    file: h5py.File, spec: SimulationSpec, source: FrameSource, *, threads: int, live: bool
) -> Iterator[tuple[int, int]]:
    for key, value in layout_832.metadata(spec, source.timeline).items():
        file.create_dataset(key, data=value)
    stacks = {
        kind: file.create_dataset(
            layout_832.DATASETS[kind],
            shape=(count, spec.n_rows, spec.n_columns),
            dtype=np.uint16,
            **_storage(spec),
        )
        for kind, count in source.counts.items()
        if count
    }
    if live:
        file.flush()
    order = _in_order(source)
    for done, (kind, index, frame) in enumerate(_make_ahead(source, order, threads), start=1):
        stacks[kind][index] = frame
        if live:
            file.flush()
        yield done, len(order)


def _storage(spec: SimulationSpec) -> dict[str, Any]:
    """Return how frames lie in the file, as h5py's keywords."""
    if spec.storage == "contiguous":
        return {}
    chunks = (1, spec.n_rows, spec.n_columns)
    if spec.storage == "chunked":
        return {"chunks": chunks}
    return {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}


def _in_order(source: FrameSource) -> list[tuple[int, int]]:
    """Return (kind, index) of every frame in the order in which it is taken."""
    timed = [
        (float(time_s), kind, index)
        for kind, times in source.timeline.time_s.items()
        for index, time_s in enumerate(times)
    ]
    return [(kind, index) for _, kind, index in sorted(timed)]


def _make_ahead(
    source: FrameSource, order: list[tuple[int, int]], threads: int
) -> Iterator[tuple[int, int, NDArray[np.uint16]]]:
    """Make frames on several threads, a few ahead of the one that is given out."""
    waiting: deque[tuple[int, int, Future[NDArray[np.uint16]]]] = deque()
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        try:
            for kind, index in order:
                waiting.append((kind, index, pool.submit(source.make, kind, index)))
                if len(waiting) > threads + 1:
                    first, number, frame = waiting.popleft()
                    yield first, number, frame.result()
            while waiting:
                first, number, frame = waiting.popleft()
                yield first, number, frame.result()
        finally:
            for _, _, frame in waiting:
                frame.cancel()
