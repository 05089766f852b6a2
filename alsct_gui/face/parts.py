"""Small pieces that look at home in any napari."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QLabel, QSizePolicy, QSpinBox, QWidget

GAP_PX = 6
MARGIN_PX = 10
LABEL_PX = 96
_WRONG = {"light": "#b3261e", "dark": "#ff8a80"}
_DECIMALS = 9


def label(text: str, *, wrap: bool = False, faint: bool = False) -> QLabel:
    """Return words; they can be selected when they may be long."""
    made = QLabel(text)
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
    colour = _WRONG["light" if "light" in theme else "dark"]
    widget.setStyleSheet(f"color: {colour}")


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
