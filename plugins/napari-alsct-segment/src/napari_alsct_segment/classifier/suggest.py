"""Where to scribble next: places where the model is torn and nothing is marked yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that is worth a stroke."""

    y: int
    x: int
    doubt: float
    """Mean doubt around it, from 0 to 1."""


def suggest_spots(
    doubt: Float32Array,
    marked: NDArray[np.bool_] | None = None,
    *,
    size_px: int = 15,
    count: int = 5,
    least: float = 0.2,
) -> tuple[Spot, ...]:
    """Find the places of a slice where marks would teach the model most.

    Parameters
    ----------
    doubt
        Of one slice, shape (y, x); see `classifier.apply.doubt`.
    marked
        What is scribbled already, shape (y, x).
    size_px
        Width of a place, about that of a brush: doubt is averaged over it, because a seam
        between two phases is always a little in doubt, and an area in doubt is not.
    count
        So many at most.
    least
        Places with less doubt are not worth a stroke.

    Returns
    -------
    spots
        The most doubtful first; they and the marks lie at least a width apart.
    """
    from scipy.ndimage import maximum_filter, uniform_filter

    mean = uniform_filter(doubt, size_px, mode="nearest")
    half = min(size_px // 2, (min(doubt.shape) - 1) // 2)
    if half:  # a place lies within the slice with all of its width
        mean[:half] = mean[-half:] = 0
        mean[:, :half] = mean[:, -half:] = 0
    if marked is not None and marked.any():
        mean[maximum_filter(marked, 2 * size_px + 1, mode="constant")] = 0
    spots: list[Spot] = []
    while len(spots) < count:
        y, x = np.unravel_index(int(mean.argmax()), mean.shape)
        value = float(mean[y, x])
        if value < least:
            break
        spots.append(Spot(int(y), int(x), value))
        top, left = max(0, int(y) - 2 * size_px), max(0, int(x) - 2 * size_px)
        mean[top : int(y) + 2 * size_px + 1, left : int(x) + 2 * size_px + 1] = 0
    return tuple(spots)
