"""The list at the left: what there is, newest first, filtered as one types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
)

from alsct_gui.ui.scans.entries import Entry
from alsct_gui.ui.scans.painting import EntryPainter
from alsct_gui.ui.scans.rows import ENTRY_ROLE, Entries, ShownEntries
from alsct_gui.ui.session import Session
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.parts import EmptyState, Panel, label
from alsct_gui.ui.words import count_words


class ScanList(Panel):
    """One list of scans and volumes.

    Parameters
    ----------
    session
        Whose selection it shows and changes.
    heading
        What the list is of.
    empty
        What stands there while there is nothing.
    open_asked
        What the button in the heading does.
    """

    def __init__(
        self, session: Session, heading: str, empty: EmptyState, open_asked: Callable[[], object]
    ) -> None:
        super().__init__(heading)
        self._session = session
        self._seen_top = True
        self.column.setContentsMargins(0, 8, 0, 0)
        self.header.setContentsMargins(16, 0, 8, 0)
        self._open = QToolButton()
        self._open.setToolTip("Open scan or volume (Ctrl+O)")
        self._open.setAccessibleName("Open scan or volume")
        self._open.clicked.connect(lambda: open_asked())
        self.header.addWidget(self._open)

        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by any word")
        self.filter.setAccessibleName("Filter")
        self.filter.setToolTip("Shows rows that hold every word, in any order (Ctrl+F)")
        self.filter.setClearButtonEnabled(True)
        self.filter.setContentsMargins(16, 0, 16, 0)
        self.column.addWidget(self.filter)

        self.entries = Entries(self)
        self.shown = ShownEntries(self.entries, self)
        self.view = QListView()
        self.view.setModel(self.shown)
        self.view.setItemDelegate(EntryPainter(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.setAccessibleName(heading)
        self.empty = empty
        self._nothing = label("No row holds these words.", "faint")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        for page in (self.view, self.empty, self._nothing):
            self._pages.addWidget(page)
        self._news = QPushButton(self.view)
        self._news.setToolTip("Go to the newest")
        self._news.clicked.connect(self._to_top)
        self._news.hide()
        self._new_rows = 0
        self.column.addWidget(self._pages, 1)
        self._trouble = label("", "small", wrap=True)
        self._trouble.setContentsMargins(16, 4, 16, 8)
        self._trouble.hide()
        self.column.addWidget(self._trouble)

        self.filter.textChanged.connect(self.shown.set_typed)
        self.filter.returnPressed.connect(self._take_first)
        for changed in (self.shown.rowsInserted, self.shown.rowsRemoved, self.shown.modelReset):
            changed.connect(lambda *_: self._choose_page())
        self.shown.layoutChanged.connect(lambda *_: self._choose_page())
        self.view.selectionModel().currentChanged.connect(self._chosen)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.verticalScrollBar().valueChanged.connect(self._scrolled)
        session.selection_changed.connect(self._mark)
        self._find = QShortcut(QKeySequence("Ctrl+F"), self, lambda: self.filter.setFocus())
        self.renew_icons()
        self._choose_page()

    def put(self, entry: Entry, *, announce: bool = False) -> None:
        """Add a row or change it in place.

        Parameters
        ----------
        entry
            The row.
        announce
            Say that it is new, when the top of the list is out of sight.
        """
        at = self.view.verticalScrollBar().value()
        before = self.shown.rowCount()
        fresh = self.entries.put(entry)
        grown = self.shown.rowCount() - before
        if fresh and grown and at > 0:
            # What one is reading stays where it is.
            above = self.shown.index_of(entry.path)
            if above.isValid() and self.view.visualRect(above).top() <= 0:
                height = self.view.sizeHintForRow(0)
                self.view.verticalScrollBar().setValue(at + grown * height)
            if announce:
                self._new_rows += 1
                self._show_news()

    def put_picture(self, path: Path, picture: NDArray[np.uint8]) -> None:
        """Give a row its thumbnail, shape (row, column)."""
        self.entries.put_picture(path, picture)

    def select(self, path: Path) -> None:
        """Select a row and bring it into sight."""
        self._session.select(path)
        index = self.shown.index_of(path)
        if index.isValid():
            self.view.scrollTo(index)

    def step(self, by: int) -> None:
        """Select the row so many below the one that is selected."""
        row = self.view.currentIndex().row() + by
        if 0 <= row < self.shown.rowCount():
            self.view.setCurrentIndex(self.shown.index(row, 0))

    def say_trouble(self, words: str) -> None:
        """Say what is wrong with where the rows come from; empty for nothing."""
        self._trouble.setText(words)
        self._trouble.setVisible(bool(words))

    def renew_icons(self) -> None:
        """Draw icons and rows in the theme's colours."""
        self._open.setIcon(icon("open"))
        self.view.viewport().update()

    def close(self) -> bool:
        """Put away."""
        self._session.selection_changed.disconnect(self._mark)
        return super().close()

    def _choose_page(self) -> None:
        if not self.entries.rowCount():
            self._pages.setCurrentWidget(self.empty)
        else:
            self._pages.setCurrentWidget(self.view if self.shown.rowCount() else self._nothing)

    def _chosen(self, now: QModelIndex, _: QModelIndex) -> None:
        if now.isValid():
            self._session.select(now.data(ENTRY_ROLE).path)

    def _take_first(self) -> None:
        if self.shown.rowCount():
            self.view.setCurrentIndex(self.shown.index(0, 0))
            self.view.setFocus()

    def _mark(self, path: Path | None) -> None:
        model = self.view.selectionModel()
        index = self.shown.index_of(path) if path is not None else QModelIndex()
        if index == model.currentIndex():
            return
        if index.isValid():
            model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            model.clear()

    def _menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if not index.isValid():
            return
        entry: Entry = index.data(ENTRY_ROLE)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = QUrl.fromLocalFile(str(entry.path.parent))
        menu.addAction("Open its folder", lambda: QDesktopServices.openUrl(folder))
        menu.addAction("Copy path", lambda: QGuiApplication.clipboard().setText(str(entry.path)))
        menu.addSeparator()
        menu.addAction("Take out of the list", lambda: self.entries.remove(entry.path))
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _scrolled(self, value: int) -> None:
        if value == 0:
            self._new_rows = 0
        self._show_news()

    def _to_top(self) -> None:
        self.view.scrollToTop()

    def _show_news(self) -> None:
        self._news.setVisible(self._new_rows > 0)
        if self._new_rows:
            self._news.setText(f"↑ {count_words(self._new_rows, 'new row')}")
            self._news.adjustSize()
            self._news.move((self.view.width() - self._news.width()) // 2, 8)
            self._news.raise_()


def nothing_yet(
    watched: str, open_asked: Callable[[], object], simulate_asked: Callable[[], object]
) -> EmptyState:
    """Return what stands in an empty list of scans.

    Parameters
    ----------
    watched
        Folder that is watched; empty for none.
    open_asked, simulate_asked
        What the buttons do.
    """
    words = (
        f"Scans appear here while they are written to {watched}."
        if watched
        else "Scans appear here while they are written, once a folder is watched."
    )
    return EmptyState(
        "No scans yet",
        f"{words} Drop files on the window, or try the simulated scan.",
        (("Open…", open_asked), ("Simulate", simulate_asked)),
    )
