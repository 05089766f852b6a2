"""Images of a report: PNG bytes, with a scale bar where the size of a pixel is known."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alsct_gui.files.montage import scale_bar
from alsct_gui.files.report.content import Picture

LEAST_EDGE_PX, MOST_EDGE_PX = 300, 640
"""Shown images are enlarged, by whole pixels, or made smaller, to fit these."""


def grey_image(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Return a slice as grey from black at `low` to white at `high`; NaN is black."""
    span = high - low if high > low else 1.0
    with np.errstate(invalid="ignore"):
        shade = np.nan_to_num((values - low) / span * 255, nan=0.0, posinf=255, neginf=0)
    return np.clip(np.rint(shade), 0, 255).astype(np.uint8)


def overlay(
    grey: NDArray[np.uint8], labels: NDArray[np.integer], strength: float = 0.45
) -> NDArray[np.uint8]:
    """Return a grey slice with its objects in colours; shape (y, x, 3)."""
    # Neighbouring numbers get hues that are far apart.
    hue = (labels.astype(np.float64) * 0.61803398875) % 1.0
    phases = (hue[..., None] + np.array([0.0, 1 / 3, 2 / 3])) * 2 * np.pi
    colour = 127.5 * (1 + np.cos(phases))
    mixed = np.where(
        (labels > 0)[..., None], (1 - strength) * grey[..., None] + strength * colour,
        grey[..., None],
    )  # fmt: skip
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def png_of(picture: Picture) -> bytes:
    """Return an image as the bytes of a PNG file, at the size in which it is shown."""
    image = shown_image(picture)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def shown_image(picture: Picture) -> Image.Image:
    """Return an image at the size in which it is shown, with its scale bar."""
    source = Image.fromarray(np.ascontiguousarray(picture.pixels))
    edge = max(source.size)
    if edge > MOST_EDGE_PX:
        factor = MOST_EDGE_PX / edge
        size = max(1, round(source.width * factor)), max(1, round(source.height * factor))
        image = source.resize(size, Image.Resampling.BOX)
    else:
        times = max(1, MOST_EDGE_PX // edge if edge < LEAST_EDGE_PX else 1)
        factor = float(times)
        image = source.resize(
            (source.width * times, source.height * times), Image.Resampling.NEAREST
        )
    if picture.pixel_um:
        image = image.convert("RGB")
        corner = (image.width - 16, image.height - 16)
        scale_bar(image, corner, picture.pixel_um / factor, image.width)
    return image
