"""How long work says how far it is, and how it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from alsct_gui.model.errors import CancelledError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage of the work is."""

    stage: str
    """Name of the stage, a noun."""
    done: int
    """Units that are finished."""
    total: int
    """Units in all."""
    elapsed_s: float
    """Time since the stage began."""
    eta_s: float | None = None
    """Time that is left, by the pace so far; None before there is a pace."""


ProgressCallback = Callable[[Progress], None]


class CancelToken:
    """Asked for from one thread, looked at from others."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise when it was asked to stop.

        Raises
        ------
        CancelledError
            The work was cancelled.
        """
        if self._event.is_set():
            raise CancelledError("cancelled")
