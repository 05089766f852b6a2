"""At the left of the board: what is owed, what moves, what waits for a person, how fast it goes."""

from __future__ import annotations

import asyncio
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent

from alsct_gui.ui.board.markup import catch_up_markup, scans_in
from alsct_gui.ui.board.plots import ThroughputPlot
from alsct_gui.ui.board.richtext import RichText
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.look.graph import import_graphs
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.parts import Panel, label


class CatchUpPanel(Panel):
    """How far the facility is behind, and how fast it catches up.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    """

    scans_asked = Signal(object)  # tuple[str, ...]: rows to be shown

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__("Catching up")
        self._session, self._tasks = session, tasks
        self.text = RichText("Catching up", self._follow)
        self.column.addWidget(self.text, 1)
        self._throughput = label("THROUGHPUT", "heading")
        self.column.addWidget(self._throughput)
        self._none = label("Nothing was measured in the last hours.", "faint", wrap=True)
        self.column.addWidget(self._none)
        self.plots: tuple[ThroughputPlot, ...] = ()
        self._importing: asyncio.Task[Any] | None = None
        session.board_changed.connect(self._take)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        view = self._session.board
        if view is not None:
            self._take(view)

    def renew_icons(self) -> None:
        """Draw text and plots in the theme's colours."""
        self.text.show_anew()
        for plot in self.plots:
            plot.renew_colors()
        view = self._session.board
        if view is not None:
            self._take(view)

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self._take)
        if self._importing is not None:
            self._importing.cancel()
        return super().close()

    def _take(self, view: BoardView) -> None:
        if not self.isVisible():
            return
        self.text.show_markup(catch_up_markup(view.catch_up, tokens()))
        if view.samples and not self.plots and self._importing is None:
            self._importing = self._tasks.start(self._make_plots(), "Loading plots")
        for plot in self.plots:
            plot.show_samples(view.samples, view.now_s)
        self._none.setVisible(not any(plot.shown for plot in self.plots))

    async def _make_plots(self) -> None:
        await import_graphs()
        self.plots = (
            ThroughputPlot("Copied", "MB/s", slices=False),
            ThroughputPlot("Reconstructed", "slices/s", slices=True),
        )
        for plot in self.plots:
            self.column.addWidget(plot)
        view = self._session.board
        if view is not None:
            self._take(view)

    def _follow(self, address: str) -> None:
        scans = scans_in(address)
        if scans:
            self.scans_asked.emit(scans)
