"""Levels of this program's own OME-Zarr volumes, read beside zarr-python.

The counterpart of `alsct_gui.files.writers.shards`: zarr 3 arrays of three axes with the
codec ``sharding_indexed`` over chunks that are stored as they are
(https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html). The
place of every row is known, so a cut reads the rows that it shows and nothing else. What is
stored in any other way is left to zarr-python.

No file stays open between reads, so that a volume may be read from any thread, and be
renamed or removed at any time.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, unsafe
from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.files.rawfile import RawFile

MAX_JSON_BYTES = 1 << 20
MAX_CUT_BYTES = 1 << 32
"""More bytes than any cut through a volume has; an array that declares more is refused."""
MAX_CHUNKS = 1 << 20
"""Chunks of one shard; ours have some hundreds."""

_TYPES = ("float32", "uint16", "uint8")
_LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
_PLAIN_CODECS = ([_LITTLE], [{"name": "bytes"}])  # one byte has no order
_INDEX_CODECS = [_LITTLE, {"name": "crc32c"}]
_ABSENT = 2**64 - 1
"""Offset and size of a chunk that a shard does not hold."""


@dataclass(frozen=True, slots=True)
class ShardLayout:
    """How an array lies on the disk; all sizes are (slice, y, x)."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    shard: tuple[int, int, int]
    """Voxels of one file."""
    chunk: tuple[int, int, int]
    """Voxels that lie together in it."""
    fill: float
    """Value of voxels that were never written."""
    index_at_end: bool
    """Whether the index stands behind the chunks or before them."""

    @property
    def grid(self) -> tuple[int, int, int]:
        """Chunks of a shard along each axis."""
        z, y, x = (s // c for s, c in zip(self.shard, self.chunk, strict=True))
        return z, y, x

    @property
    def chunk_bytes(self) -> int:
        """Length of a chunk in the file."""
        return math.prod(self.chunk) * self.dtype.itemsize

    @property
    def index_bytes(self) -> int:
        """Length of a shard's index, its checksum included."""
        return 16 * math.prod(self.grid) + 4


class ShardedArray(DiskArray):
    """One level, read directly; safe to use from several threads.

    Parameters
    ----------
    folder
        Folder of the array, which holds ``zarr.json``.
    layout
        From `read_layout`.
    where
        Name of the array for messages.
    whole
        Whether a shard that is not there is an error; else it reads as the fill value.
    """

    def __init__(
        self, folder: Path, layout: ShardLayout, where: str, *, whole: bool = False
    ) -> None:
        super().__init__(layout.shape, layout.dtype)
        self._folder = os.path.realpath(folder)
        self._layout = layout
        self._where = where
        self._whole = whole

    @property
    def chunks(self) -> tuple[int, int, int]:
        """Voxels that lie together in the file."""
        return self._layout.chunk

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        lengths = [len(axis) for axis in ranges]
        out = np.empty(lengths, self._dtype)
        if not out.size:
            return out
        layers, rows, columns = (
            list(_pieces(axis, chunk, per_shard))
            for axis, chunk, per_shard in zip(
                ranges, self._layout.chunk, self._layout.grid, strict=True
            )
        )
        scratch = np.empty(self._layout.chunk[1] * self._layout.chunk[2], self._dtype)
        for z, layer in _by_shard(layers):
            for y, row in _by_shard(rows):
                for x, column in _by_shard(columns):
                    self._read_shard((z, y, x), (layer, row, column), out, scratch)
        return out

    def _read_shard(
        self,
        number: tuple[int, int, int],
        pieces: tuple[list[_Piece], list[_Piece], list[_Piece]],
        out: NDArray[Any],
        scratch: NDArray[Any],
    ) -> None:
        """Fill the part of `out` that lies in one shard."""
        file = self._open(number)
        if file is None:
            z, y, x = (slice(part[0].target.start, part[-1].target.stop) for part in pieces)
            out[z, y, x] = self._layout.fill
            return
        _, n_y, n_x = self._layout.grid
        with closing(file):
            places = _chunk_places(file, self._layout, f"{self._where}/c/{_key(number)}")
            for layer in pieces[0]:
                for row in pieces[1]:
                    for column in pieces[2]:
                        place = places[(layer.chunk * n_y + row.chunk) * n_x + column.chunk]
                        part = out[layer.target, row.target, column.target]
                        if place < 0:
                            part[...] = self._layout.fill
                        else:
                            inside = (layer.inside, row.inside, column.inside)
                            self._read_chunk(file, place, inside, part, scratch)

    def _read_chunk(
        self,
        file: RawFile,
        place: int,
        inside: Ranges,
        part: NDArray[Any],
        scratch: NDArray[Any],
    ) -> None:
        """Fill the part of the output that lies in one chunk, plane by plane."""
        _, n_y, n_x = self._layout.chunk
        planes, rows, columns = inside
        n_rows = rows[-1] - rows[0] + 1
        item = self._dtype.itemsize
        # One row is read as far as it is wanted; of several, whole rows in one go.
        first = columns[0] if n_rows == 1 else 0
        width = columns[-1] - first + 1 if n_rows == 1 else n_x
        direct = rows.step == 1 and columns.step == 1 and len(columns) == width
        direct = direct and part[0].flags.c_contiguous
        window = scratch[: n_rows * width].reshape(n_rows, width)
        window_bytes = window.reshape(-1).view(np.uint8).data
        chosen = window[:: rows.step, columns[0] - first :: columns.step][:, : len(columns)]
        for target, plane in zip(part, planes, strict=True):
            start = place + ((plane * n_y + rows[0]) * n_x + first) * item
            if direct:
                file.read_into(target.reshape(-1).view(np.uint8).data, start)
            else:
                file.read_into(window_bytes, start)
                target[...] = chosen

    def _open(self, number: tuple[int, int, int]) -> RawFile | None:
        """Open a shard; None when it was never written."""
        path = f"{self._folder}/c/{_key(number)}"
        where = f"{self._where}/c/{_key(number)}"
        try:
            if os.path.realpath(path) != path:
                raise unsafe("external-link-refused", "A shard is a link", where=where)
            if not os.path.isfile(path) and os.path.lexists(path):  # noqa: PTH113
                raise broken("unreadable", "A shard is no regular file", where=where)
            return RawFile(Path(path))
        except FileNotFoundError as error:
            if self._whole:
                raise broken("frames-unreadable", "A shard is missing", where=where) from error
            return None
        except OSError as error:
            raise broken("frames-unreadable", str(error), where=where) from error


def read_layout(folder: Path, where: str) -> ShardLayout | None:
    """Read how an array is stored; None unless it is as this program stores arrays.

    Raises
    ------
    InputError
        It declares a shape that no volume has.
    """
    file = folder / "zarr.json"
    try:
        if not file.is_file() or file.stat().st_size > MAX_JSON_BYTES:
            return None
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None  # zarr-python says what is wrong with it
    return parse_layout(text, where)


def parse_layout(text: str, where: str) -> ShardLayout | None:
    """Understand an array's ``zarr.json``, as `read_layout` does.

    Raises
    ------
    InputError
        It declares a shape that no volume has.
    """
    try:
        layout = _layout(json.loads(text))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if layout is not None:
        check_size(layout.shape, layout.dtype, where)
    return layout


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
    """Refuse a shape of which not even a cut can be held in memory.

    Raises
    ------
    InputError
        It is not three-dimensional, empty, or absurdly large.
    """
    if len(shape) == 3 and min(shape) >= 1:
        largest_cut = math.prod(sorted(shape)[1:]) * dtype.itemsize
        if largest_cut <= MAX_CUT_BYTES:
            return
    raise broken("shape-absurd", f"The shape is {shape}", where=where)


def _layout(about: Any) -> ShardLayout | None:
    """Understand the metadata of an array; None when it is stored in another way.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        It is not what the specification says.
    """
    (sharding,) = about["codecs"]
    inner = sharding["configuration"]
    grid, keys = about["chunk_grid"], about["chunk_key_encoding"]
    ours = (
        about["zarr_format"] == 3
        and about["node_type"] == "array"
        and about["data_type"] in _TYPES
        and not about.get("storage_transformers")
        and grid["name"] == "regular"
        and keys["name"] == "default"
        and _option(keys, "separator", "/") == "/"
        and sharding["name"] == "sharding_indexed"
        and inner["codecs"] in _PLAIN_CODECS
        and inner["index_codecs"] == _INDEX_CODECS
        and inner.get("index_location", "end") in ("start", "end")
        and type(about["fill_value"]) in (int, float)
    )
    dtype = np.dtype(about["data_type"]) if ours else np.dtype(np.uint8)
    if not ours or (dtype.itemsize > 1 and inner["codecs"] != [_LITTLE]):
        return None
    shape, shard = _sizes(about["shape"]), _sizes(grid["configuration"]["chunk_shape"])
    chunk = _sizes(inner["chunk_shape"])
    for size, outer, part in zip(shape, shard, chunk, strict=True):
        fits = part <= size and outer % part == 0 and outer <= -(-size // part) * part
        if not fits:
            return None
    fill = np.asarray(about["fill_value"], dtype).item()
    location = inner.get("index_location", "end")
    layout = ShardLayout(shape, dtype, shard, chunk, fill, location == "end")
    return layout if math.prod(layout.grid) <= MAX_CHUNKS else None


def _option(entry: Mapping[str, Any], name: str, default: str) -> Any:
    return entry.get("configuration", {}).get(name, default)


def _sizes(values: Any) -> tuple[int, int, int]:
    z, y, x = values
    if any(type(value) is not int or value < 1 for value in (z, y, x)):
        raise ValueError(f"{values} is no shape")
    return z, y, x


def _chunk_places(file: RawFile, layout: ShardLayout, where: str) -> list[int]:
    """Read a shard's index: where each chunk begins, negative where there is none."""
    size_bytes, wanted = file.size_bytes, layout.index_bytes
    if size_bytes < wanted:
        raise broken("truncated", f"The shard has {size_bytes} bytes", where=where)
    raw = bytearray(wanted)
    file.read_into(memoryview(raw), size_bytes - wanted if layout.index_at_end else 0)
    if google_crc32c.value(bytes(raw[:-4])) != int.from_bytes(raw[-4:], "little"):
        raise broken("frames-unreadable", "The checksum of a shard's index is wrong", where=where)
    pairs = np.frombuffer(raw, "<u8", count=wanted // 8).reshape(-1, 2)
    offsets, sizes = pairs[:, 0], pairs[:, 1]
    present = (offsets != _ABSENT) | (sizes != _ABSENT)
    last = size_bytes - layout.chunk_bytes
    outside = offsets > last if last >= 0 else present
    if (present & (outside | (sizes != layout.chunk_bytes))).any():
        raise broken("frames-unreadable", "The index of a shard points outside", where=where)
    places: list[int] = np.where(present, offsets, 0).astype(np.int64).tolist()
    return [place if there else -1 for place, there in zip(places, present, strict=True)]


class _Piece(NamedTuple):
    """The part of an axis that lies in one chunk."""

    shard: int
    chunk: int
    """Number of the chunk in its shard."""
    inside: range
    """Indices in the chunk."""
    target: slice
    """Indices in the output."""


def _pieces(axis: range, chunk: int, per_shard: int) -> Iterator[_Piece]:
    """Cut a range of indices at the edges of chunks."""
    done = 0
    while done < len(axis):
        number = axis[done] // chunk
        start = number * chunk
        count = -(-(start + chunk - axis[done]) // axis.step)
        stop = min(len(axis), done + count)
        inside = range(axis[done] - start, axis[stop - 1] - start + 1, axis.step)
        yield _Piece(number // per_shard, number % per_shard, inside, slice(done, stop))
        done = stop


def _by_shard(pieces: list[_Piece]) -> Iterator[tuple[int, list[_Piece]]]:
    for shard, group in groupby(pieces, key=lambda piece: piece.shard):
        yield shard, list(group)


def _key(number: tuple[int, int, int]) -> str:
    return "/".join(map(str, number))
