"""How a training goes, as a picture: the loss of each round, learnt and held out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_alsct_segment.network.model import Round

HEIGHT_PX = 150
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 46, 8, 22, 20
_COLOURS = {"learnt": "#56b4e9", "held out": "#e69f00"}
_INK = {"light": "#3c3c3c", "dark": "#c8c8c8"}


class LossPlot(QWidget):
    """Two lines over the steps; the loss on a logarithmic scale.

    Parameters
    ----------
    theme
        Name of the viewer's theme.
    """

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._ink = QColor(_INK["light" if "light" in theme else "dark"])
        self._rounds: tuple[Round, ...] = ()
        self.setMinimumHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Loss")
        self.setToolTip("It is trained for as long as the held-out line falls")

    @property
    def rounds(self) -> tuple[Round, ...]:
        """What is shown."""
        return self._rounds

    def show_rounds(self, rounds: Sequence[Round]) -> None:
        """Show other rounds, the earliest first."""
        self._rounds = tuple(rounds)
        self.update()

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(
            _LEFT_PX, _TOP_PX, self.width() - _LEFT_PX - _RIGHT_PX,
            self.height() - _TOP_PX - _BOTTOM_PX,
        )  # fmt: skip
        self._paint_legend(painter, area)
        faint = QColor(self._ink)
        faint.setAlpha(70)
        painter.setPen(QPen(faint, 1))
        painter.drawRect(area)
        if not self._rounds:
            painter.setPen(self._ink)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "The first round is under way.")
            return
        low, high = loss_range(self._rounds)
        last = max(line.steps for line in self._rounds)
        self._paint_scale(painter, area, low, high, last, faint)
        for name, losses in (
            ("learnt", [line.loss for line in self._rounds]),
            ("held out", [line.held_out for line in self._rounds]),
        ):
            points = [
                _place(area, line.steps / last, loss, low, high)
                for line, loss in zip(self._rounds, losses, strict=True)
                if math.isfinite(loss) and loss > 0
            ]
            painter.setPen(QPen(QColor(_COLOURS[name]), 2))
            painter.drawPolyline(QPolygonF(points))
            for point in points if len(points) == 1 else ():
                painter.drawEllipse(point, 2, 2)

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        at = area.left()
        for name, colour in _COLOURS.items():
            painter.setPen(QPen(QColor(colour), 2))
            painter.drawLine(QPointF(at, 11), QPointF(at + 14, 11))
            painter.setPen(self._ink)
            painter.drawText(QPointF(at + 19, 15), name)
            at += 34 + painter.fontMetrics().horizontalAdvance(name)

    def _paint_scale(
        self, painter: QPainter, area: QRectF, low: float, high: float, last: int, faint: QColor
    ) -> None:
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value in ticks(low, high):
            at = _place(area, 0, value, low, high).y()
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QPointF(area.left(), at), QPointF(area.right(), at))
            painter.setPen(self._ink)
            painter.drawText(QRectF(0, at - 9, _LEFT_PX - 5, 18), right, f"{value:.2g}")
        painter.setPen(self._ink)
        below = QRectF(area.left(), area.bottom() + 2, area.width(), _BOTTOM_PX - 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"step {last:,}")


def loss_range(rounds: Sequence[Round]) -> tuple[float, float]:
    """Return the least and the largest loss with some room, both above zero."""
    losses = [
        loss for line in rounds for loss in (line.loss, line.held_out)
        if math.isfinite(loss) and loss > 0
    ]  # fmt: skip
    if not losses:
        return 0.1, 1.0
    return min(losses) / 1.1, max(losses) * 1.1


def ticks(low: float, high: float) -> list[float]:
    """Return a few values between two losses: round ones, or the ends where these are near."""
    values = [
        step * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for step in (1, 2, 5)
    ]
    inside = [value for value in values if low <= value <= high]
    if len(inside) < 2:
        return [low * 1.05, high / 1.05]
    return inside[:: max(1, -(-len(inside) // 5))]


def _place(area: QRectF, share: float, loss: float, low: float, high: float) -> QPointF:
    up = math.log(loss / low) / math.log(high / low)
    return QPointF(area.left() + share * area.width(), area.bottom() - up * area.height())
