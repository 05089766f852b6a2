"""A table of figures in a window: sorted by a click, copied with its headings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView

from alsct_gui.files.report.words import figure, heading
from alsct_gui.model.table import Table

ROW_PX = 24
"""Height of a row, and about that of the heading."""
_ROLE = Qt.ItemDataRole


class TableModel(QAbstractTableModel):
    """Figures of a `Table`.

    Parameters
    ----------
    table
        The table.
    names
        Columns that are shown; none for all.
    """

    def __init__(self, table: Table, names: Sequence[str] = ()) -> None:
        super().__init__()
        self.table = table
        wanted = names or [column.name for column in table.columns]
        known = {column.name: column for column in table.columns}
        self.columns = [known[name] for name in wanted if name in known]
        self._values = [table.column(column.name).tolist() for column in self.columns]

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self.table.n_rows

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole) -> Any:
        value = self._values[index.column()][index.row()]
        if role == _ROLE.DisplayRole:
            return figure(value) if isinstance(value, int | float) else str(value)
        if role == _ROLE.UserRole:
            # Sorted by their value; what is missing goes last.
            missing = isinstance(value, float) and math.isnan(value)
            return math.inf if missing else value
        if role == _ROLE.TextAlignmentRole:
            number = isinstance(value, int | float)
            side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == _ROLE.DisplayRole:
            return heading(column.name, column.unit)
        return column.meaning if role == _ROLE.ToolTipRole else None


class TableView(QTableView):
    """Shows a table; one row is chosen at a time."""

    chosen = Signal(int)
    """Row of the table, whatever the order that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSortRole(_ROLE.UserRole)
        self._model: TableModel | None = None
        self._quiet = False
        self.setModel(self._proxy)
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAlternatingRowColors(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        side = self.verticalHeader()
        side.hide()
        side.setDefaultSectionSize(ROW_PX)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setHighlightSections(False)
        self.selectionModel().currentRowChanged.connect(self._current)

    def show_table(self, model: TableModel) -> None:
        """Show a table in its own order."""
        self._model = model  # Qt keeps no reference
        self._proxy.setSourceModel(model)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.resizeColumnsToContents()

    def row(self) -> int:
        """Return the row of the table that is chosen; -1 for none."""
        index = self.selectionModel().currentIndex()
        return self._proxy.mapToSource(index).row() if index.isValid() else -1

    def choose(self, row: int, *, quietly: bool = False) -> None:
        """Choose a row of the table and bring it into view.

        Parameters
        ----------
        row
            As in the table.
        quietly
            Do not tell of it.
        """
        if self._model is None or not 0 <= row < self._model.rowCount():
            return
        index = self._proxy.mapFromSource(self._model.index(row, 0))
        self._quiet = quietly
        self.selectRow(index.row())
        self.setCurrentIndex(index)
        self._quiet = False
        self.scrollTo(index)

    def step(self, by: int) -> None:
        """Choose the next row, or one before, in the order that is shown."""
        count = self._proxy.rowCount()
        if not count:
            return
        index = self.selectionModel().currentIndex()
        at = index.row() + by if index.isValid() else (0 if by > 0 else count - 1)
        at = min(max(at, 0), count - 1)
        self.choose(self._proxy.mapToSource(self._proxy.index(at, 0)).row())

    def keyPressEvent(self, event: Any) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        super().keyPressEvent(event)

    def copy(self) -> None:
        """Copy all rows, in the order that is shown, with the headings."""
        clipboard = QApplication.clipboard()
        if self._model is None or clipboard is None:
            return
        lines = ["\t".join(heading(item.name, item.unit) for item in self._model.columns)]
        for row in range(self._proxy.rowCount()):
            cells = (self._proxy.index(row, k) for k in range(self._proxy.columnCount()))
            lines.append("\t".join(_plain(cell.data(_ROLE.UserRole)) for cell in cells))
        clipboard.setText("\n".join(lines))

    def _current(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid() and not self._quiet:
            self.chosen.emit(self._proxy.mapToSource(index).row())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return str(value)
