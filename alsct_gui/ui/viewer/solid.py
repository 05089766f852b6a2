"""A place for layers of other kinds than a flat picture, which are taken out again."""

from __future__ import annotations

from typing import Any

from alsct_gui.ui.viewer.layers import Shelf, Slot


class SolidSlot(Slot):
    """One of the program's own layers that is made anew and removed by the program.

    Parameters
    ----------
    shelf
        Where the program's own layers are kept.
    name
        Of the layer.
    """

    def __init__(self, shelf: Shelf, name: str) -> None:
        super().__init__(shelf, name, {})
        shelf.adopt(self)

    def place(self, layer: Any, *, at: int | None = None) -> None:
        """Put a layer into the viewer, in the place of the last one.

        Parameters
        ----------
        layer
            Of napari.
        at
            How many layers lie below it; None puts it on top.
        """
        self.remove()
        self._layer = layer
        if hasattr(layer.events, "contrast_limits"):
            layer.events.contrast_limits.connect(self._limits_were_set)
        layers = self._shelf.host.viewer.layers
        layers.insert(len(layers) if at is None else at, layer)

    def glimpse(self, *_: object, **__: object) -> bool:
        """Nothing is shown for a moment: it is no flat picture."""
        return False

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        layer, self._layer = self._layer, None
        if layer is not None and self._shelf.host.is_open:
            layers = self._shelf.host.viewer.layers
            if layer in layers:
                layers.remove(layer)
