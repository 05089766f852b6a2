"""Qt's objects die in the thread they live in, whoever made the garbage."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from alsct_gui.ui.garbage import Collector, generation_due
from alsct_gui.ui.loop import make_loop
from tests.ui.conftest import until

Drive = Callable[[Coroutine[Any, Any, Any]], Any]


class Circle:
    """Refers to itself, and to a timer that runs: as most of a window does."""

    def __init__(self) -> None:
        self.itself = self
        self.timer = QTimer()
        self.timer.start(20)


@pytest.mark.parametrize(
    ("counts", "rests", "due"),
    [
        ((700, 10, 10), False, None),
        ((701, 10, 10), False, 0),
        ((0, 11, 10), False, 1),
        ((701, 11, 11), False, 2),
        ((701, 11, 11), True, 1),
        ((0, 0, 11), True, None),
    ],
)
def test_the_oldest_that_is_due_is_collected(
    counts: tuple[int, int, int], rests: bool, due: int | None
) -> None:
    assert generation_due(counts, (700, 10, 10), rests=rests) == due


def test_a_window_s_circles_end_in_the_thread_of_the_window(drive: Drive) -> None:
    collected_in: set[int] = set()
    ended_in: list[int] = []

    def note(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            collected_in.add(threading.get_ident())

    def litter() -> None:
        for _ in range(40 * gc.get_threshold()[0]):
            circle: list[Any] = []
            circle.append(circle)

    async def main() -> None:
        weakref.finalize(Circle(), lambda: ended_in.append(threading.get_ident()))
        await asyncio.gather(*(asyncio.to_thread(litter) for _ in range(4)))
        await until(lambda: ended_in, "the end of the circle")

    gc.callbacks.append(note)
    try:
        drive(main())
    finally:
        gc.callbacks.remove(note)
    assert ended_in == [threading.get_ident()]
    assert collected_in == {threading.get_ident()}


def test_what_is_old_is_not_gone_through_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    generations: list[int] = []
    clock_s = iter((0.0, 0.2, 10.0, 21.0, 21.2))
    collector = Collector()
    with monkeypatch.context() as patched:
        patched.setattr(gc, "get_count", lambda: (0, 0, gc.get_threshold()[2] + 1))
        patched.setattr(gc, "collect", lambda generation: generations.append(generation))
        patched.setattr("alsct_gui.ui.garbage.perf_counter", lambda: next(clock_s))
        collector.collect_if_due()
        collector.collect_if_due()
        assert generations == [2]
        collector.collect_if_due()
        assert generations == [2, 2]


def test_a_closed_loop_leaves_no_timer(app: QApplication) -> None:
    loop = make_loop(app)
    timers = loop._timer
    with loop:
        loop.run_until_complete(asyncio.wait_for(asyncio.sleep(0), 600))
        assert app.eventDispatcher().registeredTimers(timers)
    assert not shiboken6.isValid(timers)
