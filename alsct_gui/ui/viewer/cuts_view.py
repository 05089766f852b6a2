"""Three orthogonal cuts through a volume in one canvas, with one cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer

from alsct_gui.files.cuts import AXES, Axis, level_for
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.crosshair import CrossHair
from alsct_gui.ui.viewer.cutlayout import CutLayout
from alsct_gui.ui.viewer.fitting import fit_flat
from alsct_gui.ui.viewer.layers import Slot
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import Plane, cuts_at
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.volumewords import Voxel

_NAMES: dict[Axis, str] = {"slice": "Cut xy", "row": "Cut xz", "column": "Cut yz"}
_ZOOMED_MS = 200


@dataclass(frozen=True)
class _Asked:
    reader: PlaneReader
    cursor: Voxel
    axis: Axis


class CutsView:
    """Shows a slice and the two upright cuts through one voxel.

    Parameters
    ----------
    around
        What every mode is given.
    on_shown
        Called when another cut is seen.
    on_cursor
        Called with the voxel that a person clicked or dragged to.
    """

    def __init__(
        self, around: Surroundings, on_shown: Callable[[], None],
        on_cursor: Callable[[Voxel], None],
    ) -> None:  # fmt: skip
        self._around, self._on_shown, self._on_cursor = around, on_shown, on_cursor
        self.slots: dict[Axis, Slot] = {axis: around.shelf.slot(_NAMES[axis]) for axis in AXES}
        self.cross = CrossHair(around.shelf)
        self._newest: dict[Axis, Newest[_Asked, Plane]] = {
            axis: Newest(around.tasks, self._fetch, self._show, lambda _: "Reading cuts")
            for axis in AXES
        }
        self._planes: dict[Axis, Plane] = {}
        self._reader: PlaneReader | None = None
        self._layout = CutLayout((1, 1, 1), (1, 1, 1))
        self._cursor: Voxel = (0, 0, 0)
        self._limits: Limits = (0.0, 1.0)
        self._fitted = False
        self._zoomed = QTimer()
        self._zoomed.setSingleShot(True)
        self._zoomed.setInterval(_ZOOMED_MS)
        self._zoomed.timeout.connect(self._ask)

    @property
    def is_quiet(self) -> bool:
        """Whether all cuts are seen."""
        return not self._zoomed.isActive() and not any(n.busy for n in self._newest.values())

    @property
    def layout(self) -> CutLayout:
        """Where the cuts lie."""
        return self._layout

    def enter(self, reader: PlaneReader, cursor: Voxel, limits: Limits) -> None:
        """Show the cuts of a volume."""
        self._reader, self._cursor, self._limits = reader, cursor, limits
        volume = reader.opened.volume
        self._layout = CutLayout(volume.shape, volume.voxel_um or (1.0, 1.0, 1.0))
        self._fitted = False
        viewer = self._around.host.viewer
        viewer.mouse_drag_callbacks.append(self._drag)
        viewer.scene.camera.events.zoom.connect(self._zoom)
        self._ask()

    def leave(self) -> None:
        """Hide them; stop what runs."""
        if self._reader is None:
            return
        viewer = self._around.host.viewer
        viewer.mouse_drag_callbacks.remove(self._drag)
        viewer.scene.camera.events.zoom.disconnect(self._zoom)
        self._zoomed.stop()
        for newest in self._newest.values():
            newest.cancel()
        self._reader = None
        self._planes.clear()
        for slot in (*self.slots.values(), self.cross):
            slot.hide()

    def move(self, cursor: Voxel) -> None:
        """Cut at another voxel; only what differs is read."""
        before, self._cursor = self._cursor, cursor
        if self._reader is None:
            return
        self._draw_cross()
        for number, axis in enumerate(AXES):
            if before[number] != cursor[number]:
                self._want(axis)

    def refresh(self) -> None:
        """Read all cuts again: there is more of the volume."""
        self._ask()

    def set_limits(self, limits: Limits) -> None:
        """Show them with other greys."""
        self._limits = limits
        for slot in self.slots.values():
            slot.set_limits(limits)

    def show_cross(self, on: bool) -> None:
        """Show the cross-hair or not."""
        self.cross.on = on
        if on and self._reader is not None:
            self._draw_cross()
        else:
            self.cross.hide()

    def fit(self) -> None:
        """Show all three."""
        layers = [slot.layer for slot in self.slots.values() if slot.layer is not None]
        fit_flat(self._around.host, layers)

    def picture(self) -> Picture | None:
        """The slice among them."""
        plane, reader = self._planes.get("slice"), self._reader
        if plane is None or reader is None:
            return None
        title = f"Slice {plane.cut.index}"
        units = reader.opened.volume.units
        return Picture(plane.image, title, units, plane.pixel_um, *self._limits)

    def axis_at(self, position: tuple[float, ...]) -> Axis | None:
        """Which cut lies at a place in the world."""
        return self._layout.cut_at(_place(position))

    def at(self, position: tuple[float, ...]) -> tuple[Voxel, float] | None:
        """Voxel and value at a place in the world; None beside the cuts."""
        axis = self.axis_at(position)
        if axis is None or axis not in self._planes:
            return None
        pixel = self.slots[axis].pixel_at(position)
        layer = self.slots[axis].layer
        if pixel is None or layer is None:
            return None
        voxel = self._layout.voxel_at(_place(position), axis, self._cursor)
        return voxel, float(layer.data[pixel])

    def _ask(self) -> None:
        for axis in AXES:
            self._want(axis)

    def _want(self, axis: Axis) -> None:
        if self._reader is not None:
            self._newest[axis].want(_Asked(self._reader, self._cursor, axis))

    async def _fetch(self, asked: _Asked) -> Plane:
        cut = cuts_at(asked.cursor)[AXES.index(asked.axis)]
        return await asked.reader.read(cut, self._level(asked))

    def _level(self, asked: _Asked) -> int:
        opened = asked.reader.opened
        if opened.volume.voxel_um is None:
            return 0
        height, width = self._layout.size(asked.axis)
        if asked.axis == "column":
            height, width = width, height
        zoom = self._zoom_now()
        screen = (max(1, round(height * zoom)), max(1, round(width * zoom)))
        return level_for(opened.shapes, asked.axis, screen)

    def _zoom_now(self) -> float:
        """Pixels of the screen along a unit of the world; before the first picture, as it fits."""
        if self._fitted:
            return float(self._around.host.viewer.scene.camera.zoom)
        down, across = self._layout.origin("row")[0], self._layout.origin("column")[1]
        down += self._layout.size("row")[0]
        across += self._layout.size("column")[1]
        canvas = self._around.host.canvas
        return min(canvas.height() / down, canvas.width() / across)

    def _show(self, asked: _Asked, plane: Plane) -> None:
        if asked.reader is not self._reader:
            return
        axis = asked.axis
        self._planes[axis] = plane
        opened = asked.reader.opened
        factors = opened.factors(plane.level)
        edges = [edge * factor for edge, factor in zip(self._layout.edges, factors, strict=True)]
        down, across = self._layout.axes(axis)
        origin = self._layout.origin(axis)
        offset = (origin[0] / edges[down] + 0.5, origin[1] / edges[across] + 0.5)
        image = np.ascontiguousarray(plane.image.T) if axis == "column" else plane.image
        pixel = (edges[down], edges[across])
        known = opened.volume.voxel_um is not None
        self.slots[axis].show(
            image, self._limits, pixel_um=pixel if known else None, offset_px=offset, fit=False
        )
        if len(self._planes) == len(AXES) and not self._fitted:
            self.fit()
            self._fitted = True
            self._draw_cross()
        if axis == "slice":
            self._on_shown()

    def _draw_cross(self) -> None:
        if self._reader is not None and self._fitted:
            self.cross.draw(self._layout, self._cursor)

    def _zoom(self) -> None:
        self.cross.thin()
        if self._fitted:
            self._zoomed.start()

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        """Move the cursor with the mouse; beside the cuts and with Shift the view moves."""
        axis = self.axis_at(event.position)
        if event.handled or event.button != 1 or event.modifiers or axis is None:
            return
        camera = viewer.scene.camera
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            self._on_cursor(self._layout.voxel_at(_place(event.position), axis, self._cursor))
            yield
            while event.type == "mouse_move":
                self._on_cursor(self._layout.voxel_at(_place(event.position), axis, self._cursor))
                yield
        finally:
            camera.mouse_pan = panned


def _place(position: tuple[float, ...]) -> tuple[float, float]:
    down, across = position[-2:]
    return float(down), float(across)
