"""One level of a zarr 3 array whose shards are slabs of whole planes, written in place.

Inner chunks are stored as they are, so the place of every voxel in a shard is known before
anything is written: slices may come in any order, and no memory is held for unfinished
shards. Layout (zarr 3 ``sharding_indexed``): the inner chunks one after another in C
order, then for each the pair (offset, bytes) as little-endian uint64, then the CRC-32C of
these pairs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

SLAB_SLICES = 16
CHUNK_SLICES = 4
CHUNK_EDGE_PX = 320


class ShardedLevel:
    """A level on the disk; safe to use from several threads on different slices."""

    def __init__(self, folder: Path, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self.shape = shape
        self.dtype = dtype.newbyteorder("<")
        self.chunk = chunk_shape(shape)
        self.grid = (-(-shape[1] // self.chunk[1]), -(-shape[2] // self.chunk[2]))
        """Chunks along y and x."""
        self._plane_bytes = self.chunk[1] * self.chunk[2] * dtype.itemsize
        self._chunk_bytes = self.chunk[0] * self._plane_bytes
        layers = -(-min(SLAB_SLICES, shape[0]) // self.chunk[0])
        self.shard = (
            layers * self.chunk[0],
            self.grid[0] * self.chunk[1],
            self.grid[1] * self.chunk[2],
        )
        """Shape of a shard: a slab of whole planes."""
        self._data_bytes = layers * self.grid[0] * self.grid[1] * self._chunk_bytes
        self._index = _shard_index(layers * self.grid[0] * self.grid[1], self._chunk_bytes)

    def shard_path(self, slab: int) -> Path:
        """Return the file of a slab."""
        return self.folder / "c" / str(slab) / "0" / "0"

    def write(self, first: int, slices: NDArray[Any]) -> None:
        """Store slices, shape (slice, y, x), from index `first` on."""
        for slab, start, stop in _runs(first, first + len(slices), self.shard[0]):
            with self._open(slab, os.O_RDWR | os.O_CREAT) as fd:
                for _, a, b in _runs(start, stop, self.chunk[0]):
                    self._write_part(fd, a - slab * self.shard[0], slices[a - first : b - first])

    def read(self, first: int, stop: int) -> NDArray[Any]:
        """Return slices [first, stop) that were written before, shape (slice, y, x)."""
        out = np.empty((stop - first, *self.shape[1:]), self.dtype)
        for slab, start, end in _runs(first, stop, self.shard[0]):
            with self._open(slab, os.O_RDONLY) as fd:
                for _, a, b in _runs(start, end, self.chunk[0]):
                    self._read_part(fd, a - slab * self.shard[0], out[a - first : b - first])
        return out

    def _write_part(self, fd: int, offset: int, part: NDArray[Any]) -> None:
        """Store slices of one layer of chunks, from slice `offset` of the shard on."""
        _, size_y, size_x = self.chunk
        buffer = np.zeros((len(part), size_y, size_x), self.dtype)
        for place, y, x in self._chunks(offset):
            piece = part[:, y : y + size_y, x : x + size_x]
            if not piece.any():
                continue  # outside the circular mask: a hole in the file reads as zeros
            if piece.shape != buffer.shape:  # an edge: the rest of the chunk is fill
                buffer[:] = 0
            buffer[:, : piece.shape[1], : piece.shape[2]] = piece
            _pwrite_all(fd, buffer.data.cast("B"), place)

    def _read_part(self, fd: int, offset: int, out: NDArray[Any]) -> None:
        _, size_y, size_x = self.chunk
        buffer = np.empty((len(out), size_y, size_x), self.dtype)
        view = buffer.data.cast("B")
        for place, y, x in self._chunks(offset):
            if os.preadv(fd, [view], place) != len(view):
                raise OSError(f"{self.folder} was cut short while it was written")
            piece = out[:, y : y + size_y, x : x + size_x]
            piece[:] = buffer[:, : piece.shape[1], : piece.shape[2]]

    def _chunks(self, offset: int) -> Iterator[tuple[int, int, int]]:
        """Yield for each chunk the byte place of the shard's slice `offset`, its y and x."""
        layer, slice_in_chunk = divmod(offset, self.chunk[0])
        place = layer * self.grid[0] * self.grid[1] * self._chunk_bytes
        place += slice_in_chunk * self._plane_bytes
        for j in range(self.grid[0]):
            for i in range(self.grid[1]):
                yield place, j * self.chunk[1], i * self.chunk[2]
                place += self._chunk_bytes

    @contextmanager
    def _open(self, slab: int, flags: int) -> Iterator[int]:
        path = self.shard_path(slab)
        if flags & os.O_CREAT:
            path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, flags, 0o644)
        try:
            # The index is written first, so a shard has its full length from the start.
            size = self._data_bytes + len(self._index)
            if flags & os.O_CREAT and os.fstat(fd).st_size != size:
                _pwrite_all(fd, memoryview(self._index), self._data_bytes)
            yield fd
        finally:
            os.close(fd)


def chunk_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return inner chunks near 4 x 320 x 320 that fill a volume with little waste."""
    return (
        min(CHUNK_SLICES, shape[0]),
        _even_share(shape[1], CHUNK_EDGE_PX),
        _even_share(shape[2], CHUNK_EDGE_PX),
    )


def _runs(first: int, stop: int, thickness: int) -> Iterator[tuple[int, int, int]]:
    """Cut [first, stop) at multiples of a thickness: (index, start, stop) each."""
    for index in range(first // thickness, -(-stop // thickness)):
        yield index, max(first, index * thickness), min(stop, (index + 1) * thickness)


def _even_share(size: int, edge: int) -> int:
    return -(-size // -(-size // edge))


def _shard_index(n_chunks: int, chunk_bytes: int) -> bytes:
    pairs = np.empty((n_chunks, 2), "<u8")
    pairs[:, 0] = np.arange(n_chunks, dtype=np.uint64) * np.uint64(chunk_bytes)
    pairs[:, 1] = chunk_bytes
    index = pairs.tobytes()
    return index + google_crc32c.value(index).to_bytes(4, "little")


def _pwrite_all(fd: int, data: memoryview, place: int) -> None:
    while len(data):
        written = os.pwrite(fd, data, place)
        data, place = data[written:], place + written
