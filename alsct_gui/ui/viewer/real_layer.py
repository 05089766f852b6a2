"""The volume as a layer of napari's own kind, for plugins and segmentations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.steps.values import LAYER_PATH
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.layers import Shelf
from alsct_gui.ui.viewer.lie import lie_as
from alsct_gui.ui.viewer.opened import OpenedVolume
from alsct_gui.ui.viewer.solid import SolidSlot

if TYPE_CHECKING:
    from napari.layers import Image

_SAME_PLACE = 1e-6


class LevelArray(DiskArray):
    """A level of a volume in physical values, read when a plugin or napari asks for it."""

    def __init__(self, opened: OpenedVolume, level: int) -> None:
        stored = opened.volume.levels[level]
        z, y, x = stored.shape
        scaled = opened.volume.scale is not None
        super().__init__((z, y, x), np.dtype(np.float32) if scaled else stored.dtype)
        self._opened, self._level = opened, level

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        return self._opened.values(self._level, ranges)


def _facts(opened: OpenedVolume) -> dict[str, Any]:
    """What a plugin may ask of the layer: which file it shows, and the unit of its values."""
    volume = opened.volume
    # A reconstruction that is being made has a name and no file yet.
    path = {LAYER_PATH: str(volume.path.absolute())} if volume.path.exists() else {}
    return {**path, "value_units": volume.units}


class RealLayer(SolidSlot):
    """A multiscale layer of three dimensions; napari cuts its slices itself.

    Parameters
    ----------
    shelf
        Where the program's own layers are kept.
    on_slice
        Called when napari is moved to another slice, by a plugin or its own slider.
    """

    def __init__(self, shelf: Shelf, on_slice: Callable[[int], None]) -> None:
        super().__init__(shelf, "Volume")
        self._on_slice = on_slice
        self._edges = (1.0, 1.0, 1.0)

    def put(self, opened: OpenedVolume, limits: Limits, index: int) -> None:
        """Add the layer, below those of others."""
        from napari.layers import Image

        viewer, voxel_um = self._shelf.host.viewer, opened.volume.voxel_um
        unit = self._shelf.unit
        self._edges = voxel_um or (1.0, 1.0, 1.0)
        levels = [LevelArray(opened, level) for level in range(len(opened.shapes))]
        layer: Image = Image(
            levels, multiscale=True, name=opened.name, contrast_limits=limits,
            scale=self._edges, units=(unit,) * 3, colormap=self._shelf.colormap,
            interpolation2d="nearest", metadata=_facts(opened),
        )  # fmt: skip
        self.place(layer, at=0)
        viewer.dims.events.current_step.connect(self._stepped)
        self.go_to(index)

    def remove(self) -> None:
        if self._layer is not None:
            self._shelf.host.viewer.dims.events.current_step.disconnect(self._stepped)
        super().remove()

    def go_to(self, index: int) -> None:
        """Show another slice."""
        dims, place = self._shelf.host.viewer.dims, index * self._edges[0]
        if self._layer is not None and abs(dims.point[-3] - place) > _SAME_PLACE:
            dims.set_point(dims.ndim - 3, place)

    def show(
        self, image: NDArray[Any], limits: Limits, *, pixel_um: tuple[float, float] | None,
        offset_px: tuple[float, float] = (0.0, 0.0), fit: bool = True,
    ) -> None:  # fmt: skip
        """Be seen; the slice is chosen by `go_to`, napari reads it."""
        if self._layer is not None:
            scale = pixel_um or (1.0, 1.0)
            corner = (offset_px[0] * scale[0], offset_px[1] * scale[1])
            lie_as(self._layer, image, scale, corner)
        self.set_limits(limits)
        self.unhide()

    def _stepped(self) -> None:
        dims = self._shelf.host.viewer.dims
        if self._layer is not None and dims.ndim >= 3 and dims.ndisplay == 2:
            self._on_slice(round(dims.point[-3] / self._edges[0]))
