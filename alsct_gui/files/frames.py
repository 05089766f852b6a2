"""Lazy stacks of frames: read beside HDF5 where the bytes lie plain, through it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from threading import Lock
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken
from alsct_gui.files.hdf5 import Hdf5Source, hdf5_errors, unknown_filters
from alsct_gui.files.rawfile import RawFile
from alsct_gui.model.scan import FrameStack

MAX_FRAMES = 1_000_000
"""More frames than any scan has; a file that declares more is refused."""
MAX_FRAME_BYTES = 1 << 30
"""More bytes than any frame has."""
NEVER_WRITTEN = -1
"""Offset of a frame that the file declares but never stored; it reads as zeros."""


class FramesBase:
    """What all stacks share: their shape, and how a selection becomes an output array."""

    def __init__(self, shape: tuple[int, int, int], stored: np.dtype[Any]) -> None:
        self._shape = shape
        self._stored = stored
        self._dtype = stored.newbyteorder("=")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values as they are returned: the stored one, in native byte order."""
        return self._dtype

    @property
    def chunk_rows(self) -> int:
        """Rows that must be read at least to get at one; 1 where rows are read singly."""
        return 1

    @property
    def missing_filters(self) -> tuple[str, ...]:
        """Filters without which the frames cannot be unpacked here."""
        return ()

    def read(
        self,
        frames: slice | NDArray[np.intp] = slice(None),
        rows: slice = slice(None),
        columns: slice = slice(None),
        *,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Read a block; see `alsct_gui.model.scan.FrameStack`."""
        index = frame_indices(frames, self._shape[0])
        row_range = span(rows, self._shape[1])
        column_range = span(columns, self._shape[2])
        shape = (index.size, len(row_range), len(column_range))
        if out is None:
            out = np.empty(shape, self._dtype)
        elif out.shape != shape or out.dtype != self._dtype:
            raise ValueError(f"out is {out.shape} {out.dtype}, need {shape} {self._dtype}")
        if out.size:
            self._fill(out, index, row_range, column_range)
        return out

    def _fill(
        self, out: NDArray[Any], index: NDArray[np.intp], rows: range, columns: range
    ) -> None:
        raise AssertionError("each stack fills in its own way")


class RawStack(FramesBase):
    """Frames that lie plain in a file, each at its own offset, rows after one another."""

    def __init__(
        self,
        file: RawFile,
        offsets: NDArray[np.int64],
        frame_shape: tuple[int, int],
        stored: np.dtype[Any],
    ) -> None:
        super().__init__((offsets.size, *frame_shape), stored)
        self._file = file
        self._offsets = offsets

    @property
    def never_written(self) -> NDArray[np.intp]:
        """Indices of frames that were declared but never stored."""
        return np.flatnonzero(self._offsets == NEVER_WRITTEN)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far from the file, by all stacks that lie in it."""
        return self._file.bytes_read

    @property
    def end_bytes(self) -> int:
        """Where the last frame ends in the file."""
        frame_bytes = self._shape[1] * self._shape[2] * self._stored.itemsize
        return int(self._offsets.max(initial=NEVER_WRITTEN)) + frame_bytes

    def _fill(
        self, out: NDArray[Any], index: NDArray[np.intp], rows: range, columns: range
    ) -> None:
        offsets = self._offsets[index]
        whole_rows = columns == range(self._shape[2]) and rows.step == 1
        if whole_rows and len(rows) == self._shape[1] and out.flags.c_contiguous:
            self._fill_runs(out, offsets)
        elif whole_rows and out[0].flags.c_contiguous:
            self._fill_rows(out, offsets, rows)
        else:
            self._fill_through_scratch(out, offsets, rows, columns)
        if not self._stored.isnative:
            out.byteswap(inplace=True)

    def _fill_runs(self, out: NDArray[Any], offsets: NDArray[np.int64]) -> None:
        """Whole frames: those that follow each other in the file are one read."""
        frame_bytes = out[0].nbytes
        ends = np.flatnonzero(np.diff(offsets) != frame_bytes) + 1
        bounds = [0, *ends.tolist(), offsets.size]
        for first, last in pairwise(bounds):
            self._read(out[first:last], int(offsets[first]))

    def _fill_rows(self, out: NDArray[Any], offsets: NDArray[np.int64], rows: range) -> None:
        skip = rows.start * self._shape[2] * self._stored.itemsize
        for position, offset in enumerate(offsets.tolist()):
            self._read(out[position], offset, skip)

    def _fill_through_scratch(
        self, out: NDArray[Any], offsets: NDArray[np.int64], rows: range, columns: range
    ) -> None:
        width = self._shape[2]
        scratch = np.empty((rows[-1] - rows[0] + 1, width), self._dtype)
        skip = rows[0] * width * self._stored.itemsize
        for position, offset in enumerate(offsets.tolist()):
            self._read(scratch, offset, skip)
            out[position] = scratch[:: rows.step, columns.start : columns.stop : columns.step]

    def _read(self, block: NDArray[Any], offset: int, skip: int = 0) -> None:
        if offset == NEVER_WRITTEN:
            block[...] = 0
        else:
            self._file.read_into(block.reshape(-1).view(np.uint8).data, offset + skip)


class Hdf5Stack(FramesBase):
    """Frames read through HDF5: compressed, or in chunks that are parts of frames."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        super().__init__(dataset.shape, dataset.dtype)
        self._dataset = dataset
        self._missing_filters = unknown_filters(dataset)
        self._lock = Lock()

    @property
    def missing_filters(self) -> tuple[str, ...]:
        """Filters without which the frames cannot be unpacked here."""
        return self._missing_filters

    @property
    def chunk_rows(self) -> int:
        """Rows of a chunk, all of which are unpacked to get at one of them."""
        return int(self._dataset.chunks[1]) if self._dataset.chunks else 1

    def _fill(
        self, out: NDArray[Any], index: NDArray[np.intp], rows: range, columns: range
    ) -> None:
        part = (slice(rows.start, rows.stop, rows.step),
                slice(columns.start, columns.stop, columns.step))  # fmt: skip
        target = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
        where = str(self._dataset.name) if self._dataset else "frames"
        if self._missing_filters:
            raise broken("unknown-filter", ", ".join(self._missing_filters), where=where)
        # HDF5 has one lock for the process anyway; ours keeps `close` from coming between.
        with self._lock, hdf5_errors(where, "frames-unreadable"):
            for begin, frames in runs(index):
                stop = begin + len(range(frames.start, frames.stop, frames.step))
                self._dataset.read_direct(
                    target, np.s_[frames, *part], np.s_[begin:stop, :, :]
                )  # fmt: skip
        if target is not out:
            out[...] = target


class SelectedStack(FramesBase):
    """Some frames of another stack, in ascending order."""

    def __init__(self, stack: FrameStack, chosen: NDArray[np.intp]) -> None:
        super().__init__((chosen.size, *stack.shape[1:]), stack.dtype)
        self._stack = stack
        self._chosen = chosen

    @property
    def chunk_rows(self) -> int:
        """As the stack's."""
        return int(getattr(self._stack, "chunk_rows", 1))

    @property
    def missing_filters(self) -> tuple[str, ...]:
        """As the stack's."""
        return tuple(getattr(self._stack, "missing_filters", ()))

    def _fill(
        self, out: NDArray[Any], index: NDArray[np.intp], rows: range, columns: range
    ) -> None:
        part = (slice(rows.start, rows.stop, rows.step),
                slice(columns.start, columns.stop, columns.step))  # fmt: skip
        self._stack.read(self._chosen[index], *part, out=out)


class PagedStack(FramesBase):
    """Frames that are decoded whole, one at a time, by a function of their index."""

    def __init__(
        self,
        decode: Callable[[int], NDArray[Any]],
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
    ) -> None:
        super().__init__(shape, dtype)
        self._decode = decode

    @property
    def chunk_rows(self) -> int:
        """All rows of a frame are decoded together."""
        return self._shape[1]

    def _fill(
        self, out: NDArray[Any], index: NDArray[np.intp], rows: range, columns: range
    ) -> None:
        for position, frame in enumerate(index.tolist()):
            page = self._decode(frame)
            if page.shape != self._shape[1:]:
                raise broken("shape-absurd", f"Frame {frame} is {page.shape}")
            out[position] = page[
                rows.start : rows.stop : rows.step, columns.start : columns.stop : columns.step
            ]


def stack_of(source: Hdf5Source, dataset: h5py.Dataset) -> FrameStack:
    """Choose how a three-dimensional dataset is read.

    Raises
    ------
    InputError
        Its type is no pixel type, or its shape cannot be in the file.
    """
    where = str(dataset.name)
    with hdf5_errors(where):
        check_shape(dataset.shape, dataset.dtype, where)
        offsets = _plain_offsets(dataset)
    if offsets is None:
        return Hdf5Stack(dataset)
    stack = RawStack(source.raw(dataset), offsets, dataset.shape[1:], dataset.dtype)
    if stack.end_bytes > source.raw(dataset).size_bytes:
        raise broken("truncated", f"{dataset.shape} frames end beyond the file", where=where)
    return stack


def check_shape(shape: tuple[int, ...] | None, dtype: np.dtype[Any], where: str) -> None:
    """Refuse what cannot be frames."""
    if dtype.kind not in "uif" or dtype.itemsize > 8:
        raise broken("dtype-absurd", f"The frames are of type {dtype}", where=where)
    if shape is None or len(shape) != 3 or min(shape) < 1:
        raise broken("shape-absurd", f"The shape is {shape}", where=where)
    frame_bytes = shape[1] * shape[2] * dtype.itemsize
    if shape[0] > MAX_FRAMES or frame_bytes > MAX_FRAME_BYTES:
        raise broken("shape-absurd", f"The shape is {shape}", where=where)


def _plain_offsets(dataset: h5py.Dataset) -> NDArray[np.int64] | None:
    """Where each frame begins in the file, None when frames do not lie plain in it."""
    shape, stored = dataset.shape, dataset.dtype
    frame_bytes = shape[1] * shape[2] * stored.itemsize
    created = dataset.id.get_create_plist()
    layout = created.get_layout()
    where = str(dataset.name)
    declared = f"{shape} {stored} is {shape[0] * frame_bytes / 1e9:.3g} GB"
    if layout == h5py.h5d.CONTIGUOUS:
        start = dataset.id.get_offset()
        if start is None:
            raise broken("shape-absurd", f"{declared}, none of it in the file", where=where)
        return start + np.arange(shape[0], dtype=np.int64) * frame_bytes
    if layout == h5py.h5d.CHUNKED:
        if dataset.id.get_storage_size() == 0:
            raise broken("shape-absurd", f"{declared}, none of it in the file", where=where)
        if created.get_nfilters() == 0 and dataset.chunks[1:] == shape[1:]:
            return _chunk_offsets(dataset, frame_bytes)
    return None


def _chunk_offsets(dataset: h5py.Dataset, frame_bytes: int) -> NDArray[np.int64]:
    n_frames, per_chunk = dataset.shape[0], dataset.chunks[0]
    offsets = np.full(n_frames, NEVER_WRITTEN, np.int64)

    def note(chunk: Any) -> None:
        first = int(chunk.chunk_offset[0])
        count = max(0, min(per_chunk, n_frames - first))
        offsets[first : first + count] = chunk.byte_offset + np.arange(count) * frame_bytes

    dataset.id.chunk_iter(note)
    return offsets


def frame_indices(frames: slice | NDArray[np.intp], n_frames: int) -> NDArray[np.intp]:
    """Selected frames as an ascending index array.

    Raises
    ------
    ValueError
        A slice steps backwards, or an index is out of range or not ascending.
    """
    if isinstance(frames, slice):
        chosen = span(frames, n_frames)
        return np.arange(chosen.start, chosen.stop, chosen.step, dtype=np.intp)
    index = np.asarray(frames, dtype=np.intp)
    if index.size and (index.min() < 0 or index.max() >= n_frames):
        raise ValueError(f"frame {index.max()} of {n_frames}")
    if index.ndim != 1 or np.any(np.diff(index) <= 0):
        raise ValueError("frame indices must be ascending")
    return index


def span(part: slice, length: int) -> range:
    """Resolve a slice of an axis; its step must be positive."""
    chosen = range(*part.indices(length))
    if chosen.step < 1:
        raise ValueError(f"step {chosen.step} of a slice must be positive")
    return range(chosen.start, max(chosen.start, chosen.stop), chosen.step)


def runs(index: NDArray[np.intp]) -> Iterator[tuple[int, slice]]:
    """Split ascending indices into evenly spaced runs: position in the output, slice."""
    begin = 0
    while begin < index.size:
        step = int(index[begin + 1] - index[begin]) if begin + 1 < index.size else 1
        end = begin + 1
        while end < index.size and index[end] - index[end - 1] == step:
            end += 1
        yield begin, slice(int(index[begin]), int(index[end - 1]) + 1, step)
        begin = end
