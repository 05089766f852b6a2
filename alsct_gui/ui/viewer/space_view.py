"""A volume in 3-D: the finest level that fits into the memory there is, or the reason why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files import cuts
from alsct_gui.files.cuts import LevelChoice, level_for_3d
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.layers import Shelf
from alsct_gui.ui.viewer.mode import Cover, Surroundings
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.solid import SolidSlot
from alsct_gui.ui.viewer.volumewords import Voxel

if TYPE_CHECKING:
    from napari.layers import Image

_PART_BYTES = 32_000_000
ASLANT_DEG = (-20.0, 0.0, 130.0)
"""Napari's angles of the camera."""


class SpaceSlot(SolidSlot):
    """A three-dimensional picture's layer."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, "Volume in 3-D")

    def show_block(
        self, block: NDArray[Any], limits: Limits, edges: NDArray[np.float64],
        rendering: str,
    ) -> None:  # fmt: skip
        """Show a block, shape (slice, y, x), whose voxels have these edges."""
        from napari.layers import Image

        unit = self._shelf.unit
        layer: Image = Image(
            block, name=self.name, contrast_limits=limits, scale=edges,
            units=(unit,) * 3, rendering=rendering, colormap=self._shelf.colormap,
            iso_threshold=sum(limits) / 2, depiction="volume",
        )  # fmt: skip
        self.place(layer)

    def fit(self) -> None:
        """Show the whole block, from above and aslant: from the front it looks flat."""
        if self._layer is not None:
            viewer = self._shelf.host.viewer
            viewer.reset_view(layers=[self._layer], margin=0.05)
            viewer.scene.camera.angles = ASLANT_DEG

    def render(self, rendering: str) -> None:
        """Draw it in another way."""
        if self._layer is not None:
            self._layer.rendering = rendering


class SpaceView:
    """Shows a level of a volume in three dimensions.

    Parameters
    ----------
    around
        What every mode is given.
    on_changed
        Called when `cover` may be another one.
    go_back
        Shows slices instead.
    """

    def __init__(
        self, around: Surroundings, on_changed: Callable[[], None], go_back: Callable[[], None]
    ) -> None:
        self._around, self._on_changed, self._go_back = around, on_changed, go_back
        self.slot = SpaceSlot(around.shelf)
        self.choice: LevelChoice | None = None
        self.rendering = "mip"
        self._reader: PlaneReader | None = None
        self._limits: Limits = (0.0, 1.0)
        self._task: asyncio.Task[None] | None = None
        self._cover: Cover | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether it is there, or refused."""
        return self._task is None or self._task.done()

    def enter(self, reader: PlaneReader, cursor: Voxel, limits: Limits) -> None:
        """Read the level that fits and show it."""
        self._reader, self._limits = reader, limits
        self.choice = level_for_3d(reader.opened.shapes, cuts.available_memory_bytes())
        if self.choice.level is None:
            self._say(Cover("3-D does not fit", self.choice.sentence,
                            "Look at slices instead", self._go_back))  # fmt: skip
            return
        self._say(Cover("Reading the volume for 3-D…", self.choice.sentence,
                        "Look at slices instead", self._go_back))  # fmt: skip
        work = self._load(reader, self.choice.level)
        self._task = self._around.tasks.start(work, "Reading the volume for 3-D")

    def leave(self) -> None:
        """Free it, and return to two dimensions."""
        if self._reader is None:
            return
        self._reader, self._cover = None, None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.slot.remove()
        self._around.host.viewer.dims.ndisplay = 2
        self._around.session.busy("viewer", "")

    def cover(self) -> Cover | None:
        """Words while there is nothing to see."""
        return self._cover

    def move(self, cursor: Voxel) -> None:
        """All of it is seen."""

    def set_limits(self, limits: Limits) -> None:
        """Show it with other greys."""
        self._limits = limits
        self.slot.set_limits(limits)

    def set_rendering(self, rendering: str) -> None:
        """Draw it in another way."""
        self.rendering = rendering
        self.slot.render(rendering)

    def fit(self) -> None:
        """Show the whole volume."""
        self.slot.fit()

    def picture(self) -> Picture | None:
        """Nothing that could be measured."""
        return None

    def at(self, position: tuple[float, ...]) -> tuple[Voxel, float] | None:
        """No voxel: the mouse points along a line."""
        return None

    async def _load(self, reader: PlaneReader, level: int) -> None:
        opened, session = reader.opened, self._around.session
        shape = opened.shapes[level]
        part = max(1, _PART_BYTES // (4 * shape[1] * shape[2]))
        try:
            block = np.empty(shape, np.float32)
            for first in range(0, shape[0], part):
                stop = min(first + part, shape[0])
                block[first:stop] = await asyncio.to_thread(opened.block, level, first, stop)
                session.busy("viewer", f"Reading 3-D: {stop} of {shape[0]} slices")
        except BaseException:
            if self._reader is reader:
                self._say(Cover("3-D cannot be shown", "The volume was not read to its end.",
                                "Look at slices instead", self._go_back))  # fmt: skip
            raise
        finally:
            session.busy("viewer", "")
        if reader is not self._reader:
            return
        edges = np.multiply(opened.volume.voxel_um or (1.0, 1.0, 1.0), opened.factors(level))
        self._around.host.viewer.dims.ndisplay = 3
        self.slot.show_block(block, self._limits, edges, self.rendering)
        self.slot.fit()
        self._say(None)

    def _say(self, cover: Cover | None) -> None:
        self._cover = cover
        self._on_changed()
