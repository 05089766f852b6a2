"""Mode *compare*: two reconstructions side by side, blinking, or subtracted, with one view."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from alsct_gui.files.volumes import is_volume
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.caption import Caption
from alsct_gui.ui.viewer.comparebar import CompareBar
from alsct_gui.ui.viewer.comparewords import caption_lines
from alsct_gui.ui.viewer.contrast import Contrast, Limits
from alsct_gui.ui.viewer.mode import Cover, ModeSignals, Surroundings
from alsct_gui.ui.viewer.opened import is_partial
from alsct_gui.ui.viewer.opening import Keeper
from alsct_gui.ui.viewer.pair import Pair, open_pair
from alsct_gui.ui.viewer.pair_view import PairView
from alsct_gui.ui.viewer.pointer import Pointer


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
        self.controls = CompareBar(around.book)
        self.bar: QWidget = self.controls
        self.said = Caption(around.host)
        self.view = PairView(around, lambda: self.limits, self._tell, self.set_limits)
        self.pointer = Pointer(around.host, self.view.words_at, self.signals.pixel_pointed.emit)
        self._paths: tuple[Path, Path] | None = None
        self._second: Path | None = None
        self._keeper: Keeper[Pair] = Keeper(self.tasks, self._take_opened)
        self._unit_before = "pixel"
        self._connect()

    def _connect(self) -> None:
        bar, session, book = self.controls, self.session, self.around.book
        bar.counter.moved.connect(self._moved)
        bar.layouts.chosen.connect(self.set_layout)
        bar.blinked.connect(self.blink)
        bar.second.chosen.connect(self.choose)
        bar.second.more_wanted.connect(self.choose_other)
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
        return self.view.layout

    @property
    def pair(self) -> Pair | None:
        """Both volumes, once they are open."""
        return self._keeper.held

    @property
    def limits(self) -> Limits:
        """Values shown as black and white; of the difference, its ends."""
        pair, key = self.pair, self._contrast_key
        if pair is None:
            return 0.0, 1.0
        own = pair.delta_limits if key == "difference" else pair.limits
        return self.contrast.of(key, *own)

    def choose(self, path: Path) -> None:
        """Take another second volume."""
        self._second = path
        self._open()

    def choose_other(self) -> None:
        """Ask for a folder."""
        volume = self.session.volume
        self.controls.second.ask(str(volume.parent) if volume is not None else "")

    def swap(self) -> None:
        """Make the second the first."""
        if self._keeper.held is not None:
            self._keeper.held = self._keeper.held.swapped()
            self._take_pair()

    def set_layout(self, layout: str) -> None:
        """Show both in another way."""
        if layout == self.layout:
            return
        self.controls.auto.setChecked(False)
        self.controls.show_layout(layout)
        self.view.lay_out(layout)

    def blink(self) -> None:
        """Show the other one."""
        if self.entered:
            self.view.blink()

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        return self._keeper.is_quiet and self.view.is_quiet

    def enter(self) -> None:
        """Show both and listen to the mouse."""
        self.entered = True
        self.said.want(True)
        self._unit_before = self.around.shelf.unit
        self.pointer.enter()
        self._space.setEnabled(True)
        self.view.want_whole()
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
        self._keeper.close_now()

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
        if self._keeper.error:
            return Cover("They cannot be compared", self._keeper.error, *choose)
        pair = self.pair
        if pair is None:
            return Cover(f"Opening {volume.name} and {self._second.name}…", "")
        if not pair.comparison.comparable:
            return Cover("They cannot be compared", " ".join(pair.comparison.reasons), *choose)
        return None

    def picture(self) -> Picture | None:
        """What is seen; of two side by side, the first."""
        return self.view.picture()

    def set_limits(self, low: float, high: float) -> None:
        """Take a contrast from a person; that of the difference stays about zero."""
        if self.layout == "difference":
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
        self.view.fit()

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
        self.controls.name_first(path)
        if self.entered:
            self._open()

    def _open(self) -> None:
        """Open both, unless they are open."""
        first, second = self.session.volume, self._second
        self.controls.name_first(first)
        wanted = (first, second) if first is not None and second is not None else None
        if wanted is not None and wanted == self._paths and self.pair is not None:
            self._take_pair()
            return
        self._stop()
        self._paths = wanted
        if wanted is not None and self.entered and not is_partial(wanted[0]):
            self._keeper.open(partial(open_pair, *wanted), "two volumes")
        else:
            self._keeper.close()
        self.signals.cover_changed.emit()

    async def _take_opened(self) -> None:
        pair = self.pair
        if pair is None:
            self.signals.cover_changed.emit()
            return
        self.contrast.forget()
        self.view.want_whole()
        self.controls.counter.set_count(pair.comparison.n_shared)
        self.controls.counter.set_index(pair.comparison.n_shared // 2)
        self.tasks.start(self._list(), "Looking for volumes")
        self._take_pair()

    def _take_pair(self) -> None:
        pair = self.pair
        if pair is None:
            return
        self.controls.name_first(pair.first.opened.path)
        self._say()
        self.signals.cover_changed.emit()
        if pair.comparison.comparable and self.entered:
            self.around.measure(known=pair.first.opened.volume.voxel_um is not None)
            self.view.enter(pair, self.controls.counter.index)
            self.signals.limits_changed.emit(*self.limits)

    def _stop(self) -> None:
        self.said.say(())
        self.view.leave()
        self.signals.picture_changed.emit(None)

    async def _list(self) -> None:
        """Fill the list of second volumes: looking at folders takes time."""
        runs = [run.output for run in self.session.runs if run.state == "finished" and run.output]
        known = [*runs, *(Path(name) for name in self.session.settings.recent)]
        volumes = await asyncio.to_thread(_volumes_among, known)
        listed = [path for path in volumes if path != self.session.volume]
        self.controls.second.fill(listed, self._second)

    # -- showing -----------------------------------------------------------------------

    @property
    def _contrast_key(self) -> str:
        return "difference" if self.layout == "difference" else "values"

    def _moved(self, index: int, by: int = 1) -> None:
        self.view.move(index, by)
        self._say()

    def _tell(self) -> None:
        """Say what is seen now."""
        blinks = self.layout == "blink"
        self.controls.mark(int(self.view.seen_second) if blinks else None)
        self._say()
        self.signals.picture_changed.emit(self.picture())
        self.pointer.point()

    def _take_limits(self) -> None:
        self.view.set_limits(self.limits)
        self.signals.limits_changed.emit(*self.limits)

    def _say(self) -> None:
        """Say which slices are seen and what differs."""
        pair, bar = self.pair, self.controls
        if pair is None or not pair.comparison.comparable:
            bar.place.clear()
            self.said.say(())
            return
        at, beside = pair.indices(bar.counter.index)
        count = pair.comparison.n_shared
        bar.place.set_text(f"of {count}" if at == beside else f"{at} in A, {beside} in B")
        both, names = self.view.both, (pair.first.opened.name, pair.second.opened.name)
        second = self.view.seen_second
        self.said.say(
            caption_lines(
                pair.first.opened.volume, pair.second.opened.volume,
                notes=pair.comparison.notes, figures=both.figures if both is not None else None,
                seen=f"{'AB'[second]} {names[second]}" if self.layout == "blink" else "",
            )
        )  # fmt: skip

    # -- blinking ----------------------------------------------------------------------

    def _blink_by_command(self) -> None:
        self.session.set_mode(Mode.COMPARE)
        if self.layout == "blink":
            self.blink()
        else:
            self.set_layout("blink")


def _volumes_among(paths: list[Path]) -> list[Path]:
    """Which of them are volumes, each once, in their order."""
    return [path for path in dict.fromkeys(paths) if is_volume(path)]
