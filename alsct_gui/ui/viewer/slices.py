"""Mode *preview*: the slice that was made last, with the recipe as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.bars import Counter
from alsct_gui.ui.viewer.image_mode import ImageMode
from alsct_gui.ui.viewer.mode import Cover, Surroundings, bar_row
from alsct_gui.ui.viewer.words import Axes, center_words, row_words, time_words
from alsct_gui.ui.widgets.parts import label

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look, Preview

UPDATING = "updating…"


class Slices(ImageMode):
    """Shows `Session.preview`; somebody else makes it."""

    key = Mode.PREVIEW
    title = "Preview"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, "Slice")
        row = bar_row(self.bar)
        self.counter = Counter("slice", "Detector row of the slice, from 0 at the top")
        self.counter.moved.connect(self.session.set_row)
        self._where = label("", "value")
        self._made = label("", "faint")
        self._made.setToolTip("Rotation centre it was made about, and the time that it took")
        self._made.setMinimumWidth(176)
        self._updating = False
        row.addWidget(self.counter, 1)
        row.addWidget(self._where)
        row.addWidget(self._made)
        self.session.row_changed.connect(self._take_row)
        self.session.look_changed.connect(self._take_look)
        self.session.preview_changed.connect(self._take_preview)
        self.session.busy_changed.connect(self._take_busy)

    def cover(self) -> Cover | None:
        """Words and a button, until there is a slice."""
        if self.session.preview is not None:
            return None
        if self._updating:
            return Cover("Making the slice…", f"Row {self.session.row}, with the recipe as it is.")
        return Cover(
            "No slice yet", "One slice shows what the recipe does, before the whole scan runs.",
            "Reconstruct this slice", lambda: self.around.book.trigger("recon.preview"),
        )  # fmt: skip

    def step(self, by: int) -> None:
        self.session.set_row(min(max(0, self.session.row + by), self.counter.count - 1))

    def step_to(self, last: bool) -> None:
        self.session.set_row(self.counter.count - 1 if last else 0)

    def refresh(self) -> None:
        """Show the session's slice."""
        preview = self.session.preview
        if not self.entered or preview is None:
            return
        edges = (preview.pixel_um, preview.pixel_um) if preview.pixel_um else None
        self.show_picture(
            Picture(preview.image, f"Slice of row {preview.row}", preview.units, edges,
                    preview.low, preview.high),
            key=preview.units, axes=Axes("y", "x"),
        )  # fmt: skip

    def _take_preview(self, preview: Preview | None) -> None:
        if preview is None:
            self.forget()
        else:
            self.refresh()
        self._say()
        self.signals.cover_changed.emit()

    def _take_busy(self, words: str) -> None:
        updating = "slice" in words.casefold()
        if updating != self._updating:
            self._updating = updating
            self._say()
            self.signals.cover_changed.emit()

    def _say(self) -> None:
        preview = self.session.preview
        if self._updating:
            self._made.setText(UPDATING)
        elif preview is None:
            self._made.setText("")
        else:
            center = center_words(preview.center_px, preview.confidence)
            self._made.setText(f"{center} · {time_words(preview.seconds)}")

    def _take_row(self, row: int) -> None:
        self.counter.set_index(row)
        look = self.session.look
        if look is not None and look.kind == "scan":
            self._where.setText(row_words(row, look.n_rows, look.pixel_um))

    def _take_look(self, look: Look | None) -> None:
        if look is None:
            self._where.setText("")
        elif look.kind == "scan":
            self.counter.set_count(look.n_rows)
            self._take_row(self.session.row)
