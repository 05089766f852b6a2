"""Figures that tell whether slices can be trusted.

The noise is Immerkaer's (1996, Computer Vision and Image Understanding 64:300): a Laplacian
difference mask that is blind to flat areas and straight edges, with a median for robustness.
The ring strength is the rms of the azimuthal means about their running median, as far as all
sectors agree on it, as a share of that noise: 0 for none; above about 0.3 rings show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

_NORMAL_MAD = 1.4826
_TREND_PX = 21
_SECTORS = 8


def noise_level(picture: NDArray[np.float32]) -> float:
    """Standard deviation of a slice's noise, in its own unit; shape (y, x)."""
    inner = _middle(picture).astype(np.float64)
    if min(inner.shape) < 3:
        return 0.0
    rows = inner[2:] - 2 * inner[1:-1] + inner[:-2]
    laplace = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    return float(_NORMAL_MAD * np.median(np.abs(laplace)) / 6)


def ring_strength(picture: NDArray[np.float32], noise: float) -> float:
    """Rms of what the azimuthal means of all sectors have in common, as a share of the noise.

    Parameters
    ----------
    picture
        A slice, shape (y, x), with the rotation axis in its middle.
    noise
        Its noise, in the same unit.

    Returns
    -------
    strength
        0 without rings. Structure of the sample differs from sector to sector and drops out,
        except where it is itself round about the axis.
    """
    n_y, n_x = picture.shape
    if noise <= 0 or min(n_y, n_x) < 4 * _TREND_PX:
        return 0.0
    y = (np.arange(n_y) - (n_y - 1) / 2)[:, None]
    x = (np.arange(n_x) - (n_x - 1) / 2)[None, :]
    radius = np.rint(np.hypot(y, x)).astype(np.intp)
    sector = ((np.arctan2(y, x) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.intp) % _SECTORS
    place = (radius * _SECTORS + sector).ravel()
    outer = int(0.45 * min(n_y, n_x))
    count = np.bincount(place, minlength=outer * _SECTORS)[: outer * _SECTORS]
    total = np.bincount(place, weights=picture.ravel(), minlength=outer * _SECTORS)
    mean = (total[: outer * _SECTORS] / np.maximum(count, 1)).reshape(outer, _SECTORS)
    ripple = (mean - median_filter(mean, (_TREND_PX, 1), mode="nearest"))[_TREND_PX:]
    # The mean product of different sectors: noise and structure are not in common.
    pairs = (ripple.sum(axis=1) ** 2 - (ripple**2).sum(axis=1)) / (_SECTORS * (_SECTORS - 1))
    return float(np.sqrt(max(0.0, pairs.mean())) / noise)


def _middle(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square that lies within the circle the detector sees."""
    n_y, n_x = picture.shape
    cut_y, cut_x = int(n_y * 0.16), int(n_x * 0.16)
    return picture[cut_y : n_y - cut_y, cut_x : n_x - cut_x]
