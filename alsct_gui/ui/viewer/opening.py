"""Opening beside the event loop; what nobody waits for any more is closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar


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
