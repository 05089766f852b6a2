"""The Python binding of Qt does not use up the interpreter's own objects."""

from __future__ import annotations

import sys
from typing import Any

from PySide6.QtCore import QObject, QTimerEvent

CALLS = 1000


class _Overriding(QObject):
    """Has Qt call a method that returns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def timerEvent(self, _: QTimerEvent) -> None:  # noqa: N802
        self.calls += 1


def test_overridden_methods_leave_none_alone(app: Any) -> None:
    thing = _Overriding()
    before = sys.getrefcount(None)
    timer = thing.startTimer(0)
    while thing.calls < CALLS:
        app.processEvents()
    thing.killTimer(timer)
    lost = before - sys.getrefcount(None)
    assert lost < CALLS / 2, f"references to None lost over {CALLS} calls: {lost}"
