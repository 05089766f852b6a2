"""A field and what fits it, over the window: one types, moves by arrows, and takes a row."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QVBoxLayout, QWidget

_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class SearchPopup(QFrame):
    """What searches share: Enter or a click takes the current row, Esc leaves.

    Parameters
    ----------
    owner
        Widget in whose upper middle it is shown.
    hint
        What stands in the empty field.
    """

    def __init__(self, owner: QWidget, hint: str) -> None:
        super().__init__(owner, Qt.WindowType.Popup)
        self.setObjectName("overlay")
        self._owner = owner
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(8)
        self.field = QLineEdit()
        self.field.setPlaceholderText(hint)
        self.field.setClearButtonEnabled(True)
        self.rows = QListWidget()
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setUniformItemSizes(True)
        self.column.addWidget(self.field)
        self.column.addWidget(self.rows)
        self.field.textChanged.connect(self.fill)
        self.field.returnPressed.connect(self.take)
        self.rows.itemClicked.connect(lambda _: self.take())
        self.field.installEventFilter(self)

    def fill(self, typed: str) -> None:
        """Show the rows that fit what was typed."""

    def take(self) -> None:
        """Take the current row."""

    def present(self, width_px: int, height_px: int, down_px: int) -> None:
        """Show it, empty, so far below the owner's top."""
        self.field.clear()
        self.fill("")
        self.setFixedSize(min(width_px, self._owner.width() - 32), height_px)
        corner = self._owner.mapToGlobal(self._owner.rect().topLeft())
        self.move(corner.x() + (self._owner.width() - self.width()) // 2, corner.y() + down_px)
        self.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self.rows.keyPressEvent(event)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
        return super().eventFilter(watched, event)
