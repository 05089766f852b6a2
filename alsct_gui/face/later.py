"""Answers of threads and processes, taken in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from qtpy.QtCore import QObject, Signal

T = TypeVar("T")


class Later(QObject):
    """Calls back in the thread that it lives in, as long as it lives."""

    _done = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._done.connect(self._tell)

    def when(self, future: Future[T], then: Callable[[Future[T]], None]) -> None:
        """Call `then` with the future when it is done; not when it was cancelled."""
        future.add_done_callback(lambda done: self.call(then, done))

    def call(self, then: Callable[[Any], None], value: Any) -> None:
        """Call `then` with a value; from any thread."""
        try:
            self._done.emit((then, value))
        except RuntimeError:
            return  # the widget has gone meanwhile

    def _tell(self, both: Any) -> None:
        then, value = both
        if not (isinstance(value, Future) and value.cancelled()):
            then(value)
