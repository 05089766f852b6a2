"""Pictures for the eye: limits of contrast, small versions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAMPLED = 200_000  # pixels from which limits are found
_PERCENTILES = (0.5, 99.5)


def limits(picture: NDArray[Any], *, masked: bool = False) -> tuple[float, float]:
    """Robust limits for display: percentiles 0.5 and 99.5 of a sample of the pixels.

    Parameters
    ----------
    picture
        Any shape.
    masked
        Leave out values that are exactly 0, as outside a slice's circle.

    Returns
    -------
    low, high
        Finite, and low below high.
    """
    # A step along both axes: one along the flat picture could meet the same columns again.
    step = max(1, int(np.ceil(np.sqrt(picture.size / _SAMPLED))))
    values = picture[tuple(slice(None, None, step) for _ in picture.shape)]
    values = values[np.isfinite(values)]
    if masked:
        values = values[values != 0]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, _PERCENTILES))
    return (low, high) if low < high else (low, low + 1.0)


def shrink(picture: NDArray[Any], size_px: int) -> NDArray[np.float32]:
    """Make a picture at most about so wide and high, by means over squares of pixels."""
    factor = max(1, -(-max(picture.shape) // max(1, size_px)))
    rows, columns = (max(1, length // factor) for length in picture.shape)
    tall, wide = min(factor, picture.shape[0]), min(factor, picture.shape[1])
    cut = picture[: rows * tall, : columns * wide]
    means = cut.reshape(rows, tall, columns, wide).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(means, np.float32)


def to_bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale a picture to 0 to 255 between its limits."""
    low, high = limits(picture)
    scaled = (np.nan_to_num(picture, nan=low) - low) * (255.0 / (high - low))
    return np.clip(scaled, 0, 255).astype(np.uint8)
