"""The curve of the histogram, with the two handles of the contrast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from alsct_gui.ui.look.graph import make_plot, name_axis, paint_plot, shade
from alsct_gui.ui.look.profiles import Histogram
from alsct_gui.ui.theme.style import tokens

_BASE = 0.5
"""Where the logarithm of a count begins: a single pixel stands out from none."""
_HOLD = 0.2
"""The axis stays as it is while its ends move by less than this share of its length."""


class HistogramPlot(QWidget):
    """Made after pyqtgraph is imported (`graph.import_graphs`)."""

    limits_dragged = Signal(float, float)
    """A handle is being dragged."""
    pointed = Signal(float)
    """Value under the mouse; NaN for none."""

    def __init__(self) -> None:
        super().__init__()
        import pyqtgraph as pg

        self._found: Histogram | None = None
        self._logarithmic = True
        self._limits = (0.0, 1.0)
        self._told = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.plot: Any = make_plot()
        self.plot.setAccessibleName("Histogram")
        column.addWidget(self.plot)
        self._curve = pg.PlotCurveItem([0, 1], [0], stepMode="center")
        self.handles: Any = pg.LinearRegionItem(swapMode="block")
        self.handles.setZValue(10)
        self._under = pg.InfiniteLine(angle=90, movable=False)
        self._under.setVisible(False)
        for item in (self._curve, self._under, self.handles):
            self.plot.addItem(item, ignoreBounds=True)
        self.handles.sigRegionChanged.connect(self._dragged)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.renew_colors()

    def show_histogram(self, found: Histogram, unit: str) -> None:
        """Show how often values occur."""
        self._found = found
        name_axis(self.plot, "bottom", f"value ({unit})" if unit else "value")
        self._draw()
        self._settle_range()

    def show_limits(self, low: float, high: float) -> None:
        """Move the handles."""
        self._limits = (low, high)
        if tuple(self.handles.getRegion()) != self._limits:
            self._told = True
            self.handles.setRegion(self._limits)
            self._told = False
        self._settle_range()

    def set_logarithmic(self, on: bool) -> None:
        """Count in decades, or in pixels."""
        self._logarithmic = on
        self._draw()

    def renew_colors(self) -> None:
        """Draw in the theme's colours."""
        import pyqtgraph as pg

        now = tokens()
        paint_plot(self.plot)
        self._curve.setPen(pg.mkPen(None))
        self._curve.setBrush(shade(now.faint, 0.55))
        self._under.setPen(pg.mkPen(now.line, style=Qt.PenStyle.DotLine))
        self.handles.setBrush(shade(now.accent, 0.10))
        self.handles.setHoverBrush(shade(now.accent, 0.16))
        for handle in self.handles.lines:
            handle.setPen(pg.mkPen(now.accent, width=2))
            handle.setHoverPen(pg.mkPen(now.text, width=3))
        self.plot.getPlotItem().getAxis("left").setLogMode(self._logarithmic)

    def _draw(self) -> None:
        if self._found is None:
            return
        counts = self._found.counts.astype(np.float64)
        axis = self.plot.getPlotItem().getAxis("left")
        axis.setLogMode(self._logarithmic)
        name_axis(self.plot, "left", "pixels")
        heights = np.log10(np.maximum(counts, _BASE)) if self._logarithmic else counts
        floor = math.log10(_BASE) if self._logarithmic else 0.0
        self._curve.setFillLevel(floor)
        self._curve.setData(self._found.edges, heights)
        self.plot.setYRange(floor, max(float(heights.max()), floor + 0.3), padding=0.04)

    def _settle_range(self) -> None:
        if self._found is None:
            return
        edges = self._found.edges
        low, high = min(edges[0], self._limits[0]), max(edges[-1], self._limits[1])
        margin = 0.02 * (high - low)
        low, high = float(low - margin), float(high + margin)
        (now_low, now_high), _ = self.plot.viewRange()
        slack = _HOLD * (high - low)
        if not (0 <= low - now_low <= slack and 0 <= now_high - high <= slack):
            self.plot.setXRange(low, high, padding=0)

    def _dragged(self) -> None:
        if not self._told:
            low, high = (float(value) for value in self.handles.getRegion())
            self._limits = (low, high)
            self.limits_dragged.emit(low, high)

    def _moved(self, at: QPointF) -> None:
        box = self.plot.getPlotItem().getViewBox()
        inside = box.sceneBoundingRect().contains(at)
        value = float(box.mapSceneToView(at).x()) if inside else math.nan
        self._under.setVisible(inside)
        if inside:
            self._under.setValue(value)
        self.pointed.emit(value)
