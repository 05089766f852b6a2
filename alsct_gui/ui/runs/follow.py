"""Keeps the session's runs up to date, and gives the queue its orders, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from alsct_gui.model.errors import AlsctError
from alsct_gui.placement.runs.model import RunRequest, RunState
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.ui.runs.rows import ended_since, finished_words
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks

Result = TypeVar("Result")

_LOOK_S = 0.25
_WAKE_EVERY = 20
"""After so many looks the queue is woken, in case its keeper was killed."""


class RunFollower:
    """The one place where the window talks to the queue.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    queue
        The runs of this workstation.
    """

    def __init__(self, session: Session, tasks: Tasks, queue: RunQueue) -> None:
        self._session, self._tasks, self._queue = session, tasks, queue
        self._one_at_a_time = asyncio.Lock()
        self._looking: asyncio.Task[Any] | None = None
        self.show_runs: Callable[[], object] | None = None
        """Shows the list of runs, for a notice that one was queued."""

    def start(self) -> None:
        """Begin to follow; runs that were left going are picked up."""
        if self._looking is None:
            self._looking = self._tasks.start(self._follow(), "Following runs")

    def close(self) -> None:
        """Stop to follow; the runs go on."""
        if self._looking is not None:
            self._looking.cancel()

    def submit(self, request: RunRequest) -> None:
        """Queue a run."""
        self._tasks.start(self._submit(request), f"Queueing {request.title}")

    def order(self, doing: str, work: Callable[[RunQueue], object]) -> None:
        """Give the queue an order; `doing` says which, for people."""
        self._tasks.start(self._order(work), doing)

    async def log_of(self, run_id: str) -> str:
        """Return the end of what a run's worker printed."""
        return await self._call(lambda queue: queue.log(run_id))

    async def _submit(self, request: RunRequest) -> None:
        await self._call(lambda queue: queue.submit(request))
        waiting = sum(view.state is RunState.QUEUED for view in self._session.runs)
        after = f" It waits behind {waiting} others." if waiting > 1 else ""
        self._session.notice(
            Notice(
                Level.INFO, f"Queued: {request.title}.{after}",
                action_text="Show runs" if self.show_runs is not None else "",
                action=self.show_runs,
            )
        )  # fmt: skip
        await self._look()

    async def _order(self, work: Callable[[RunQueue], object]) -> None:
        await self._call(work)
        await self._look()

    async def _follow(self) -> None:
        looks, said = 0, ""
        while True:
            try:
                if looks % _WAKE_EVERY == 0:
                    await self._call(lambda queue: queue.wake())
                await self._look()
                said = ""
            except AlsctError as error:
                # Said once: a full disk is not cured by saying it four times a second.
                if error.sentence != said:
                    said = error.sentence
                    self._session.report("Following runs", error)
            looks += 1
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        views = await self._call(lambda queue: queue.views())
        before = self._session.runs
        self._session.set_runs(views)
        for view in ended_since(before, views):
            self._tell(view)

    def _tell(self, view: Any) -> None:
        done = view.state is RunState.FINISHED
        level = {RunState.FINISHED: Level.DONE, RunState.CANCELLED: Level.INFO}
        output = view.output
        if done and self._session.volume in (view.partial_path, output):
            self._session.show_volume(output)
        self._session.notice(
            Notice(
                level.get(view.state, Level.ERROR), finished_words(view), "\n".join(view.log),
                action_text="Show it" if done else "",
                action=(lambda: self._session.show_volume(output)) if done else None,
                key=f"run:{view.id}",
            )
        )  # fmt: skip

    async def _call(self, work: Callable[[RunQueue], Result]) -> Result:
        async with self._one_at_a_time:
            return await asyncio.to_thread(work, self._queue)
