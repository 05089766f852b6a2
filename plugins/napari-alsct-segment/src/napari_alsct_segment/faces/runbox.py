"""A step run beside the window: where to, begin, how far, stop."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, name_label
from alsct_gui.face.words import progress_words
from alsct_gui.face.work import Backstage, Work
from alsct_gui.model.errors import AlsctError
from alsct_gui.steps.jobs import JobView, StepRequest


class RunBox(QWidget):
    """An output, a button, a bar.

    Parameters
    ----------
    text
        Of the button: a verb and what is done.
    backstage
        Where the process lives.
    """

    asked = Signal()
    """Somebody wants it to begin."""
    said = Signal(str)
    ended = Signal(object)
    """The `JobView` that it ended with."""

    def __init__(self, text: str, backstage: Backstage) -> None:
        super().__init__()
        self._work = Work(backstage, self)
        self._ready = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self.output = QLineEdit()
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(name_label("Output", self.output))
        row.addWidget(self.output, 1)
        column.addLayout(row)
        self.run, self.stop = QPushButton(text), QPushButton("Cancel")
        self.stop.hide()
        row = QHBoxLayout()
        row.addWidget(self.run, 1)
        row.addWidget(self.stop, 1)
        column.addLayout(row)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        column.addWidget(self.bar)
        self.run.clicked.connect(lambda _=False: self.asked.emit())
        self.stop.clicked.connect(self.cancel)
        self._work.changed.connect(self._followed)

    @property
    def running(self) -> bool:
        """Whether a step is at work."""
        return self._work.running

    def named(self) -> Path | None:
        """Return the output that a person has named; None for none."""
        text = self.output.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def set_ready(self, ready: bool) -> None:
        """Say whether it could begin."""
        self._ready = ready
        self.run.setEnabled(ready and not self.running)

    def prepare(self) -> None:
        """Show that it is about to begin."""
        self.run.setEnabled(False)

    def start(self, request: StepRequest) -> None:
        """Begin.

        Raises
        ------
        AlsctError
            The process cannot be started.
        """
        try:
            self._work.start(request)
        except AlsctError:
            self.rest()
            raise
        self.run.hide()
        self.stop.setEnabled(True)
        self.stop.show()
        self.bar.setRange(0, 0)
        self.bar.show()

    def cancel(self) -> None:
        """Stop it."""
        self._work.cancel()
        self.said.emit("Stops…")
        self.stop.setEnabled(False)

    def rest(self) -> None:
        """Show that nothing is at work."""
        self.stop.hide()
        self.bar.hide()
        self.run.show()
        self.run.setEnabled(self._ready)

    def _followed(self, view: JobView) -> None:
        if view.ended:
            self.rest()
            self.ended.emit(view)
        elif view.progress is not None:
            self.bar.setRange(0, max(1, view.progress.total))
            self.bar.setValue(view.progress.done)
            self.said.emit(progress_words(view.progress))


def of_view(view: JobView) -> tuple[str, str]:
    """Return what a job's end is in words: what is said, and what was wrong."""
    if view.error is not None:
        return "", view.error.sentence
    return ("Cancelled; nothing is left of it." if view.state == "cancelled" else ""), ""
