"""Rows of the classifier's widget: what is looked at, and the model that is kept."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, Choice, label

_SHOWN = {"phases": "phases", "doubt": "uncertainty"}


class LookBar(QWidget):
    """The preview, what it shows, and the way to where the model is torn."""

    shown = Signal(str)
    """``phases`` or ``doubt``."""

    def __init__(self) -> None:
        super().__init__()
        self.preview, self.choice = QCheckBox("Preview"), Choice()
        self.preview.setToolTip("The slice you look at, made anew with every stroke")
        self.choice.setAccessibleName("Shown")
        for value, words in _SHOWN.items():
            self.choice.addItem(words, value)
        # As wide for one as for the other: the widget must not grow with what is chosen.
        self.choice.setMinimumContentsLength(max(map(len, _SHOWN.values())))
        self.words = label("", faint=True)
        self.next = QPushButton("Next doubtful place")
        self.next.setToolTip("Rings show where a stroke teaches most; go to the next one")
        self.search = QPushButton("Doubtful slice")
        self.search.setToolTip("Look for a slice where the model is torn most")
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.preview)
        first.addWidget(self.choice)
        first.addWidget(self.words, 1, Qt.AlignmentFlag.AlignRight)
        second.addWidget(self.next, 1)
        second.addWidget(self.search, 1)
        _stack(self, first, second)
        self.choice.currentIndexChanged.connect(
            lambda _: self.shown.emit(self.choice.currentData())
        )

    def set_ready(self, ready: bool) -> None:
        """Say whether enough is marked to look."""
        for widget in (self.preview, self.choice, self.next, self.search):
            widget.setEnabled(ready)


class ModelBar(QWidget):
    """Models that were saved, and saving."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.save = QPushButton("Open a model…"), QPushButton("Save…")
        self.open.setToolTip("Go on with what was learnt on another volume")
        self.save.setToolTip("Save what was learnt, for other volumes and time steps")
        self.earlier = label("", wrap=True, faint=True)
        row = QHBoxLayout()
        row.addWidget(self.open, 1)
        row.addWidget(self.save, 1)
        _stack(self, row).addWidget(self.earlier)
        self.show_earlier(None)

    def show_earlier(self, path: Path | None) -> None:
        """Say which model is gone on with."""
        self.earlier.setText(f"Goes on with {path.name}; its features are taken." if path else "")
        self.earlier.setVisible(path is not None)


def _stack(widget: QWidget, *rows: QHBoxLayout) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP_PX)
    for row in rows:
        column.addLayout(row)
    return column
