"""Figures that tell whether slices can be trusted.

The noise is Immerkaer's (1996, Computer Vision and Image Understanding 64:300): a Laplacian
difference mask that is blind to flat areas and straight edges, with a median for robustness.
The ring strength is the rms of the azimuthal mean about its running median, as a share of that
noise: 0 for none; above about 0.3 rings can be seen by eye.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

_NORMAL_MAD = 1.4826
_TREND_PX = 21


def noise_level(picture: NDArray[np.float32]) -> float:
    """Standard deviation of a slice's noise, in its own unit; shape (y, x)."""
    inner = _middle(picture).astype(np.float64)
    if min(inner.shape) < 3:
        return 0.0
    rows = inner[2:] - 2 * inner[1:-1] + inner[:-2]
    laplace = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    return float(_NORMAL_MAD * np.median(np.abs(laplace)) / 6)


def ring_strength(picture: NDArray[np.float32], noise: float) -> float:
    """Rms of the azimuthal mean about its trend, as a share of the noise; shape (y, x)."""
    n_y, n_x = picture.shape
    if noise <= 0 or min(n_y, n_x) < 4 * _TREND_PX:
        return 0.0
    y = np.arange(n_y) - (n_y - 1) / 2
    x = np.arange(n_x) - (n_x - 1) / 2
    radius = np.rint(np.hypot(y[:, None], x[None, :])).astype(np.intp)
    outer = int(0.45 * min(n_y, n_x))
    count = np.bincount(radius.ravel())[:outer]
    mean = np.bincount(radius.ravel(), weights=picture.ravel())[:outer] / count
    ripple = (mean - median_filter(mean, _TREND_PX, mode="nearest"))[_TREND_PX:]
    return float(np.sqrt(np.mean(ripple**2)) / noise)


def _middle(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square that lies within the circle the detector sees."""
    n_y, n_x = picture.shape
    cut_y, cut_x = int(n_y * 0.16), int(n_x * 0.16)
    return picture[cut_y : n_y - cut_y, cut_x : n_x - cut_x]
