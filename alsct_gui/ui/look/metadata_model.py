"""Groups of keys as Qt's model; thousands of rows cost what is seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from alsct_gui.ui.look.metadata import Entry, grouped
from alsct_gui.ui.theme.style import tokens

_Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_ROW = QSize(0, 24)
_GROUP = 0
"""Internal number of group rows; an entry's is that of its group, from 1."""


class MetadataModel(QAbstractItemModel):
    """Two levels: groups, and the keys in them. Two columns, or three while comparing."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: tuple[tuple[str, tuple[Entry, ...]], ...] = ()
        self._titles: tuple[str, ...] = ("Key", "Value")

    def take(self, entries: Sequence[Entry], titles: tuple[str, ...]) -> None:
        """Show other entries."""
        self.beginResetModel()
        self._groups, self._titles = grouped(entries), titles
        self.endResetModel()

    def entry(self, index: _Index) -> Entry | None:
        """Return the entry of a row; None for groups."""
        if not index.isValid() or index.internalId() == _GROUP:
            return None
        return self._groups[index.internalId() - 1][1][index.row()]

    def rowCount(self, parent: _Index = _NONE) -> int:
        if not parent.isValid():
            return len(self._groups)
        if parent.internalId() != _GROUP or parent.column():
            return 0
        return len(self._groups[parent.row()][1])

    def columnCount(self, _: _Index = _NONE) -> int:
        return len(self._titles)

    def index(self, row: int, column: int, parent: _Index = _NONE) -> QModelIndex:
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else _GROUP)

    def parent(self, index: _Index = _NONE) -> Any:
        if not index.isValid() or index.internalId() == _GROUP:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, _GROUP)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self._titles[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entry(index)
        if entry is None:
            return self._group_data(index, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return (entry.name, entry.value, entry.other)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            shown = (entry.key or entry.name, entry.value, entry.other)[index.column()]
            # A value from a file is never taken for markup.
            return f"<p>{escape(str(shown))}</p>"
        if role == Qt.ItemDataRole.SizeHintRole:
            return _ROW
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return QColor(tokens().faint)
        return None

    def _group_data(self, index: _Index, role: int) -> Any:
        if role == Qt.ItemDataRole.SizeHintRole:
            return _ROW
        if role == Qt.ItemDataRole.FontRole:
            font = QApplication.font()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        shown = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        if shown and index.isValid() and not index.column():
            return self._groups[index.row()][0]
        return None
