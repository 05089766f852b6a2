"""A method's answer for the axis, as a row that can be clicked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from alsct_gui.model.center import CenterEstimate
from alsct_gui.ui.reconstruct.axiswords import METHODS, estimate_tip, method_name
from alsct_gui.ui.theme.style import digits_font, tokens

_ROW_PX = 26
_WIDEST = max((words[0] for words in METHODS.values()), key=len)


class EstimateRow(QAbstractButton):
    """One method: its name, how sure it is as a bar, its value; a click takes it."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method
        self.estimate: CenterEstimate | None = None
        self._waiting, self._current, self._under_mouse = False, False, False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.take(None)

    def take(self, estimate: CenterEstimate | None, *, waiting: bool = False) -> None:
        """Show an answer, that there is none, or that it will come."""
        self.estimate, self._waiting = estimate, waiting
        name, looks_at = METHODS[self._method]
        self.setToolTip(looks_at if estimate is None else estimate_tip(estimate))
        self.setCursor(
            Qt.CursorShape.ArrowCursor if estimate is None else Qt.CursorShape.PointingHandCursor
        )
        told = "no value" if estimate is None else f"{estimate.center_px:.2f} px"
        self.setAccessibleName(f"{name}, {told}")
        self.update()

    def holds(self, center_px: float | None) -> bool:
        """Whether its value is this one, to the hundredth."""
        return (
            self.estimate is not None and center_px is not None
            and round(self.estimate.center_px, 2) == round(center_px, 2)
        )  # fmt: skip

    def set_current(self, on: bool) -> None:
        """Show that its value is in use."""
        if on != self._current:
            self._current = on
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _ROW_PX)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._under_mouse = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._under_mouse = False
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        now = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        usable = self.isEnabled() and self.estimate is not None
        if self._current or (usable and self._under_mouse):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(now.hover))
            painter.drawRoundedRect(box, 4, 4)
        if self.hasFocus():
            painter.setPen(QPen(QColor(now.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 4, 4)
        inner = self.rect().adjusted(8, 0, -8, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(now.faint if self.isEnabled() else now.disabled))
        painter.drawText(inner, middle, method_name(self._method))
        painter.setFont(digits_font(self.font()))
        value = "…" if self._waiting else "–"
        if self.estimate is not None:
            painter.setPen(QColor(now.text if self.isEnabled() else now.disabled))
            value = f"{self.estimate.center_px:.2f}"
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, value)
        self._paint_bar(painter)
        painter.end()

    def _paint_bar(self, painter: QPainter) -> None:
        """How sure the method is, between name and value."""
        now = tokens()
        right = self.width() - 8 - 64
        left = 8 + self.fontMetrics().horizontalAdvance(_WIDEST) + 12
        track = QRectF(left, self.height() / 2 - 2, max(16, right - left - 4), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.line))
        painter.drawRoundedRect(track, 2, 2)
        if self.estimate is not None:
            track.setWidth(max(4.0, track.width() * self.estimate.confidence))
            painter.setBrush(QColor(now.faint))
            painter.drawRoundedRect(track, 2, 2)
