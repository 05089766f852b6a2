"""A window beside the main one that saves films: what, how large, how far it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.files.movie import AXES, MovieSpec, film_encoder
from alsct_gui.model.progress import Progress
from alsct_gui.recon.movie.client import MovieMaker
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.saving import ask_where, suggested_path
from alsct_gui.ui.look.sight import Sight
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks, answer_of, sentence_of
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX, Rows, button, label, padded
from alsct_gui.ui.words import count_words, duration_words

_FILM, _PICTURES = "film (mp4)", "pictures (PNG)"
NO_ENCODER = (
    "Films need ffmpeg, or the package opencv-python-headless; neither is installed here. "
    "Pictures can be saved at any time."
)
_AXIS_WORDS = {"slices": "slices", "y": "cuts along y", "x": "cuts along x"}
_TICK_MS = 100


class MovieDialog(QDialog):
    """Not modal; the film goes on while it is folded away.

    Parameters
    ----------
    session, tasks, sight, book
        As every panel gets them; the command for films is bound here.
    owner
        Window it belongs to.
    """

    def __init__(
        self, session: Session, tasks: Tasks, sight: Sight, book: ActionBook, owner: QWidget
    ) -> None:
        super().__init__(owner)
        self._session, self._tasks, self._sight = session, tasks, sight
        self._maker: MovieMaker | None = None
        self._task: asyncio.Task[str] | None = None
        self._heard: Progress | None = None
        self._shape: tuple[int, ...] = ()
        self.dialog: QFileDialog | None = None
        self.setWindowTitle("Save movie")
        self.setModal(False)
        self.setMinimumWidth(400)
        self._build()
        # Progress comes in another thread, once a frame: it is looked at ten times a second.
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        book.bind("look.movie", self.present)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(GAP_PX)
        self.kind, self.axis = QComboBox(), QComboBox()
        self.kind.addItems([_FILM, _PICTURES])
        for axis in AXES:
            self.axis.addItem(_AXIS_WORDS[axis], axis)
        self.axis.currentIndexChanged.connect(lambda _: self._fit_range())
        self.first, self.last = _spin(0, 0, 0), _spin(0, 0, 0)
        self.step, self.rate = _spin(1, 1000, 1), _spin(1, 120, 20)
        self.size_px = _spin(16, 8192, 1080)
        self.rows = rows = Rows()
        rows.add("Format", self.kind, tip="A film, or numbered pictures in a folder")
        rows.add("Through", self.axis, tip="Axis of the volume that the film goes along")
        rows.add("From", self.first, tip="First plane, counted from 0")
        rows.add("To", self.last, tip="Last plane, included")
        rows.add("Step", self.step, tip="Every how many planes one is shown")
        rows.add("Speed", self.rate, "per second", "Frames per second")
        rows.add("Size", self.size_px, "px", "Longer edge of a frame at most, in pixels")
        for field in (self.first, self.last, self.step, self.rate):
            field.valueChanged.connect(lambda _: self._say_length())
        column.addWidget(rows)
        self.words = label("", "faint", wrap=True)
        column.addWidget(self.words)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setVisible(False)
        column.addWidget(self.bar)
        row = QHBoxLayout()
        row.addStretch(1)
        self.stop = button("Cancel", self.cancel, tip="Ends it; nothing is left of it")
        self.save = button("Save…", self._ask, role="primary", tip="Asks where to save it")
        row.addWidget(self.stop)
        row.addWidget(self.save)
        column.addLayout(row)

    # -- what others use ---------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a film is being made."""
        return self._task is not None and not self._task.done()

    def present(self) -> None:
        """Show the window for the volume that is open."""
        if not self.running and self._session.volume is not None:
            self._heard = None
            self._tasks.start(self._look(self._session.volume), "Looking at the volume")
        self._settle()
        self.show()
        self.raise_()

    def start(self, output: Path, *, overwrite: bool = True) -> None:
        """Make the film as it is set; the dialog has asked whether to overwrite."""
        volume, picture = self._session.volume, self._sight.picture
        if volume is None or picture is None or self.running:
            return
        spec = MovieSpec(
            str(volume), str(output), picture.low, picture.high, self.axis.currentData(),
            self.first.value(), self.last.value(), self.step.value(), self.rate.value(),
            self.size_px.value(), overwrite,
        )  # fmt: skip
        self._heard = None
        self._settle(running=True)
        self._timer.start()
        self._task = self._tasks.start(self._make(spec), "Saving the movie")
        self._task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """End the film that is made, or fold the window away."""
        if self.running and self._task is not None:
            self._task.cancel()
        else:
            self.hide()

    def close(self) -> bool:
        """Put away."""
        self._timer.stop()
        if self._maker is not None:
            self._maker.close()
            self._maker = None
        return super().close()

    def renew_icons(self) -> None:
        """No icons."""

    # -- what happens ------------------------------------------------------------------

    async def _look(self, volume: Path) -> None:
        from alsct_gui.files.volumes import open_volume

        def shape() -> tuple[int, ...]:
            with open_volume(volume) as opened:
                return opened.shape

        self._shape = await asyncio.to_thread(shape)
        self._fit_range()

    async def _make(self, spec: MovieSpec) -> str:
        if self._maker is None:
            self._maker = MovieMaker()
        await answer_of(self._maker.make(spec, self._hear))
        return f"The movie is in {spec.output}."

    def _ended(self, task: asyncio.Task[str]) -> None:
        """Say how it ended; a task that was cancelled may never have begun."""
        self._timer.stop()
        self._settle(running=False)
        if task.cancelled():
            self.words.setText("Cancelled; nothing is left of it.")
        elif (error := task.exception()) is not None:
            self.words.setText(sentence_of(error) if isinstance(error, Exception) else str(error))
        else:
            self.words.setText(task.result())
            self._session.notice(Notice(Level.DONE, task.result(), key="look.saved"))

    def _hear(self, progress: Progress) -> None:
        """Keep the newest; in the thread that reads the process."""
        self._heard = progress

    def _tick(self) -> None:
        heard = self._heard
        if heard is None:
            return
        self.bar.setRange(0, heard.total)
        self.bar.setValue(heard.done)
        left = "" if heard.eta_s is None else f", {duration_words(heard.eta_s)} left"
        self.words.setText(f"Frame {heard.done} of {heard.total}{left}")

    def _fit_range(self) -> None:
        if self._shape:
            last = self._shape[AXES.index(self.axis.currentData())] - 1
            for field in (self.first, self.last):
                field.setMaximum(last)
            self.first.setValue(0)
            self.last.setValue(last)

    def _say_length(self) -> None:
        frames = len(range(self.first.value(), self.last.value() + 1, self.step.value()))
        seconds = frames / self.rate.value()
        self.words.setText(f"{count_words(frames, 'frame')}, {seconds:.1f} s, contrast as seen")
        self.save.setEnabled(frames > 0 and not self.running)

    def _settle(self, running: bool | None = None) -> None:
        busy = self.running if running is None else running
        self.rows.setEnabled(not busy)
        self.save.setEnabled(not busy)
        self.bar.setVisible(busy)
        self.stop.setText("Cancel" if busy else "Close")
        if busy:
            self.words.setText("Reading the volume")
            return
        films = film_encoder() is not None
        self.kind.model().item(0).setEnabled(films)  # type: ignore[attr-defined]
        if films:
            self._say_length()
        else:
            self.kind.setCurrentText(_PICTURES)
            self.words.setText(NO_ENCODER)

    def _ask(self) -> None:
        suffix = ".mp4" if self.kind.currentText() == _FILM else ".frames"
        filters = "Film (*.mp4)" if suffix == ".mp4" else "Folder of pictures (*.frames)"
        path = suggested_path(self._session.volume, self.axis.currentText(), suffix)
        self.dialog = ask_where(self, "Save movie", path, filters, self.start)


def _spin(low: int, high: int, value: int) -> QSpinBox:
    field = padded(QSpinBox())
    field.setRange(low, high)
    field.setValue(value)
    return field
