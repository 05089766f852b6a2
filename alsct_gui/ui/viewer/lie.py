"""Where a picture lies on the canvas, whatever layer draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from alsct_gui.ui.look.figures import Place
from alsct_gui.ui.viewer.host import NapariHost

_KEY = "alsct-gui: picture"


@dataclass(frozen=True)
class Lie:
    """Place and size of a flat picture in the canvas's units."""

    scale: tuple[float, float]
    """Edges of a pixel (row, column)."""
    corner: tuple[float, float]
    """Where the middle of pixel (0, 0) is (down, across)."""
    units: tuple[Any, ...]
    """Napari's, for both axes."""

    def to_pixel(self, place: Place) -> Place:
        """Return row and column of a place on the canvas."""
        row, column = ((at - low) / edge for at, low, edge in
                       zip(place, self.corner, self.scale, strict=True))  # fmt: skip
        return row, column

    def to_world(self, pixel: Place) -> Place:
        """Return the place of a row and column on the canvas."""
        down, across = (low + at * edge for at, low, edge in
                        zip(pixel, self.corner, self.scale, strict=True))  # fmt: skip
        return down, across


def lie_as(
    layer: Any, image: NDArray[Any], scale: tuple[float, float], corner: tuple[float, float]
) -> None:
    """Say that a layer shows a picture that is not its data, such as a slice of a volume."""
    layer.metadata[_KEY] = (image, scale, corner)


def lie_of(host: NapariHost, image: NDArray[Any]) -> Lie | None:
    """Return where a picture lies; None when no layer shows it."""
    if not host.is_open:
        return None
    for layer in reversed(host.viewer.layers):
        if not layer.visible:
            continue
        shown, scale, corner = layer.metadata.get(_KEY, (None, None, None))
        if shown is image:
            return Lie(scale, corner, tuple(layer.units[-2:]))
        if getattr(layer, "data", None) is image:
            scale, corner = ((float(a), float(b)) for a, b in
                             (layer.scale[-2:], layer.translate[-2:]))  # fmt: skip
            return Lie(scale, corner, tuple(layer.units[-2:]))
    return None
