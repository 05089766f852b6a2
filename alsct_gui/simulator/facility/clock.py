"""Clocks of a simulated facility: one that goes when told, one that goes faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class FastClock:
    """A clock that shows this machine's time at a moment, and from then on goes faster.

    Every process that is given the same two numbers reads the same time.
    """

    anchor_s: float
    """Moment at which it is right, seconds since 1970 UTC."""
    speed: float
    """How many of its seconds pass in one."""

    def __call__(self) -> float:
        """Seconds since 1970 UTC."""
        return self.anchor_s + (time.time() - self.anchor_s) * self.speed
