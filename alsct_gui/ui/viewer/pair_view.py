"""A slice of each of two volumes at a time: side by side, one over the other, or subtracted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer

from alsct_gui.ui.picture import Picture
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.fitting import fit_flat
from alsct_gui.ui.viewer.flat_view import AHEAD, REST_MS
from alsct_gui.ui.viewer.layers import Slot
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import Plane
from alsct_gui.ui.viewer.pair import Both, Pair
from alsct_gui.ui.viewer.pointer import Place
from alsct_gui.ui.viewer.words import value_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAP_SHARE = 0.02
LESS_RGB, NONE_RGB, MORE_RGB = (0.35, 0.7, 1.0), (0.11, 0.11, 0.11), (1.0, 0.6, 0.15)
"""Colours of the difference, which colour-blind people tell apart; dark where there is none."""


@dataclass(frozen=True)
class _Asked:
    pair: Pair
    index: int
    level: int
    subtract: bool


class PairView:
    """Shows two slices in layers of their own.

    Parameters
    ----------
    around
        What every mode is given.
    limits
        Gives the values shown as black and white in the present layout.
    on_shown
        Called when something else is seen.
    on_limits
        Called with the greys when they are changed in napari's own controls.
    """

    def __init__(
        self, around: Surroundings, limits: Callable[[], Limits], on_shown: Callable[[], object],
        on_limits: Callable[[float, float], object],
    ) -> None:  # fmt: skip
        self._host, self._limits, self._on_shown = around.host, limits, on_shown
        self.first = around.shelf.slot("First volume")
        self.second = around.shelf.slot("Second volume")
        self.delta = around.shelf.slot("Difference")
        for slot in (self.first, self.second, self.delta):
            slot.on_limits = on_limits
        self.layout = "side"
        """``side``, ``blink`` or ``difference``."""
        self.seen_second = False
        """Whether blinking has come to the second."""
        self.both: Both | None = None
        """What is shown; None for nothing."""
        self._pair: Pair | None = None
        self._index, self._direction = 0, 1
        self._fit_wanted = True
        self._newest: Newest[_Asked, Both] = Newest(
            around.tasks, self._fetch, self._show, lambda asked: f"Reading slices {asked.index}"
        )
        self._rest = QTimer(singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(lambda: self._ask(0))

    @property
    def is_quiet(self) -> bool:
        """Whether the slices are seen as fine as they will be."""
        return not self._newest.busy and not self._rest.isActive()

    def want_whole(self) -> None:
        """Let the camera show all of what comes next."""
        self._fit_wanted = True

    def enter(self, pair: Pair, index: int) -> None:
        """Show a slice that both of a pair have."""
        self._pair, self._index = pair, index
        self._ask(0)

    def leave(self) -> None:
        """Hide both; stop what runs."""
        self._rest.stop()
        self._newest.cancel()
        self._pair, self.both = None, None
        self._hide()

    def move(self, index: int, by: int) -> None:
        """Show another slice; `by` tells which way a person goes."""
        self._index, self._direction = index, -1 if by < 0 else 1
        pair = self._pair
        if pair is None:
            return
        zoom = self._host.viewer.scene.camera.zoom
        level = pair.common_level(pair.first.opened.level_at(zoom))
        if level:
            self._rest.start()
        self._ask(level)

    def lay_out(self, layout: str) -> None:
        """Show them in another layout."""
        self.layout, self.seen_second, self._fit_wanted = layout, False, True
        self._hide()
        self._ask(0)

    def blink(self) -> None:
        """Show the other one, where they lie one over the other."""
        if self.layout == "blink" and self.both is not None:
            self.seen_second = not self.seen_second
            self._draw(self.both)

    def set_limits(self, limits: Limits) -> None:
        """Show them with other greys."""
        for slot in (self.delta,) if self.layout == "difference" else (self.first, self.second):
            slot.set_limits(limits)

    def fit(self) -> None:
        """Show all of it."""
        slots = {"side": (self.first, self.second), "difference": (self.delta,)}
        seen = slots.get(self.layout, (self.first,))
        fit_flat(self._host, [slot.layer for slot in seen if slot.layer is not None])

    def picture(self) -> Picture | None:
        """What is seen; of two side by side, the first."""
        both, pair = self.both, self._pair
        if both is None or pair is None:
            return None
        plane, letter = (both.second, "B") if self.seen_second else (both.first, "A")
        image, title = plane.image, f"Slice {plane.cut.index} of {letter}"
        if self.layout == "difference" and both.delta is not None:
            image, title = both.delta, f"Difference in slice {plane.cut.index}"
        units = pair.first.opened.volume.units
        return Picture(image, title, units, both.first.pixel_um, *self._limits())

    def words_at(self, place: Place) -> str:
        """Say both values at a place; empty beside the pictures."""
        both, pair = self.both, self._pair
        visible = (slot for slot in (self.first, self.second, self.delta) if slot.visible)
        pixel = next(filter(None, (slot.pixel_at(place) for slot in visible)), None)
        if both is None or pair is None or pixel is None:
            return ""
        y, x = (p * f for p, f in zip(pixel, both.first.factors, strict=True))
        a, b = (float(plane.image[pixel]) for plane in (both.first, both.second))
        units = pair.first.opened.volume.units
        return f"x {x}, y {y} · A {value_words(a, '')}, B {value_words(b, units)}"

    # -- reading and drawing -----------------------------------------------------------

    def _ask(self, level: int) -> None:
        if self._pair is not None:
            subtract = self.layout == "difference"
            self._newest.want(_Asked(self._pair, self._index, level, subtract))

    async def _fetch(self, asked: _Asked) -> Both:
        return await asked.pair.read(asked.index, asked.level, subtract=asked.subtract)

    def _show(self, asked: _Asked, both: Both) -> None:
        if asked.pair is not self._pair or asked.subtract != (self.layout == "difference"):
            return
        self.both = both
        self._draw(both)
        if self._fit_wanted:
            self._fit_wanted = False
            self.fit()
        near = [asked.index + self._direction * k for k in range(1, AHEAD + 1)]
        count = asked.pair.comparison.n_shared
        asked.pair.read_ahead([z for z in near if 0 <= z < count], asked.level)

    def _draw(self, both: Both) -> None:
        if self.layout == "difference" and both.delta is not None:
            self._lay(self.delta, both.first, both.delta)
            _color(self.delta.layer)
        elif self.layout == "side":
            width = both.first.image.shape[1]
            self._lay(self.first, both.first, both.first.image)
            self._lay(self.second, both.first, both.second.image, width * (1 + GAP_SHARE))
        else:
            slots, planes = (self.first, self.second), (both.first, both.second)
            seen = int(self.seen_second)
            self._lay(slots[seen], both.first, planes[seen].image)
            slots[1 - seen].hide()
        self._on_shown()

    def _lay(self, slot: Slot, plane: Plane, image: NDArray[Any], across_px: float = 0.0) -> None:
        """Show a picture where the first one lies, or beside it."""
        down, across = ((factor - 1) / (2 * factor) for factor in plane.factors)
        slot.show(
            image, self._limits(), pixel_um=plane.pixel_um,
            offset_px=(down, across + across_px), fit=False,
        )  # fmt: skip

    def _hide(self) -> None:
        for slot in (self.first, self.second, self.delta):
            slot.hide()


def _color(layer: Any) -> None:
    """Colour a difference: one hue for less, another for more."""
    from napari.utils.colormaps import Colormap

    if layer is not None and layer.colormap.name != "difference":
        layer.colormap = Colormap([LESS_RGB, NONE_RGB, MORE_RGB], name="difference")
