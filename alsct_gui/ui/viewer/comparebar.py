"""What one compares with, below the canvas: names, slider, layouts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QToolButton, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.viewer.bars import Choice, Counter
from alsct_gui.ui.viewer.mode import bar_row
from alsct_gui.ui.widgets.parts import ElidedCombo, ElidedLabel, Reading, label, set_role

LAYOUTS = (
    ("side", "Side by side", "Both, with one view"),
    ("blink", "Blink", "One over the other; Space or B changes between them"),
    ("difference", "Difference", "First less second; orange is more, blue is less"),
)
CHOOSE = "Choose…"
BLINK_MS = 1000
_LETTER_PX = 12


def short_name(path: Path) -> str:
    """Return what a volume is called where there is little room."""
    return path.name.removesuffix(".zarr")


class SecondChoice(ElidedCombo):
    """Which volume is the second."""

    chosen = Signal(object)
    """Path."""
    more_wanted = Signal()
    """A person wants another one than those in the list."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Second volume")
        self.setToolTip("Second volume: lately opened ones, finished runs, or any other")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(96)
        self._current: Path | None = None
        self.activated.connect(self._choose)
        self.fill((), None)

    def ask(self, folder: str) -> None:
        """Let a person choose a folder, beginning at one."""
        dialog = QFileDialog(self.window(), "Second volume", folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Compare")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.chosen.emit(Path(name)))
        dialog.open()

    def fill(self, paths: Sequence[Path], current: Path | None) -> None:
        """List volumes; the one that is shown is always among them."""
        self._current = current
        listed = [*paths, *([current] if current is not None and current not in paths else [])]
        with QSignalBlocker(self):
            self.clear()
            self.setPlaceholderText("Second volume…")
            for path in listed:
                self.addItem(short_name(path), path)
                self.setItemData(self.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
            self.addItem(CHOOSE, None)
            self.setCurrentIndex(listed.index(current) if current is not None else -1)

    def _choose(self, index: int) -> None:
        path = self.itemData(index)
        if path is not None:
            self._current = path
            self.chosen.emit(path)
            return
        with QSignalBlocker(self):
            self.setCurrentIndex(-1 if self._current is None else self.findData(self._current))
        self.more_wanted.emit()


class CompareBar(QWidget):
    """Names of both, slider and layouts in one row: the picture needs the height."""

    blinked = Signal()
    """It is time to show the other one, while they change by themselves."""

    def __init__(self, book: ActionBook) -> None:
        super().__init__()
        row = bar_row(self)
        self.first = ElidedLabel("")
        self.second = SecondChoice()
        self.letters = (label("A", "faint"), label("B", "faint"))
        for letter in self.letters:
            letter.setMinimumWidth(_LETTER_PX)
        self.counter = Counter("slice", "Slice that is compared (arrow keys, Ctrl+wheel)")
        self.place = Reading()
        self.place.setToolTip("Numbers of the slices in the first and the second volume")
        self.auto = QToolButton()
        self.auto.setText("Auto")
        self.auto.setCheckable(True)
        self.auto.setToolTip("Changes between the two by itself, once a second")
        self.auto.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._timer = QTimer(self, interval=BLINK_MS)
        self._timer.timeout.connect(self.blinked)
        self.auto.toggled.connect(lambda on: self._timer.start() if on else self._timer.stop())
        self.blink = book.button("compare.blink")
        self.layouts = Choice(LAYOUTS)
        row.addWidget(self.letters[0])
        row.addWidget(self.first, 3)
        row.addWidget(book.button("compare.swap"))
        row.addWidget(self.letters[1])
        row.addWidget(self.second, 4)
        row.addWidget(self.counter, 2)
        for part in (self.place, self.blink, self.auto, self.layouts):
            row.addWidget(part)
        self.show_layout("side")

    def show_layout(self, key: str) -> None:
        """Show what belongs to a layout."""
        self.layouts.set_key(key)
        self.auto.setVisible(key == "blink")
        self.blink.setVisible(key == "blink")
        self.mark(None)

    def name_first(self, path: Path | None) -> None:
        """Say which volume is the first; None for none."""
        self.first.set_text(short_name(path) if path is not None else "")
        self.first.setToolTip(str(path or ""))

    def mark(self, seen: int | None) -> None:
        """Mark which of the two is seen; None for both."""
        for number, letter in enumerate(self.letters):
            letter.setText(("▸ " if seen == number else "") + "AB"[number])
            set_role(letter, "" if seen == number else "faint")
