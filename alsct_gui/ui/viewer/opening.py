"""Opening beside the event loop; what nobody waits for any more is closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.tasks import Tasks, sentence_of


class Closable(Protocol):
    """What is opened."""

    def close(self) -> object:
        """Free the files."""


Opened = TypeVar("Opened", bound=Closable)


async def opened_beside(make: Callable[[], Opened]) -> Opened:
    """Open something in a thread; when the wait is cancelled, it is closed once it is open."""
    opening = asyncio.get_running_loop().run_in_executor(None, make)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _close_late(opening: asyncio.Future[Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Keeper(Generic[Opened]):
    """Keeps one thing open: the one that was asked for last.

    Parameters
    ----------
    tasks
        Where opening and closing run.
    on_ended
        Run when it is open, or could not be opened.
    """

    def __init__(self, tasks: Tasks, on_ended: Callable[[], Awaitable[None]]) -> None:
        self._tasks, self._on_ended = tasks, on_ended
        self._name = ""
        self._opening: asyncio.Task[None] | None = None
        self.held: Opened | None = None
        """What is open."""
        self.error = ""
        """Why it could not be opened, a sentence; empty when it could."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is being opened."""
        return self._opening is None or self._opening.done()

    def open(self, make: Callable[[], Opened], name: str) -> None:
        """Open something instead of what is open; `make` runs in a thread."""
        self.close()
        self._name = name
        self._opening = self._tasks.start(self._open(make), f"Opening {name}")

    def close(self) -> None:
        """Close what is open, in a thread; what is being opened is no longer wanted."""
        held, self.held, self.error = self.held, None, ""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if held is not None:
            self._tasks.start(asyncio.to_thread(held.close), f"Closing {self._name}")

    def close_now(self) -> None:
        """Close it at once: the window is closing."""
        held, self.held = self.held, None
        if held is not None:
            held.close()

    async def _open(self, make: Callable[[], Opened]) -> None:
        try:
            self.held = await opened_beside(make)
        except AlsctError as error:
            self.error = sentence_of(error)
        await self._on_ended()
