"""One scan from exposure to archive: how it stands now, and everything that happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout

from alsct_gui.placement.events import Event
from alsct_gui.placement.feed import timeline_of
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.cells import cell_words
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.markup import COPY, LOG, now_markup, target, timeline_markup
from alsct_gui.ui.board.richtext import RichText
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.board.timeline import Entry, Pages, entries_of, story
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.services import Facility
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.widgets.parts import ElidedLabel, EmptyState, Panel, button

LogOf = Callable[[str], Any]
"""Coroutine that returns the log of a run."""


class TimelinePanel(Panel):
    """The timeline of the scan that is current on the board.

    Parameters
    ----------
    session, tasks, book
        What every panel gets.
    facility
        Which ledger, and where the catalogue shows datasets.
    names
        What places are called.
    log_of
        Reads the log of a run on this workstation.
    """

    def __init__(
        self, session: Session, tasks: Tasks, book: ActionBook, facility: Facility, names: Names,
        log_of: LogOf,
    ) -> None:  # fmt: skip
        super().__init__("Timeline")
        self._session, self._tasks, self._facility = session, tasks, facility
        self._names, self._log_of = names, log_of
        self._pages_of = Pages(scicat=facility.scicat_page)
        self._row: Row | None = None
        self._events: tuple[Event, ...] = ()
        self._read: tuple[str, int] = ("", -1)
        self._reading: asyncio.Task[Any] | None = None
        self.entries: tuple[Entry, ...] = ()
        self.copy = button(
            "Copy details", book["board.copy"].trigger, role="link",
            tip="Copies the whole story with every id",
        )  # fmt: skip
        self.header.addWidget(self.copy)
        self.title = ElidedLabel("", "title")
        self.path = ElidedLabel("", "small")
        self.text = RichText("Timeline", self._follow)
        self._pages = QStackedWidget()
        self.nothing = EmptyState(
            "No scan chosen", "Choose a scan on the board: its story stands here, event by event."
        )
        self._pages.addWidget(self.text)
        self._pages.addWidget(self.nothing)
        for part in (self.title, self.path):
            self.column.addWidget(part)
        self.column.addWidget(self._pages, 1)
        session.board_changed.connect(self._take)
        self._draw()

    def show_row(self, name: str) -> None:
        """Show another scan, by its row's id."""
        view = self._session.board
        rows = view.board.rows if view is not None else ()
        row = next((row for row in rows if row.id == name), None)
        if row is not None and (self._row is None or row.id != self._row.id):
            self._events, self.entries, self._read = (), (), ("", -1)
        self._row = row
        self._draw()
        self._ask()

    def story(self) -> str:
        """Return everything as text; empty when no scan is chosen."""
        row, view = self._row, self._session.board
        if row is None or view is None:
            return ""
        now = [
            f"{title}: {' '.join(words)}" for title, _, _, words in self._goals(row, view)
        ]  # fmt: skip
        return "\n".join([*now, "", story(self.entries, row.scan, view.now_s)])

    def renew_icons(self) -> None:
        """Draw the text in the theme's colours."""
        self.text.show_anew()
        self._draw()

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self._take)
        if self._reading is not None:
            self._reading.cancel()
        return super().close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._session.board is not None:
            self._take(self._session.board)

    def _take(self, view: BoardView) -> None:
        if self._row is None or not self.isVisible():
            return
        name = self._row.id
        self._row = next((row for row in view.board.rows if row.id == name), None)
        self._draw()
        self._ask()

    def _ask(self) -> None:
        """Read what happened, if that may be otherwise than what was read."""
        row, view = self._row, self._session.board
        if row is None or row.scan is None or view is None or not self.isVisible():
            return
        wanted = (row.id, view.snapshot.observed.seq)
        if wanted != self._read and view.can_be_read:
            self._reading = self._tasks.start(
                self._load(row, wanted), "Reading the timeline", instead_of=self._reading
            )

    async def _load(self, row: Row, wanted: tuple[str, int]) -> None:
        events = await asyncio.to_thread(timeline_of, self._facility.ledger, row.id)
        if self._row is None or self._row.id != row.id:
            return
        self._events, self._read = events, wanted
        self.entries = entries_of(events, row.id, self._row.scan, self._names, self._pages_of)
        self._draw()

    def _goals(
        self, row: Row, view: BoardView
    ) -> list[tuple[str, State, float | None, tuple[str, ...]]]:
        paces = dict(view.board.paces)
        return [
            (
                f"{column.words[:1].upper()}{column.words[1:]}", cell.state, cell.share,
                cell_words(cell, self._names, view.now_s, paces),
            )
            for column, cell in zip(view.board.columns, row.cells, strict=True)
            if cell.state is not State.NOT_WANTED or cell.records
        ]  # fmt: skip

    def _draw(self) -> None:
        row, view = self._row, self._session.board
        self.copy.setEnabled(row is not None)
        self._pages.setCurrentWidget(self.nothing if row is None else self.text)
        for part in (self.title, self.path):
            part.setVisible(row is not None)
        if row is None or view is None:
            return
        now = tokens()
        self.title.set_text(row.title)
        self.path.set_text(str(row.path))
        self.text.show_markup(
            now_markup(self._goals(row, view), now) + timeline_markup(self.entries, view.now_s, now)
        )

    def _follow(self, address: str) -> None:
        copied, run = target(address, COPY), target(address, LOG)
        if copied:
            QGuiApplication.clipboard().setText(copied)
            self._session.notice(Notice(Level.INFO, f"Copied: {copied}"))
        elif run:
            self._tasks.start(self._show_log(run), "Reading the log")
        elif address.startswith("https://"):
            QDesktopServices.openUrl(QUrl(address))

    async def _show_log(self, run: str) -> None:
        text = await self._log_of(run)
        LogDialog(f"Log of the run {run}", text, self).show()


class LogDialog(QDialog):
    """A log to read and to copy."""

    def __init__(self, title: str, text: str, owner: Panel) -> None:
        super().__init__(owner)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(720, 480)
        column = QVBoxLayout(self)
        self.text = QPlainTextEdit(text or "It wrote nothing.")
        self.text.setReadOnly(True)
        self.text.setAccessibleName(title)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addWidget(button("Copy log", self._copy, tip="Copies all of it"))
        row.addStretch(1)
        row.addWidget(button("Close", self.close, role="primary", tip="Closes this (Esc)"))
        column.addLayout(row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
