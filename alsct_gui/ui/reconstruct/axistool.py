"""The axis: its value, what each method finds, a slider with live preview, the overlay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import AlsctError, RecipeError
from alsct_gui.model.errors import CancelledError as WorkCancelledError
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.axiswords import (
    CONVENTION,
    METHODS,
    REACH_PX,
    STEP_PX,
    SearchedWith,
    axis_view,
    nudged,
    searched_with,
    slider_steps,
)
from alsct_gui.ui.reconstruct.editors import ValueEdit
from alsct_gui.ui.reconstruct.estimaterow import EstimateRow
from alsct_gui.ui.reconstruct.fields import field
from alsct_gui.ui.reconstruct.preview import PreviewMaker
from alsct_gui.ui.reconstruct.previewplan import is_scan
from alsct_gui.ui.reconstruct.values import changed, manual_center, parse, short_sentence
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, button, label, set_role, set_state

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Centers

_KEPT = 64
_INFO = field("center.center_px")


class AxisTool(QWidget):
    """Finds the axis once for each scan, by every method, and lets a person choose.

    A centre belongs to its scan: what a person gave is kept for it while the program runs, and
    another scan starts with its own.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    maker
        Makes the slices; it is told while the slider is held.
    """

    _came = Signal(object, object)  # generation, CenterEstimate; from the desk's thread

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        maker: PreviewMaker,
    ) -> None:  # fmt: skip
        super().__init__()
        self._session, self._tasks, self._desk, self._book = session, tasks, services.desk, book
        self._maker = maker
        self._task: asyncio.Task[Any] | None = None
        self._generation = 0
        self._trouble = ""
        self._base_px = 0.0
        self._path = session.selected
        self._found: dict[Path, CenterResult] = {}
        self._given: dict[Path, float] = {}
        self._found_with: dict[Path, SearchedWith] = {}
        maker.found_center = self._found_px
        self._make_parts()
        self._came.connect(self._take_estimate, Qt.ConnectionType.QueuedConnection)
        session.selection_changed.connect(self._selected)
        session.look_changed.connect(self._looked)
        session.recipe_changed.connect(lambda _: self._draw())
        session.preview_changed.connect(lambda _: self._draw())
        book.bind("recon.center", self.find_again)
        for key, by_px in (
            ("recon.axis_left", -0.25), ("recon.axis_right", 0.25),
            ("recon.axis_far_left", -1.0), ("recon.axis_far_right", 1.0),
        ):  # fmt: skip
            book.bind(key, lambda by_px=by_px: self.nudge(by_px))
        book["recon.overlay"].toggled.connect(self._overlay)
        self.renew_icons()
        self._draw()

    def _make_parts(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        name = label("Centre", "faint")
        name.setFixedWidth(48)
        self.edit = ValueEdit()
        self.edit.setFont(digits_font(self.edit.font()))
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setMinimumWidth(72)
        self.edit.setToolTip(CONVENTION)
        self.edit.setAccessibleName("Centre")
        self.spread = label("", "value")
        self.spread.setToolTip("Half of the distance between the methods that are sure, in px")
        self.auto = QToolButton()
        self.auto.setText("Auto")
        self.auto.setCheckable(True)
        self.auto.setToolTip("Takes what the methods find, also in the run")
        for part, stretch in (
            (name, 0), (self.edit, 1), (label("px", "faint"), 0), (self.spread, 0), (self.auto, 0),
        ):  # fmt: skip
            row.addWidget(part, stretch)
        column.addLayout(row)
        self.wrong = label("", "wrong", wrap=True)
        column.addWidget(self.wrong)
        self.rows = {method: EstimateRow(method) for method in METHODS}
        for found in self.rows.values():
            found.clicked.connect(lambda _=False, found=found: self._adopt_row(found))
            column.addWidget(found)
        self.slider = AxisSlider()
        column.addWidget(self.slider)
        ends = QGridLayout()
        ends.setContentsMargins(0, 0, 0, 0)
        self._low, self._middle, self._high = (label("", "small") for _ in range(3))
        for place, (part, side) in enumerate(
            ((self._low, Qt.AlignmentFlag.AlignLeft), (self._middle, Qt.AlignmentFlag.AlignHCenter),
             (self._high, Qt.AlignmentFlag.AlignRight))
        ):  # fmt: skip
            part.setFont(digits_font(part.font()))
            ends.addWidget(part, 0, place, side)
            ends.setColumnStretch(place, 1)
        column.addLayout(ends)
        self.words = label("", "small", wrap=True)
        column.addWidget(self.words)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.again = button(
            "Find again", self.find_again, tip="Runs every method around the present row (C)"
        )
        action = self._book["recon.overlay"]
        self.overlay = button("Overlay 0/180", action.trigger, tip=action.toolTip())
        self.overlay.setCheckable(True)
        action.toggled.connect(self.overlay.setChecked)
        action.enabledChanged.connect(self.overlay.setEnabled)
        self.overlay.setEnabled(action.isEnabled())
        row.addWidget(self.again, 1)
        row.addWidget(self.overlay, 1)
        column.addLayout(row)
        self.edit.taken.connect(self._typed)
        self.edit.dropped.connect(self._untype)
        self.edit.stepped.connect(lambda steps: self.nudge(steps * STEP_PX))
        self.edit.left.connect(self._session.settle_recipe)
        self.auto.clicked.connect(self._set_auto)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderPressed.connect(lambda: self._maker.drag(True))
        self.slider.sliderReleased.connect(self._released)

    # -- what is known -----------------------------------------------------------------

    @property
    def result(self) -> CenterResult | None:
        """What the methods found for the selection."""
        return self._found.get(self._path) if self._path is not None else None

    @property
    def center_px(self) -> float | None:
        """The axis as it is used now."""
        return self._view().center_px

    def find_again(self) -> None:
        """Run every method around the present row."""
        if is_scan(self._session.look):
            self._find(self._session.row)

    def nudge(self, by_px: float) -> None:
        """Move the axis."""
        center_px = self.center_px
        if center_px is not None:
            self._set(nudged(center_px, by_px))

    def adopt(self, center_px: float) -> None:
        """Take a value."""
        self._set(center_px)
        self._session.settle_recipe()

    def renew_icons(self) -> None:
        """Draw in the theme's colours."""
        self.again.setIcon(icon("center"))
        self.overlay.setIcon(icon("overlay"))
        for row in self.rows.values():
            row.update()

    def close(self) -> bool:
        """Look no more."""
        self._generation += 1
        if self._task is not None:
            self._task.cancel()
        return super().close()

    # -- the selection -----------------------------------------------------------------

    def _selected(self, path: Path | None) -> None:
        """Keep the old scan's centre with it, and take the new one's."""
        center = self._session.recipe.center
        if self._path is not None:
            self._given.pop(self._path, None)
            if center.method == "manual" and center.center_px is not None:
                self._given[self._path] = center.center_px
        self._path, self._trouble = path, ""
        self._stop()
        for row in self.rows.values():
            row.take(None)
        known = self._given.get(path) if path is not None else None
        if known is not None:
            self._session.set_setting("center", manual_center(self._session.recipe, known))
        elif center.method == "manual":
            self._session.set_setting("center", {"search_px": center.search_px})
        self._session.settle_recipe()
        self._base_px = 0.0
        self._draw()

    def _looked(self, _: object) -> None:
        if is_scan(self._session.look):
            if self.result is not None:
                self._take_result(self.result)
            elif self._task is None:
                self._find(None)
        self._draw()

    # -- finding -----------------------------------------------------------------------

    def _find(self, row: int | None) -> None:
        if self._path is None:
            return
        self._generation += 1
        self._trouble = ""
        for part in self.rows.values():
            part.take(None, waiting=True)
        self._task = self._tasks.start(
            self._ask(self._path, row, self._generation), "Finding the axis", instead_of=self._task
        )
        self._draw()

    async def _ask(self, path: Path, row: int | None, generation: int) -> None:
        self._session.busy("centers", "Looking for the rotation axis")
        found: Centers | None = None
        recipe = self._session.recipe
        try:
            found = await answer_of(
                self._desk.centers(
                    path, recipe, row,
                    on_estimate=lambda item: self._came.emit(generation, item),
                )
            )  # fmt: skip
        except WorkCancelledError:
            pass
        except AlsctError as error:
            if generation == self._generation:
                self._trouble = error.sentence
        finally:
            if generation == self._generation:
                self._session.busy("centers", "")
                self._task = None
        if generation != self._generation:
            return
        for part in self.rows.values():
            part.take(part.estimate)
        if found is not None:
            self._found[path] = found.result
            self._found_with[path] = searched_with(recipe)
            if row is not None and recipe.center.method != "manual":
                # Found around a row alone: the run is to take this very value.
                self.adopt(found.result.center_px)
            while len(self._found) > _KEPT:
                oldest = next(iter(self._found))
                del self._found[oldest], self._found_with[oldest]
            self._take_result(found.result)
            self._maker.refresh()
        self._draw()

    def _found_px(self) -> float | None:
        """The axis that was found, unless what the search depends on has changed since."""
        result = self.result
        if result is None or self._path is None:
            return None
        if self._found_with[self._path] != searched_with(self._session.recipe):
            return None
        return round(result.center_px, 2)

    def _take_estimate(self, generation: int, estimate: CenterEstimate) -> None:
        if generation == self._generation and estimate.method in self.rows:
            self.rows[estimate.method].take(estimate)

    def _take_result(self, result: CenterResult) -> None:
        by_method = {item.method: item for item in result.estimates}
        for method, row in self.rows.items():
            row.take(by_method.get(method))
        if not self.slider.isSliderDown():
            self._base_px = 0.0

    def _stop(self) -> None:
        self._generation += 1
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._session.busy("centers", "")

    # -- changing ----------------------------------------------------------------------

    def _set(self, center_px: float) -> None:
        self._session.set_setting(
            "center", manual_center(self._session.recipe, center_px), touch="center"
        )
        if self._session.mode is not Mode.SINOGRAM and not self._book["recon.overlay"].isChecked():
            self._session.set_mode(Mode.PREVIEW)

    def _adopt_row(self, row: EstimateRow) -> None:
        if row.estimate is not None:
            self.adopt(row.estimate.center_px)

    def _typed(self) -> None:
        if not self.edit.isModified():
            return
        try:
            value = parse(_INFO, self.edit.text())
            if value is None:
                self._set_auto(True)
            else:
                changed(self._session.recipe, _INFO, value)
                self.adopt(value)
        except RecipeError as error:
            self._mark(short_sentence(error))
            return
        self._untype()

    def _untype(self) -> None:
        self.edit.setModified(False)
        self._mark("")
        self._draw()

    def _mark(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        set_state(self.edit, "state", "wrong" if words else "")

    def _set_auto(self, on: bool) -> None:
        center = self._session.recipe.center
        if on:
            self._session.set_setting("center", {"search_px": center.search_px}, touch="center")
        elif self.center_px is not None:
            self._set(self.center_px)
        self._session.settle_recipe()
        self._draw()

    def _slid(self, steps: int) -> None:
        self._set(round(self._base_px + steps * STEP_PX, 2))
        if not self.slider.isSliderDown():
            self._session.settle_recipe()

    def _released(self) -> None:
        self._maker.drag(False)
        self._session.settle_recipe()

    def _overlay(self, on: bool) -> None:
        if on:
            self._session.set_mode(Mode.PROJECTIONS)

    # -- drawing -----------------------------------------------------------------------

    def _view(self) -> Any:
        preview = self._session.preview
        return axis_view(
            self._session.recipe, self.result, None if preview is None else preview.center_px,
            searching=self._task is not None, trouble=self._trouble,
        )  # fmt: skip

    def _draw(self) -> None:
        view = self._view()
        has_scan = is_scan(self._session.look)
        known = view.center_px is not None and has_scan
        if not self.edit.isModified():
            self.edit.setText(f"{view.center_px:.2f}" if known else "")
            self.edit.setModified(False)
            self._mark("")
        self.edit.setPlaceholderText("looking …" if self._task is not None else "–")
        self.spread.setText(view.spread)
        self.spread.setVisible(bool(view.spread))
        for part in (self.edit, self.auto, self.again, *self.rows.values()):
            part.setEnabled(has_scan)
        with QSignalBlocker(self.auto):
            self.auto.setChecked(view.source != "given")
        self.words.setText(view.sentence if has_scan else "")
        self.words.setVisible(bool(view.sentence) and has_scan)
        set_role(self.words, "caution" if view.warns else "small")
        for row in self.rows.values():
            row.set_current(known and row.holds(view.center_px))
        self._draw_slider(view.center_px if known else None)

    def _draw_slider(self, center_px: float | None) -> None:
        self.slider.setEnabled(center_px is not None)
        texts = ("", "", "")
        if center_px is not None:
            if not self.slider.isSliderDown() and not self._within(center_px):
                found = self.result.center_px if self.result is not None else center_px
                near = abs(found - center_px) < REACH_PX
                self._base_px = round((found if near else center_px) / STEP_PX) * STEP_PX
            with QSignalBlocker(self.slider):
                self.slider.setValue(slider_steps(center_px, self._base_px))
            middle = self._base_px
            texts = (f"{middle - REACH_PX:g}", f"{middle:g}", f"{middle + REACH_PX:g}")
        for part, text in zip((self._low, self._middle, self._high), texts, strict=True):
            part.setText(text)

    def _within(self, center_px: float) -> bool:
        return self._base_px > 0 and abs(center_px - self._base_px) <= REACH_PX


class AxisSlider(QSlider):
    """A slider about the middle; a click on it goes there; the wheel leaves it alone."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        most = round(REACH_PX / STEP_PX)
        self.setRange(-most, most)
        self.setSingleStep(1)
        self.setPageStep(4)
        self.setToolTip(
            f"Moves the axis by up to {REACH_PX:.0f} px, in steps of {STEP_PX:g} px ([ and ])"
        )
        self.setAccessibleName("Centre")

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
