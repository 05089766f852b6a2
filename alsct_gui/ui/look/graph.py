"""Plots in the theme's colours; pyqtgraph is imported with the first of them."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from alsct_gui.ui.theme.style import digits_font, tokens


async def import_graphs() -> None:
    """Import pyqtgraph, once what was asked for last is drawn.

    It takes a third of a second, once, and stays on this thread: imported in another one while
    the window works, it has ended the program within Qt's loop.
    """
    await asyncio.sleep(0)
    importlib.import_module("pyqtgraph")


def make_plot() -> Any:
    """Return an empty plot that neither pans nor zooms by itself; call after `import_graphs`."""
    import pyqtgraph as pg

    plot = pg.PlotWidget()
    plot.setFrameShape(plot.Shape.NoFrame)
    item = plot.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setMouseEnabled(x=False, y=False)
    item.setContentsMargins(0, 4, 8, 0)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    for side in ("bottom", "left"):
        axis = item.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setStyle(tickLength=-4, tickTextOffset=4)
    item.getAxis("left").setWidth(56)
    paint_plot(plot)
    return plot


def paint_plot(plot: Any) -> None:
    """Draw a plot in the theme's colours."""
    import pyqtgraph as pg

    now = tokens()
    plot.setBackground(QColor(now.panel))
    font = digits_font(QApplication.font())
    font.setPixelSize(11)
    font.setWeight(QFont.Weight.Normal)
    item = plot.getPlotItem()
    for side in ("bottom", "left"):
        axis = item.getAxis(side)
        axis.setPen(pg.mkPen(now.line))
        axis.setTextPen(pg.mkPen(now.faint))
        axis.setTickFont(font)
        axis.label.setFont(font)


def name_axis(plot: Any, side: str, words: str) -> None:
    """Write a quantity and its unit along an axis, as plain text."""
    from html import escape

    axis = plot.getPlotItem().getAxis(side)
    if axis.labelText != escape(words):
        axis.setLabel(escape(words), **{"font-size": "11px", "color": tokens().faint})


def shade(color: str, opacity: float) -> QColor:
    """Return a colour that lets through what is behind it."""
    made = QColor(color)
    made.setAlphaF(opacity)
    return made
