from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken
from alsct_gui.recon.stream import Stage, run_stages


def numbers(count: int) -> Stage:
    return Stage("read", lambda _: iter(range(count)))


def test_every_item_passes_every_stage_in_order() -> None:
    seen: list[int] = []

    def twice(item: int) -> Iterator[int]:
        yield item
        yield item * 10

    def keep(item: int) -> Iterator[None]:
        seen.append(item)
        yield None

    seconds = run_stages(numbers(4), [Stage("double", twice), Stage("write", keep)])
    assert seen == [0, 0, 1, 10, 2, 20, 3, 30]
    assert set(seconds) == {"read", "double", "write"}


def test_stages_overlap_and_memory_is_bounded() -> None:
    # While one item is worked on, one more is made, and no third.
    ahead: list[int] = []
    written = 0
    gate = threading.Semaphore(0)

    def read(_: None) -> Iterator[int]:
        for index in range(20):
            ahead.append(index - written)
            gate.release()
            yield index

    def write(item: int) -> Iterator[None]:
        nonlocal written
        gate.acquire()
        written = item + 1
        yield None

    run_stages(Stage("read", read), [Stage("write", write)])
    assert written == 20
    assert max(ahead) <= 1


def test_an_error_of_any_stage_stops_all_and_comes_out() -> None:
    def fail(item: int) -> Iterator[int]:
        if item == 3:
            raise ValueError("slice 3 is bad")
        yield item

    with pytest.raises(ValueError, match="slice 3 is bad"):
        run_stages(numbers(10**9), [Stage("work", fail), Stage("write", lambda item: [item])])


def test_cancel_ends_an_endless_run() -> None:
    cancel = CancelToken()

    def work(item: int) -> Iterator[int]:
        if item == 5:
            cancel.cancel()
        yield item

    with pytest.raises(CancelledError):
        run_stages(numbers(10**9), [Stage("work", work)], cancel)
    assert not [t for t in threading.enumerate() if t.name.startswith("alsct-")]
