"""What the canvas shows, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def colors_at(
    stage: Any, slot: Any, rows: NDArray[Any], columns: NDArray[Any]
) -> NDArray[np.float64]:
    """Colours of the canvas, 0 to 1, where a layer's pixels lie; shape (pixel, 3)."""
    shot = stage.host.screenshot()
    camera = stage.host.viewer.scene.camera
    height, width = shot.shape[:2]
    places = np.array([slot.layer.data_to_world(p) for p in zip(rows, columns, strict=True)])
    down = (places[:, 0] - camera.center[-2]) * camera.zoom + height / 2
    across = (places[:, 1] - camera.center[-1]) * camera.zoom + width / 2
    seen = shot[np.floor(down).astype(int), np.floor(across).astype(int), :3]
    return np.asarray(seen / 255.0)


def some_pixels(image: NDArray[Any], share: float = 0.1) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows and columns of a grid of pixels that keeps off the edges and the scale bar."""
    rows, columns = image.shape
    down = np.arange(int(rows * share), int(rows * (1 - share)), max(1, rows // 24))
    across = np.arange(int(columns * share), int(columns * (1 - share)), max(1, columns // 24))
    grid = np.meshgrid(down, across, indexing="ij")
    return grid[0].ravel(), grid[1].ravel()


def greys_of(image: NDArray[Any], rows: Any, columns: Any, low: float, high: float) -> Any:
    """Greys, 0 to 1, that those pixels ought to have."""
    values = image[rows, columns].astype(float)
    return np.clip((values - low) / (high - low), 0, 1)


def assert_shows(stage: Any, slot: Any, picture: Any) -> None:
    """The canvas shows a picture, with its greys."""
    rows, columns = some_pixels(picture.image)
    seen = colors_at(stage, slot, rows, columns)
    wanted = greys_of(picture.image, rows, columns, picture.low, picture.high)
    assert np.ptp(wanted) > 0.3, "a picture without contrast shows nothing"
    off = np.abs(seen - wanted[:, np.newaxis]).max(axis=1)
    assert np.mean(off < 0.02) > 0.97, f"{np.mean(off < 0.02):.2f} of the pixels are right"
