"""The last lines of a widget that starts long work: a button, how far it is, how it ended."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, colour_wrong, label
from alsct_gui.face.words import progress_words
from alsct_gui.model.progress import Progress


class RunRow(QWidget):
    """Run or Cancel, a bar, a sentence on what happens, one on what is wrong."""

    run = Signal()
    cancel = Signal()

    def __init__(self, theme: str, verb: str = "Run") -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        row = QHBoxLayout()
        self.run_button, self.cancel_button = QPushButton(verb), QPushButton("Cancel")
        self.cancel_button.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.status, self.wrong = label("", wrap=True), label("", wrap=True)
        colour_wrong(self.wrong, theme)
        for words in (self.status, self.wrong):
            words.hide()
        row.addWidget(self.run_button, 1)
        row.addWidget(self.cancel_button, 1)
        column.addLayout(row)
        for widget in (self.bar, self.status, self.wrong):
            column.addWidget(widget)
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self._cancelled)

    def started(self) -> None:
        """The work has begun."""
        self.complain("")
        self.say("Starts…")
        self.run_button.hide()
        self.cancel_button.setEnabled(True)
        self.cancel_button.show()
        self.bar.setRange(0, 0)
        self.bar.show()

    def show_progress(self, step: Progress) -> None:
        """Say how far it is."""
        self.bar.setRange(0, max(1, step.total))
        self.bar.setValue(step.done)
        if self.cancel_button.isEnabled():
            self.say(progress_words(step))

    def ended(self) -> None:
        """The work is over."""
        self.cancel_button.hide()
        self.bar.hide()
        self.run_button.show()

    def say(self, words: str) -> None:
        """Say what happens; empty words for nothing."""
        self.status.setText(words)
        self.status.setVisible(bool(words))

    def complain(self, words: str) -> None:
        """Say what is wrong; empty words for nothing."""
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))

    def _cancelled(self) -> None:
        self.say("Stops…")
        self.cancel_button.setEnabled(False)
        self.cancel.emit()
