"""One slice of a volume at a time: coarse while a person moves, whole when it rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer

from alsct_gui.files.cuts import Cut
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.layers import Slot
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import Plane
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.volumewords import Voxel

REST_MS = 150
"""A person who has not moved for so long rests."""
AHEAD = 4
"""Slices that are read before they are asked for."""


@dataclass(frozen=True)
class _Asked:
    reader: PlaneReader
    index: int
    level: int
    passing: bool
    """Whether it is seen for a moment only."""


class FlatView:
    """Shows slices in one layer.

    Parameters
    ----------
    around
        What every mode is given.
    on_shown
        Called when another slice is seen.
    """

    def __init__(self, around: Surroundings, on_shown: Callable[[], None]) -> None:
        self._around, self._on_shown = around, on_shown
        self.flat = around.shelf.slot("Slice")
        self.slot: Slot = self.flat
        self._reader: PlaneReader | None = None
        self._limits: Limits = (0.0, 1.0)
        self._plane: Plane | None = None
        self._index = 0
        self._direction = 1
        self._newest: Newest[_Asked, Plane] = Newest(
            around.tasks, self._fetch, self._show, lambda asked: f"Reading slice {asked.index}"
        )
        self._rest = QTimer()
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._take_rest)

    @property
    def is_quiet(self) -> bool:
        """Whether the slice is seen as fine as it will be."""
        return not self._newest.busy and not self._rest.isActive()

    def enter(self, reader: PlaneReader, cursor: Voxel, limits: Limits) -> None:
        """Show the slice of a volume."""
        self._reader, self._limits = reader, limits
        self._index = cursor[0]
        self._ask(0, passing=False)

    def leave(self) -> None:
        """Hide it; stop what runs."""
        self._rest.stop()
        self._newest.cancel()
        self._reader, self._plane = None, None
        self.slot.hide()

    def move(self, cursor: Voxel) -> None:
        """Show another slice."""
        if self._reader is None:
            return
        self._direction = -1 if cursor[0] < self._index else 1
        self._index = cursor[0]
        level = self._reader.opened.level_at(self._around.host.viewer.scene.camera.zoom)
        self._rest.start()
        self._ask(level, passing=True)

    def use(self, slot: Slot) -> None:
        """Show slices in another layer."""
        if slot is not self.slot:
            self.slot.hide()
            self.slot = slot

    def set_limits(self, limits: Limits) -> None:
        """Show it with other greys."""
        self._limits = limits
        self.slot.set_limits(limits)

    def fit(self) -> None:
        """Show the whole slice."""
        self.slot.fit()

    def picture(self) -> Picture | None:
        """What is seen."""
        if self._plane is None or self._reader is None:
            return None
        plane, volume = self._plane, self._reader.opened.volume
        title = f"Slice {plane.cut.index}"
        return Picture(plane.image, title, volume.units, plane.pixel_um, *self._limits)

    def at(self, position: tuple[float, ...]) -> tuple[Voxel, float] | None:
        """Voxel and value at a place in the world; None beside the picture."""
        plane = self._plane
        pixel = self.flat.pixel_at(position) if plane is not None else None
        if plane is None or pixel is None:
            return None
        y, x = (p * f + (f - 1) // 2 for p, f in zip(pixel, plane.factors, strict=True))
        return (plane.cut.index, y, x), float(plane.image[pixel])

    def _ask(self, level: int, *, passing: bool) -> None:
        if self._reader is None:
            return
        asked = _Asked(self._reader, self._index, level, passing)
        kept = self._reader.kept(Cut("slice", asked.index), level)
        if kept is None:
            self._newest.want(asked)
            return
        # At once: slider and picture are then painted together.
        self._newest.cancel()
        self._show(asked, kept)

    def _take_rest(self) -> None:
        self._ask(0, passing=False)

    async def _fetch(self, asked: _Asked) -> Plane:
        return await asked.reader.read(Cut("slice", asked.index), asked.level)

    def _show(self, asked: _Asked, plane: Plane) -> None:
        if asked.reader is not self._reader:
            return
        self._plane = plane
        first = ((plane.factors[0] - 1) / (2 * plane.factors[0]),
                 (plane.factors[1] - 1) / (2 * plane.factors[1]))  # fmt: skip
        if not asked.passing or not self.slot.glimpse(
            plane.image, pixel_um=plane.pixel_um, offset_px=first
        ):
            self.slot.show(plane.image, self._limits, pixel_um=plane.pixel_um, offset_px=first)
        self._read_ahead(asked)
        self._on_shown()

    def _read_ahead(self, asked: _Asked) -> None:
        opened, step = asked.reader.opened, self._direction
        near = (asked.index + step * k for k in range(1, AHEAD + 1))
        cuts = [Cut("slice", z) for z in near if 0 <= z < opened.volume.shape[0] and opened.has(z)]
        asked.reader.read_ahead(cuts, asked.level)
