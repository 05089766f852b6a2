"""Asking for pictures while a person moves on: one at a time, the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from alsct_gui.ui.tasks import Tasks

Wanted = TypeVar("Wanted")
Answer = TypeVar("Answer")


class Newest(Generic[Wanted, Answer]):
    """Asks for one thing at a time; of all that is wanted meanwhile only the newest is asked.

    So pictures keep coming while a slider is dragged, however slow they are, and the last one
    is always the one that was wanted last.

    Parameters
    ----------
    tasks
        Where it runs.
    fetch
        Asks for a thing.
    show
        Shows the answer; not called for what was cancelled.
    words
        What is being done, for people: “Reading projection 12”.
    """

    def __init__(
        self,
        tasks: Tasks,
        fetch: Callable[[Wanted], Awaitable[Answer]],
        show: Callable[[Wanted, Answer], None],
        words: Callable[[Wanted], str],
    ) -> None:
        self._tasks, self._fetch, self._show, self._words = tasks, fetch, show, words
        self._next: Wanted | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is asked for."""
        return self._task is not None and not self._task.done()

    @property
    def overtaken(self) -> bool:
        """Whether something newer is wanted than what is asked for."""
        return self._next is not None

    def want(self, wanted: Wanted, *, at_once: bool = False) -> None:
        """Ask for a thing, after what is asked for now; or at once, in its place."""
        if at_once:
            self.cancel()
        self._next = wanted
        if not self.busy:
            self._task = self._tasks.start(self._work(), self._words(wanted))

    def cancel(self) -> None:
        """Want nothing more."""
        self._next = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _work(self) -> None:
        while self._next is not None:
            wanted, self._next = self._next, None
            answer = await self._fetch(wanted)
            self._show(wanted, answer)
