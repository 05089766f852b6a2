"""Mode *projections*: frames as the camera saw them, flats, darks, and the 0/180 overlay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from alsct_gui.recon.desk.answers import Frame, FrameKind, FrameWanted
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.tasks import answer_of
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.viewer.bars import Choice, Counter
from alsct_gui.ui.viewer.image_mode import ImageMode
from alsct_gui.ui.viewer.layers import Slot
from alsct_gui.ui.viewer.mode import Surroundings, bar_row
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.overlay import Overlay
from alsct_gui.ui.viewer.player import Player
from alsct_gui.ui.viewer.resolution import Pace
from alsct_gui.ui.viewer.words import Axes, angle_words, unit_of
from alsct_gui.ui.widgets.parts import label

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

PLAY_S = 0.1
"""Time from one frame to the next while playing, when frames come as fast."""
_NOUNS: dict[str, str] = {"projection": "Projection", "flat": "Flat", "dark": "Dark"}


@dataclass(frozen=True)
class _Asked:
    path: Path
    frame: FrameWanted


class Projections(ImageMode):
    """One frame at a time; keys, wheel and slider move, the play button runs."""

    key = Mode.PROJECTIONS
    title = "Projections"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, "Projection")
        self._pace = Pace()
        self._began_s = 0.0
        self._places: dict[str, int] = {}
        self._newest: Newest[_Asked, Frame] = Newest(
            self.tasks, self._fetch, self._show, lambda a: f"Reading {_words_of(a.frame)}"
        )
        self._player = Player(self.tasks, "Playing frames", self._advance, PLAY_S)
        self.overlay = Overlay(around, self._overlay_shown)
        self._make_bar()
        self.session.look_changed.connect(self._take_look)
        around.book.bind("recon.overlay", self._toggle_overlay)

    def _make_bar(self) -> None:
        row = bar_row(self.bar)
        self.play = QToolButton()
        self.play.setCheckable(True)
        self.play.setToolTip("Shows one frame after the other, ten a second")
        self.play.setAccessibleName("Play")
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.toggled.connect(self._set_playing)
        self.counter = Counter("frame", "Number of the frame, from 0 (arrow keys, Ctrl+wheel)")
        self.counter.moved.connect(lambda _: self.refresh())
        self._angle = label("", "value")
        self._angle.setFont(digits_font(self._angle.font()))
        self._angle.setMinimumWidth(64)
        self._angle.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._angle.setToolTip("Angle of the sample, degrees")
        self.kind = Choice((
            ("projection", "Projections", "Frames with the sample in the beam"),
            ("flat", "Flats", "Frames of the beam without the sample"),
            ("dark", "Darks", "Frames without beam"),
        ))  # fmt: skip
        self.kind.chosen.connect(self._choose_kind)
        self.corrected = Choice((
            ("raw", "Raw", "Values as they are stored"),
            ("corrected", "Corrected", "Divided by the flats, after the darks are taken off"),
        ))  # fmt: skip
        self.corrected.chosen.connect(lambda _: self.refresh())
        self._overlay_words = label("", "faint")
        row.addWidget(self.play)
        row.addWidget(self.counter, 1)
        row.addWidget(self._angle)
        row.addWidget(self._overlay_words)
        row.addWidget(self.kind)
        row.addWidget(self.corrected)
        row.addWidget(self.around.book.button("recon.overlay"))
        self._overlay_words.hide()
        self.renew_icons()

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        return not self._newest.busy and not self.overlay.busy

    def enter(self) -> None:
        super().enter()
        if self.overlay.on:
            self.slot.hide()
            self.overlay.enter()

    def leave(self) -> None:
        self.play.setChecked(False)
        self._newest.cancel()
        self.overlay.leave()
        super().leave()

    def close(self) -> None:
        self.play.setChecked(False)
        self._newest.cancel()
        self.overlay.leave()

    def step(self, by: int) -> None:
        self._go(self.counter.index + by)

    def step_to(self, last: bool) -> None:
        self._go(self.counter.count - 1 if last else 0)

    def fit(self) -> None:
        if self.overlay.on:
            self.overlay.fit()
        else:
            super().fit()

    def picture(self) -> Picture | None:
        return self.overlay.picture() if self.overlay.on else super().picture()

    def pointed(self) -> tuple[Slot, Picture | None, Axes]:
        if self.overlay.on:
            return self.overlay.first, self.overlay.picture(), Axes()
        return super().pointed()

    def set_limits(self, low: float, high: float) -> None:
        if self.overlay.on:
            self.overlay.set_limits(low, high)
            self.signals.limits_changed.emit(low, high)
        else:
            super().set_limits(low, high)

    def reset_limits(self) -> None:
        if self.overlay.on:
            self.signals.limits_changed.emit(*self.overlay.reset_limits())
        else:
            super().reset_limits()

    def renew_icons(self) -> None:
        self.play.setIcon(icon("pause" if self.play.isChecked() else "run"))

    # -- frames ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for the frame that is chosen."""
        look, path = self.session.look, self.session.selected
        if not self.entered or path is None or look is None or not look.ok:
            return
        if self.overlay.on:
            return
        self._newest.want(_Asked(path, self._wanted(self._pace.binning)))

    def _wanted(self, binning: int) -> FrameWanted:
        kind = cast("FrameKind", self.kind.key)
        corrected = kind == "projection" and self.corrected.key == "corrected"
        return FrameWanted(kind, self.counter.index, corrected, binning)

    async def _fetch(self, asked: _Asked) -> Frame:
        self.session.busy("viewer", f"Reading {_words_of(asked.frame)}")
        began_s = perf_counter()
        try:
            frame = await answer_of(self.desk.frame(asked.path, asked.frame, channel="viewer"))
        finally:
            self.session.busy("viewer", "")
        self._pace = self._pace.taken(asked.frame.binning, perf_counter() - began_s)
        return frame

    def _show(self, asked: _Asked, frame: Frame) -> None:
        if asked.path != self.session.selected or not self.entered or self.overlay.on:
            return
        edge = frame.pixel_um
        binning = asked.frame.binning
        first = (binning - 1) / (2 * binning)
        self._angle.setText(angle_words(frame.angle_deg))
        at = f" at {angle_words(frame.angle_deg)}" if frame.angle_deg is not None else ""
        self.show_picture(
            Picture(frame.image, f"{_NOUNS[frame.kind]} {frame.index}{at}",
                    unit_of(frame.quantity), (edge, edge) if edge else None,
                    frame.low, frame.high),
            key=(frame.kind, frame.quantity), axes=Axes(binning=binning),
            offset_px=(first, first),
        )  # fmt: skip
        self._player.seen()
        if binning > 1 and not self._newest.overtaken and not self.play.isChecked():
            # The person rests: the same frame again, every pixel of it.
            self._newest.want(_Asked(asked.path, self._wanted(1)))

    def _go(self, index: int) -> None:
        if self.overlay.on:
            return
        before = self.counter.index
        self.counter.set_index(index)
        if self.counter.index != before:
            self.refresh()

    def _choose_kind(self, kind: str) -> None:
        look = self.session.look
        if look is None:
            return
        self._places[self._kind_shown] = self.counter.index
        self._kind_shown = kind
        self._count(look)
        self.counter.set_index(self._places.get(kind, 0))
        self.corrected.setEnabled(kind == "projection" and look.quantity == "counts")
        self.refresh()

    _kind_shown = "projection"

    def _take_look(self, look: Look | None) -> None:
        self.play.setChecked(False)
        self._newest.cancel()
        if look is None:
            self._angle.setText("")
            self.overlay.forget()
            self.forget()
            return
        if look.kind != "scan":
            return
        self._places.clear()
        self._pace = Pace()
        self._kind_shown = "projection"
        self.kind.set_key("projection")
        for key, count in (("flat", look.n_flats), ("dark", look.n_darks)):
            self.kind.allow(key, count > 0)
        self.corrected.setEnabled(look.quantity == "counts")
        can_correct = look.quantity == "counts" and look.n_flats > 0
        self.corrected.allow("corrected", can_correct)
        if not can_correct:
            self.corrected.set_key("raw")
        self._count(look)
        self.counter.set_index(0)
        self.refresh()
        if self.entered and self.overlay.on:
            self.overlay.enter()

    def _count(self, look: Look) -> None:
        counts = {"projection": look.n_angles, "flat": look.n_flats, "dark": look.n_darks}
        self.counter.set_count(counts[self._kind_shown])

    # -- playing -----------------------------------------------------------------------

    def _set_playing(self, on: bool) -> None:
        self.renew_icons()
        self._player.play(on)
        if not on:
            self.refresh()

    def _advance(self) -> bool:
        self._go((self.counter.index + 1) % self.counter.count)
        return True

    # -- overlay -----------------------------------------------------------------------

    def _toggle_overlay(self, on: bool) -> None:
        if on:
            self.session.set_mode(Mode.PROJECTIONS)
        self.overlay.on = on
        for part in (self.play, self.counter, self.kind, self.corrected):
            part.setVisible(not on)
        self._angle.setVisible(not on)
        self._overlay_words.setVisible(on)
        if not self.entered:
            return
        if on:
            self.play.setChecked(False)
            self._newest.cancel()
            self.slot.hide()
            self.overlay.enter()
        else:
            self.overlay.leave()
            self.slot.unhide()
            self.refresh()

    def _overlay_shown(self, words: str) -> None:
        self._overlay_words.setText(words)
        if self.entered and self.overlay.on:
            picture = self.overlay.picture()
            self.signals.picture_changed.emit(picture)
            if picture is not None:
                self.signals.limits_changed.emit(picture.low, picture.high)


def _words_of(frame: FrameWanted) -> str:
    return f"{_NOUNS[frame.kind].lower()} {frame.index}"
