"""Cross-sections of fibres in a slice: maxima of the Laplacian of a Gaussian, to sub-pixels.

After Lindeberg, International Journal of Computer Vision 30, 79-116 (1998): a bright disc of
radius r answers most to a Gaussian of r / sqrt(2); between neighbours that touch, a narrower one
tells more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

WIDTH = 0.6
"""Sigma of the Gaussian over the radius of a fibre."""
_LEAST = 0.5
"""Weakest spot that is kept, over the median of the strong ones."""
_RADII_PX = np.geomspace(1.5, 40.0, 34)
_STEP_PX = 0.25
_FEWEST = 12
"""Spots that a radius is judged by, at least."""
_MOST = 300
"""And about at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Bright discs of a picture."""

    places: Float64Array
    """(y, x) of their middles, shape (spot, 2)."""
    strength: Float64Array
    """Answer of the filter, shape (spot,)."""


def find_spots(picture: Float32Array, radius_px: float) -> Spots:
    """Find bright discs of about a radius.

    Parameters
    ----------
    picture
        Shape (y, x).
    radius_px
        Of a fibre.
    """
    from scipy.ndimage import gaussian_laplace, maximum_filter

    sigma = WIDTH * radius_px
    answer = -(sigma**2) * gaussian_laplace(picture, sigma)
    size = 2 * max(1, int(0.8 * radius_px)) + 1
    peaks = (answer == maximum_filter(answer, size)) & (answer > 0)
    places = np.argwhere(peaks)
    strength = answer[peaks].astype(np.float64)
    kept = strength > _limit(strength)
    return Spots(_refined(answer, places[kept]), strength[kept])


def found_radius(picture: Float32Array) -> float:
    """Find the radius of the fibres in a picture of their cross-sections, in pixels.

    Spots are looked for at many radii. Where the radius is right, their mean profile has its
    edge at just that radius, and the edge is at its sharpest.

    Parameters
    ----------
    picture
        Shape (y, x), best the mean of a few slices.

    Raises
    ------
    InputError
        Nothing looks like fibres.
    """
    best, sharpest = None, 0.0
    for radius in _RADII_PX[min(picture.shape) / 8 > _RADII_PX].tolist():
        spots = find_spots(picture, radius)
        if len(spots.places) < _FEWEST:
            continue
        edge, slope = _edge(_mean_profile(picture, spots.places, 2 * radius + 2), radius)
        if abs(np.log(edge / radius)) < 0.22 and slope > sharpest:
            best, sharpest = edge, slope
    if best is None:
        raise InputError(
            "no cross-sections of fibres are found", where="fibres",
            fix="Give the diameter of a fibre, or say which way the fibres run",
        )  # fmt: skip
    return float(best)


def _limit(strength: Float64Array) -> float:
    """Half of what a typical strong spot has."""
    from skimage.filters import threshold_otsu

    if len(strength) < 2 or strength.max() <= strength.min():
        return 0.0
    strong = strength[strength > threshold_otsu(strength)]
    return _LEAST * float(np.median(strong))


def _refined(answer: Float32Array, places: NDArray[np.intp]) -> Float64Array:
    """Move each maximum to the top of the parabolas through its neighbours."""
    n_y, n_x = answer.shape
    y, x = places[:, 0], places[:, 1]
    up, down = np.maximum(y - 1, 0), np.minimum(y + 1, n_y - 1)
    left, right = np.maximum(x - 1, 0), np.minimum(x + 1, n_x - 1)
    here = answer[y, x].astype(np.float64)
    moved = places.astype(np.float64)
    pairs = ((answer[up, x], answer[down, x]), (answer[y, left], answer[y, right]))
    for axis, (before, after) in enumerate(pairs):
        bend = before.astype(np.float64) - 2 * here + after
        with np.errstate(divide="ignore", invalid="ignore"):
            step = 0.5 * (before.astype(np.float64) - after) / bend
        moved[:, axis] += np.clip(np.where(bend < 0, step, 0), -0.5, 0.5)
    return moved


def _mean_profile(picture: Float32Array, places: Float64Array, reach: float) -> Float64Array:
    """Mean grey value over the distance from the places, in steps of `_STEP_PX`."""
    wide = int(np.ceil(reach))
    middle = np.rint(places).astype(int)
    room = np.array(picture.shape) - 1 - wide
    inside = ((middle >= wide) & (middle <= room)).all(axis=1)
    offsets = np.mgrid[-wide : wide + 1, -wide : wide + 1].reshape(2, -1).T
    n = int(reach / _STEP_PX) + 1
    total, count = np.zeros(n), np.zeros(n)
    chosen = np.flatnonzero(inside)
    chosen = chosen[:: max(1, len(chosen) // _MOST)]
    for place, center in zip(places[chosen], middle[chosen], strict=True):
        at = center + offsets
        ring = np.rint(np.linalg.norm(at - place, axis=1) / _STEP_PX).astype(int)
        near = ring < n
        total += np.bincount(ring[near], picture[at[near, 0], at[near, 1]], n)
        count += np.bincount(ring[near], minlength=n)
    known = count > 0
    if not known.any():
        return np.zeros(n)
    steps = np.arange(n)
    return np.interp(steps, steps[known], total[known] / count[known])


def _edge(profile: Float64Array, radius: float) -> tuple[float, float]:
    """Where a profile falls steepest, within reach of a radius, and how steeply."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(profile, 2.0)
    fall = -np.gradient(smooth, _STEP_PX)
    distance = np.arange(len(fall)) * _STEP_PX
    fall[(distance < 1) | (distance > 1.8 * radius)] = 0
    at = int(fall.argmax())
    if not 0 < at < len(fall) - 1:
        return _STEP_PX, 0.0
    before, here, after = fall[at - 1 : at + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(distance[at]) + float(shift) * _STEP_PX, float(here)
