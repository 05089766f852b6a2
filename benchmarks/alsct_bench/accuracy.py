"""How near an array is to what it should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

_RADIUS = 0.98
"""Share of the circle the detector sees within which slices are judged."""


def circle(size_px: int) -> NDArray[np.bool_]:
    """Pixels that count, shape (y, x)."""
    axis = np.arange(size_px) - (size_px - 1) / 2
    return np.hypot(axis[:, None], axis[None, :]) < _RADIUS * size_px / 2


def rmse(picture: Float32Array, truth: Float32Array) -> float:
    """Root mean square error within the circle, as a share of the truth's maximum."""
    inside = circle(len(truth))
    error = picture[inside].astype(np.float64) - truth[inside]
    return float(np.sqrt(np.mean(error**2)) / truth.max())


def scale_error(picture: Float32Array, truth: Float32Array) -> float:
    """How far values are too large (or too small), from the best fit of the truth."""
    inside = circle(len(truth))
    wanted = truth[inside].astype(np.float64)
    return float(np.dot(picture[inside], wanted) / np.dot(wanted, wanted) - 1)


def oriented(picture: Float32Array, truth: Float32Array) -> Float32Array:
    """Turn or mirror a picture as it fits the truth best: peers have their own conventions."""
    views = [np.rot90(side, turn) for side in (picture, picture[:, ::-1]) for turn in range(4)]
    return min(views, key=lambda view: rmse(view, truth))


def largest_difference(ours: Float32Array, theirs: NDArray[np.float64]) -> float:
    """Largest difference as a share of the largest value."""
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def differing_share(ours: Float32Array, theirs: NDArray[np.float64]) -> float:
    """Share of values that differ by more than float32 rounding (1e-5 of the largest)."""
    limit = 1e-5 * np.max(np.abs(theirs))
    return float(np.mean(np.abs(ours - theirs) > limit))
