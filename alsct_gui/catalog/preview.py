"""A small picture of a scan: what the detector saw in the middle of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import AlsctError

SIDE_PX = 256
"""Longest side of the picture."""
_PERCENTILES = (1.0, 99.0)


def preview_of(path: Path) -> bytes | None:
    """Return a picture of a scan's middle projection as PNG; None when none can be made.

    The projection is divided by the first flat where there is one, and its grey values are
    stretched over all but the outermost hundredths. A picture is a convenience: what is wrong
    with a scan is said where it is read for work.
    """
    try:
        with open_scan(path) as scan:
            middle = scan.projections.shape[0] // 2
            image: NDArray[Any] = np.asarray(
                scan.projections.read(slice(middle, middle + 1))[0], np.float32
            )
            if scan.flats is not None and scan.flats.shape[0]:
                flat = np.asarray(scan.flats.read(slice(0, 1))[0], np.float32)
                image = image / np.maximum(flat, 1.0)
    except (AlsctError, OSError, MemoryError):
        return None
    return png_of(image)


def png_of(image: NDArray[Any]) -> bytes:
    """Return an image (row, column) as a PNG of at most `SIDE_PX` on its longer side."""
    step = max(1, -(-max(image.shape) // SIDE_PX))
    rows, columns = (size // step * step for size in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    small = np.nan_to_num(blocks.mean(axis=(1, 3)), posinf=0.0, neginf=0.0)
    low, high = np.percentile(small, _PERCENTILES)
    grey = np.clip((small - low) / max(high - low, 1e-12), 0.0, 1.0)
    file = io.BytesIO()
    Image.fromarray((grey * 255).astype(np.uint8)).save(file, "png", optimize=True)
    return file.getvalue()
