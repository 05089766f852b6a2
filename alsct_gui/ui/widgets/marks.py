"""States by shape and colour, so that nobody depends on colour alone."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from alsct_gui.ui.theme.style import tokens

MARK_PX = 14


class State(StrEnum):
    """What a thing is, as against what is wanted."""

    MET = "met"
    MOVING = "moving"
    WAITING = "waiting"
    BLOCKED = "blocked"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    NOT_WANTED = "not wanted"
    FORBIDDEN = "forbidden"


_COLORS = {State.HELD: "waiting", State.NOT_WANTED: "disabled", State.FORBIDDEN: "faint"}
"""Colours of the states that have none of their own."""


def draw_mark(painter: QPainter, rect: QRectF, state: State, share: float | None = None) -> None:
    """Draw a state's mark.

    Parameters
    ----------
    painter
        On what to draw.
    rect
        Where; a square.
    state
        Filled circle: met. Ring with a growing sector: moving. Hollow circle: waiting.
        Triangle: blocked. Cross: failed. Dashed circle: unknown. Hollow circle with two bars:
        held. Short line: not wanted. Hollow circle that is struck out: forbidden.
    share
        For moving: how far it is, from 0 to 1; None when it is not known.
    """
    color = QColor(getattr(tokens(), _COLORS.get(state, state.value)))
    box = rect.adjusted(2, 2, -2, -2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(color, 1.8)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state is State.MET:
        painter.setBrush(color)
        painter.drawEllipse(box)
    elif state is State.MOVING:
        painter.drawEllipse(box)
        painter.setBrush(color)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPie(box, 90 * 16, -round(5760 * (0.25 if share is None else share)))
    elif state is State.WAITING:
        painter.drawEllipse(box)
    elif state is State.BLOCKED:
        painter.setBrush(color)
        top = QPointF(box.center().x(), box.top())
        painter.drawPolygon(QPolygonF([top, box.bottomRight(), box.bottomLeft()]))
    elif state is State.FAILED:
        painter.setPen(QPen(color, 2.4))
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
    elif state is State.HELD:
        painter.drawEllipse(box)
        middle = box.center()
        for x in (middle.x() - 1.8, middle.x() + 1.8):
            painter.drawLine(QPointF(x, middle.y() - 1.8), QPointF(x, middle.y() + 1.8))
    elif state is State.NOT_WANTED:
        x, y = round(box.center().x()), round(box.center().y())
        painter.fillRect(QRectF(x - 3, y - 1, 7, 2), color)
    elif state is State.FORBIDDEN:
        painter.drawEllipse(box)
        inset = 0.146 * box.width()  # where the diagonal meets the circle
        inner = box.adjusted(inset, inset, -inset, -inset)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
    else:
        pen.setStyle(Qt.PenStyle.DashLine)
        pen.setDashPattern([1.6, 1.6])
        painter.setPen(pen)
        painter.drawEllipse(box)
    painter.restore()


class Mark(QWidget):
    """A state's mark as a widget; its tip says the state in words."""

    def __init__(self, state: State = State.UNKNOWN, words: str = "") -> None:
        super().__init__()
        self._state = state
        self._share: float | None = None
        self.setFixedSize(MARK_PX + 2, MARK_PX + 2)
        self.setToolTip(words)

    def show_state(self, state: State, words: str, share: float | None = None) -> None:
        """Show another state."""
        self._state, self._share = state, share
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(MARK_PX + 2, MARK_PX + 2)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_mark(painter, QRectF(1, 1, MARK_PX, MARK_PX), self._state, self._share)
        painter.end()
