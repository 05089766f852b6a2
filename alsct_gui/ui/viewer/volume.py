"""Mode *volume*: slices, three cuts or 3-D of a reconstruction, finished or being made."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from alsct_gui.files.cuts import AXES
from alsct_gui.files.partialvolume import Run
from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Level, Mode, Notice
from alsct_gui.ui.tasks import sentence_of
from alsct_gui.ui.viewer.contrast import Contrast, Limits
from alsct_gui.ui.viewer.cuts_view import CutsView
from alsct_gui.ui.viewer.flat_view import FlatView
from alsct_gui.ui.viewer.labels import Segmentation
from alsct_gui.ui.viewer.mode import Cover, ModeSignals, Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import OpenedVolume, is_partial, middle_of
from alsct_gui.ui.viewer.opening import opened_beside
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.pointer import Place, Pointer
from alsct_gui.ui.viewer.real_layer import RealLayer
from alsct_gui.ui.viewer.space_view import SpaceView
from alsct_gui.ui.viewer.volumebar import VolumeBar
from alsct_gui.ui.viewer.volumewords import (
    Voxel,
    facts_words,
    made_words,
    newest_slice,
    place_words,
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
        self.real = RealLayer(around.shelf, self._stepped)
        self.labels = Segmentation(around, self.controls.labels.setText)
        self._labels_wanted = False
        self._views = {"slices": self.flat, "cuts": self.cuts, "3d": self.space}
        self._layout = "slices"
        self._reader: PlaneReader | None = None
        self._path: Path | None = None
        self._opening: asyncio.Task[None] | None = None
        self._error = ""
        self._following = False
        self._unit_before = "pixel"
        self._announced: Newest[tuple[Run, ...], None] = Newest(
            self.tasks, self._refresh, lambda _, __: self._take_made(),
            lambda _: "Looking for new slices",
        )  # fmt: skip
        self._shown = asyncio.Event()
        self._player: asyncio.Task[None] | None = None
        for slot in (self.flat.flat, self.real, self.space.slot, *self.cuts.slots.values()):
            slot.on_limits = self._limits_from_napari
        self._connect()

    def _connect(self) -> None:
        bar, session, book = self.controls, self.session, self.around.book
        bar.counter.moved.connect(lambda z: self.go_to((z, *self.cursor[1:])))
        bar.cursor_set.connect(lambda y, x: self.go_to((self.cursor[0], y, x)))
        bar.layouts.chosen.connect(self.set_layout)
        bar.crossed.connect(self.cuts.show_cross)
        bar.rendered.connect(self.space.set_rendering)
        bar.played.connect(self._play)
        session.volume_changed.connect(self._take_path)
        session.runs_changed.connect(self._take_runs)
        for command, layout in (
            ("view.slices", "slices"),
            ("view.cuts", "cuts"),
            ("view.3d", "3d"),
        ):
            book.bind(command, lambda layout=layout: self.show_in(layout))
        book.bind("look.labels", self._want_labels)
        book["view.layers"].toggled.connect(self._layers_folded)

    # -- what others use ---------------------------------------------------------------

    @property
    def opened(self) -> OpenedVolume | None:
        """The volume that is open."""
        return self._reader.opened if self._reader is not None else None

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
        self._following = False
        self._move(cursor)

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        opening = self._opening is not None and not self._opening.done()
        return not opening and not self._announced.busy and self._view.is_quiet

    def enter(self) -> None:
        """Show the layers and listen to the mouse."""
        self.entered = True
        self._unit_before = self.around.shelf.unit
        self.pointer.enter()
        if self._path != self.session.volume or self._reader is None:
            self._open(self.session.volume)
        else:
            self._take_runs(self.session.runs)
            self._show()

    def leave(self) -> None:
        """Hide the layers; 3-D is freed."""
        self.controls.play.setChecked(False)
        self.entered = False
        self.around.host.show_scale_bar(False)
        self._announced.cancel()
        self._view.leave()
        self.real.hide()
        self.labels.show_on(self.cursor[0], False)
        self.around.shelf.measure_in(self._unit_before)
        self.pointer.leave()

    def close(self) -> None:
        """Close the volume."""
        self.controls.play.setChecked(False)
        self.labels.close()
        self.labels.remove()
        self.real.remove()
        self._announced.cancel()
        if self._reader is not None:
            # The window is gone; what is still being read takes a fraction of a second.
            self._reader.close()
            self._reader = None

    def cover(self) -> Cover | None:
        """Words while there is no picture."""
        path = self.session.volume
        if path is None:
            return None
        if self._error:
            return Cover(f"{_name_of(path)} cannot be shown", self._error,
                         "Open another volume…", self._open_other)  # fmt: skip
        opened = self.opened
        if opened is None or self._path != path:
            return Cover(f"Opening {_name_of(path)}…", str(path.parent))
        if opened.state == "gone":
            return Cover(f"{opened.name} is gone", "The run was cancelled or began anew.")
        if self._layout == "slices" and not opened.has(self.cursor[0]):
            words = f"Slice {self.cursor[0]} comes when its turn does: "
            words += f"{made_words(opened.finished, opened.volume.shape[0])}."
            follow = ("Follow the newest", self._follow) if opened.finished else ("", None)
            return Cover("Not yet made", words, *follow)
        return self.space.cover() if self._layout == "3d" else None

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
        if self._layout == "slices" and self.real.layer is not None:
            self.real.fit()
        else:
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
        self._close_reader()
        self._path, self._error = path, ""
        if not same:
            self.contrast.forget()
            self.controls.set_facts("")
            self.controls.place.setText("")
            self.controls.set_shape((1, 1, 1))
        if path is not None:
            place = self.cursor if same else None
            self._opening = self.tasks.start(
                self._open_beside(path, place), f"Opening {path.name}", instead_of=self._opening
            )
        self.signals.cover_changed.emit()

    async def _open_beside(self, path: Path, place: Voxel | None) -> None:
        run = self._run_of(path)
        n_slices = run.slices_total if run is not None else 0
        try:
            opened = await opened_beside(partial(OpenedVolume, path, n_slices))
        except AlsctError as error:
            self._error = sentence_of(error)
            self.signals.cover_changed.emit()
            return
        self._reader = PlaneReader(opened)
        self._following = opened.partial is not None
        self.cursor = place or middle_of(opened.volume.shape)
        volume = opened.volume
        self.controls.set_shape(volume.shape)
        self.controls.set_facts(facts_words(volume.shape, volume.voxel_um, volume.units))
        self.controls.strip.setVisible(opened.partial is not None)
        self.controls.layouts.allow("3d", opened.partial is None, _3D_TIPS[opened.partial is None])
        if opened.partial is not None:
            if self._layout == "3d":
                self.set_layout("slices")
            self._take_runs(self.session.runs)
            self._take_made()
        else:
            await self.labels.load(volume)
        self._say_place()
        if self.entered:
            self._show()
            if self._labels_wanted:
                self._want_labels()

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        self._view.leave()
        self.labels.drop()
        self.real.remove()
        self.signals.picture_changed.emit(None)
        self.tasks.start(asyncio.to_thread(reader.close), f"Closing {reader.opened.name}")

    def _open_other(self) -> None:
        self.around.book.trigger("file.open_folder")

    # -- showing -----------------------------------------------------------------------

    @property
    def _view(self) -> FlatView | CutsView | SpaceView:
        return self._views[self._layout]  # type: ignore[return-value]

    def _show(self) -> None:
        reader = self._reader
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
        self.cursor = cursor
        self._say_place()
        opened = self.opened
        if not self.entered or opened is None or self._reader is None:
            return
        self.real.go_to(cursor[0])
        self.labels.show_on(cursor[0], self._layout == "slices")
        if self._layout == "slices" and not opened.has(cursor[0]):
            self.flat.leave()
            self._shown.set()
        elif self._layout == "slices" and self.flat.picture() is None:
            self.flat.enter(self._reader, cursor, self.limits)
        else:
            self._view.move(cursor)
        self.signals.cover_changed.emit()

    def _say_place(self) -> None:
        opened = self.opened
        self.controls.set_cursor(self.cursor)
        if opened is not None:
            voxel_um = opened.volume.voxel_um
            edge_um = voxel_um[0] if voxel_um is not None else None
            words = place_words(self.cursor[0], opened.volume.shape[0], edge_um)
            self.controls.place.setText(words)

    def _seen(self) -> None:
        self._shown.set()
        self.signals.picture_changed.emit(self.picture())
        self.pointer.point()

    def _take_limits(self, limits: Limits) -> None:
        self._view.set_limits(limits)
        self.signals.limits_changed.emit(*limits)

    def _limits_from_napari(self, low: float, high: float) -> None:
        self.set_limits(low, high)

    def _words_at(self, place: Place) -> str:
        opened = self.opened
        found = self._view.at(place) if opened is not None else None
        if opened is None or found is None:
            return ""
        return voxel_words(*found, opened.volume.units)

    # -- for plugins -------------------------------------------------------------------

    def _layers_folded(self, _on: bool) -> None:
        if self.entered and self._reader is not None:
            self._settle_real()
            if self._layout == "slices":
                self.flat.enter(self._reader, self.cursor, self.limits)
            # Once the docks have taken or given back their room.
            QTimer.singleShot(0, self._fit_again)

    def _fit_again(self) -> None:
        if self.entered and self._reader is not None and self._layout != "3d":
            self.fit()

    def _settle_real(self) -> None:
        """Let napari have the volume itself while its layers are in use."""
        opened = self.opened
        in_use = self.around.book["view.layers"].isChecked() or self.labels.sheet is not None
        wanted = opened is not None and in_use
        if wanted and opened is not None and self.real.layer is None:
            self.real.put(opened, self.limits, self.cursor[0])
        elif not wanted:
            self.real.remove()
        if self._layout != "slices":
            self.real.hide()
        self.flat.use(self.real if wanted else self.flat.flat)
        self.labels.show_on(self.cursor[0], self._layout == "slices")

    def _want_labels(self) -> None:
        """Let a person paint; docks are shown, slices are."""
        self._labels_wanted = True
        self.session.set_mode(Mode.VOLUME)
        opened = self.opened
        if opened is None or not self.entered:
            return
        self._labels_wanted = False
        if opened.partial is not None:
            words = "A segmentation needs a finished volume; this one is being made."
            self.session.notice(Notice(Level.WARNING, words, key="labels"))
            return
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

    def _run_of(self, path: Path) -> RunView | None:
        return next((run for run in self.session.runs if run.partial_path == path), None)

    def _take_runs(self, _runs: tuple[RunView, ...]) -> None:
        path = self.session.volume
        if not self.entered or path is None or not is_partial(path):
            return
        run, opened = self._run_of(path), self.opened
        if opened is not None and opened.partial is not None:
            self._announced.want(run.ranges if run is not None else ())
        elif self._error and run is not None and run.slices_done:
            self._open(path)

    async def _refresh(self, ranges: tuple[Run, ...]) -> None:
        opened = self.opened
        if opened is not None:
            await asyncio.to_thread(opened.refresh, ranges)

    def _take_made(self) -> None:
        opened = self.opened
        if opened is None or opened.partial is None:
            return
        before, now = self.controls.strip.runs, opened.finished
        self.controls.strip.show_runs(now)
        self.controls.said.setText(made_words(now, opened.volume.shape[0]))
        newest = newest_slice(before, now)
        if self._following and newest is not None and before != now:
            self._move((newest, *self.cursor[1:]))
        elif before != now and self.entered:
            self._move(self.cursor)
        if before != now and self._layout == "cuts" and self.entered:
            self.cuts.refresh()
        self.signals.cover_changed.emit()

    def _follow(self) -> None:
        opened = self.opened
        newest = newest_slice((), opened.finished) if opened is not None else None
        if newest is not None:
            self._following = True
            self._move((newest, *self.cursor[1:]))

    # -- playing -----------------------------------------------------------------------

    def _play(self, on: bool) -> None:
        if on:
            self._player = self.tasks.start(self._run(), "Playing slices")
        elif self._player is not None:
            self._player.cancel()
            self._player = None

    async def _run(self) -> None:
        """Show one slice after the other; the next is asked for when the last one is seen."""
        while self.opened is not None:
            began_s = perf_counter()
            self._shown.clear()
            last = self.opened.volume.shape[0] - 1
            self.go_to((self.cursor[0] + 1 if self.cursor[0] < last else 0, *self.cursor[1:]))
            await self._shown.wait()
            await asyncio.sleep(max(0.0, PLAY_S - (perf_counter() - began_s)))


_3D_TIPS = {
    True: "The whole volume, seen through (D)",
    False: "3-D shows finished volumes; this one is being made",
}


def _name_of(path: Path) -> str:
    return path.name[1 : -len(".partial")] if is_partial(path) else path.name
