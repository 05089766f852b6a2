"""Volumes that are still being written: their finished slices, read beside the writer.

`alsct_gui.files.writers.partial` says how such a product lies on the disk. The writer's
journal names the slabs that are whole; nothing else is taken for finished, unless the
caller knows better (a worker announces each batch as it is stored, before the journal
does). The reader takes no lock and changes nothing, so the writer never notices it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken
from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.files.shardread import ShardedArray, read_layout
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume

State = Literal["writing", "finished", "gone"]
Run = tuple[int, int]
"""Slices [start, stop)."""

MAX_JOURNAL_BYTES = 1 << 24
_SUFFIX = ".partial"


class PartialVolume:
    """A volume in the making. Use as a context manager, or call `close`.

    `refresh` looks again what is finished; reads in between see at least what was
    finished then. It survives that the product gets its final name.
    """

    def __init__(self, final: Path, n_slices: int | None = None) -> None:
        self._final = final
        self._lock = Lock()
        self._content = partial_folder(final) / "content"
        # An open folder keeps its number, by which it is known again under another name:
        # no folder that is made later can get the same one.
        self._folder = os.open(self._content, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._state: State = "writing"
        self._finished: tuple[Run, ...] = ()
        self._announced: list[Run] = []
        try:
            runs = _journal_runs(partial_folder(final))
            self._source, self._layout = _open_source(self._content, runs, n_slices)
            self._volume = self._describe()
            self.refresh()
        except BaseException:
            self.close()
            raise

    @property
    def volume(self) -> Volume:
        """The volume, with the finest level only.

        Slices that are not finished read as NaN, or 0 where the type is an integer.
        """
        return self._volume

    @property
    def path(self) -> Path:
        """Final name of the product."""
        return self._final

    @property
    def finished(self) -> tuple[Run, ...]:
        """Runs [start, stop) of finished slices at the last look, ascending and apart."""
        return self._finished

    @property
    def n_finished(self) -> int:
        """Number of finished slices at the last look."""
        return sum(stop - start for start, stop in self._finished)

    @property
    def state(self) -> State:
        """``writing``, ``finished`` under its final name, or ``gone``: removed or begun anew."""
        return self._state

    def refresh(self, announced: Iterable[Run] = ()) -> tuple[Run, ...]:
        """Look again what is finished.

        Parameters
        ----------
        announced
            Runs that the writing process has said to be stored; they are kept.

        Raises
        ------
        InputError
            The journal is damaged.
        """
        n_slices = self._volume.shape[0]
        with self._lock:
            self._require_open()
            self._announced += _within(announced, n_slices)
            # Which folder it is comes after the journal: one that was begun anew in
            # between is another one.
            runs = _journal_runs(partial_folder(self._final))
            self._state = self._find()
            if self._state == "finished":
                self._finished = ((0, n_slices),)
            elif self._state == "writing":
                self._finished = _union([*_within(runs, n_slices), *self._announced])
            else:
                self._finished = ()
        return self._finished

    def close(self) -> None:
        """Free the folder; later reads raise `InputError`."""
        with self._lock:
            if self._folder >= 0:
                os.close(self._folder)
                self._folder = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read_run(self, index: range) -> tuple[range, _Source]:
        """Return which of these slices are finished from the first on, and what reads them."""
        self._require_open()
        for start, stop in self._finished:
            if start <= index[0] < stop:
                return index[: -(-(stop - index[0]) // index.step)], self._source
        return index[:0], self._source

    def moved(self) -> bool:
        """Say whether the product got its final name since the last look, and follow it."""
        before = self._content
        self.refresh()
        return self._content != before

    def _find(self) -> State:
        """Find the product's folder under the old or the final name."""
        if self._is_at(partial_folder(self._final) / "content"):
            return "writing"
        if not self._is_at(self._final):
            return "gone"
        if self._content != self._final:
            self._content = self._final
            self._source = self._source.at(self._final)
        return "finished"

    def _is_at(self, place: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(self._folder), os.lstat(place))
        except FileNotFoundError:
            return False

    def _require_open(self) -> None:
        if self._folder < 0:
            raise InputError("it was closed", where=str(self._final), fix="Open it again")

    def _describe(self) -> Volume:
        from alsct_gui.files.volumes import describe_zarr

        array = PartialArray(self, self._source.shape, self._source.dtype)
        if self._layout == "tiff":
            return Volume(self._final, "tiff", (array,))
        return describe_zarr(self._content, self._final, (array,))


class PartialArray(DiskArray):
    """The finest level; what is not finished reads as NaN or 0."""

    def __init__(
        self, owner: PartialVolume, shape: tuple[int, int, int], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(shape, dtype)
        self._owner = owner

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        out = np.empty([len(axis) for axis in ranges], self.dtype)
        blank = np.nan if self.dtype.kind == "f" else 0
        left, done = ranges[0], 0
        while out.size and left:
            run, source = self._owner.read_run(left)
            if not run:
                out[done] = blank
                run = left[:1]
            else:
                out[done : done + len(run)] = self._read_finished(source, run, ranges)
            left, done = left[len(run) :], done + len(run)
        return out

    def _read_finished(self, source: _Source, run: range, ranges: Ranges) -> NDArray[Any]:
        try:
            return source.read(run, ranges[1], ranges[2])
        except InputError:
            # Renamed between the look and the read: once more at the new place.
            if not self._owner.moved():
                raise
            _, source = self._owner.read_run(run)
            return source.read(run, ranges[1], ranges[2])


class _Source(Protocol):
    """Reads finished slices of a folder."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]

    def read(self, slices: range, rows: range, columns: range) -> NDArray[Any]: ...

    def at(self, folder: Path) -> _Source: ...


class _ShardSource:
    def __init__(self, folder: Path) -> None:
        layout = read_layout(folder / "0", "0")
        if layout is None:
            raise broken("unreadable", "No array of this program", where=str(folder / "0"))
        self.shape, self.dtype = layout.shape, layout.dtype
        # A finished slice lies in a shard that is there: none is taken for zeros.
        self._array = ShardedArray(folder / "0", layout, f"{folder.name}/0", whole=True)

    def read(self, slices: range, rows: range, columns: range) -> NDArray[Any]:
        key = (slice(axis.start, axis.stop, axis.step) for axis in (slices, rows, columns))
        return self._array[tuple(key)]

    def at(self, folder: Path) -> _Source:
        return _ShardSource(folder)


class _TiffSource:
    def __init__(self, folder: Path, shape: tuple[int, int, int], dtype: Any, form: str) -> None:
        self._folder = folder
        self._form = form
        self.shape, self.dtype = shape, np.dtype(dtype)

    def read(self, slices: range, rows: range, columns: range) -> NDArray[Any]:
        from alsct_gui.files.readers.tiff import read_page

        part = tuple(slice(axis.start, axis.stop, axis.step) for axis in (rows, columns))
        pages = []
        for index in slices:
            page = read_page(self._folder / self._form.format(index), 0)
            if page.shape != self.shape[1:] or page.dtype != self.dtype:
                raise broken("shape-absurd", f"Slice {index} is {page.dtype}{page.shape}",
                             where=str(self._folder))  # fmt: skip
            pages.append(page[part])
        return np.stack(pages)

    def at(self, folder: Path) -> _Source:
        return _TiffSource(folder, self.shape, self.dtype, self._form)


def open_partial_volume(path: str | Path, *, n_slices: int | None = None) -> PartialVolume:
    """Open a product that is still being written.

    Parameters
    ----------
    path
        Its final name, or the ``.<name>.partial`` folder.
    n_slices
        Slices that it will have; needed for TIFF stacks alone, which do not tell. Without
        it such a stack ends at the last finished slice.

    Raises
    ------
    InputError
        Nothing of that name is being written (it may be finished: then `open_volume`
        opens it), or nothing of it can be shown yet.
    """
    path = Path(path)
    if path.name.startswith(".") and path.name.endswith(_SUFFIX):
        path = path.with_name(path.name[1 : -len(_SUFFIX)])
    try:
        return PartialVolume(path, n_slices)
    except (FileNotFoundError, NotADirectoryError) as error:
        fix = "It is finished: open it as a volume" if path.exists() else "Check the path"
        raise InputError("it is not being written", where=str(path), fix=fix) from error


def _open_source(
    content: Path, runs: Sequence[Run], n_slices: int | None
) -> tuple[_Source, Literal["ome-zarr", "tiff"]]:
    if (content / "0" / "zarr.json").is_file():
        return _ShardSource(content), "ome-zarr"
    from alsct_gui.files.readers.tiff import first_page
    from alsct_gui.files.writers.tiff import slice_stem

    final_name = content.parent.name[1 : -len(_SUFFIX)]
    if not runs:
        raise InputError(
            "no slice of it is finished yet", where=str(content.parent),
            fix="Wait until the first ones are",
        )  # fmt: skip
    form = slice_stem(final_name).replace("{", "{{").replace("}", "}}") + "_{:05d}.tiff"
    plane, dtype = first_page(content / form.format(runs[0][0]))
    known = max(stop for _, stop in runs)
    return _TiffSource(content, (max(known, n_slices or 0), *plane), dtype, form), "tiff"


def _journal_runs(folder: Path) -> list[Run]:
    """Return the runs in a journal; none when it is not there."""
    file = folder / "journal.jsonl"
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_JOURNAL_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise broken("unreadable", str(error), where=str(file)) from error
    lines = text[: text.rfind(b"\n") + 1].splitlines()[1:]  # the last may be half written
    try:
        return [(int(first), int(stop)) for first, stop in map(json.loads, lines)]
    except (ValueError, TypeError, RecursionError) as error:
        raise broken("unreadable", f"The journal: {error}"[:200], where=str(file)) from error


def _within(runs: Iterable[Run], n_slices: int) -> list[Run]:
    cut = ((max(0, first), min(stop, n_slices)) for first, stop in runs)
    return [(first, stop) for first, stop in cut if first < stop]


def _union(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Sort runs and join those that touch."""
    joined: list[Run] = []
    for first, stop in sorted(runs):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((first, stop))
    return tuple(joined)
