"""A plot of a report, painted in a window."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from alsct_gui.files.report.content import Plot
from alsct_gui.files.report.plots import GRID, INK, QUIET, Area, Dot, Mark, Stroke, draw

_HEIGHT_PX = 190
_FONT_PX = 11


class PlotView(QWidget):
    """Paints one plot, in the colours of the window."""

    def __init__(self, plot: Plot | None = None) -> None:
        super().__init__()
        self._plot = plot
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT_PX)

    def show_plot(self, plot: Plot | None) -> None:
        """Show another plot; None shows nothing."""
        self._plot = plot
        name = "" if plot is None else f"{plot.y_label} over {plot.x_label}"
        self.setAccessibleName(name)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT_PX)

    def paintEvent(self, event: Any) -> None:
        if self._plot is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(_FONT_PX)
        painter.setFont(font)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        quiet, grid = QColor(text), QColor(text)
        quiet.setAlphaF(0.7)
        grid.setAlphaF(0.15)
        own = {INK: text, QUIET: quiet, GRID: grid}
        for mark in draw(self._plot, float(self.width()), float(self.height())):
            _paint(painter, mark, own.get(mark.colour, QColor(mark.colour)))
        painter.end()


def _paint(painter: QPainter, mark: Mark, colour: QColor) -> None:
    if isinstance(mark, Stroke):
        painter.setPen(QPen(colour, mark.width))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in mark.points]))
        return
    if isinstance(mark, Area):
        painter.fillRect(QRectF(mark.x, mark.y, mark.width, mark.height), colour)
        return
    if isinstance(mark, Dot):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(mark.x, mark.y), mark.radius, mark.radius)
        return
    painter.save()
    painter.setPen(colour)
    painter.translate(mark.x, mark.y)
    if mark.upright:
        painter.rotate(-90)
    width = painter.fontMetrics().horizontalAdvance(mark.text)
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.anchor]
    painter.drawText(QPointF(-share * width, 0), mark.text)
    painter.restore()
