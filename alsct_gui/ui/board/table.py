"""The table of the board: columns as wide as the window lets them be, rows that stay in place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTableView

from alsct_gui.ui.board.model import BoardModel
from alsct_gui.ui.board.painting import (
    CELL_PX,
    LEAST_CELL_PX,
    ROW_PX,
    CellPainter,
    GroupedHeader,
)
from alsct_gui.ui.board.rows import Board, Row
from alsct_gui.ui.widgets.parts import GAP_PX
from alsct_gui.ui.words import count_words

LEAST_SCAN_PX = 200


class BoardTable(QTableView):
    """Scans against places.

    Parameters
    ----------
    model
        What is shown.
    current
        Says the id of the row whose timeline is shown.
    """

    def __init__(self, model: BoardModel, current: Callable[[], str]) -> None:
        super().__init__()
        self._rows, self._new_rows = model, 0
        self.setModel(model)
        self.setItemDelegate(CellPainter(model, current))
        self.setHorizontalHeader(GroupedHeader())
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setAccessibleName("Board")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        model.modelReset.connect(self._lay_out)
        self._news = QPushButton(self)
        self._news.setToolTip("Go to the newest")
        self._news.clicked.connect(self.scrollToTop)
        self._news.hide()

    def take(self, board: Board, rows: tuple[Row, ...], *, keep: bool) -> None:
        """Show other rows.

        Parameters
        ----------
        board
            All that is known.
        rows
            What is shown of it.
        keep
            Whether what one is reading stays where it is.
        """
        bar = self.verticalScrollBar()
        at, top = bar.value(), self.rowAt(0)
        seen = self._rows.rows[top].id if keep and at > 0 and top >= 0 else ""
        before = {row.id for row in self._rows.rows} if seen else set()
        self._rows.take(board, rows)
        moved = self._rows.row_of(seen) - top if seen else 0
        if moved > 0:
            bar.setValue(at + moved * ROW_PX)
            self._new_rows += sum(row.id not in before for row in rows[: top + moved])
        self._show_news()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        """Give the scan what the cells leave; these are narrowed where there are many."""
        header, count = self.horizontalHeader(), self._rows.columnCount() - 1
        if count < 0:
            return
        room_px = self.viewport().width() - LEAST_SCAN_PX
        cell_px = min(CELL_PX, max(LEAST_CELL_PX, room_px // max(1, count)))
        for section in range(count + 1):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(section, cell_px)
        self.setColumnWidth(0, max(LEAST_SCAN_PX, self.viewport().width() - cell_px * count))

    def _scrolled(self, value: int) -> None:
        if value == 0:
            self._new_rows = 0
        self._show_news()

    def _show_news(self) -> None:
        self._news.setVisible(self._new_rows > 0)
        if self._new_rows:
            self._news.setText(f"↑ {count_words(self._new_rows, 'new row')}")
            self._news.adjustSize()
            header_px = self.horizontalHeader().height()
            self._news.move((self.width() - self._news.width()) // 2, header_px + GAP_PX)
            self._news.raise_()
