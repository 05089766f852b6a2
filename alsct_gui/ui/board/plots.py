"""Throughput of the last hours: bytes and slices a second, a curve for each lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from alsct_gui.ui.board.throughput import Sample, lanes_of
from alsct_gui.ui.look.graph import make_plot, paint_plot, shade
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.parts import label

HOURS = 4.0
_STYLES = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Curve:
    """What went through a lane."""

    lane: str
    hours: NDArray[np.float64]
    """Before now, in hours, shape (sample); at most 0."""
    values: NDArray[np.float64]
    """Shape (sample); MB/s or slices/s."""


def curves(
    samples: Sequence[Sample], now_s: float, *, slices: bool, hours: float = HOURS
) -> tuple[Curve, ...]:
    """Return a curve for each lane through which anything of a kind went. Pure.

    Parameters
    ----------
    samples
        Oldest first.
    now_s
        Seconds since 1970.
    slices
        Slices a second, else megabytes a second.
    hours
        How far back.
    """
    found = []
    for lane in lanes_of(samples):
        own = [s for s in samples if s.lane == lane and 0 <= now_s - s.time_s <= 3600 * hours]
        values = np.array([s.slices_per_s if slices else s.bytes_per_s / 1e6 for s in own])
        if values.any():
            times = np.array([(s.time_s - now_s) / 3600 for s in own])
            found.append(Curve(lane, times, values))
    return tuple(found)


class ThroughputPlot(QWidget):
    """One kind of throughput; made after pyqtgraph is imported (`graph.import_graphs`)."""

    def __init__(self, title: str, unit: str, *, slices: bool) -> None:
        super().__init__()
        self._slices, self._unit = slices, unit
        self.shown: tuple[Curve, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.title = label("", "small")
        column.addWidget(self.title)
        self.plot: Any = make_plot()
        self.plot.setAccessibleName(title)
        self.plot.setFixedHeight(88)
        self.plot.getPlotItem().getAxis("left").setWidth(40)
        self.plot.setXRange(-HOURS, 0, padding=0)
        column.addWidget(self.plot)
        self._items: list[Any] = []

    def show_samples(self, samples: Sequence[Sample], now_s: float) -> None:
        """Show what went through of late; hidden where nothing did."""
        self.shown = curves(samples, now_s, slices=self._slices)
        self.setVisible(bool(self.shown))
        self._draw()

    def renew_colors(self) -> None:
        """Draw in the theme's colours."""
        paint_plot(self.plot)
        self._draw()

    def _draw(self) -> None:
        import pyqtgraph as pg

        now = tokens()
        for item in self._items:
            self.plot.removeItem(item)
        self._items = []
        for number, curve in enumerate(self.shown):
            pen = pg.mkPen(now.accent, width=1.5, style=_STYLES[number % len(_STYLES)])
            brush = shade(now.accent, 0.15) if number == 0 else None
            item = pg.PlotCurveItem(
                curve.hours, curve.values, pen=pen, brush=brush, fillLevel=0 if brush else None
            )
            self.plot.addItem(item)
            self._items.append(item)
        lanes = ", ".join(curve.lane for curve in self.shown)
        self.title.setText(f"{lanes}: {self._unit}, by hours ago")
        most = max((float(curve.values.max()) for curve in self.shown), default=1.0)
        self.plot.setYRange(0, 1.1 * most, padding=0)
