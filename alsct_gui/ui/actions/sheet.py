"""The shortcut sheet: every key on one page, made from the table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from alsct_gui.ui.actions.info import ActionInfo
from alsct_gui.ui.widgets.parts import label, line

_COLUMNS = 3


def by_menu(table: Sequence[ActionInfo]) -> dict[str, tuple[ActionInfo, ...]]:
    """Return the commands that have keys, by menu, in the table's order. Pure."""
    menus: dict[str, tuple[ActionInfo, ...]] = {}
    for info in table:
        if info.shortcut:
            menus[info.menu] = (*menus.get(info.menu, ()), info)
    return menus


def in_columns(
    menus: dict[str, tuple[ActionInfo, ...]], columns: int
) -> tuple[tuple[str, ...], ...]:
    """Distribute menus over columns so that the longest is short; keeps their order. Pure."""
    heights = {menu: len(rows) + 2 for menu, rows in menus.items()}
    limit = max(heights.values(), default=0)
    while True:
        filled: list[list[str]] = [[]]
        for menu, height in heights.items():
            if sum(heights[m] for m in filled[-1]) + height > limit and filled[-1]:
                filled.append([])
            filled[-1].append(menu)
        if len(filled) <= columns:
            return tuple(tuple(column) for column in filled)
        limit += 1


class ShortcutSheet(QFrame):
    """All keys by menu; any key or click closes it."""

    def __init__(self, table: Sequence[ActionInfo], owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Popup)
        self.setObjectName("overlay")
        self._owner = owner
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 16, 24, 24)
        outer.setSpacing(16)
        outer.addWidget(label("Shortcuts", "title"))
        row = QHBoxLayout()
        row.setSpacing(40)
        menus = by_menu(table)
        for column in in_columns(menus, _COLUMNS):
            stack = QVBoxLayout()
            stack.setSpacing(8)
            for menu in column:
                stack.addWidget(label(menu.upper(), "heading"))
                stack.addLayout(_rows(menus[menu]))
                stack.addSpacing(8)
            stack.addStretch(1)
            row.addLayout(stack)
        outer.addLayout(row)
        outer.addWidget(line())
        outer.addWidget(label("Every command, those without keys too: Ctrl+K", "faint"))

    def present(self) -> None:
        """Show it in the middle of the window."""
        self.adjustSize()
        middle = self._owner.mapToGlobal(self._owner.rect().center())
        self.move(middle.x() - self.width() // 2, middle.y() - self.height() // 2)
        self.show()
        self.setFocus()

    def keyPressEvent(self, _: QKeyEvent) -> None:
        self.hide()


def _rows(infos: Sequence[ActionInfo]) -> QGridLayout:
    grid = QGridLayout()
    grid.setVerticalSpacing(4)
    grid.setHorizontalSpacing(24)
    grid.setColumnStretch(0, 1)
    for k, info in enumerate(infos):
        keys = QKeySequence(info.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        grid.addWidget(label(info.text), k, 0)
        shown = label(keys, "faint")
        shown.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(shown, k, 1)
    return grid
