"""The list's rows for Qt: thousands of them, sorted, filtered, changed in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QImage, QPixmap

from alsct_gui.ui.scans.entries import Entry, matches, newest_first

ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)
PICTURE_ROLE = ENTRY_ROLE + 1

_Index = QModelIndex | QPersistentModelIndex
_PICTURES_KEPT = 400


class Entries(QAbstractListModel):
    """All rows, in the order in which they came."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._places: dict[Path, int] = {}
        self._pictures: dict[Path, QPixmap] = {}

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == ENTRY_ROLE:
            return entry
        if role == PICTURE_ROLE:
            return self._pictures.get(entry.path)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.title}, {entry.words}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.tip
        return None

    def entry(self, path: Path) -> Entry | None:
        """Return a path's row; None when it is not in the list."""
        place = self._places.get(path)
        return None if place is None else self._entries[place]

    def at(self, place: int) -> Entry:
        """Return a row by its number."""
        return self._entries[place]

    def put(self, entry: Entry) -> bool:
        """Add a row or change it in place; returns whether it is new."""
        place = self._places.get(entry.path)
        if place is None:
            place = len(self._entries)
            self.beginInsertRows(QModelIndex(), place, place)
            self._entries.append(entry)
            self._places[entry.path] = place
            self.endInsertRows()
            return True
        if entry != self._entries[place]:
            self._entries[place] = entry
            self._tell(place)
        return False

    def put_many(self, entries: list[Entry]) -> None:
        """Add many rows that are not in the list yet, at once."""
        fresh = list(
            {entry.path: entry for entry in entries if entry.path not in self._places}.values()
        )
        if not fresh:
            return
        first = len(self._entries)
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        for entry in fresh:
            self._places[entry.path] = len(self._entries)
            self._entries.append(entry)
        self.endInsertRows()

    def put_picture(self, path: Path, picture: NDArray[np.uint8]) -> None:
        """Give a row its thumbnail, shape (row, column), 0 for black."""
        if picture.ndim != 2 or picture.dtype != np.uint8 or not picture.size:
            return
        grey = np.ascontiguousarray(picture)
        rows, columns = grey.shape
        image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
        # The oldest go first: a night's scans fit, a year's need not.
        if len(self._pictures) >= _PICTURES_KEPT and path not in self._pictures:
            self._pictures.pop(next(iter(self._pictures)))
        self._pictures[path] = QPixmap.fromImage(image.copy())
        if path in self._places:
            self._tell(self._places[path])

    def has_picture(self, path: Path) -> bool:
        """Whether a row has its thumbnail."""
        return path in self._pictures

    def remove(self, path: Path) -> None:
        """Take a row out of the list; the file stays."""
        place = self._places.get(path)
        if place is None:
            return
        self.beginRemoveRows(QModelIndex(), place, place)
        del self._entries[place]
        self._places = {entry.path: k for k, entry in enumerate(self._entries)}
        self._pictures.pop(path, None)
        self.endRemoveRows()

    def _tell(self, place: int) -> None:
        index = self.index(place)
        self.dataChanged.emit(index, index)


class ShownEntries(QSortFilterProxyModel):
    """The rows that hold what was typed, newest first."""

    def __init__(self, entries: Entries, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries = entries
        self._typed = ""
        self.setSourceModel(entries)
        self.setDynamicSortFilter(True)
        self.sort(0)

    def set_typed(self, typed: str) -> None:
        """Filter by other words."""
        self.beginFilterChange()
        self._typed = typed
        self.endFilterChange()

    def index_of(self, path: Path) -> QModelIndex:
        """Return where a path is shown; an invalid index when it is not."""
        for row in range(self.rowCount()):
            index = self.index(row, 0)
            if index.data(ENTRY_ROLE).path == path:
                return index
        return QModelIndex()

    # Asked some ten times for each change of a row: by the rows themselves, not by way of Qt.

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:
        return not self._typed or matches(self._entries.at(source_row), self._typed)

    def lessThan(self, left: _Index, right: _Index) -> bool:
        at = self._entries.at
        return newest_first(at(left.row())) < newest_first(at(right.row()))
