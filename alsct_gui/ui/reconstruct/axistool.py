"""The axis: finding it by every method, taking what a person gives, keeping it with its scan."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import AlsctError, RecipeError
from alsct_gui.model.errors import CancelledError as WorkCancelledError
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.axisface import AxisFace
from alsct_gui.ui.reconstruct.axiswords import (
    STEP_PX,
    SearchedWith,
    axis_view,
    nudged,
    searched_with,
)
from alsct_gui.ui.reconstruct.estimaterow import EstimateRow
from alsct_gui.ui.reconstruct.fields import field
from alsct_gui.ui.reconstruct.preview import PreviewMaker
from alsct_gui.ui.reconstruct.previewplan import is_scan
from alsct_gui.ui.reconstruct.values import changed, manual_center, parse, short_sentence
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks, answer_of

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Centers

_KEPT = 64
_INFO = field("center.center_px")


class AxisTool(AxisFace):
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
        super().__init__(book, self.find_again)
        self._session, self._tasks, self._desk, self._book = session, tasks, services.desk, book
        self._maker = maker
        self._task: asyncio.Task[Any] | None = None
        self._generation = 0
        self._trouble = ""
        self._path = session.selected
        self._found: dict[Path, CenterResult] = {}
        self._given: dict[Path, float] = {}
        self._found_with: dict[Path, SearchedWith] = {}
        maker.found_center = self._found_px
        for found in self.rows.values():
            found.clicked.connect(lambda _=False, found=found: self._adopt_row(found))
        self.edit.taken.connect(self._typed)
        self.edit.dropped.connect(self._untype)
        self.edit.stepped.connect(lambda steps: self.nudge(steps * STEP_PX))
        self.edit.left.connect(self._session.settle_recipe)
        self.auto.clicked.connect(self._set_auto)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderPressed.connect(lambda: self._maker.drag(True))
        self.slider.sliderReleased.connect(self._released)
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
        self._draw()

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
            self.mark(short_sentence(error))
            return
        self._untype()

    def _untype(self) -> None:
        self.edit.setModified(False)
        self.mark("")
        self._draw()

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
        found = self.result
        self.show_view(
            self._view(), has_scan=is_scan(self._session.look), searching=self._task is not None,
            found_px=found.center_px if found is not None else None,
        )  # fmt: skip
