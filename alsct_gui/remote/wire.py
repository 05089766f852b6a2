"""Messages on a pipe: a header of plain data, then arrays as raw bytes.

A message is eight bytes (a mark and the header's length), the header as JSON, and the arrays
that it announces, one after the other. Nothing is ever pickled, so a message can hold data
but no code. Whatever arrives is hostile until checked.
"""

from __future__ import annotations

import fcntl
import json
import math
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RemoteError

MAX_HEADER_BYTES = 1 << 24
"""Longest header."""
MAX_ARRAYS = 256
"""Most arrays of one message."""
MAX_ARRAY_BYTES = 1 << 33
"""Most bytes of all arrays of one message."""
MAX_AXES = 8
PIPE_BYTES = 1 << 20
"""What a pipe is asked to hold: the most that Linux grants to everybody."""

_MARK = b"ALr1"
_PREFIX = struct.Struct("<4sI")
_KINDS = "biufc"


class WireError(RemoteError):
    """What came through the pipe is no message of ours."""


@dataclass(frozen=True, eq=False)
class Message:
    """One message."""

    header: Mapping[str, Any]
    """Plain data."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Arrays by name."""


def enlarge(pipe: FileIO) -> None:
    """Let a pipe hold more, where the system can: fewer turns between the two processes."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # a limit of the system's; the pipe works as it is
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def send(pipe: FileIO, message: Message) -> None:
    """Write a message.

    Parameters
    ----------
    pipe
        Binary and unbuffered.
    message
        Its arrays have numbers; those that are not contiguous are copied.

    Raises
    ------
    WireError
        The header is not plain data or too long, or an array is of no type that travels.
    OSError
        The other end is closed.
    """
    blocks = [np.ascontiguousarray(array) for array in message.arrays.values()]
    announced = [
        [name, block.dtype.str, list(array.shape)]
        for (name, array), block in zip(message.arrays.items(), blocks, strict=True)
    ]
    for name, array in message.arrays.items():
        if array.dtype.kind not in _KINDS:
            raise WireError(f"array {name!r} is of type {array.dtype}, which does not travel")
    try:
        text = json.dumps({"header": message.header, "arrays": announced}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"a header is not plain data ({error})") from error
    if len(text) > MAX_HEADER_BYTES:
        raise WireError(f"a header has {len(text)} bytes, more than {MAX_HEADER_BYTES}")
    _write(pipe, memoryview(_PREFIX.pack(_MARK, len(text)) + text))
    for block in blocks:
        if block.size:
            _write(pipe, block.reshape(-1).view(np.uint8).data)


def receive(pipe: FileIO, wait: Callable[[], None] | None = None) -> Message | None:
    """Read a message; arrays are read straight into their memory.

    Parameters
    ----------
    pipe
        Binary and unbuffered.
    wait
        Called before each read; may raise to end the reading.

    Returns
    -------
    message
        None when the other end was closed between two messages.

    Raises
    ------
    WireError
        What arrives is no message, or ends within one.
    """
    prefix = bytearray(_PREFIX.size)
    if not _fill(pipe, memoryview(prefix), wait, may_end=True):
        return None
    mark, length = _PREFIX.unpack(prefix)
    if mark != _MARK:
        raise WireError(f"expected a message, found {bytes(prefix)!r}")
    if length > MAX_HEADER_BYTES:
        raise WireError(f"a header of {length} bytes is announced, more than {MAX_HEADER_BYTES}")
    text = bytearray(length)
    _fill(pipe, memoryview(text), wait)
    header, announced = _parse(text)
    arrays = {}
    for name, dtype, shape in announced:
        array = np.empty(shape, dtype)
        if array.size:
            _fill(pipe, array.reshape(-1).view(np.uint8).data, wait)
        arrays[name] = array
    return Message(header, arrays)


def _parse(text: bytearray) -> tuple[dict[str, Any], list[tuple[str, np.dtype[Any], list[int]]]]:
    """Header and announced arrays, all of it checked."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header cannot be parsed ({error})"[:300]) from error
    if not isinstance(whole, dict) or set(whole) != {"header", "arrays"}:
        raise WireError("a header does not have the parts of one")
    header, rows = whole["header"], whole["arrays"]
    if not isinstance(header, dict) or not isinstance(rows, list) or len(rows) > MAX_ARRAYS:
        raise WireError("a header does not have the parts of one")
    announced = [_announced(row) for row in rows]
    total = sum(dtype.itemsize * math.prod(shape) for _, dtype, shape in announced)
    if total > MAX_ARRAY_BYTES:
        raise WireError(f"{total} bytes of arrays are announced, more than {MAX_ARRAY_BYTES}")
    return header, announced


def _announced(row: Any) -> tuple[str, np.dtype[Any], list[int]]:
    try:
        name, kind, shape = row
        dtype = np.dtype(kind if isinstance(kind, str) else None)
    except (TypeError, ValueError) as error:
        raise WireError(f"an array is announced as {row!r}"[:300]) from error
    plain = dtype.kind in _KINDS and dtype.subdtype is None and isinstance(kind, str)
    sizes = isinstance(shape, list) and len(shape) <= MAX_AXES
    if not (isinstance(name, str) and plain and sizes) or not all(
        type(size) is int and 0 <= size <= MAX_ARRAY_BYTES for size in shape
    ):
        raise WireError(f"an array is announced as {row!r}"[:300])
    return name, dtype, shape


def _write(pipe: FileIO, block: memoryview) -> None:
    while block:
        block = block[pipe.write(block) :]


def _fill(
    pipe: FileIO, block: memoryview, wait: Callable[[], None] | None, *, may_end: bool = False
) -> bool:
    """Read until a block is full; False when nothing came at all and that is allowed."""
    size = len(block)
    while block:
        if wait is not None:
            wait()
        count = pipe.readinto(block)
        if not count:
            if may_end and len(block) == size:
                return False
            raise WireError(f"the pipe ended {len(block)} bytes before the end of a message")
        block = block[count:]
    return True
