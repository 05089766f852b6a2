"""The Python binding of Qt does not use up the interpreter's own objects."""

from __future__ import annotations

import sys
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimerEvent

CALLS = 1000


class _Overriding(QObject):
    """Has Qt call into Python, which returns nothing, and True."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def timerEvent(self, _: QTimerEvent) -> None:
        self.calls += 1

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.User:
            self.calls += 1
            return True
        return super().event(event)


def test_overridden_methods_leave_none_and_true_alone(app: Any) -> None:
    thing = _Overriding()
    before = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(CALLS):
        QCoreApplication.sendEvent(thing, QTimerEvent(1))
        QCoreApplication.sendEvent(thing, QEvent(QEvent.Type.User))
    lost = before[0] - sys.getrefcount(None), before[1] - sys.getrefcount(True)
    assert thing.calls == 2 * CALLS
    assert max(lost) < CALLS / 2, f"references lost over {CALLS} calls: {lost}"
