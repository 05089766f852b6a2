"""The phases that are told apart: a row for each, with its colour and how much is marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.face.parts import GAP_PX

_SWATCH_PX = 14
_STYLE = """
QToolButton { border: 1px solid transparent; border-radius: 3px; padding: 3px 6px; }
QToolButton:hover { background: rgba(128, 128, 128, 40); }
QToolButton:checked { border-color: rgba(128, 128, 128, 160); background: rgba(128, 128, 128, 60); }
"""
_BESIDE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
Colour = tuple[float, float, float]
"""Red, green, blue from 0 to 1."""


class Phases(QWidget):
    """Phases to choose one to paint with, and a button for one more.

    Parameters
    ----------
    colour_of
        Returns the colour of a label.
    """

    chosen = Signal(int)
    """The label of the phase that is to be painted."""

    def __init__(self, colour_of: Callable[[int], Colour]) -> None:
        super().__init__()
        self._colour_of = colour_of
        self._labels: tuple[int, ...] = ()
        self.buttons: dict[int, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        column.addLayout(self._rows)
        self._group = QButtonGroup(self)
        self.add = QPushButton("Add a phase")
        self.add.clicked.connect(self._add)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addStretch(1)
        column.addLayout(row)
        self.show_phases((1, 2), {}, 1)

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of the phases, growing."""
        return self._labels

    def show_phases(self, labels: Sequence[int], counts: Mapping[int, int], current: int) -> None:
        """Show phases, how many voxels of each are marked, and which one is painted."""
        wanted = tuple(sorted({*labels, *counts, *self._labels}))
        if wanted != self._labels:
            self._labels = wanted
            self._make_rows()
        for label, button in self.buttons.items():
            count = counts.get(label, 0)
            marked = f"{count:,} voxels marked" if count else "nothing marked"
            button.setText(f"  Phase {label}   {marked}")
            button.setIcon(_swatch(self._colour_of(label)))
            button.setChecked(label == current)

    def _make_rows(self) -> None:
        for button in self.buttons.values():
            self._group.removeButton(button)
            self._rows.removeWidget(button)
            button.deleteLater()
        self.buttons.clear()
        for label in self._labels:
            button = QToolButton()
            button.setCheckable(True)
            button.setToolButtonStyle(_BESIDE)
            button.setStyleSheet(_STYLE)
            button.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setToolTip(f"Paint phase {label} into the strokes")
            button.clicked.connect(lambda _=False, label=label: self.chosen.emit(label))
            self._group.addButton(button)
            self._rows.addWidget(button)
            self.buttons[label] = button

    def _add(self) -> None:
        new = max(self._labels, default=0) + 1
        self.show_phases((*self._labels, new), {}, new)
        self.chosen.emit(new)


def _swatch(colour: Colour) -> QIcon:
    picture = QPixmap(_SWATCH_PX, _SWATCH_PX)
    picture.fill(QColor.fromRgbF(*colour))
    return QIcon(picture)
