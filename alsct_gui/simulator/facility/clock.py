"""A clock that goes only when it is told to, so that tests never wait."""

from __future__ import annotations

import threading
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since 1970 UTC; `time.time` is one."""


class ManualClock:
    """A clock for tests; safe to use from several threads.

    Parameters
    ----------
    start_s
        What it shows at first, seconds since 1970 UTC.
    """

    def __init__(self, start_s: float = 1_767_225_600.0) -> None:
        self._lock = threading.Lock()
        self._now_s = start_s

    def __call__(self) -> float:
        """Seconds since 1970 UTC."""
        with self._lock:
            return self._now_s

    def advance(self, by_s: float) -> float:
        """Let so many seconds pass; returns the new time."""
        if by_s < 0:
            raise ValueError("a clock does not go back")
        with self._lock:
            self._now_s += by_s
            return self._now_s
