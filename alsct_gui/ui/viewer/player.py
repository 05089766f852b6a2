"""Plays pictures one after the other, as fast as they come and no faster than is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from alsct_gui.ui.tasks import Tasks


class Player:
    """Asks for the next picture when the last one is seen.

    Parameters
    ----------
    tasks
        Where it runs.
    name
        What it does, for people: “Playing slices”.
    advance
        Asks for the next picture; False when there is none any more.
    least_s
        Time from one picture to the next, at least.
    """

    def __init__(
        self, tasks: Tasks, name: str, advance: Callable[[], bool], least_s: float
    ) -> None:
        self._tasks, self._name, self._advance, self._least_s = tasks, name, advance, least_s
        self._seen = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def play(self, on: bool) -> None:
        """Begin or stop."""
        if on:
            self._task = self._tasks.start(self._run(), self._name)
        elif self._task is not None:
            self._task.cancel()
            self._task = None

    def seen(self) -> None:
        """Know that what was asked for is on the canvas."""
        self._seen.set()

    async def _run(self) -> None:
        while True:
            began_s = perf_counter()
            self._seen.clear()
            if not self._advance():
                return
            await self._seen.wait()
            await asyncio.sleep(max(0.0, self._least_s - (perf_counter() - began_s)))
