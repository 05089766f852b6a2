"""The table made live: Qt actions, each bound to what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QToolButton, QWidget

from alsct_gui.ui.actions.info import ActionInfo, why_not
from alsct_gui.ui.session import Session, Situation
from alsct_gui.ui.theme.icons import icon


class ActionBook(QObject):
    """Every command of a table as a Qt action.

    Parameters
    ----------
    table
        The commands.
    session
        Whose situation decides what can be given.
    owner
        Window whose shortcuts they are.
    """

    def __init__(self, table: Sequence[ActionInfo], session: Session, owner: QWidget) -> None:
        super().__init__(owner)
        self.table = tuple(table)
        self._session = session
        self._actions: dict[str, QAction] = {}
        self._bound: set[str] = set()
        for info in self.table:
            action = QAction(info.text, self)
            action.setCheckable(info.checkable)
            action.setToolTip(tip_of(info))
            action.setStatusTip(info.tip)
            if info.shortcut:
                action.setShortcut(QKeySequence(info.shortcut))
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            owner.addAction(action)
            self._actions[info.key] = action
        self.renew_icons()
        session.situation_changed.connect(self._update)
        self._update(session.situation)

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    @property
    def unbound(self) -> tuple[str, ...]:
        """Commands that do nothing yet; none, once the window is wired."""
        return tuple(info.key for info in self.table if info.key not in self._bound)

    def bind(self, key: str, does: Callable[..., object]) -> QAction:
        """Say what a command does; a checkable one gets its new state."""
        action = self._actions[key]
        if key in self._bound:
            raise ValueError(f"{key} is bound twice")
        self._bound.add(key)
        if action.isCheckable():
            action.toggled.connect(lambda on: does(on))
        else:
            action.triggered.connect(lambda: does())
        return action

    def trigger(self, key: str) -> None:
        """Give a command, as a click would."""
        self._actions[key].trigger()

    def fill(self, bar: QMenuBar, menus: Sequence[str]) -> dict[str, QMenu]:
        """Fill a menu bar; returns the menus by title."""
        made = {title: bar.addMenu(title) for title in menus}
        for info in self.table:
            if info.separated:
                made[info.menu].addSeparator()
            made[info.menu].addAction(self._actions[info.key])
        return made

    def button(self, key: str, *, text: bool = False) -> QToolButton:
        """Return a button for a command."""
        button = QToolButton()
        button.setDefaultAction(self._actions[key])
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly
        )
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def renew_icons(self) -> None:
        """Draw the icons in the colours of the theme."""
        for info in self.table:
            if info.icon:
                self._actions[info.key].setIcon(icon(info.icon))

    def _update(self, situation: Situation) -> None:
        for info in self.table:
            action, reason = self._actions[info.key], why_not(info.when, situation)
            action.setEnabled(info.when(situation))
            action.setToolTip(f"{tip_of(info)}\n{reason}" if reason else tip_of(info))


def tip_of(info: ActionInfo) -> str:
    """Tool tip: what it does, and its shortcut."""
    keys = QKeySequence(info.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{info.tip} ({keys})" if keys else info.tip
