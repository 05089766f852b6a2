"""An asyncio loop in a thread of its own, for callers that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads; starts with the first, ends with `close`.

    Parameters
    ----------
    name
        Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._closed = False

    def run(self, work: Coroutine[Any, Any, T], within_s: float) -> T:
        """Run a coroutine to its end; return what it returns.

        Parameters
        ----------
        work
            What to run.
        within_s
            Longest time it may take.

        Raises
        ------
        TimeoutError
            It took longer, and was cancelled.
        RuntimeError
            This is closed.
        """
        try:
            loop = self._started()
        except RuntimeError:
            work.close()
            raise
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), loop).result()

    def close(self) -> None:
        """Cancel what still runs and end the thread; idempotent."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is None or self._loop is None or self._over is None:
                return
            self._loop.call_soon_threadsafe(self._over.set)
        thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("this connection is closed")
            if self._thread is None:
                ready = threading.Event()
                self._thread = threading.Thread(
                    target=self._serve, args=(ready,), name=self._name, daemon=True
                )
                self._thread.start()
                ready.wait()
            assert self._loop is not None  # noqa: S101 (set before `ready` is)
            return self._loop

    def _serve(self, ready: threading.Event) -> None:
        async def wait() -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            ready.set()
            await self._over.wait()

        # The runner cancels every task that is left and ends the loop's own threads.
        with asyncio.Runner() as runner:
            runner.run(wait())
