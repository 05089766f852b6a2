"""What measuring needs of the stage."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtGui import QImage

from alsct_gui.ui.picture import Picture

COLORMAPS: tuple[tuple[str, str], ...] = (
    ("gray", "Gray"),
    ("gray_r", "Gray, inverted"),
    ("viridis", "Viridis"),
    ("magma", "Magma"),
    ("inferno", "Inferno"),
    ("cividis", "Cividis"),
    ("turbo", "Turbo"),
)
"""Colour maps by napari's names, and what they are called."""


class Sight(Protocol):
    """Where pictures are seen: `viewer.stage.Stage`."""

    picture_changed: Any
    """Signal(Picture | None)."""
    limits_changed: Any
    """Signal(float, float): values shown as black and as white."""

    @property
    def picture(self) -> Picture | None:
        """What is seen."""

    def set_limits(self, low: float, high: float) -> None:
        """Show the picture with other greys."""

    def set_colormap(self, name: str) -> None:
        """Show pictures in other colours."""

    def screenshot(self) -> QImage:
        """Return what the canvas shows, alone."""
