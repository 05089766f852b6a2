"""Messages through real pipes, and what is refused."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Iterator
from io import FileIO
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from alsct_gui.remote import wire
from alsct_gui.remote.wire import Message, WireError, receive, send


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    read, write = os.pipe()
    with FileIO(read, "rb") as reader, FileIO(write, "wb") as writer:
        yield reader, writer


def through(pipe: tuple[FileIO, FileIO], message: Message) -> Message:
    sender = threading.Thread(target=send, args=(pipe[1], message))
    sender.start()
    came = receive(pipe[0])
    sender.join()
    assert came is not None
    return came


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
numbers = arrays_of.arrays(
    st.sampled_from(["u1", "<u2", ">i4", "<f4", "f8", "?", "c8"]),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), plain, max_size=4), st.dictionaries(st.text(), numbers))
def test_what_is_sent_arrives(
    pipe: tuple[FileIO, FileIO], header: dict[str, Any], arrays: dict[str, Any]
) -> None:
    came = through(pipe, Message(header, arrays))
    assert came.header == header
    assert list(came.arrays) == list(arrays)
    for name, array in arrays.items():
        assert came.arrays[name].dtype == array.dtype
        assert came.arrays[name].shape == array.shape
        assert came.arrays[name].tobytes() == array.tobytes()


def test_a_large_array_arrives_bit_by_bit(pipe: tuple[FileIO, FileIO]) -> None:
    wire.enlarge(pipe[0])
    picture = np.random.default_rng(1).random((1500, 1400), np.float32)
    came = through(pipe, Message({}, {"picture": picture}))
    assert came.arrays["picture"].tobytes() == picture.tobytes()


def test_the_end_between_messages_is_no_error(pipe: tuple[FileIO, FileIO]) -> None:
    send(pipe[1], Message({"a": 1}))
    pipe[1].close()
    first = receive(pipe[0])
    assert first is not None
    assert first.header == {"a": 1}
    assert receive(pipe[0]) is None


def test_the_end_within_a_message_is_one(pipe: tuple[FileIO, FileIO]) -> None:
    send(pipe[1], Message({"a": 1}, {"x": np.zeros(10)}))
    whole = pipe[0].read(65536)
    for cut in (1, 7, 8, 20, len(whole) - 1):
        read, write = os.pipe()
        with FileIO(read, "rb") as reader:
            with FileIO(write, "wb") as writer:
                writer.write(whole[:cut])
            with pytest.raises(WireError, match="before the end of a message"):
                receive(reader)


def framed(text: bytes) -> bytes:
    return struct.pack("<4sI", b"ALr1", len(text)) + text


def announced(*row: object) -> bytes:
    return framed(json.dumps({"header": {}, "arrays": [list(row)]}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("<4sI", b"ALr1", 1 << 31),
        framed(b"{"),
        framed(b"\xff\xfe"),
        framed(b"[" * 100_000),
        framed(b"[]"),
        framed(b'{"header": 3, "arrays": []}'),
        framed(b'{"header": {}, "arrays": [7]}'),
        announced("x", "O", [3]),
        announced("x", "V8", [3]),
        announced("x", None, [3]),
        announced("x", "f4,f4", [3]),
        announced("x", "(2,)f4", [3]),
        announced("x", "nothing", [3]),
        announced("x", "<f4", [-1]),
        announced("x", "<f4", [2.0]),
        announced("x", "<f4", [True]),
        announced("x", "<f4", [1] * 9),
        announced("x", "<f4", [1 << 20, 1 << 20]),
        announced("x", "<f4", "3"),
        announced(3, "<f4", [1]),
    ],
)
def test_what_is_no_message_is_refused(pipe: tuple[FileIO, FileIO], raw: bytes) -> None:
    sender = threading.Thread(target=pipe[1].write, args=(raw,))
    sender.start()
    with pytest.raises(WireError):
        receive(pipe[0])
    sender.join()  # what was not read fits into the pipe


@pytest.mark.parametrize(
    "message",
    [
        Message({"x": object()}),
        Message({"x": {1, 2}}),
        Message({}, {"x": np.array([None])}),
        Message({}, {"x": np.array(["text"])}),
    ],
)
def test_what_cannot_travel_is_refused_before_a_byte_is_sent(
    pipe: tuple[FileIO, FileIO], message: Message
) -> None:
    with pytest.raises(WireError):
        send(pipe[1], message)
    pipe[1].close()
    assert pipe[0].read() == b""
