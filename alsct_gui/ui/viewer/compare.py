"""Mode *compare*: two reconstructions side by side, blinking, or subtracted, with one view."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QWidget

from alsct_gui.files.volumes import is_volume
from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.tasks import sentence_of
from alsct_gui.ui.viewer.caption import Caption
from alsct_gui.ui.viewer.comparebar import CompareBar
from alsct_gui.ui.viewer.comparewords import differs_words, figures_words, recipe_differences
from alsct_gui.ui.viewer.contrast import Contrast, Limits
from alsct_gui.ui.viewer.fitting import fit_flat
from alsct_gui.ui.viewer.flat_view import AHEAD, REST_MS
from alsct_gui.ui.viewer.mode import Cover, ModeSignals, Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import Plane, is_partial
from alsct_gui.ui.viewer.opening import opened_beside
from alsct_gui.ui.viewer.pair import Both, Pair, open_pair
from alsct_gui.ui.viewer.pointer import Place, Pointer
from alsct_gui.ui.viewer.words import value_words

BLINK_MS = 1000
GAP_SHARE = 0.02
LESS_RGB, NONE_RGB, MORE_RGB = (0.35, 0.7, 1.0), (0.11, 0.11, 0.11), (1.0, 0.6, 0.15)
"""Colours of the difference, which colour-blind people tell apart; dark where there is none."""


@dataclass(frozen=True)
class _Asked:
    pair: Pair
    index: int
    level: int
    subtract: bool


class CompareMode:
    """Shows `Session.volume` against a second volume.

    Parameters
    ----------
    around
        What every mode is given.
    """

    key = Mode.COMPARE
    title = "Compare"
    shows_sliders = False

    def __init__(self, around: Surroundings) -> None:
        self.around, self.session, self.tasks = around, around.session, around.tasks
        self.signals = ModeSignals()
        self.contrast = Contrast()
        self.entered = False
        self.pointer = Pointer(around.host, self._words_at, self.signals.pixel_pointed.emit)
        self.controls = CompareBar(around.book)
        self.bar: QWidget = self.controls
        self.said = Caption(around.host)
        self.first = around.shelf.slot("First volume")
        self.second = around.shelf.slot("Second volume")
        self.delta = around.shelf.slot("Difference")
        self._layout = "side"
        self._seen_second = False
        self._paths: tuple[Path, Path] | None = None
        self._second: Path | None = None
        self._swapped = False
        self._pair: Pair | None = None
        self._both: Both | None = None
        self._error = ""
        self._fit_wanted = True
        self._unit_before = "pixel"
        self._direction = 1
        self._opening: asyncio.Task[None] | None = None
        self._newest: Newest[_Asked, Both] = Newest(
            self.tasks, self._fetch, self._show, lambda asked: f"Reading slices {asked.index}"
        )
        self._rest = QTimer(singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(lambda: self._ask(0))
        self._blinking = QTimer(interval=BLINK_MS)
        self._blinking.timeout.connect(self.blink)
        self._connect()

    def _connect(self) -> None:
        bar, session, book = self.controls, self.session, self.around.book
        bar.counter.moved.connect(self._moved)
        bar.layouts.chosen.connect(self.set_layout)
        bar.auto.toggled.connect(self._blink_by_itself)
        bar.second.chosen.connect(self.choose)
        bar.second.more_wanted.connect(self.choose_other)
        for slot in (self.first, self.second, self.delta):
            slot.on_limits = self.set_limits
        session.volume_changed.connect(self._take_volume)
        book.bind("compare.blink", self._blink_by_command)
        book.bind("compare.swap", self.swap)
        # Within the canvas alone: elsewhere Space presses buttons.
        self._space = QShortcut(QKeySequence("Space"), self.around.host)
        self._space.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._space.activated.connect(self.blink)
        self._space.setEnabled(False)

    # -- what others use ---------------------------------------------------------------

    @property
    def layout(self) -> str:
        """``side``, ``blink`` or ``difference``."""
        return self._layout

    @property
    def pair(self) -> Pair | None:
        """Both volumes, once they are open."""
        return self._pair

    @property
    def limits(self) -> Limits:
        """Values shown as black and white; of the difference, its ends."""
        pair, key = self._pair, self._contrast_key
        if pair is None:
            return 0.0, 1.0
        own = pair.delta_limits if key == "difference" else pair.limits
        return self.contrast.of(key, *own)

    def choose(self, path: Path) -> None:
        """Take another second volume."""
        self._second, self._swapped = path, False
        self._open()

    def choose_other(self) -> None:
        """Ask for a folder."""
        dialog = QFileDialog(self.bar.window(), "Second volume", self._folder())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Compare")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.choose(Path(name)))
        dialog.open()

    def swap(self) -> None:
        """Make the second the first."""
        if self._pair is None:
            return
        self._pair = self._pair.swapped()
        self._swapped = not self._swapped
        self._take_pair()

    def set_layout(self, layout: str) -> None:
        """Show both in another way."""
        if layout == self._layout:
            return
        self._layout, self._fit_wanted = layout, True
        self.controls.auto.setChecked(False)
        self.controls.show_layout(layout)
        self._seen_second = False
        self._hide()
        self._ask(0)

    def blink(self) -> None:
        """Show the other one."""
        if self._layout == "blink" and self.entered:
            self._seen_second = not self._seen_second
            self._draw()

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        opening = self._opening is not None and not self._opening.done()
        return not opening and not self._newest.busy and not self._rest.isActive()

    def enter(self) -> None:
        """Show both and listen to the mouse."""
        self.entered = True
        self.said.want(True)
        self._unit_before = self.around.shelf.unit
        self.pointer.enter()
        self._space.setEnabled(True)
        self._fit_wanted = True
        self.tasks.start(self._list(), "Looking for volumes")
        self._open()

    def leave(self) -> None:
        """Hide both; the files are closed."""
        self.entered = False
        self.said.want(False)
        self.controls.auto.setChecked(False)
        self._space.setEnabled(False)
        self.around.host.show_scale_bar(False)
        self._stop()
        self.around.shelf.measure_in(self._unit_before)
        self.pointer.leave()

    def close(self) -> None:
        """Close the volumes."""
        self._stop()
        self._close_pair()

    def cover(self) -> Cover | None:
        """Words while there is nothing to compare."""
        volume = self.session.volume
        if volume is None:
            return None
        choose = ("Choose another volume…", self.choose_other)
        if is_partial(volume):
            return Cover("It is still being made", "It can be compared once it is finished.")
        if self._second is None:
            return Cover("Choose a second volume", f"It is laid beside {volume.name}.",
                         "Choose a volume…", self.choose_other)  # fmt: skip
        if self._error:
            return Cover("They cannot be compared", self._error, *choose)
        pair = self._pair
        if pair is None:
            return Cover(f"Opening {volume.name} and {self._second.name}…", "")
        if not pair.comparison.comparable:
            return Cover("They cannot be compared", " ".join(pair.comparison.reasons), *choose)
        return None

    def picture(self) -> Picture | None:
        """What is seen; of two side by side, the first."""
        both, pair = self._both, self._pair
        if both is None or pair is None:
            return None
        plane, reader, letter = both.first, pair.first, "A"
        if self._layout == "blink" and self._seen_second:
            plane, reader, letter = both.second, pair.second, "B"
        image, title = plane.image, f"Slice {plane.cut.index} of {letter}"
        if self._layout == "difference" and both.delta is not None:
            image, title = both.delta, f"Difference in slice {plane.cut.index}"
        units = reader.opened.volume.units
        return Picture(image, title, units, both.first.pixel_um, *self.limits)

    def set_limits(self, low: float, high: float) -> None:
        """Take a contrast from a person; that of the difference stays about zero."""
        if self._layout == "difference":
            ends = max(abs(low), abs(high))
            low, high = -ends, ends
        self.contrast.set(self._contrast_key, low, high)
        self._take_limits()

    def reset_limits(self) -> None:
        """Return to the greys that suit both."""
        self.contrast.reset(self._contrast_key)
        self._take_limits()

    def fit(self) -> None:
        """Show all of it."""
        slots = {"side": (self.first, self.second), "difference": (self.delta,)}
        seen = slots.get(self._layout, (self.first,))
        fit_flat(self.around.host, [slot.layer for slot in seen if slot.layer is not None])

    def step(self, by: int) -> None:
        """Go on through the slices that both have."""
        before = self.controls.counter.index
        self.controls.counter.set_index(before + by)
        if self.controls.counter.index != before:
            self._moved(self.controls.counter.index, by)

    def step_to(self, last: bool) -> None:
        """Go to the first or the last slice that both have."""
        self.step(self.controls.counter.count if last else -self.controls.counter.count)

    def renew_icons(self) -> None:
        """Icons are those of commands."""

    # -- opening -----------------------------------------------------------------------

    def _take_volume(self, path: Path | None) -> None:
        self._swapped = False
        self.controls.name_first(path)
        if self.entered:
            self._open()

    def _open(self) -> None:
        """Open both, unless they are open."""
        first, second = self.session.volume, self._second
        self.controls.name_first(first)
        wanted = (first, second) if first is not None and second is not None else None
        if wanted is not None and wanted == self._paths and self._pair is not None:
            self._take_pair()
            return
        self._stop()
        self._close_pair()
        self._paths, self._error = wanted, ""
        if wanted is not None and self.entered and not is_partial(wanted[0]):
            self._opening = self.tasks.start(
                self._open_beside(*wanted), "Opening two volumes", instead_of=self._opening
            )
        self.signals.cover_changed.emit()

    async def _open_beside(self, first: Path, second: Path) -> None:
        try:
            pair = await opened_beside(partial(open_pair, first, second))
        except AlsctError as error:
            self._error = sentence_of(error)
            self.signals.cover_changed.emit()
            return
        self._pair = pair
        self.contrast.forget()
        self._fit_wanted = True
        self.controls.counter.set_count(pair.comparison.n_shared)
        self.controls.counter.set_index(pair.comparison.n_shared // 2)
        self.tasks.start(self._list(), "Looking for volumes")
        self._take_pair()

    def _take_pair(self) -> None:
        pair = self._pair
        if pair is None:
            return
        self.controls.name_first(pair.first.opened.path)
        self._say()
        self.signals.cover_changed.emit()
        if pair.comparison.comparable and self.entered:
            self.around.measure(known=pair.first.opened.volume.voxel_um is not None)
            self._ask(0)
            self.signals.limits_changed.emit(*self.limits)

    def _stop(self) -> None:
        self._rest.stop()
        self._newest.cancel()
        self._both = None
        self.said.say(())
        self._hide()
        self.signals.picture_changed.emit(None)

    def _close_pair(self) -> None:
        pair, self._pair = self._pair, None
        if pair is None:
            return
        if self.entered:
            self.tasks.start(asyncio.to_thread(pair.close), "Closing two volumes")
        else:
            pair.close()

    async def _list(self) -> None:
        """Fill the list of second volumes: looking at folders takes time."""
        runs = [run.output for run in self.session.runs if run.state == "finished" and run.output]
        known = [*runs, *(Path(name) for name in self.session.settings.recent)]
        volumes = await asyncio.to_thread(_volumes_among, known)
        listed = [path for path in volumes if path != self.session.volume]
        self.controls.second.fill(listed, self._second)

    def _folder(self) -> str:
        volume = self.session.volume
        return str(volume.parent) if volume is not None else ""

    # -- showing -----------------------------------------------------------------------

    @property
    def _contrast_key(self) -> str:
        return "difference" if self._layout == "difference" else "values"

    def _moved(self, _index: int, by: int = 1) -> None:
        self._direction = -1 if by < 0 else 1
        pair = self._pair
        level = 0
        if pair is not None:
            zoom = self.around.host.viewer.scene.camera.zoom
            level = pair.common_level(pair.first.opened.level_at(zoom))
        if level:
            self._rest.start()
        self._ask(level)
        self._say()

    def _ask(self, level: int) -> None:
        pair = self._pair
        if pair is not None and pair.comparison.comparable and self.entered:
            index = self.controls.counter.index
            self._newest.want(_Asked(pair, index, level, self._layout == "difference"))

    async def _fetch(self, asked: _Asked) -> Both:
        return await asked.pair.read(asked.index, asked.level, subtract=asked.subtract)

    def _show(self, asked: _Asked, both: Both) -> None:
        if asked.pair is not self._pair or not self.entered:
            return
        if asked.subtract != (self._layout == "difference"):
            return
        self._both = both
        self._draw()
        if self._fit_wanted:
            self._fit_wanted = False
            self.fit()
        near = [asked.index + self._direction * k for k in range(1, AHEAD + 1)]
        count = asked.pair.comparison.n_shared
        asked.pair.read_ahead([z for z in near if 0 <= z < count], asked.level)

    def _draw(self) -> None:
        both = self._both
        if both is None:
            return
        if self._layout == "difference" and both.delta is not None:
            self._lay(self.delta, both.first, both.delta, 0.0)
            _color(self.delta.layer)
        elif self._layout == "side":
            width = both.first.image.shape[1]
            self._lay(self.first, both.first, both.first.image, 0.0)
            self._lay(self.second, both.first, both.second.image, width * (1 + GAP_SHARE))
        else:
            slots = (self.first, self.second)
            planes = (both.first, both.second)
            seen = int(self._seen_second)
            self._lay(slots[seen], both.first, planes[seen].image, 0.0)
            slots[1 - seen].hide()
            self.controls.mark(seen)
        self._say()
        self.signals.picture_changed.emit(self.picture())
        self.pointer.point()

    def _lay(self, slot: object, plane: Plane, image: object, across_px: float) -> None:
        """Show a picture where the first one lies, or beside it."""
        down, across = ((factor - 1) / (2 * factor) for factor in plane.factors)
        slot.show(  # type: ignore[attr-defined]
            image, self.limits, pixel_um=plane.pixel_um, offset_px=(down, across + across_px),
            fit=False,
        )  # fmt: skip

    def _hide(self) -> None:
        for slot in (self.first, self.second, self.delta):
            slot.hide()

    def _take_limits(self) -> None:
        slots = (self.delta,) if self._layout == "difference" else (self.first, self.second)
        for slot in slots:
            slot.set_limits(self.limits)
        self.signals.limits_changed.emit(*self.limits)

    def _say(self) -> None:
        """Say which slices are seen and what differs."""
        pair, bar = self._pair, self.controls
        if pair is None or not pair.comparison.comparable:
            bar.place.setText("")
            self.said.say(())
            return
        at, beside = pair.indices(bar.counter.index)
        count = pair.comparison.n_shared
        bar.place.setText(f"of {count}" if at == beside else f"{at} in A, {beside} in B")
        a, b = pair.first.opened.volume, pair.second.opened.volume
        parts = [differs_words(recipe_differences(a.provenance, b.provenance))]
        parts += pair.comparison.notes
        if self._both is not None and self._both.figures is not None:
            parts.insert(0, figures_words(self._both.figures, a.units))
        if self._layout == "blink":
            seen = pair.second if self._seen_second else pair.first
            parts.insert(0, f"{'AB'[self._seen_second]} {seen.opened.name}")
        self.said.say([part for part in parts if part])

    def _words_at(self, place: Place) -> str:
        both = self._both
        visible = (slot for slot in (self.first, self.second, self.delta) if slot.visible)
        pixel = next(filter(None, (slot.pixel_at(place) for slot in visible)), None)
        if both is None or self._pair is None or pixel is None:
            return ""
        y, x = (p * f for p, f in zip(pixel, both.first.factors, strict=True))
        a, b = (float(plane.image[pixel]) for plane in (both.first, both.second))
        unit = self._pair.first.opened.volume.units
        return f"x {x}, y {y} · A {value_words(a, '')}, B {value_words(b, unit)}"

    # -- blinking ----------------------------------------------------------------------

    def _blink_by_command(self) -> None:
        self.session.set_mode(Mode.COMPARE)
        if self._layout == "blink":
            self.blink()
        else:
            self.set_layout("blink")

    def _blink_by_itself(self, on: bool) -> None:
        if on:
            self._blinking.start()
        else:
            self._blinking.stop()


def _volumes_among(paths: list[Path]) -> list[Path]:
    """Which of them are volumes, each once, in their order."""
    return [path for path in dict.fromkeys(paths) if is_volume(path)]


def _color(layer: object) -> None:
    """Colour a difference: one hue for less, another for more."""
    from napari.utils.colormaps import Colormap

    if layer is not None and layer.colormap.name != "difference":  # type: ignore[attr-defined]
        layer.colormap = Colormap(  # type: ignore[attr-defined]
            [LESS_RGB, NONE_RGB, MORE_RGB], name="difference"
        )
