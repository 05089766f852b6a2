"""The command palette: any command by its name, without leaving the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeySequence, QPainter
from PySide6.QtWidgets import QListWidgetItem, QStyle, QStyledItemDelegate, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.info import ActionInfo
from alsct_gui.ui.actions.ranking import ranked
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.search import SearchPopup

_INFO_ROLE = int(Qt.ItemDataRole.UserRole)
_WIDTH_PX, _ROW_PX, _ROWS = 560, 32, 11
_RECENT_KEPT = 8


class Palette(SearchPopup):
    """A field and the commands that fit; Enter gives the first, Esc leaves.

    Parameters
    ----------
    book
        The commands.
    owner
        Window over which it is shown.
    """

    def __init__(self, book: ActionBook, owner: QWidget) -> None:
        super().__init__(owner, "Type what you want to do")
        self._book = book
        self._recent: list[str] = []
        self.field.setAccessibleName("Command")
        self.field.setToolTip("Part of a command's name; up, down and Enter choose (Esc closes)")
        self.rows.setItemDelegate(_Row(self.rows))
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def ask(self) -> None:
        """Show it, empty, in the upper middle of the window."""
        self.present(_WIDTH_PX, 56 + _ROWS * _ROW_PX, down_px=64)

    def fill(self, typed: str) -> None:
        """Show the commands that fit, the best first."""
        self.rows.clear()
        for info in ranked(self._book.table, typed, self._recent):
            if info.key == "help.palette":
                continue
            item = QListWidgetItem(info.text)
            item.setData(_INFO_ROLE, info)
            item.setToolTip(info.tip)
            item.setSizeHint(QSize(100, _ROW_PX))
            if not self._book[info.key].isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.rows.addItem(item)
        usable = [k for k in range(self.rows.count()) if self.rows.item(k).flags()]
        if usable:
            self.rows.setCurrentRow(usable[0])

    def take(self) -> None:
        """Give the current command."""
        item = self.rows.currentItem()
        if item is None or not item.flags():
            return
        info: ActionInfo = item.data(_INFO_ROLE)
        self._recent = [info.key, *(k for k in self._recent if k != info.key)][:_RECENT_KEPT]
        self.hide()
        self._book.trigger(info.key)


class _Row(QStyledItemDelegate):
    """Command at the left, its menu faint behind it, its keys at the right."""

    def paint(self, painter: QPainter, option, index) -> None:  # type: ignore[no-untyped-def]
        info: ActionInfo = index.data(_INFO_ROLE)
        now = tokens()
        box = option.rect
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(now.hover))
        inner = box.adjusted(8, 0, -8, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(now.text if enabled else now.disabled))
        painter.drawText(inner, middle, info.text)
        left = QFontMetrics(option.font).horizontalAdvance(info.text) + 12
        painter.setPen(QColor(now.faint if enabled else now.disabled))
        painter.drawText(inner.adjusted(left, 0, 0, 0), middle, info.menu)
        keys = QKeySequence(info.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, keys)
        painter.restore()
