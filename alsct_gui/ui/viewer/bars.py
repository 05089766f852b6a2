"""Parts of the bars below the canvas: sliders that count, choices side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import set_role


class Unsqueezed(QWidget):
    """Keeps its parts as wide as their words, where the style would let them be cut."""

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Counter(QWidget):
    """A slider and a number for the same thing, from 0 to a count less one.

    Parameters
    ----------
    noun
        What is counted, for the tool tip.
    tip
        What it does.
    """

    moved = Signal(int)
    """A person chose another one."""
    released = Signal()
    """The slider was let go."""

    def __init__(self, noun: str, tip: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setMinimumWidth(64)
        self.number = QSpinBox()
        self.number.setFont(digits_font(self.number.font()))
        self.number.setFixedWidth(64)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.setKeyboardTracking(False)
        for part in (self.slider, self.number):
            part.setToolTip(tip)
            part.setAccessibleName(noun)
            part.valueChanged.connect(self._move)
        self.slider.sliderReleased.connect(self.released)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self._index = 0
        self.set_count(1)

    @property
    def index(self) -> int:
        """Which one is chosen."""
        return self._index

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.slider.maximum()) + 1

    def set_count(self, count: int) -> None:
        """Say how many there are; without a signal."""
        last = max(0, count - 1)
        for part in (self.slider, self.number):
            with QSignalBlocker(part):
                part.setRange(0, last)
        self.slider.setPageStep(max(1, count // 20))
        self.setEnabled(count > 1)
        self._index = min(self._index, last)

    def set_index(self, index: int) -> None:
        """Show which one is chosen; without a signal."""
        self._index = min(max(0, index), self.count - 1)
        for part in (self.slider, self.number):
            with QSignalBlocker(part):
                part.setValue(self._index)

    def _move(self, index: int) -> None:
        if index != self._index:
            self.set_index(index)
            self.moved.emit(index)


class Choice(Unsqueezed):
    """A few words side by side, one of which holds."""

    chosen = Signal(str)
    """A person chose another one, by its key."""

    def __init__(self, options: Sequence[tuple[str, str, str]]) -> None:
        """Make one from keys, words and tool tips."""
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        for key, words, tip in options:
            button = QToolButton()
            button.setText(words)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            set_role(button, "choice")
            button.clicked.connect(lambda _=False, key=key: self._choose(key))
            self._group.addButton(button)
            self._buttons[key] = button
            row.addWidget(button)
        self._key = options[0][0]
        self._buttons[self._key].setChecked(True)

    @property
    def key(self) -> str:
        """Which one holds."""
        return self._key

    def button(self, key: str) -> QToolButton:
        """The button of one of them."""
        return self._buttons[key]

    def set_key(self, key: str) -> None:
        """Choose one; without a signal."""
        self._key = key
        self._buttons[key].setChecked(True)

    def allow(self, key: str, on: bool, tip: str = "") -> None:
        """Let one be chosen or not, and say why."""
        self._buttons[key].setEnabled(on)
        if tip:
            self._buttons[key].setToolTip(tip)

    def _choose(self, key: str) -> None:
        if key != self._key:
            self._key = key
            self.chosen.emit(key)
