"""The layers that modes show pictures in: named plainly, made once, used again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.ui.look.sight import COLORMAPS
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.fitting import fit_flat, outline_of
from alsct_gui.ui.viewer.host import NapariHost

if TYPE_CHECKING:
    from napari.layers import Image


_Pair = tuple[float, float]


class Shelf:
    """The program's own layers in the viewer; those of plugins and people are let alone.

    Parameters
    ----------
    host
        The viewer, open before the first layer is made.
    """

    def __init__(self, host: NapariHost) -> None:
        self._host = host
        self._slots: list[Slot] = []
        self._unit = "pixel"
        self.colormap = "gray"
        """Of pictures, by napari's name; others are kept to what they show."""

    def slot(self, name: str, **options: Any) -> Slot:
        """Return a place for one picture; its layer is made with the first one.

        Parameters
        ----------
        name
            Of the layer, as people read it in napari's list.
        options
            Of `napari.layers.Image`.
        """
        made = Slot(self, name, options)
        self.adopt(made)
        return made

    def adopt(self, slot: Slot) -> None:
        """Keep a place of another kind among the program's own layers."""
        self._slots.append(slot)

    @property
    def host(self) -> NapariHost:
        """The viewer."""
        return self._host

    def forget(self, layer: Image) -> None:
        """Know that a person removed a layer by hand."""
        for slot in self._slots:
            slot.lose(layer)

    @property
    def unit(self) -> str:
        """In what all own layers are measured, ``um`` or ``pixel``."""
        return self._unit

    def measure_in(self, unit: str) -> None:
        """Give all own layers a unit: napari draws no scale bar when layers differ in it."""
        if unit != self._unit:
            self._unit = unit
            for slot in self._slots:
                slot.set_unit(unit)

    def set_colormap(self, name: str) -> None:
        """Show all own pictures in other colours, but for those that are tinted."""
        self.colormap = name
        for slot in self._slots:
            slot.set_colormap(name)


class Slot:
    """One picture's layer.

    `on_limits` is called with the limits when they are changed in napari's own controls.
    """

    def __init__(self, shelf: Shelf, name: str, options: dict[str, Any]) -> None:
        self._shelf, self.name, self._options = shelf, name, options
        self.on_limits: Callable[[float, float], object] = lambda low, high: None
        self._layer: Image | None = None
        self._own_change = False
        self._glimpsed: tuple[tuple[int, ...], _Pair, _Pair] | None = None

    @property
    def layer(self) -> Image | None:
        """The layer; None until there is a picture."""
        return self._layer

    @property
    def visible(self) -> bool:
        """Whether it is seen."""
        return self._layer is not None and bool(self._layer.visible)

    def show(
        self, image: NDArray[Any], limits: Limits, *, pixel_um: tuple[float, float] | None,
        offset_px: tuple[float, float] = (0.0, 0.0), fit: bool = True,
    ) -> None:  # fmt: skip
        """Show a picture; the camera is set anew only when its place or size changes.

        Parameters
        ----------
        image
            Shape (row, column).
        limits
            Values shown as black and white.
        pixel_um
            Edges of a pixel (row, column); None when they are not lengths.
        offset_px
            Where pixel (0, 0) lies, in pixels of the picture.
        fit
            Whether the camera follows it at all.
        """
        scale, place = _geometry(pixel_um, offset_px)
        glimpsed, self._glimpsed = self._glimpsed is not None, None
        if self._layer is None:
            self._make(image, limits, scale, place)
            if fit:
                self.fit()
            return
        before = self._outline()
        layer = self._layer
        self._own_change = True
        anew = glimpsed or layer.data is not image
        try:
            # With each change napari works out anew where everything lies, and draws it: once,
            # with the data, is enough.
            with layer.events.blocker_all() if anew else nullcontext():
                if tuple(layer.scale) != scale:
                    layer.scale = scale
                if tuple(layer.translate) != place:
                    layer.translate = place
            if anew:
                layer.data = image
            if tuple(layer.contrast_limits) != limits:
                layer.contrast_limits = limits
            if not layer.visible:  # setting it anew would have napari cut the slice again
                layer.visible = True
        finally:
            self._own_change = False
        if fit and not np.allclose(before, self._outline(), rtol=0, atol=4 * max(scale)):
            self.fit()

    def glimpse(
        self, image: NDArray[Any], *, pixel_um: tuple[float, float] | None,
        offset_px: tuple[float, float] = (0.0, 0.0),
    ) -> bool:  # fmt: skip
        """Show a picture for a moment, until `show` is called; napari's layer keeps what it has.

        Parameters
        ----------
        image, pixel_um, offset_px
            As for `show`; contrast and camera stay.

        Returns
        -------
        shown
            False when it cannot be: call `show`.
        """
        scale, place = _geometry(pixel_um, offset_px)
        if self._layer is None or not self._shelf.host.draw_over(self._layer, image, scale, place):
            return False
        self._glimpsed = (image.shape, scale, place)
        return True

    def set_limits(self, limits: Limits) -> None:
        """Show the picture with other greys."""
        if self._layer is None or tuple(self._layer.contrast_limits) == limits:
            return
        self._own_change = True
        try:
            self._layer.contrast_limits = limits
        finally:
            self._own_change = False

    def move(self, offset_px: tuple[float, float]) -> None:
        """Put the picture elsewhere, in pixels of its own."""
        if self._layer is not None:
            edges = self._layer.scale
            self._layer.translate = [o * e for o, e in zip(offset_px, edges, strict=True)]

    def tint(self, rgb: tuple[float, float, float]) -> None:
        """Draw it from black to a colour instead of from black to white."""
        if self._layer is not None:
            from napari.utils.colormaps import Colormap

            self._layer.colormap = Colormap([(0, 0, 0), rgb], name=f"{self.name} colour")

    def hide(self) -> None:
        """Hide it; it stays in napari's list."""
        if self._layer is not None and self._layer.visible:
            self._layer.visible = False

    def unhide(self) -> None:
        """Show it again."""
        if self._layer is not None and not self._layer.visible:
            self._layer.visible = True

    def fit(self) -> None:
        """Set the camera so that the whole picture is seen."""
        if self._layer is not None:
            fit_flat(self._shelf.host, [self._layer])

    def pixel_at(self, position: tuple[float, ...]) -> tuple[int, int] | None:
        """Pixel (row, column) at a place in the world; None beside the picture."""
        if self._layer is None:
            return None
        if self._glimpsed is not None:
            (rows, columns), scale, place = self._glimpsed
            row, column = (
                round((at - first) / edge)
                for at, first, edge in zip(position[-2:], place, scale, strict=True)
            )
        else:
            row, column = (round(float(x)) for x in self._layer.world_to_data(position)[-2:])
            rows, columns = self._layer.data.shape[-2:]
        inside = 0 <= row < rows and 0 <= column < columns
        return (row, column) if inside else None

    def lose(self, layer: object) -> None:
        """Know that a person removed the layer."""
        if layer is self._layer:
            self._layer = None

    def set_unit(self, unit: str) -> None:
        """Count its edges in another unit."""
        if self._layer is not None:
            self._layer.units = (unit,) * self._layer.ndim

    def set_colormap(self, name: str) -> None:
        """Show the picture in other colours, unless it has a tint of its own."""
        colormap = getattr(self._layer, "colormap", None)  # lines and labels have none
        if self._layer is not None and colormap is not None and colormap.name in dict(COLORMAPS):
            self._layer.colormap = name

    def _make(
        self, image: NDArray[Any], limits: Limits, scale: tuple[float, float],
        place: tuple[float, ...],
    ) -> None:  # fmt: skip
        from napari.layers import Image

        unit = self._shelf.unit
        options = {"colormap": self._shelf.colormap, "interpolation2d": "nearest", **self._options}
        layer = Image(
            image, name=self.name, contrast_limits=limits, scale=scale, translate=place,
            units=(unit, unit), **options,
        )  # fmt: skip
        layer.events.contrast_limits.connect(self._limits_were_set)
        self._layer = layer
        self._shelf.host.viewer.add_layer(layer)

    def _outline(self) -> NDArray[np.float64]:
        return outline_of(self._layer) if self._layer is not None else np.zeros((2, 2))

    def _limits_were_set(self) -> None:
        if self._layer is not None and not self._own_change:
            low, high = self._layer.contrast_limits
            self.on_limits(float(low), float(high))


def _geometry(pixel_um: _Pair | None, offset_px: _Pair) -> tuple[_Pair, _Pair]:
    """Edges of a pixel, and where the middle of the first one lies."""
    scale = pixel_um or (1.0, 1.0)
    return scale, (offset_px[0] * scale[0], offset_px[1] * scale[1])
