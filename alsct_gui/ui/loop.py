"""The event loop that Qt and asyncio share, and the heart beat that shows it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np
import qasync
import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from alsct_gui.ui.garbage import collected_here


def run_until_done(app: QApplication, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine on a loop that serves Qt too, until it returns its exit code.

    Closing the last window does not end the loop: the coroutine does, when it has put
    everything away.
    """
    app.setQuitOnLastWindowClosed(False)
    loop = make_loop(app)
    asyncio.set_event_loop(loop)
    try:
        with collected_here(), loop:
            return int(loop.run_until_complete(main()))
    finally:
        asyncio.set_event_loop(None)


class Loop(qasync.QEventLoop):
    """The loop that Qt and asyncio share; closing it ends its timers.

    qasync leaves a timer that nothing waits for any more until it would have rung, also when
    the loop is closed.
    """

    def close(self) -> None:
        if not self.is_closed():
            super().close()
            shiboken6.delete(self._timer)


def make_loop(app: QApplication) -> Loop:
    """Return a loop that serves Qt and asyncio; closing it ends its threads.

    Work beside the loop runs in Python's own threads: qasync's usual ones are Qt's, of which
    Python keeps a trace for ever.
    """
    loop = Loop(app)
    loop.set_default_executor(ThreadPoolExecutor(8, thread_name_prefix="beside"))
    return loop


class Heartbeat(QObject):
    """Measures how late the event loop is: what a person feels as stutter.

    Parameters
    ----------
    period_ms
        Time between beats.
    parent
        Owner.
    """

    def __init__(self, period_ms: int = 5, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._late_ms: list[float] = []
        self._period_ms = period_ms
        self._last_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin anew."""
        self._late_ms.clear()
        self._last_s = perf_counter()
        self._timer.start(self._period_ms)

    def stop(self) -> None:
        """End; the figures stay."""
        self._timer.stop()

    def percentile_ms(self, percent: float) -> float:
        """Delay of the beats, milliseconds: so many percent of the time it was at most this.

        A blocked loop misses beats; each one that it missed counts with the delay it had.
        """
        if not self._late_ms:
            return 0.0
        missed = [
            late - k * self._period_ms
            for late in self._late_ms
            for k in range(int(late // self._period_ms) + 1)
        ]
        return float(np.percentile(missed, percent))

    @property
    def worst_ms(self) -> float:
        """The longest delay, milliseconds."""
        return max(self._late_ms, default=0.0)

    def _beat(self) -> None:
        now_s = perf_counter()
        self._late_ms.append(max(0.0, 1e3 * (now_s - self._last_s) - self._period_ms))
        self._last_s = now_s
