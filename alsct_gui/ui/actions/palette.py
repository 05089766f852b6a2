"""The command palette: any command by its name, without leaving the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.info import ActionInfo
from alsct_gui.ui.actions.ranking import ranked
from alsct_gui.ui.theme.style import tokens

_INFO_ROLE = int(Qt.ItemDataRole.UserRole)
_WIDTH_PX, _ROW_PX, _ROWS = 560, 32, 11
_RECENT_KEPT = 8
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Palette(QFrame):
    """A field and the commands that fit; Enter gives the first, Esc leaves.

    Parameters
    ----------
    book
        The commands.
    owner
        Window over which it is shown.
    """

    def __init__(self, book: ActionBook, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Popup)
        self.setObjectName("overlay")
        self._book, self._owner = book, owner
        self._recent: list[str] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        self.field = QLineEdit()
        self.field.setAccessibleName("Command")
        self.field.setToolTip("Part of a command's name; up, down and Enter choose (Esc closes)")
        self.field.setPlaceholderText("Type what you want to do")
        self.field.setClearButtonEnabled(True)
        self.found = QListWidget()
        self.found.setItemDelegate(_Row(self.found))
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.setUniformItemSizes(True)
        self.found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self.field)
        column.addWidget(self.found)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._give)
        self.found.itemClicked.connect(lambda _: self._give())
        self.field.installEventFilter(self)

    def ask(self) -> None:
        """Show it, empty, in the upper middle of the window."""
        self.field.clear()
        self._fill("")
        width = min(_WIDTH_PX, self._owner.width() - 32)
        self.setFixedSize(width, 56 + _ROWS * _ROW_PX)
        corner = self._owner.mapToGlobal(self._owner.rect().topLeft())
        self.move(corner.x() + (self._owner.width() - width) // 2, corner.y() + 64)
        self.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self.found.keyPressEvent(event)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.found.clear()
        for info in ranked(self._book.table, typed, self._recent):
            if info.key == "help.palette":
                continue
            item = QListWidgetItem(info.text)
            item.setData(_INFO_ROLE, info)
            item.setToolTip(info.tip)
            item.setSizeHint(QSize(100, _ROW_PX))
            if not self._book[info.key].isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.found.addItem(item)
        usable = [k for k in range(self.found.count()) if self.found.item(k).flags()]
        if usable:
            self.found.setCurrentRow(usable[0])

    def _give(self) -> None:
        item = self.found.currentItem()
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
