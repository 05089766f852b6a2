"""How the board's cells and its header are painted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from alsct_gui.ui.board.cells import Cell, short_words
from alsct_gui.ui.board.columns import Column
from alsct_gui.ui.board.model import CELL_ROLE, COLUMN_ROLE, ROW_ROLE, BoardModel
from alsct_gui.ui.board.rows import Row, facts_words
from alsct_gui.ui.theme.style import digits_font, tokens
from alsct_gui.ui.widgets.marks import MARK_PX, State, draw_mark

ROW_PX = 44
CELL_PX, LEAST_CELL_PX = 98, 68
"""Width of a cell, and the least to which it is narrowed where there are many."""
_HEADER_PX, _DETAIL_PX = 44, 14
_GAP_PX = 8
_Index = QModelIndex | QPersistentModelIndex
_LOUD = (State.MOVING, State.BLOCKED, State.FAILED)


class CellPainter(QStyledItemDelegate):
    """A scan with its facts, and for each place a mark with the least of words.

    Parameters
    ----------
    model
        The rows.
    selected
        Says which row is the selection of the whole window, by its id.
    """

    def __init__(self, model: BoardModel, selected: Callable[[], str]) -> None:
        super().__init__(model)
        self._model, self._selected = model, selected

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(CELL_PX, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row: Row = index.data(ROW_ROLE)
        now, box = tokens(), option.rect
        painter.save()
        chosen = row.id == self._selected()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(now.hover))
        elif chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, QColor(now.raised))
        if index.column() == 0:
            if chosen:
                painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), QColor(now.accent))
            self._scan(painter, row, box.adjusted(16, 4, -_GAP_PX, -4), option.font)
        else:
            self._cell(painter, index, box, option.font)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(now.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.restore()

    def _scan(self, painter: QPainter, row: Row, box: QRect, font: QFont) -> None:
        now = tokens()
        title, small = QFont(font), digits_font(font)
        title.setPixelSize(13)
        title.setWeight(QFont.Weight.DemiBold)
        small.setPixelSize(11)
        upper = QRect(box.left(), box.top(), box.width(), box.height() // 2)
        lower = upper.translated(0, upper.height())
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(title)
        painter.setPen(QColor(now.text))
        painter.drawText(upper, middle, _fit(title, row.title, box.width()))
        painter.setFont(small)
        painter.setPen(QColor(now.faint))
        words = facts_words(row, self._model.now_s)
        painter.drawText(lower, middle, _fit(small, words, box.width()))

    def _cell(self, painter: QPainter, index: _Index, box: QRect, font: QFont) -> None:
        now = tokens()
        cell: Cell = index.data(CELL_ROLE)
        column: Column = index.data(COLUMN_ROLE)
        top = box.center().y() - MARK_PX // 2
        draw_mark(
            painter, QRectF(box.left() + _GAP_PX, top, MARK_PX, MARK_PX), cell.state, cell.share
        )
        words = short_words(cell, self._model.names, self._model.now_s, outside=column.outside)
        if not words:
            return
        small = digits_font(font)
        small.setPixelSize(11)
        painter.setFont(small)
        painter.setPen(QColor(now.text if cell.state in _LOUD else now.faint))
        room = box.adjusted(_GAP_PX + MARK_PX + 4, 0, -2, 0)
        text = QFontMetrics(small).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)


class GroupedHeader(QHeaderView):
    """What stands above the cells: the site once for all its columns, below it the product."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setHighlightSections(False)
        self.setSectionsClickable(False)
        self.setMinimumSectionSize(48)

    def sizeHint(self) -> QSize:
        more = _DETAIL_PX if any(c is not None and c.detail for c in self._columns()) else 0
        return QSize(super().sizeHint().width(), _HEADER_PX + more)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        now = tokens()
        painter.save()
        painter.fillRect(rect, QColor(now.panel))
        painter.setPen(QColor(now.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        small = QFont(self.font())
        small.setPixelSize(11)
        middle = Qt.AlignmentFlag.AlignVCenter
        left = 16 if section == 0 else _GAP_PX
        lower = QRect(rect.left() + left, rect.top() + 22, rect.width() - left - 2, 20)
        painter.setFont(small)
        painter.setPen(QColor(now.faint))
        column = self._column(section)
        title = "Scan" if column is None else column.title
        if column is not None and QFontMetrics(small).horizontalAdvance(title) > lower.width():
            title = column.short
        painter.drawText(lower, middle, _fit(small, title, lower.width()))
        if column is not None and column.detail:
            detail = lower.translated(0, _DETAIL_PX)
            painter.drawText(detail, middle, _fit(small, column.detail, detail.width()))
        self._group(painter, rect, section)
        painter.restore()

    def _group(self, painter: QPainter, rect: QRect, section: int) -> None:
        """Draw that part of the site's name which lies over this column."""
        group, now = self._name(section), tokens()
        if not group:
            return
        first, last = section, section
        while self._name(first - 1) == group:
            first -= 1
        while self._name(last + 1) == group:
            last += 1
        if first == section:
            painter.setPen(QColor(now.line))
            painter.drawLine(rect.left(), rect.top() + 8, rect.left(), rect.bottom())
        left = rect.left() - sum(self.sectionSize(place) for place in range(first, section))
        width = sum(self.sectionSize(place) for place in range(first, last + 1))
        bold = QFont(self.font())
        bold.setPixelSize(11)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setClipRect(rect)
        painter.setFont(bold)
        painter.setPen(QColor(now.text))
        upper = QRect(left + _GAP_PX, rect.top() + 4, width - 2 * _GAP_PX, 18)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(upper, middle, _fit(bold, group, upper.width()))

    def _name(self, section: int) -> str:
        """Name of a column's site; empty for the first column and where there is none."""
        column = self._column(section) if 0 < section < self.count() else None
        return column.group if column is not None else ""

    def _columns(self) -> list[Column | None]:
        return [self._column(section) for section in range(self.count())]

    def _column(self, section: int) -> Column | None:
        found: Column | None = self.model().headerData(
            section, Qt.Orientation.Horizontal, COLUMN_ROLE
        )
        return found


def _fit(font: QFont, text: str, width_px: int) -> str:
    one_line = " ".join(text.split())
    return QFontMetrics(font).elidedText(one_line, Qt.TextElideMode.ElideMiddle, max(0, width_px))
