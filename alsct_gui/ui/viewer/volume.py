"""Mode *volume*: slices, three cuts or 3-D of a reconstruction, finished or being made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from alsct_gui.files.cuts import AXES
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.contrast import Contrast, Limits
from alsct_gui.ui.viewer.cuts_view import CutsView
from alsct_gui.ui.viewer.flat_view import FlatView
from alsct_gui.ui.viewer.growth import Growth
from alsct_gui.ui.viewer.mode import Cover, ModeSignals, Surroundings
from alsct_gui.ui.viewer.napari_side import NapariSide
from alsct_gui.ui.viewer.opened import OpenedVolume, is_partial, middle_of
from alsct_gui.ui.viewer.opening import Keeper
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.player import Player
from alsct_gui.ui.viewer.pointer import Place, Pointer
from alsct_gui.ui.viewer.situation import volume_cover
from alsct_gui.ui.viewer.space_view import SpaceView
from alsct_gui.ui.viewer.volumebar import VolumeBar
from alsct_gui.ui.viewer.volumewords import (
    Voxel,
    newest_slice,
    voxel_words,
)

if TYPE_CHECKING:
    from alsct_gui.placement.runs.model import RunView

PLAY_S = 1 / 30
_KEY = "volume"


class VolumeMode:
    """Shows `Session.volume` in one of three layouts, with one cursor.

    Parameters
    ----------
    around
        What every mode is given.
    """

    key = Mode.VOLUME
    title = "Volume"
    shows_sliders = False

    def __init__(self, around: Surroundings) -> None:
        self.around, self.session, self.tasks = around, around.session, around.tasks
        self.signals = ModeSignals()
        self.contrast = Contrast()
        self.entered = False
        self.pointer = Pointer(around.host, self._words_at, self.signals.pixel_pointed.emit)
        self.cursor: Voxel = (0, 0, 0)
        self.controls = VolumeBar()
        self.bar: QWidget = self.controls
        self.flat = FlatView(around, self._seen)
        self.cuts = CutsView(around, self._seen, self.go_to)
        self.space = SpaceView(
            around, self.signals.cover_changed.emit, lambda: self.set_layout("slices")
        )
        self.own = NapariSide(around, self.flat, self._stepped, self.controls.labels.setText)
        self.labels = self.own.labels
        self._views = {"slices": self.flat, "cuts": self.cuts, "3d": self.space}
        self._layout = "slices"
        self._keeper: Keeper[PlaneReader] = Keeper(self.tasks, self._take_opened)
        self._path: Path | None = None
        self._place: Voxel | None = None
        self._unit_before = "pixel"
        self._growth = Growth(self.session, self.tasks, self.controls, self._take_made)
        self._player = Player(self.tasks, "Playing slices", self._advance, PLAY_S)
        for slot in (self.flat.flat, self.own.real, self.space.slot, *self.cuts.slots.values()):
            slot.on_limits = self.set_limits
        self._connect()

    def _connect(self) -> None:
        bar, session, book = self.controls, self.session, self.around.book
        bar.counter.moved.connect(lambda z: self.go_to((z, *self.cursor[1:])))
        bar.cursor_set.connect(lambda y, x: self.go_to((self.cursor[0], y, x)))
        bar.layouts.chosen.connect(self.set_layout)
        bar.crossed.connect(self.cuts.show_cross)
        bar.rendered.connect(self.space.set_rendering)
        bar.played.connect(self._player.play)
        session.volume_changed.connect(self._take_path)
        session.runs_changed.connect(self._take_runs)
        for layout in self._views:
            book.bind(f"view.{layout}", lambda layout=layout: self.show_in(layout))
        book.bind("look.labels", self._want_labels)
        book["view.layers"].toggled.connect(self._layers_folded)

    # -- what others use ---------------------------------------------------------------

    @property
    def opened(self) -> OpenedVolume | None:
        """The volume that is open."""
        reader = self._keeper.held
        return reader.opened if reader is not None else None

    @property
    def layout(self) -> str:
        """``slices``, ``cuts`` or ``3d``."""
        return self._layout

    @property
    def limits(self) -> Limits:
        """Values shown as black and white."""
        opened = self.opened
        return self.contrast.of(_KEY, *(opened.limits if opened is not None else (0.0, 1.0)))

    def show_in(self, layout: str) -> None:
        """Show the volume in a layout, whatever was shown before."""
        self.set_layout(layout)
        self.session.set_mode(Mode.VOLUME)

    def set_layout(self, layout: str) -> None:
        """Show the volume in another layout."""
        if layout == self._layout:
            return
        self.controls.play.setChecked(False)
        if self.entered:
            self._view.leave()
        self._layout = layout
        self.session.set_in_space(layout == "3d")
        self.controls.show_layout(layout)
        if self.entered:
            self._show()
            if layout == "slices":
                self.fit()

    def go_to(self, cursor: Voxel) -> None:
        """Move the cursor; a person did it, so a product in the making is not followed."""
        self._growth.following = False
        self._move(cursor)

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        return self._keeper.is_quiet and self._growth.is_quiet and self._view.is_quiet

    def enter(self) -> None:
        """Show the layers and listen to the mouse."""
        self.entered = True
        self._unit_before = self.around.shelf.unit
        self.pointer.enter()
        if self._path != self.session.volume or self._keeper.held is None:
            self._open(self.session.volume)
        else:
            self._take_runs(self.session.runs)
            self._show()

    def leave(self) -> None:
        """Hide the layers; 3-D is freed."""
        self.controls.play.setChecked(False)
        self.entered = False
        self.around.host.show_scale_bar(False)
        self._growth.cancel()
        self._view.leave()
        self.own.hide(self.cursor[0])
        self.around.shelf.measure_in(self._unit_before)
        self.pointer.leave()

    def close(self) -> None:
        """Close the volume."""
        self.controls.play.setChecked(False)
        self.own.close()
        self._growth.cancel()
        # The window is gone; what is still being read takes a fraction of a second.
        self._keeper.close_now()

    def cover(self) -> Cover | None:
        """Words while there is no picture."""
        path = self.session.volume
        if path is None:
            return None
        cover = volume_cover(
            path, self.opened if self._path == path else None, self._keeper.error,
            index=self.cursor[0], in_slices=self._layout == "slices",
            open_other=lambda: self.around.book.trigger("file.open_folder"), follow=self._follow,
        )  # fmt: skip
        return self.space.cover() if cover is None and self._layout == "3d" else cover

    def picture(self) -> Picture | None:
        """What is seen."""
        return self._view.picture() if self.entered else None

    def set_limits(self, low: float, high: float) -> None:
        """Take a contrast from a person."""
        self._take_limits(self.contrast.set(_KEY, low, high))

    def reset_limits(self) -> None:
        """Return to the greys that suit the volume."""
        self.contrast.reset(_KEY)
        self._take_limits(self.limits)

    def fit(self) -> None:
        """Show the whole of it."""
        self._view.fit()

    def step(self, by: int) -> None:
        """Move on through the slices; in three cuts, through those under the mouse."""
        opened = self.opened
        if opened is None or self._layout == "3d":
            return
        axis = 0
        viewer = self.around.host.viewer
        if self._layout == "cuts" and viewer.mouse_over_canvas:
            found = self.cuts.axis_at(viewer.cursor.position)
            axis = AXES.index(found) if found is not None else 0
        moved = list(self.cursor)
        moved[axis] = min(max(0, moved[axis] + by), opened.volume.shape[axis] - 1)
        if tuple(moved) != self.cursor:
            self.go_to((moved[0], moved[1], moved[2]))

    def step_to(self, last: bool) -> None:
        """Go to the first or the last slice."""
        opened = self.opened
        if opened is not None:
            self.go_to((opened.volume.shape[0] - 1 if last else 0, *self.cursor[1:]))

    def renew_icons(self) -> None:
        """Draw icons in the theme's colours."""
        self.controls.renew_icons()

    # -- opening -----------------------------------------------------------------------

    def _take_path(self, path: Path | None) -> None:
        if self.entered:
            self._open(path)

    def _open(self, path: Path | None) -> None:
        before = self.opened
        same = before is not None and before.partial is not None and before.partial.path == path
        if before is not None:
            self._view.leave()
            self.own.drop()
            self.signals.picture_changed.emit(None)
        self._path, self._place = path, self.cursor if same else None
        if not same:
            self.contrast.forget()
            self.controls.clear()
        if path is None:
            self._keeper.close()
        else:
            run = self._growth.run_of(path)
            n_slices = run.slices_total if run is not None else 0
            self._keeper.open(lambda: PlaneReader(OpenedVolume(path, n_slices)), path.name)
        self.signals.cover_changed.emit()

    async def _take_opened(self) -> None:
        opened = self.opened
        if opened is None:
            self.signals.cover_changed.emit()
            return
        self._growth.following = opened.partial is not None
        self.cursor = self._place or middle_of(opened.volume.shape)
        self.controls.take(opened)
        if opened.partial is not None:
            if self._layout == "3d":
                self.set_layout("slices")
            self._take_runs(self.session.runs)
            self._take_made()
        else:
            await self.labels.load(opened.volume)
        self.controls.show_place(self.cursor, opened)
        if self.entered:
            self._show()
            if self.own.labels_wanted:
                self._want_labels()

    # -- showing -----------------------------------------------------------------------

    @property
    def _view(self) -> FlatView | CutsView | SpaceView:
        return self._views[self._layout]  # type: ignore[return-value]

    def _show(self) -> None:
        reader = self._keeper.held
        if reader is None:
            return
        self.around.measure(known=reader.opened.volume.voxel_um is not None)
        self._settle_real()
        if self._layout != "slices" or reader.opened.has(self.cursor[0]):
            self._view.enter(reader, self.cursor, self.limits)
        self.signals.limits_changed.emit(*self.limits)
        self.signals.cover_changed.emit()
        if self._layout == "3d":
            self.signals.picture_changed.emit(None)

    def _move(self, cursor: Voxel) -> None:
        self.cursor, reader = cursor, self._keeper.held
        self.controls.show_place(cursor, self.opened)
        if not self.entered or reader is None:
            return
        self.own.go_to(cursor[0], in_slices=self._layout == "slices")
        if self._layout == "slices" and not reader.opened.has(cursor[0]):
            self.flat.leave()
            self._player.seen()
        elif self._layout == "slices" and self.flat.picture() is None:
            self.flat.enter(reader, cursor, self.limits)
        else:
            self._view.move(cursor)
        self.signals.cover_changed.emit()

    def _seen(self) -> None:
        self._player.seen()
        self.signals.picture_changed.emit(self.picture())
        self.pointer.point()

    def _take_limits(self, limits: Limits) -> None:
        self._view.set_limits(limits)
        self.signals.limits_changed.emit(*limits)

    def _words_at(self, place: Place) -> str:
        opened = self.opened
        found = self._view.at(place) if opened is not None else None
        return voxel_words(*found, opened.volume.units) if opened and found else ""

    # -- for plugins -------------------------------------------------------------------

    def _layers_folded(self, _on: bool) -> None:
        if self.entered and self._keeper.held is not None:
            self._settle_real()
            if self._layout == "slices":
                self.flat.enter(self._keeper.held, self.cursor, self.limits)
            # Once the docks have taken or given back their room.
            QTimer.singleShot(0, self._fit_again)

    def _fit_again(self) -> None:
        if self.entered and self._keeper.held is not None and self._layout != "3d":
            self.fit()

    def _settle_real(self) -> None:
        in_slices = self._layout == "slices"
        self.own.settle(self.opened, self.cursor[0], self.limits, in_slices=in_slices)

    def _want_labels(self) -> None:
        """Let a person paint; docks are shown, slices are."""
        self.own.ask_to_paint()
        opened = self.opened
        if opened is not None and self.entered and self.own.may_paint(opened):
            self.set_layout("slices")
            self.around.book["view.layers"].setChecked(True)
            self.tasks.start(self._begin_labels(opened), "Beginning a segmentation")

    async def _begin_labels(self, opened: OpenedVolume) -> None:
        await self.labels.begin(opened.volume, self.cursor[0])
        if opened is self.opened and self.entered:
            self._settle_real()

    def _stepped(self, index: int) -> None:
        opened = self.opened
        if self.entered and opened is not None and index != self.cursor[0]:
            last = opened.volume.shape[0] - 1
            self.go_to((min(max(0, index), last), *self.cursor[1:]))

    # -- products in the making --------------------------------------------------------

    def _take_runs(self, _runs: tuple[RunView, ...]) -> None:
        path = self.session.volume
        if not self.entered or path is None or not is_partial(path):
            return
        run, opened = self._growth.run_of(path), self.opened
        if opened is not None and opened.partial is not None:
            self._growth.look(opened, path)
        elif self._keeper.error and run is not None and run.slices_done:
            self._open(path)

    def _take_made(self) -> None:
        opened = self.opened
        if opened is None or opened.partial is None:
            return
        changed, newest = self._growth.take(opened)
        if changed and (newest is not None or self.entered):
            self._move((self.cursor[0] if newest is None else newest, *self.cursor[1:]))
        if changed and self._layout == "cuts" and self.entered:
            self.cuts.refresh()
        self.signals.cover_changed.emit()

    def _follow(self) -> None:
        opened = self.opened
        newest = newest_slice((), opened.finished) if opened is not None else None
        if newest is not None:
            self._growth.following = True
            self._move((newest, *self.cursor[1:]))

    # -- playing -----------------------------------------------------------------------

    def _advance(self) -> bool:
        opened, z = self.opened, self.cursor[0]
        if opened is not None:
            self.go_to((z + 1 if z < opened.volume.shape[0] - 1 else 0, *self.cursor[1:]))
        return opened is not None
