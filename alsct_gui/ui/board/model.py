"""The board's rows for Qt: thousands of them, changed in place, nothing laid out anew in vain."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from alsct_gui.ui.board.cells import Cell, cell_words
from alsct_gui.ui.board.columns import Column, Names
from alsct_gui.ui.board.rows import Board, Row, facts_words

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
CELL_ROLE = ROW_ROLE + 1
COLUMN_ROLE = ROW_ROLE + 2

_Index = QModelIndex | QPersistentModelIndex


class BoardModel(QAbstractTableModel):
    """One row a scan; the first column is the scan itself, then one a product and place.

    Parameters
    ----------
    names
        What places are called.
    """

    def __init__(self, names: Names, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names = names
        self._board = Board()
        self.rows: tuple[Row, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """What stands above the cells."""
        return self._board.columns

    @property
    def names(self) -> Names:
        """What places are called."""
        return self._names

    @property
    def now_s(self) -> float:
        """Seconds since 1970, as of the board that is shown."""
        return self._board.now_s

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1 + len(self._board.columns)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        place = index.column() - 1
        if place < 0:
            return self._of_scan(row, role)
        if role == CELL_ROLE:
            return row.cells[place]
        if role == COLUMN_ROLE:
            return self.columns[place]
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([self._title(row, place), *self._words(row.cells[place])])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{self._title(row, place)}: {row.cells[place].state}"
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return "Scan" if section == 0 else self.columns[section - 1].title
        if role == Qt.ItemDataRole.ToolTipRole and section > 0:
            column = self.columns[section - 1]
            words = column.words
            return f"{words[:1].upper()}{words[1:]} ({column.place})"
        if role == COLUMN_ROLE:
            return self.columns[section - 1] if section > 0 else None
        return None

    def take(self, board: Board, rows: tuple[Row, ...]) -> None:
        """Show other rows of a board; those that stay keep their place and selection."""
        before = self._board
        if board.columns != before.columns:
            self.beginResetModel()
            self._board, self.rows = board, rows
            self.endResetModel()
            return
        self._board = board
        if [row.id for row in rows] == [row.id for row in self.rows]:
            old, self.rows = self.rows, rows
            self._tell_changes(old, rows)
            return
        if not self._rearrange(rows):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()

    def row_of(self, name: str) -> int:
        """Return where a row is shown, by its id; -1 when it is not."""
        return next((place for place, row in enumerate(self.rows) if row.id == name), -1)

    def _of_scan(self, row: Row, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.path}\n{facts_words(row, self.now_s)}"
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.title
        return None

    def _title(self, row: Row, place: int) -> str:
        return f"{row.title}, {self.columns[place].words}"

    def _words(self, cell: Cell) -> tuple[str, ...]:
        return cell_words(cell, self._names, self.now_s, dict(self._board.paces))

    def _tell_changes(self, old: tuple[Row, ...], new: tuple[Row, ...]) -> None:
        """Have the rows drawn anew that are other objects than before."""
        last = self.columnCount() - 1
        first: int | None = None
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            if before is not after:
                first = place if first is None else first
            elif first is not None:
                self.dataChanged.emit(self.index(first, 0), self.index(place - 1, last))
                first = None
        if first is not None:
            self.dataChanged.emit(self.index(first, 0), self.index(len(new) - 1, last))

    def _rearrange(self, rows: tuple[Row, ...]) -> bool:
        """Take rows out and put others in, if those that stay are in the same order."""
        wanted = {row.id: place for place, row in enumerate(rows)}
        kept = [row.id for row in self.rows if row.id in wanted]
        if kept != sorted(kept, key=wanted.__getitem__):
            return False
        place = len(self.rows)
        while place > 0:
            last = place
            while place > 0 and self.rows[place - 1].id not in wanted:
                place -= 1
            if place < last:
                self.beginRemoveRows(QModelIndex(), place, last - 1)
                self.rows = (*self.rows[:place], *self.rows[last:])
                self.endRemoveRows()
            place -= 1
        place = 0
        while place < len(rows):
            there = self.rows[place].id if place < len(self.rows) else None
            first = place
            while place < len(rows) and rows[place].id != there:
                place += 1
            if place > first:
                self.beginInsertRows(QModelIndex(), first, place - 1)
                self.rows = (*self.rows[:first], *rows[first:place], *self.rows[first:])
                self.endInsertRows()
            place += 1
        old, self.rows = self.rows, rows
        self._tell_changes(old, rows)
        return True
