"""What stands in for the canvas: it keeps a picture and tells of its limits."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from alsct_gui.ui.picture import Picture


class Eye(QObject):
    """A stage without a viewer."""

    picture_changed = Signal(object)
    limits_changed = Signal(float, float)

    def __init__(self, picture: Picture | None = None) -> None:
        super().__init__()
        self.picture = picture
        self.limits: list[tuple[float, float]] = []
        self.colormap = "gray"

    def look_at(self, picture: Picture | None) -> None:
        self.picture = picture
        self.picture_changed.emit(picture)

    def set_limits(self, low: float, high: float) -> None:
        self.limits.append((low, high))
        self.limits_changed.emit(low, high)

    def set_colormap(self, name: str) -> None:
        self.colormap = name

    def screenshot(self) -> QImage:
        image = QImage(64, 48, QImage.Format.Format_RGBA8888)
        image.fill(0xFF336699)
        return image


def slice_picture(seed: int = 0, size: int = 96) -> Picture:
    """A slice with an object of known value in it."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 0.05, (size, size)).astype(np.float32)
    rows, columns = np.indices(image.shape)
    image[np.hypot(rows - size / 2, columns - size / 2) < size / 4] += 1.5
    return Picture(image, "Slice of row 12", "1/cm", (0.65, 0.65), -0.2, 1.8)
