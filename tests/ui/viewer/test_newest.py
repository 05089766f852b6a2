"""Of all that is wanted only the newest is asked for."""

from __future__ import annotations

import asyncio

from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.newest import Newest


class _Desk:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.shown: list[int] = []
        self.gate = asyncio.Event()
        self.errors: list[str] = []
        tasks = Tasks(lambda name, error: self.errors.append(f"{name}: {error}"))
        self.newest: Newest[int, int] = Newest(
            tasks,
            self._fetch,
            lambda _, answer: self.shown.append(answer),
            lambda n: f"reading {n}",
        )

    async def _fetch(self, wanted: int) -> int:
        self.asked.append(wanted)
        await self.gate.wait()
        if wanted < 0:
            raise ValueError("no such frame")
        return wanted

    async def settle(self) -> None:
        while self.newest.busy:
            await asyncio.sleep(0)


def test_what_was_overtaken_is_not_asked_for() -> None:
    async def go() -> None:
        desk = _Desk()
        for wanted in range(5):
            desk.newest.want(wanted)
            await asyncio.sleep(0)
        assert desk.newest.overtaken
        desk.gate.set()
        await desk.settle()
        assert desk.asked == [0, 4]
        assert desk.shown == [0, 4]

    asyncio.run(go())


def test_at_once_gives_up_what_is_asked_for() -> None:
    async def go() -> None:
        desk = _Desk()
        desk.newest.want(1)
        await asyncio.sleep(0)
        desk.newest.want(2, at_once=True)
        await asyncio.sleep(0)
        desk.gate.set()
        await desk.settle()
        assert desk.shown == [2]

    asyncio.run(go())


def test_nothing_is_shown_after_a_cancel_and_an_error_is_told() -> None:
    async def go() -> None:
        desk = _Desk()
        desk.newest.want(1)
        await asyncio.sleep(0)
        desk.newest.cancel()
        desk.gate.set()
        await asyncio.sleep(0)
        assert desk.shown == []
        desk.newest.want(-1)
        await desk.settle()
        desk.newest.want(3)
        await desk.settle()
        assert desk.errors == ["reading -1: no such frame"]
        assert desk.shown == [3]

    asyncio.run(go())
