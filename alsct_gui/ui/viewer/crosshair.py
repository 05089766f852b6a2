"""Thin lines over the cuts, as thin at any zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alsct_gui.ui.theme.tokens import DARK
from alsct_gui.ui.viewer.cutlayout import CutLayout
from alsct_gui.ui.viewer.layers import Shelf
from alsct_gui.ui.viewer.solid import SolidSlot
from alsct_gui.ui.viewer.volumewords import Voxel

if TYPE_CHECKING:
    from napari.layers import Vectors

LINE_PX = 1.5
_OPACITY = 0.7
# Pictures are dark in both themes, so the lines have the dark theme's accent.


class CrossHair(SolidSlot):
    """One layer of six lines.

    Parameters
    ----------
    shelf
        Where the program's own layers are kept.
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, "Cross-hair")
        self.on = True

    def draw(self, layout: CutLayout, cursor: Voxel) -> None:
        """Draw the lines through a voxel."""
        if not self.on:
            return
        lines = np.array(list(layout.lines(cursor)))
        if self._layer is None:
            self._make_lines(lines)
        else:
            self._layer.data = lines
            self._layer.visible = True
        self.thin()

    def thin(self) -> None:
        """Keep the lines as thin as they are on the screen, at another zoom."""
        if self._layer is not None and self._layer.visible:
            width = LINE_PX / self._shelf.host.viewer.scene.camera.zoom
            if abs(self._layer.edge_width - width) > 0.05 * width:
                self._layer.edge_width = width

    def _make_lines(self, lines: Any) -> None:
        from napari.layers import Vectors

        layer: Vectors = Vectors(
            lines, name=self.name, vector_style="line", edge_color=DARK.accent,
            opacity=_OPACITY, units=(self._shelf.unit,) * 2,
        )  # fmt: skip
        self.place(layer)
