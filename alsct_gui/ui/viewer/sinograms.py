"""Mode *sinogram*: one detector row over all angles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.desk.answers import Sinogram, Stage
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.tasks import answer_of
from alsct_gui.ui.viewer.bars import Choice, Counter
from alsct_gui.ui.viewer.image_mode import ImageMode
from alsct_gui.ui.viewer.mode import Surroundings, bar_row
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.words import Axes, row_words, unit_of
from alsct_gui.ui.widgets.parts import label

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look


@dataclass(frozen=True)
class _Asked:
    path: Path
    row: int
    stage: Stage
    recipe: Recipe


class Sinograms(ImageMode):
    """Follows the session's row and recipe; its angles are no lengths, so it has no scale bar."""

    key = Mode.SINOGRAM
    title = "Sinogram"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, "Sinogram")
        self._newest: Newest[_Asked, Sinogram] = Newest(
            self.tasks, self._fetch, self._show, lambda a: f"Reading the sinogram of row {a.row}"
        )
        row = bar_row(self.bar)
        self.counter = Counter("detector row", "Detector row, from 0 at the top")
        self.counter.moved.connect(self.session.set_row)
        self._where = label("", "value")
        self.stage = Choice((
            ("raw", "Raw", "Values as they are stored"),
            ("corrected", "Corrected", "Line integrals, before rings are removed"),
            ("filtered", "Filtered", "Line integrals, rings removed as the recipe says"),
        ))  # fmt: skip
        self.stage.set_key("corrected")
        self.stage.chosen.connect(lambda _: self.refresh())
        row.addWidget(self.counter, 1)
        row.addWidget(self._where)
        row.addWidget(label("angle ↓  column →", "faint"))
        row.addWidget(self.stage)
        self.session.row_changed.connect(self._take_row)
        self.session.recipe_changed.connect(lambda _: self.refresh())
        self.session.look_changed.connect(self._take_look)

    @property
    def is_quiet(self) -> bool:
        return not self._newest.busy

    def leave(self) -> None:
        self._newest.cancel()
        super().leave()

    def close(self) -> None:
        self._newest.cancel()

    def step(self, by: int) -> None:
        self.session.set_row(min(max(0, self.session.row + by), self.counter.count - 1))

    def step_to(self, last: bool) -> None:
        self.session.set_row(self.counter.count - 1 if last else 0)

    def refresh(self) -> None:
        """Ask for the sinogram of the session's row."""
        look, path = self.session.look, self.session.selected
        if not self.entered or path is None or look is None or not look.ok:
            return
        stage = cast("Stage", self.stage.key)
        # An older one may take seconds: it gives way at once.
        self._newest.want(_Asked(path, self.session.row, stage, self.session.recipe), at_once=True)

    async def _fetch(self, asked: _Asked) -> Sinogram:
        self.session.busy("viewer", f"Reading the sinogram of row {asked.row}")
        try:
            return await answer_of(
                self.desk.sinogram(
                    asked.path, asked.row, asked.recipe, asked.stage, channel="viewer-sinogram"
                )
            )
        finally:
            self.session.busy("viewer", "")

    def _show(self, asked: _Asked, sinogram: Sinogram) -> None:
        if asked.path != self.session.selected or not self.entered:
            return
        self.show_picture(
            Picture(sinogram.image, f"Sinogram of row {sinogram.row}, {sinogram.stage}",
                    unit_of(sinogram.quantity), None, sinogram.low, sinogram.high),
            key=(sinogram.quantity, sinogram.stage == "raw"), axes=Axes(down="angle"),
        )  # fmt: skip

    def _take_row(self, row: int) -> None:
        self.counter.set_index(row)
        look = self.session.look
        if look is not None and look.kind == "scan":
            self._where.setText(row_words(row, look.n_rows, look.pixel_um))
        self.refresh()

    def _take_look(self, look: Look | None) -> None:
        self._newest.cancel()
        if look is None:
            self._where.setText("")
            self.forget()
        elif look.kind == "scan":
            self.counter.set_count(look.n_rows)
            self._take_row(self.session.row)
