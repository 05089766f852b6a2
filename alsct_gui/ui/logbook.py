"""Everything the window said since it was opened, newest at the bottom."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.parts import button

_KEPT = 500
_NOTICE_ROLE = int(Qt.ItemDataRole.UserRole)
_ICONS = {Level.INFO: "info", Level.DONE: "done", Level.WARNING: "warning", Level.ERROR: "error"}
_COLORS = {
    Level.INFO: "faint",
    Level.DONE: "met",
    Level.WARNING: "blocked",
    Level.ERROR: "failed",
}


class Logbook(QWidget):
    """The notices of this session; each can be copied with its details."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        self.rows = QListWidget()
        self.rows.setWordWrap(True)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.rows.setAccessibleName("Log")
        row = QHBoxLayout()
        row.addWidget(button("Copy details", self.copy, tip="The selected rows, or all of them"))
        row.addStretch(1)
        column.addWidget(self.rows, 1)
        column.addLayout(row)
        session.noticed.connect(self._add)

    def copy(self) -> None:
        """Copy the selected rows with their details; all when none is selected."""
        rows = self.rows.selectedItems() or [self.rows.item(k) for k in range(self.rows.count())]
        notices: list[Notice] = [row.data(_NOTICE_ROLE) for row in rows]
        text = "\n\n".join(f"{item.sentence}\n{item.details}".strip() for item in notices)
        QApplication.clipboard().setText(text)

    def renew_icons(self) -> None:
        """Draw the marks in the theme's colours."""
        for k in range(self.rows.count()):
            self._draw(self.rows.item(k))

    def close(self) -> bool:
        """Put away."""
        self._session.noticed.disconnect(self._add)
        return super().close()

    def _add(self, notice: Notice) -> None:
        row = QListWidgetItem(f"{datetime.now().astimezone():%H:%M:%S}   {notice.sentence}")
        row.setData(_NOTICE_ROLE, notice)
        row.setToolTip(notice.details[-2000:])
        self._draw(row)
        self.rows.addItem(row)
        if self.rows.count() > _KEPT:
            self.rows.takeItem(0)
        self.rows.scrollToBottom()

    def _draw(self, row: QListWidgetItem) -> None:
        level: Level = row.data(_NOTICE_ROLE).level
        row.setIcon(icon(_ICONS[level], getattr(tokens(), _COLORS[level])))
