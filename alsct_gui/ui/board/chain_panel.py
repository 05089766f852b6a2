"""All there is to know of the links: since when, why, what it means, what to do, until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QSplitter,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.board.links import Chip
from alsct_gui.ui.board.markup import chip_markup
from alsct_gui.ui.board.richtext import RichText
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.marks import MARK_PX, draw_mark
from alsct_gui.ui.widgets.parts import EmptyState, button

_CHIP_ROLE = int(Qt.ItemDataRole.UserRole)
_ROW_PX = 26
_TITLE_PX = 172
_Index = QModelIndex | QPersistentModelIndex


class ChainPanel(QWidget):
    """The links in a list, and beside it everything about the one that is chosen.

    Parameters
    ----------
    session
        What every panel gets.
    acts
        What a chip's button does, by what stands on it.
    """

    def __init__(self, session: Session, acts: Mapping[str, Callable[[], object]]) -> None:
        super().__init__()
        self._session, self._acts = session, acts
        self.model = _Chips()
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_ChipPainter(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("Links")
        self.text = RichText("Link", lambda _: None)
        self.act = button("", self._act, role="primary")
        self.copy = button("Copy details", self._copy, tip="Copies all there is to know")
        right = QWidget()
        row = QHBoxLayout(right)
        row.setContentsMargins(16, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        column = QVBoxLayout()
        column.addWidget(self.act)
        column.addWidget(self.copy)
        column.addStretch(1)
        row.addLayout(column)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(2)
        split.addWidget(self.list)
        split.addWidget(right)
        split.setSizes([420, 520])
        self._pages = QStackedWidget()
        self._pages.addWidget(split)
        self._pages.addWidget(
            EmptyState("No link is known", "The agent looks at the links of the chain.")
        )
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 8, 16, 8)
        outer.addWidget(self._pages)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._draw())
        session.board_changed.connect(self._take)
        if session.board is not None:
            self._take(session.board)
        self._draw()

    @property
    def chosen(self) -> Chip | None:
        """The link that is chosen."""
        index = self.list.currentIndex()
        return index.data(_CHIP_ROLE) if index.isValid() else None

    def choose(self, key: str) -> None:
        """Show everything about a link."""
        keys = [chip.key for chip in self.model.chips]
        if key in keys:
            self.list.setCurrentIndex(self.model.index(keys.index(key)))
            self.list.setFocus()

    def renew_icons(self) -> None:
        """Draw list and text in the theme's colours."""
        self.text.show_anew()
        self.list.viewport().update()
        self._draw()

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self._take)
        return super().close()

    def _take(self, view: BoardView) -> None:
        kept = self.chosen
        self.model.take(view.chips)
        keys = [chip.key for chip in view.chips]
        if keys:
            at = keys.index(kept.key) if kept is not None and kept.key in keys else 0
            self.list.setCurrentIndex(self.model.index(at))
        self._draw()

    def _draw(self) -> None:
        chip = self.chosen
        self._pages.setCurrentIndex(0 if chip is not None else 1)
        if chip is None:
            return
        self.text.show_markup(chip_markup(chip, tokens()))
        self.act.setText(chip.action)
        self.act.setVisible(bool(chip.action))

    def _act(self) -> None:
        chip = self.chosen
        if chip is not None and chip.action in self._acts:
            self._acts[chip.action]()

    def _copy(self) -> None:
        chip = self.chosen
        if chip is not None:
            QGuiApplication.clipboard().setText(chip.text)
            self._session.notice(Notice(Level.INFO, f"Copied: what is known of {chip.title}."))


class _Chips(QAbstractListModel):
    """The links, changed in place."""

    def __init__(self) -> None:
        super().__init__()
        self.chips: tuple[Chip, ...] = ()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.chips)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        chip = self.chips[index.row()]
        if role == _CHIP_ROLE:
            return chip
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return chip.sentence
        return chip.title if role == Qt.ItemDataRole.DisplayRole else None

    def take(self, chips: tuple[Chip, ...]) -> None:
        """Show how the links are."""
        if [chip.key for chip in self.chips] != [chip.key for chip in chips]:
            self.beginResetModel()
            self.chips = chips
            self.endResetModel()
        elif chips:
            self.chips = chips
            self.dataChanged.emit(self.index(0), self.index(len(chips) - 1))


class _ChipPainter(QStyledItemDelegate):
    """Mark, title, and how it is."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        chip: Chip = index.data(_CHIP_ROLE)
        now, box = tokens(), option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(now.hover))
        top = box.top() + (_ROW_PX - MARK_PX) // 2
        draw_mark(painter, QRectF(box.left() + 8, top, MARK_PX, MARK_PX), chip.state)
        middle = Qt.AlignmentFlag.AlignVCenter
        title = box.adjusted(30, 0, 0, 0)
        painter.setPen(QColor(now.text))
        painter.drawText(title, middle, chip.title)
        small = QFont(option.font)
        small.setPixelSize(11)
        painter.setFont(small)
        painter.setPen(QColor(now.faint))
        rest = box.adjusted(30 + _TITLE_PX, 0, -8, 0)
        words = chip.sentence.removeprefix(chip.title).strip()
        end = Qt.TextElideMode.ElideRight
        painter.drawText(rest, middle, QFontMetrics(small).elidedText(words, end, rest.width()))
        painter.restore()
