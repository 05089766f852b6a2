"""Sweep: one slice with many values on a contact sheet, over the canvas; a click adopts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.model.errors import AlsctError, RecipeError
from alsct_gui.model.errors import CancelledError as WorkCancelledError
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.previewplan import is_scan
from alsct_gui.ui.reconstruct.sheet import ContactSheet, LargePicture, gray_image
from alsct_gui.ui.reconstruct.spanrow import SpanRow
from alsct_gui.ui.reconstruct.sweepplan import (
    Span,
    nearest,
    pictures_words,
    trouble,
    value_words,
)
from alsct_gui.ui.reconstruct.values import assignment, changed, short_sentence, value_at
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.parts import EmptyState, Panel, button, label

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Preview, Trial

_SMALL_PX, _LARGE_PX, _MANY = 192, 384, 40


class SweepPage(Panel):
    """Lies over the canvas while it is open; Esc closes it.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    over
        The widget that it covers.
    center_px
        Returns where the axis is, None while nobody knows.
    """

    _came = Signal(object, object)  # generation, Trial; from the desk's thread

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        over: QWidget, center_px: Callable[[], float | None],
    ) -> None:  # fmt: skip
        super().__init__("Sweep")
        self.setParent(over)
        self._session, self._tasks, self._desk, self._over = session, tasks, services.desk, over
        self._center_px = center_px
        self._task: asyncio.Task[Any] | None = None
        self._detail_task: asyncio.Task[Any] | None = None
        self._generation = 0
        self._spans: tuple[Span, ...] = ()
        self._grid: tuple[tuple[Any, ...], ...] = ()
        self._swept: tuple[Path, int, Recipe] | None = None
        self._trials: dict[int, Trial] = {}
        self._limits = (0.0, 1.0)
        self._nearest = 0
        self._make_parts()
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.selection_changed.connect(lambda _: self._clear())
        over.installEventFilter(self)
        book.bind("recon.sweep", self.present)
        self.renew_icons()
        self.hide()

    def _make_parts(self) -> None:
        self._closer = QToolButton()
        self._closer.setToolTip("Close (Esc)")
        self._closer.setAccessibleName("Close")
        self._closer.clicked.connect(self.put_away)
        self.header.addWidget(self._closer)
        self.first, self.second = SpanRow(optional=False), SpanRow(optional=True)
        form = QHBoxLayout()
        form.setSpacing(16)
        rows = QVBoxLayout()
        rows.setSpacing(8)
        rows.addWidget(self.first)
        rows.addWidget(self.second)
        form.addLayout(rows, 1)
        side = QVBoxLayout()
        side.setSpacing(8)
        self.start = button("Sweep", self.sweep, role="primary", tip="Makes the pictures")
        self.cancel = button("Cancel", self.stop, tip="Ends it; pictures that are made stay")
        self.start.setMinimumWidth(112)
        self.count = label("", "small")
        side.addWidget(self.start)
        side.addWidget(self.cancel)
        side.addWidget(self.count)
        side.addStretch(1)
        form.addLayout(side)
        self.column.addLayout(form)
        self.wrong = label("", "wrong", wrap=True)
        self.column.addWidget(self.wrong)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.column.addWidget(self.bar)
        self.sheet = ContactSheet()
        self.large = LargePicture()
        self.caption = label("", "value")
        self.hint = label("Double-click or Enter takes the values.", "small", wrap=True)
        self.adopt_button = button("Adopt", self.adopt, role="primary")
        self.adopt_button.setToolTip("Takes the values of the selected picture (Enter)")
        right = QWidget()
        beside = QVBoxLayout(right)
        beside.setContentsMargins(8, 0, 0, 0)
        beside.setSpacing(8)
        beside.addWidget(self.large, 1)
        beside.addWidget(self.caption)
        below = QHBoxLayout()
        below.addWidget(self.hint, 1)
        below.addWidget(self.adopt_button)
        beside.addLayout(below)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(2)
        self._split.addWidget(self.sheet)
        self._split.addWidget(right)
        self._split.setSizes([560, 400])
        self.empty = EmptyState(
            "No pictures yet",
            "Choose a parameter and its values. The slice of the present row is made with each.",
        )
        self.column.addWidget(self._split, 1)
        self.column.addWidget(self.empty, 1)
        for row in (self.first, self.second):
            row.changed.connect(self._judge)
        self.sheet.chosen.connect(self._show_large)
        self.sheet.taken.connect(lambda _: self.adopt())
        self._show_working(working=False)
        self._clear()

    # -- opening and closing -------------------------------------------------------------

    def present(self, path: str = "") -> None:
        """Open it; with a parameter already chosen when a path is given."""
        for row in (self.first, self.second):
            row.offer(self._session.recipe, self._center_px())
        if path:
            self.first.choose(path)
        self._judge()
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()
        (self.sheet if self._trials else self.first.combo).setFocus()

    def put_away(self) -> None:
        """Close it; what is being made is cancelled."""
        self.stop()
        self.hide()

    def renew_icons(self) -> None:
        """Draw in the theme's colours."""
        self._closer.setIcon(icon("close"))
        self.sheet.update()

    def close(self) -> bool:
        """Put away."""
        self._over.removeEventFilter(self)
        self.put_away()
        return super().close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    # -- what is asked for ---------------------------------------------------------------

    def _judge(self) -> tuple[Span, ...]:
        """Say what is wrong with what is asked for; returns it when nothing is."""
        try:
            found = [row.span() for row in (self.first, self.second)]
            spans = tuple(span for span in found if span is not None)
            words = trouble(self._session.recipe, spans)
        except RecipeError as error:
            spans, words = (), short_sentence(error)
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        self.count.setText("" if words else pictures_words(spans))
        self.start.setEnabled(not words and is_scan(self._session.look))
        return () if words else spans

    @property
    def pictures(self) -> int:
        """How many are made, or were."""
        return len(self._grid)

    def sweep(self) -> None:
        """Make the pictures."""
        spans, path = self._judge(), self._session.selected
        if not spans or path is None:
            return
        self._clear()
        self._spans = spans
        self._grid = tuple(product(*(span.values for span in spans)))
        self._swept = (path, self._session.row, self._session.recipe)
        self._nearest = nearest(self._grid, self._present())
        words = tuple(self._words(values) for values in self._grid)
        heads: tuple[tuple[str, ...], ...] = ((), ())
        if len(spans) == 2:
            down, across = spans
            heads = (
                tuple(f"{down.info.label}\n{value_words(down.info, v)}" for v in down.values),
                tuple(f"{across.info.label} {value_words(across.info, v)}" for v in across.values),
            )
        self.sheet.lay_out(words, *heads)
        self._split.show()
        self.empty.hide()
        self.sheet.setFocus()
        self._generation += 1
        self._task = self._tasks.start(
            self._make(self._generation), "Sweeping", instead_of=self._task
        )

    def _present(self) -> tuple[float, ...]:
        """The values as they are now."""
        recipe = self._session.recipe
        values = [value_at(recipe, span.info.path) for span in self._spans]
        return tuple(
            float(value) if value is not None else self._center_px() or 0.0 for value in values
        )

    def stop(self) -> None:
        """Cancel; pictures that are made stay."""
        self._generation += 1
        for task in (self._task, self._detail_task):
            if task is not None:
                task.cancel()
        self._task, self._detail_task = None, None
        self._session.busy("sweep", "")
        self._show_working(working=False)

    async def _make(self, generation: int) -> None:
        if self._swept is None:
            return
        path, row, recipe = self._swept
        self._show_working(working=True)
        self._session.busy("sweep", f"Sweeping {len(self._grid)} pictures")
        size_px = _SMALL_PX if len(self._grid) > _MANY else _LARGE_PX
        settings = [(span.info.path, list(span.values)) for span in self._spans]
        words = ""
        try:
            await answer_of(
                self._desk.sweep(
                    path, _ready(recipe, self._spans), settings, row, size_px,
                    lambda trial: self._came.emit(generation, trial),
                )
            )  # fmt: skip
        except WorkCancelledError:
            return
        except AlsctError as error:
            words = error.sentence
        finally:
            if generation == self._generation:
                self._session.busy("sweep", "")
                self._show_working(working=False)
        if generation == self._generation:
            self.wrong.setText(words)
            self.wrong.setVisible(bool(words))
            self._task = None
            self._show_large(self.sheet.current)

    def _show_working(self, *, working: bool) -> None:
        self.bar.setVisible(working)
        self.cancel.setVisible(working)
        self.start.setVisible(not working)
        self.bar.setMaximum(max(1, len(self._grid)))

    # -- pictures --------------------------------------------------------------------------

    def _clear(self) -> None:
        self.stop()
        self._trials, self._swept, self._grid = {}, None, ()
        self.sheet.lay_out(())
        self.large.show_image(None)
        self.caption.setText("")
        self.adopt_button.setEnabled(False)
        self._split.hide()
        self.empty.show()

    def _take(self, generation: int, trial: Trial) -> None:
        if generation != self._generation:
            return
        self.bar.setValue(trial.index + 1)
        if trial.error:
            self.sheet.put(trial.index, None, trial.error)
            return
        self._trials[trial.index] = trial
        self._share_greys()
        self.sheet.put(trial.index, gray_image(trial.image, *self._limits))
        if self.sheet.current < 0 and trial.index >= self._nearest:
            self.sheet.choose(trial.index)

    def _share_greys(self) -> None:
        """One black and one white for all; drawn anew when they move by a fair part."""
        lows = [trial.low for trial in self._trials.values()]
        highs = [trial.high for trial in self._trials.values()]
        low, high = float(np.median(lows)), float(np.median(highs))
        span = max(self._limits[1] - self._limits[0], 1e-12)
        if max(abs(low - self._limits[0]), abs(high - self._limits[1])) > 0.05 * span:
            self._limits = (low, high)
            for index in list(self.sheet.images):
                self.sheet.put(index, gray_image(self._trials[index].image, low, high))

    def _words(self, values: tuple[Any, ...]) -> str:
        return ", ".join(
            value_words(span.info, value) for span, value in zip(self._spans, values, strict=True)
        )

    def _show_large(self, index: int) -> None:
        trial = self._trials.get(index)
        self.adopt_button.setEnabled(trial is not None)
        if trial is None or self._swept is None:
            return
        told = ", ".join(
            f"{span.info.label} {value_words(span.info, value)}"
            for span, value in zip(self._spans, trial.values, strict=True)
        )
        self.caption.setText(told)
        self.large.show_image(self.sheet.images[index])
        if self._task is None:
            self._detail_task = self._tasks.start(
                self._detail(index, self._generation), "Making the picture whole",
                instead_of=self._detail_task,
            )  # fmt: skip

    async def _detail(self, index: int, generation: int) -> None:
        """Show the selected picture at its full size, in the sheet's greys."""
        if self._swept is None:
            return
        path, row, recipe = self._swept
        for span, value in zip(self._spans, self._trials[index].values, strict=True):
            recipe = changed(recipe, span.info, value)
        preview: Preview = await answer_of(
            self._desk.preview(path, recipe, row, channel="sweep-detail")
        )
        if generation == self._generation and index == self.sheet.current:
            self.large.show_image(gray_image(preview.image, *self._limits))

    def adopt(self) -> None:
        """Take the values of the selected picture and close."""
        trial = self._trials.get(self.sheet.current)
        if trial is None:
            return
        for span, value in zip(self._spans, trial.values, strict=True):
            path, plain = assignment(self._session.recipe, span.info, value)
            self._session.set_setting(path, plain, touch="sweep")
        self._session.settle_recipe()
        self._session.set_mode(Mode.PREVIEW)
        self.put_away()


def _ready(recipe: Recipe, spans: tuple[Span, ...]) -> Recipe:
    """The recipe such that every value of a sweep takes hold: a swept centre is a given one."""
    for span in spans:
        if span.info.path == "center.center_px":
            recipe = changed(recipe, span.info, span.start)
    return recipe
