"""The histogram in the drawer: how often values occur, and what is shown as black and white."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.look.graph import import_graphs
from alsct_gui.ui.look.histogram_plot import HistogramPlot
from alsct_gui.ui.look.profiles import Histogram, histogram
from alsct_gui.ui.look.sight import COLORMAPS, Sight
from alsct_gui.ui.look.words import bin_words
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX, EmptyState, button, label, set_state

_THROTTLE_MS = 30
_SIDE_PX = 288


class HistogramPanel(QWidget):
    """Curve, handles, fields and colour map.

    Parameters
    ----------
    tasks
        Where large pictures are counted.
    sight
        Where the picture is seen.
    reset
        Lets the contrast follow the picture again.
    """

    def __init__(self, tasks: Tasks, sight: Sight, reset: Callable[[], object]) -> None:
        super().__init__()
        self._tasks, self._sight, self._reset = tasks, sight, reset
        self.graph: HistogramPlot | None = None
        self.found: Histogram | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._picture: Picture | None = None
        self._unit = ""
        self._wanted: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_THROTTLE_MS)
        self._timer.timeout.connect(self._send)
        self._newest: Newest[Picture, Histogram] = Newest(
            tasks, _count, self._take_histogram, lambda _: "Counting values"
        )
        self._build()
        sight.picture_changed.connect(self._take_picture)
        sight.limits_changed.connect(self._take_limits)
        self._take_picture(sight.picture)

    # -- building ----------------------------------------------------------------------

    def _build(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyState("No picture", "The values of the picture that is seen are counted here.")
        )
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, GAP_PX)
        row.setSpacing(MARGIN_PX)
        self._left = QVBoxLayout()
        self._left.setSpacing(0)
        head = QHBoxLayout()
        self.pointed = label("", "small")
        self.pointed.setFont(digits_font(self.pointed.font()))
        self.logarithmic = QCheckBox("Logarithmic")
        self.logarithmic.setChecked(True)
        self.logarithmic.setToolTip("Counts pixels in decades, so that rare values are seen")
        self.logarithmic.toggled.connect(self._set_logarithmic)
        head.addWidget(self.pointed, 1)
        head.addWidget(self.logarithmic)
        self._left.addLayout(head)
        self._place = QVBoxLayout()
        self._left.addLayout(self._place, 1)
        row.addLayout(self._left, 1)
        row.addWidget(self._controls())
        self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)

    def _controls(self) -> QWidget:
        side = QWidget()
        side.setFixedWidth(_SIDE_PX)
        grid = QGridLayout(side)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(GAP_PX)
        grid.setVerticalSpacing(GAP_PX)
        self.low, self.high = self._field("black"), self._field("white")
        self._units = (label("", "faint"), label("", "faint"))
        self.colors = QComboBox()
        self.colors.setToolTip("Colour map of the pictures")
        self.colors.setAccessibleName("Colour map")
        for name, words in COLORMAPS:
            self.colors.addItem(words, name)
        self.colors.currentIndexChanged.connect(
            lambda _: self._sight.set_colormap(self.colors.currentData())
        )
        for place, (words, field) in enumerate((("Black", self.low), ("White", self.high))):
            grid.addWidget(label(words, "faint"), place, 0)
            grid.addWidget(field, place, 1)
            grid.addWidget(self._units[place], place, 2)
        grid.addWidget(label("Colours", "faint"), 2, 0)
        grid.addWidget(self.colors, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.auto = button(
            "Auto", self._do_auto, tip="Black to white over all but the outermost 0.5 % of values"
        )
        self.full = button(
            "Full range", self._do_full, tip="Black is the smallest value, white the largest"
        )
        self.reset = button(
            "Reset", self._reset, tip="Lets the contrast follow the picture again (Shift+C)"
        )
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        for part in (self.auto, self.full, self.reset):
            row.addWidget(part, 1)
        grid.addLayout(row, 3, 0, 1, 3)
        grid.setRowStretch(4, 1)
        return side

    def _field(self, shown_as: str) -> QLineEdit:
        field = QLineEdit()
        field.setFont(digits_font(field.font()))
        field.setToolTip(f"Value shown as {shown_as}, in the unit of the picture")
        field.setAccessibleName(f"Value shown as {shown_as}")
        field.editingFinished.connect(self._edited)
        return field

    # -- what happens ------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.graph is None and self._opening is None:
            self._opening = self._tasks.start(self._open(), "Opening the histogram")
        self._count()

    def renew_icons(self) -> None:
        """Draw the curve in the theme's colours."""
        if self.graph is not None:
            self.graph.renew_colors()

    def close(self) -> bool:
        """Put away."""
        self._sight.picture_changed.disconnect(self._take_picture)
        self._sight.limits_changed.disconnect(self._take_limits)
        self._timer.stop()
        self._newest.cancel()
        return super().close()

    async def _open(self) -> None:
        await import_graphs()
        graph = HistogramPlot()
        graph.set_logarithmic(self.logarithmic.isChecked())
        graph.limits_dragged.connect(self._want)
        graph.pointed.connect(self._point)
        self._place.addWidget(graph)
        self.graph = graph
        self._show()

    def _take_picture(self, picture: Picture | None) -> None:
        self._picture = picture
        self._pages.setCurrentIndex(0 if picture is None else 1)
        if picture is None:
            self.found = None
            self._newest.cancel()
            return
        self._unit = picture.units
        for words in self._units:
            words.setText(picture.units)
        self._take_limits(picture.low, picture.high)
        self._count()

    def _count(self) -> None:
        if self._picture is not None and self.isVisible():
            self._newest.want(self._picture)

    def _take_histogram(self, picture: Picture, found: Histogram) -> None:
        self.found = found
        self._unit = picture.units
        self._show()

    def _show(self) -> None:
        if self.graph is not None and self.found is not None and self._picture is not None:
            self.graph.show_histogram(self.found, self._unit)
            self.graph.show_limits(*self._limits())

    def _limits(self) -> tuple[float, float]:
        return (_number(self.low.text(), 0.0), _number(self.high.text(), 1.0))

    def _take_limits(self, low: float, high: float) -> None:
        if self._wanted is not None:
            return  # a newer pair is on its way
        for field, value in ((self.low, low), (self.high, high)):
            if not field.isModified():
                field.setText(f"{value:.6g}")
                set_state(field, "state", "")
        if self.graph is not None:
            self.graph.show_limits(low, high)

    def _want(self, low: float, high: float) -> None:
        """Show other limits soon; at most one pair every few hundredths of a second."""
        self.low.setText(f"{low:.6g}")
        self.high.setText(f"{high:.6g}")
        self._wanted = (low, high)
        if not self._timer.isActive():
            self._timer.start()

    def _send(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._sight.set_limits(*wanted)

    def _edited(self) -> None:
        if not (self.low.isModified() or self.high.isModified()):
            return
        low, high = _number(self.low.text(), math.nan), _number(self.high.text(), math.nan)
        ordered = low < high
        for field, value in ((self.low, low), (self.high, high)):
            set_state(field, "state", "" if math.isfinite(value) and ordered else "wrong")
        if ordered:
            self.low.setModified(False)
            self.high.setModified(False)
            self._sight.set_limits(low, high)

    def _do_auto(self) -> None:
        if self.found is not None:
            self._set(self.found.low, self.found.high)

    def _do_full(self) -> None:
        if self.found is not None and math.isfinite(self.found.minimum):
            self._set(self.found.minimum, self.found.maximum)

    def _set(self, low: float, high: float) -> None:
        self.low.setModified(False)
        self.high.setModified(False)
        self._sight.set_limits(low, high)

    def _set_logarithmic(self, on: bool) -> None:
        if self.graph is not None:
            self.graph.set_logarithmic(on)

    def _point(self, value: float) -> None:
        words = "" if self.found is None else bin_words(self.found, value, self._unit)
        self.pointed.setText(words)


async def _count(picture: Picture) -> Histogram:
    return await asyncio.to_thread(histogram, picture.image)


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise
