"""Everything the selection says of itself, at the right: searched, copied, compared."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.look.metadata import Entry, copy_of, differences_of, entries_of, matching
from alsct_gui.ui.look.metadata_model import MetadataModel
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX, ElidedLabel, EmptyState, button, label
from alsct_gui.ui.widgets.pathmenu import PathMenu

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

_NAME_PX, _LEAST_PX = 136, 48
_MOST_UNFOLDED = 400
"""With more keys than this, the groups of the file start folded."""


class MetadataPanel(QWidget):
    """A tree of keys and values."""

    def __init__(self, session: Session, tasks: Tasks, services: Services) -> None:
        super().__init__()
        self._session, self._tasks, self._desk = session, tasks, services.desk
        self._task: asyncio.Task[Any] | None = None
        self._entries: tuple[Entry, ...] = ()
        self._titles: tuple[str, ...] = ("Key", "Value")
        self.model = MetadataModel()
        self._build()
        session.look_changed.connect(self._take)
        self._take(session.look)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, GAP_PX, MARGIN_PX, GAP_PX)
        column.setSpacing(GAP_PX)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search")
        self.search.setToolTip("Shows the keys that hold every word")
        self.search.setAccessibleName("Filter")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._show())
        self.compare = QPushButton("Compare…")
        self.compare.setToolTip("Shows only what differs from another scan that was opened")
        self.menu = PathMenu(
            "Compare", self._others, self.compare_with, "No other scan was opened yet", self.compare
        )
        self.compare.setMenu(self.menu)
        row.addWidget(self.search, 1)
        row.addWidget(self.compare)
        column.addLayout(row)
        self._versus = QWidget()
        versus = QHBoxLayout(self._versus)
        versus.setContentsMargins(0, 0, 0, 0)
        self.said = ElidedLabel("", "faint")
        versus.addWidget(self.said, 1)
        versus.addWidget(button("Show all", self.show_all, role="link", tip="Ends comparing"))
        self._versus.setVisible(False)
        column.addWidget(self._versus)
        self._pages = QStackedWidget()
        self.view = QTreeView()
        self.view.setModel(self.model)
        self.view.setUniformRowHeights(True)
        self.view.setIndentation(GAP_PX)
        self.view.setExpandsOnDoubleClick(False)
        self.view.setRootIsDecorated(False)
        self.view.setItemsExpandable(True)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.view.setAccessibleName("Metadata")
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.clicked.connect(self._fold)
        self._action("Copy value", self.copy_value, QKeySequence.StandardKey.Copy)
        self._action("Copy row", self.copy_rows, QKeySequence("Ctrl+Shift+C"))
        header = self.view.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_LEAST_PX)
        self._empty = EmptyState("Nothing is selected", "A scan tells here how it was taken.")
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._empty)
        column.addWidget(self._pages, 1)
        self.count = label("", "small")
        column.addWidget(self.count)

    def _action(self, words: str, does: Any, keys: Any) -> None:
        action = QAction(words, self.view)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda: does())
        self.view.addAction(action)

    # -- what others use ---------------------------------------------------------------

    def compare_with(self, path: Path) -> None:
        """Show only what differs from another scan."""
        self._task = self._tasks.start(
            self._compare(path), f"Looking at {path.name}", instead_of=self._task
        )

    def show_all(self) -> None:
        """Show every key of the selection."""
        self._take(self._session.look)

    def copy_value(self) -> None:
        """Copy the values of the rows that are selected."""
        QApplication.clipboard().setText("\n".join(entry.value for entry in self._chosen()))

    def copy_rows(self) -> None:
        """Copy paths and values of the rows that are selected."""
        QApplication.clipboard().setText(copy_of(self._chosen()))

    def renew_icons(self) -> None:
        """Draw the rows in the theme's colours."""
        self.view.viewport().update()

    def close(self) -> bool:
        """Put away."""
        self._session.look_changed.disconnect(self._take)
        return super().close()

    # -- what happens ------------------------------------------------------------------

    def _take(self, look: Look | None) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._versus.setVisible(False)
        self.compare.setEnabled(look is not None)
        self._entries = () if look is None else entries_of(look)
        self._titles = ("Key", "Value")
        self._empty.say("Nothing is selected", "A scan tells here how it was taken.")
        if look is None and self._session.selected is not None:
            self._empty.say("Reading…", self._session.selected.name)
        self._show()

    async def _compare(self, path: Path) -> None:
        mine = self._session.look
        if mine is None:
            return
        self.said.set_text(f"Reading {path.name}…")
        self._versus.setVisible(True)
        other = await answer_of(self._desk.look(path, channel="metadata"))
        if mine is not self._session.look:
            return
        self._entries = differences_of(mine, other)
        self._titles = ("Key", "This scan", "The other")
        self.said.set_text(f"The other: {path.name}")
        self._empty.say("No difference", f"{path.name} says the same of itself.")
        self._show()

    def _show(self) -> None:
        shown = matching(self._entries, self.search.text())
        self.model.take(shown, self._titles)
        for place in range(self.model.rowCount()):
            # Plain words are always open; the keys of a file only when they are few.
            group = self.model.index(place, 0)
            first = self.model.entry(self.model.index(0, 0, group))
            plain = first is not None and not first.key
            self.view.setFirstColumnSpanned(place, self.view.rootIndex(), True)
            self.view.setExpanded(group, plain or len(shown) <= _MOST_UNFOLDED)
        compared = len(self._titles) > 2
        self.view.setHeaderHidden(not compared)
        width_px = max(240, self.view.viewport().width())
        self.view.setColumnWidth(0, min(_NAME_PX, round(width_px * 0.38)))
        header = self.view.header()
        for column in range(1, len(self._titles)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        none_found = bool(self._entries) and not shown
        self._pages.setCurrentIndex(1 if not self._entries else 0)
        noun = "difference" if compared else "key"
        plural = "" if len(shown) == 1 else "s"
        words = f"{len(shown)} {noun}{plural}" if len(shown) == len(self._entries) else (
            f"{len(shown)} of {len(self._entries)} {noun}s"
        )  # fmt: skip
        self.count.setText(f"No {noun} holds these words" if none_found else words)
        self.count.setVisible(bool(self._entries))

    def _others(self) -> list[Path]:
        known = map(Path, self._session.settings.recent)
        return [path for path in known if path != self._session.selected]

    def _fold(self, index: Any) -> None:
        if self.model.entry(index) is None:
            group = index.siblingAtColumn(0)
            self.view.setExpanded(group, not self.view.isExpanded(group))

    def _chosen(self) -> list[Entry]:
        rows = self.view.selectionModel().selectedRows()
        entries = (self.model.entry(index) for index in rows)
        return [entry for entry in entries if entry is not None]
