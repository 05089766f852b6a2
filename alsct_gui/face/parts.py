"""Small pieces that look at home in any napari."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

GAP_PX = 6
MARGIN_PX = 10
LABEL_PX = 96
_WRONG = {"light": "#b3261e", "dark": "#ff8a80"}
_ACCENT = {"light": "#1a56c4", "dark": "#6ea0ff"}
_DECIMALS = 9


def label(text: str, *, wrap: bool = False, faint: bool = False) -> QLabel:
    """Return words; they can be selected when they may be long."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)  # much of it comes from files
    made.setWordWrap(wrap)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setProperty("role", "faint" if faint else "")
    if faint:
        font = made.font()
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.92)
        made.setFont(font)
    return made


def colour_wrong(widget: QWidget, theme: str) -> None:
    """Give a widget's words the colour of what is wrong, readable on a theme's ground."""
    colour = _WRONG["light" if is_light(theme) else "dark"]
    widget.setStyleSheet(f"color: {colour}")


def name_label(text: str, editor: QWidget, tip: str = "") -> QLabel:
    """Return the name of a field, as wide as all names are."""
    made = label(text)
    made.setMinimumWidth(LABEL_PX)
    made.setToolTip(tip)
    made.setBuddy(editor)
    editor.setAccessibleName(text)
    return made


def is_light(theme: str) -> bool:
    """Say whether a theme's ground is light."""
    return "light" in theme


class Tabs(QWidget):
    """A few words of which one is chosen."""

    chosen = Signal(str)

    def __init__(self, tabs: Sequence[tuple[str, str, str]], theme: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        for key, text, tip in tabs:
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            group.addButton(button)
            self.buttons[key] = button
            row.addWidget(button)
        # Napari's own style draws a chosen tool button like any other.
        accent = _ACCENT["light" if is_light(theme) else "dark"]
        self.setStyleSheet(
            "QToolButton {border: none; border-bottom: 1px solid rgba(128, 128, 128, 90);"
            " border-radius: 0; padding: 4px 0 5px 0; background: transparent}"
            f"QToolButton:checked {{border-bottom: 2px solid {accent}; padding-bottom: 4px;"
            " font-weight: 600}"
        )


class Choice(QComboBox):
    """A choice that the wheel does not change while one scrolls past it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


class Whole(QSpinBox):
    """A whole number that the wheel does not change while one scrolls past it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


class Number(QDoubleSpinBox):
    """A number, shown with the digits it has; arrows step by a tenth of its size."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)
        self.setDecimals(_DECIMALS)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        return f"{value:.6g}"

    def wheelEvent(self, event: Any) -> None:
        event.ignore()
