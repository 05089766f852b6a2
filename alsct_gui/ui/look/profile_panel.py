"""Profiles and regions in the drawer: a plot, figures in physical units, copies of them."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.figures import Kind
from alsct_gui.ui.look.graph import import_graphs
from alsct_gui.ui.look.measured import Measured, Question, measure
from alsct_gui.ui.look.measuring import ACTIONS, Measuring
from alsct_gui.ui.look.profile_plot import ProfilePlot
from alsct_gui.ui.look.saving import ask_where, suggested_path, write_whole
from alsct_gui.ui.look.words import as_csv, as_tabs
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    ElidedLabel,
    EmptyState,
    button,
    label,
    padded,
)

_SIDE_PX = 328
_ROWS = 6
_TITLES = {Kind.LINE: "Line", Kind.RADIAL: "Circle", Kind.REGION: "Region"}
_VERBS = {
    Kind.LINE: "Measure a line", Kind.RADIAL: "Measure a circle", Kind.REGION: "Measure a region",
}  # fmt: skip


class ProfilePanel(QWidget):
    """What the ruler measures, and goes on measuring while it or the picture changes."""

    def __init__(
        self, session: Session, tasks: Tasks, book: ActionBook, measuring: Measuring
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._measuring = session, tasks, measuring
        self.graph: ProfilePlot | None = None
        self.found: Measured | None = None
        self.dialog: QFileDialog | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._newest: Newest[Question, Measured] = Newest(
            tasks, _measure, self._take, lambda _: "Measuring"
        )
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyState(
                "Nothing is measured",
                "A ruler lies over the picture, and its ends can be dragged.",
                tuple(
                    (words, partial(book[ACTIONS[kind]].setChecked, True))
                    for kind, words in _VERBS.items()
                ),
            )
        )
        self._pages.addWidget(self._page())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        measuring.changed.connect(self._ask)

    def _page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, GAP_PX)
        row.setSpacing(MARGIN_PX)
        self._place = QVBoxLayout()
        row.addLayout(self._place, 1)
        side = QWidget()
        side.setFixedWidth(_SIDE_PX)
        right = QVBoxLayout(side)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(4)
        self._title = ElidedLabel("", "faint")
        right.addWidget(self._title)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        self._cells = []
        for place in range(2 * _ROWS):
            name, value = label("", "small"), label("", "value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            at = 2 * (place // _ROWS)
            grid.addWidget(name, place % _ROWS, at)
            grid.addWidget(value, place % _ROWS, at + 1)
            self._cells.append((name, value))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        right.addLayout(grid)
        right.addStretch(1)
        right.addLayout(self._buttons())
        row.addWidget(side)
        return page

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.line_width = padded(QSpinBox())
        self.line_width.setRange(1, 999)
        self.line_width.setPrefix("Width ")
        self.line_width.setSuffix(" px")
        self.line_width.setToolTip("Pixels across the line that are averaged")
        self.line_width.setAccessibleName("Width of the line")
        self.line_width.valueChanged.connect(lambda _: self._ask())
        self.copy = button(
            "Copy values", self._do_copy, tip="Columns apart by tabs, with a header and units"
        )
        self.save = button("Save CSV…", self._do_save, tip="Writes the values to a file")
        for part in (self.line_width, self.copy, self.save):
            row.addWidget(part)
        return row

    # -- what happens ------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.graph is None and self._opening is None:
            self._opening = self._tasks.start(self._open(), "Opening the plot")
        self._ask()

    def renew_icons(self) -> None:
        """Draw the curve in the theme's colours."""
        if self.graph is not None:
            self.graph.renew_colors()

    def close(self) -> bool:
        """Put away."""
        self._measuring.changed.disconnect(self._ask)
        self._newest.cancel()
        return super().close()

    async def _open(self) -> None:
        await import_graphs()
        self.graph = ProfilePlot()
        self._place.addWidget(self.graph)
        if self.found is not None:
            self.graph.show_measured(self.found)

    def _ask(self) -> None:
        kind, picture = self._measuring.kind, self._measuring.picture
        self._pages.setCurrentIndex(0 if kind is None else 1)
        if kind is None:
            self.found = None
            self._newest.cancel()
            return
        self.line_width.setVisible(kind is Kind.LINE)
        places = self._measuring.places
        if picture is not None and places is not None and self.isVisible():
            self._newest.want(Question(picture, kind, *places, self.line_width.value()))

    def _take(self, question: Question, found: Measured) -> None:
        if question.kind is not self._measuring.kind:
            return
        self.found = found
        self._title.set_text(f"{_TITLES[found.kind]} · {found.title}")
        blank = [("", "")] * (len(self._cells) - len(found.rows))
        for (name, value), (noun, words) in zip(self._cells, [*found.rows, *blank], strict=True):
            name.setText(noun)
            value.setText(words)
        if self.graph is not None:
            self.graph.show_measured(found)

    def _do_copy(self) -> None:
        if self.found is not None:
            QApplication.clipboard().setText(as_tabs(self.found.table))

    def _do_save(self) -> None:
        if self.found is None:
            return
        found = self.found
        path = suggested_path(
            self._session.selected, f"{found.title} {_TITLES[found.kind].lower()}", ".csv"
        )
        self.dialog = ask_where(
            self.window(), "Save values", path, "CSV (*.csv)",
            lambda chosen: self._tasks.start(self._write(chosen, found), "Saving the values"),
        )  # fmt: skip

    async def _write(self, path: Path, found: Measured) -> None:
        await asyncio.to_thread(write_whole, path, as_csv(found.table).encode())
        self._session.notice(Notice(Level.DONE, f"The values are in {path}.", key="look.saved"))


async def _measure(question: Question) -> Measured:
    return await asyncio.to_thread(measure, question)
