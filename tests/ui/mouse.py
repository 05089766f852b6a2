"""Moves of the mouse that reach a widget at once.

`QTest.mouseMove` moves the screen's pointer: no event comes when it is there already, and Qt's
events are worked off meanwhile, which must not happen within a coroutine.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget


def move_mouse(widget: QWidget, place: QPoint, *, held: bool = False) -> None:
    """Move the mouse to a place of a widget; `held` with the left button down."""
    buttons = Qt.MouseButton.LeftButton if held else Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(place), QPointF(widget.mapToGlobal(place)),
        Qt.MouseButton.NoButton, buttons, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
