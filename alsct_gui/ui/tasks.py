"""Every coroutine of the window runs here: kept, named, reported, cancelled with the window."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from alsct_gui.model.errors import AlsctError, CancelledError

Result = TypeVar("Result")


class Tasks:
    """Keeps a strong reference to every task until it ends.

    Parameters
    ----------
    report
        Called with the task's name and its error, once for each task that fails.
    """

    def __init__(self, report: Callable[[str, Exception], None]) -> None:
        self._report = report
        self._running: dict[asyncio.Task[Any], str] = {}
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """What is running, for people."""
        return tuple(self._running.values())

    def start(
        self,
        work: Coroutine[Any, Any, Any],
        name: str,
        *,
        instead_of: asyncio.Task[Any] | None = None,
    ) -> asyncio.Task[Any]:
        """Run a coroutine; its error is reported, its cancellation is silent.

        Parameters
        ----------
        work
            The coroutine.
        name
            What it does, for people: “Reading the projection”.
        instead_of
            An earlier task that this one replaces; it is cancelled.
        """
        if instead_of is not None:
            instead_of.cancel()
        if self._closed:
            work.close()
            raise RuntimeError(f"{name}: the window is closing")
        task = asyncio.get_event_loop().create_task(work, name=name)
        self._running[task] = name
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        name = self._running.pop(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, CancelledError):
            return
        if isinstance(error, Exception):
            self._report(name, error)
        elif error is not None:
            raise error

    async def close(self) -> None:
        """Cancel whatever runs and wait until it has ended."""
        self._closed = True
        while self._running:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.wait(running)


async def answer_of(future: Future[Result]) -> Result:
    """Wait for another thread's or process's answer without blocking the window.

    Cancelling the wait cancels the request. A request that a newer one took the place of
    cancels the task that waits for it.
    """
    return await asyncio.wrap_future(future)


def details_of(error: Exception) -> str:
    """Everything about an error, for “copy details”."""
    text = "".join(traceback.format_exception(error))
    remote = getattr(error, "details", "")
    return f"{text}\n{remote}" if remote else text


def sentence_of(error: Exception) -> str:
    """What an error says to people."""
    if isinstance(error, AlsctError):
        return error.sentence
    return f"{type(error).__name__}: {error}"
