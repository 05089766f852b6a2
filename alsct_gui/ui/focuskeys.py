"""What has the keyboard keeps its own keys, though they are commands of the window too.

Space blinks between volumes and arrows step through slices, but on a button Space presses it
and on a slider the arrows move it. Qt asks the widget with the focus first, by an event of its
own (`ShortcutOverride`); most widgets but text fields do not answer it. This answers for them.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_K = Qt.Key
_PRESS = frozenset({_K.Key_Space, _K.Key_Return, _K.Key_Enter})
_TAB = frozenset({_K.Key_Tab, _K.Key_Backtab})
_ARROWS = frozenset({_K.Key_Left, _K.Key_Right, _K.Key_Up, _K.Key_Down})
_MOVE = _ARROWS | {_K.Key_Home, _K.Key_End, _K.Key_PageUp, _K.Key_PageDown}
_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)
_LISTS = (QAbstractItemView, QComboBox)
_PLAIN = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier,
)  # fmt: skip


def keeps(widget: QWidget, event: QKeyEvent) -> bool:
    """Return whether a key belongs to a widget that has the focus."""
    if event.modifiers() not in _PLAIN:
        return False
    key = Qt.Key(event.key())
    if isinstance(widget, _FIELDS):
        return key in _PRESS | _MOVE | _TAB or (event.text().isprintable() and bool(event.text()))
    if isinstance(widget, _LISTS):
        return key in _PRESS | _MOVE | _TAB
    if isinstance(widget, QAbstractButton):
        return key in _PRESS | _ARROWS | _TAB
    return isinstance(widget, QAbstractSlider) and key in _MOVE | _TAB


class FocusKeys(QObject):
    """Answers for the one widget of a window that has the focus.

    Parameters
    ----------
    app
        Whose focus is followed.
    window
        Whose widgets get their keys.
    """

    def __init__(self, app: QApplication, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._window = app, window
        app.focusChanged.connect(self._follow)

    def close(self) -> None:
        """Follow no more."""
        self._app.focusChanged.disconnect(self._follow)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
            and isinstance(watched, QWidget) and keeps(watched, event)
        ):  # fmt: skip
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _follow(self, old: QWidget | None, now: QWidget | None) -> None:
        # One widget at a time: a filter on the program would see all its events.
        if old is not None:
            old.removeEventFilter(self)
        if now is not None and now.window() is self._window:
            now.installEventFilter(self)
