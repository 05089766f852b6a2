"""Dips of a grey value along a fibre: matched filters over their widths, in units of the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

FILTER_WIDTHS = (1, 2, 3, 4, 5, 6, 8, 11, 15, 21, 30, 42, 60)
"""Widths of the filters in slices; the largest that is used depends on the widest break."""


@dataclass(frozen=True, eq=False)
class Dips:
    """Dips of all fibres, each array of shape (dip,)."""

    fibre: NDArray[np.intp]
    slice: NDArray[np.intp]
    """Where the filter answers most."""
    width: NDArray[np.intp]
    """Width of the filter, in slices."""
    z_score: Float64Array
    """Answer over the noise of such answers."""


def flattened(profiles: Float32Array, window: int) -> tuple[Float32Array, Float32Array]:
    """Return how far each value lies below what is usual about it, and what is usual.

    Parameters
    ----------
    profiles
        Shape (fibre, slice); NaN is filled from the side.
    window
        Slices of the running median.
    """
    from scipy.ndimage import median_filter

    known = filled(profiles)
    size = min(window, 2 * ((known.shape[1] - 1) // 2) + 1)
    usual: Float32Array = median_filter(known, (1, size), mode="nearest")
    depth = usual - known
    depth[~np.isfinite(profiles)] = 0
    return depth, usual


def filled(profiles: Float32Array) -> Float32Array:
    """Return profiles with each gap filled by the last value before it, or the first after."""
    known = np.isfinite(profiles)
    place = np.where(known, np.arange(profiles.shape[1]), -1)
    before = np.maximum.accumulate(place, axis=1)
    after = np.where(known, np.arange(profiles.shape[1]), profiles.shape[1])
    after = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    source = np.where(before >= 0, before, np.minimum(after, profiles.shape[1] - 1))
    out = np.take_along_axis(profiles, source, axis=1)
    return np.nan_to_num(out).astype(np.float32)


def find_dips(depth: Float32Array, widest: float, least_z: float) -> Dips:
    """Find where fibres are darker than usual for a few slices.

    Each filter takes the mean over its width less the mean over as much on both sides, and is
    measured by the robust standard deviation of its own answers, so that noise that is
    correlated along the fibre is judged rightly.

    Parameters
    ----------
    depth
        Of `flattened`, shape (fibre, slice).
    widest
        Widest dip that is looked for, in slices.
    least_z
        Answers below this many standard deviations are left out.

    Returns
    -------
    dips
        One for each place: of answers that overlap, the strongest.
    """
    widths = [width for width in FILTER_WIDTHS if width == 1 or width <= widest]
    best = np.full(depth.shape, -np.inf)
    best_width = np.zeros(depth.shape, np.intp)
    for width in widths:
        answer = notch(depth, width)
        score = answer / max(robust_deviation(answer), 1e-12)
        better = score > best
        best[better], best_width[better] = score[better], width
    found = _strongest(best, best_width, least_z)
    fibre, at = np.array(found, np.intp).reshape(-1, 2).T
    return Dips(fibre, at, best_width[fibre, at], best[fibre, at])


def notch(depth: Float32Array, width: int) -> Float64Array:
    """Mean over a width less the mean of as much to both sides; shape as given."""
    flank = max(2, (width + 1) // 2)
    gap = 1
    total = np.cumsum(np.pad(depth.astype(np.float64), ((0, 0), (1, 0))), axis=1)
    n = depth.shape[1]
    start = np.arange(n) - (width - 1) // 2

    def mean(first: NDArray[np.intp], count: int) -> Float64Array:
        low, high = np.clip(first, 0, n), np.clip(first + count, 0, n)
        size = np.maximum(high - low, 1)
        found: Float64Array = (total[:, high] - total[:, low]) / size
        return found

    sides = (mean(start - gap - flank, flank) + mean(start + width + gap, flank)) / 2
    return mean(start, width) - sides


def robust_deviation(values: Float64Array) -> float:
    """Standard deviation of the bulk of some values, by the median of their absolute values."""
    sample = np.abs(values.ravel()[:: max(1, values.size // 2_000_000)])
    sample = sample[sample > 0]
    return float(1.4826 * np.median(sample)) if len(sample) else 0.0


def _strongest(score: Float64Array, width: NDArray[np.intp], least: float) -> list[tuple[int, int]]:
    """Fibre and slice of the answers that no stronger one overlaps, along the same fibre."""
    found = []
    for fibre in np.flatnonzero((score >= least).any(axis=1)).tolist():
        row, wide = score[fibre], width[fibre]
        places = np.flatnonzero(row >= least)
        taken: list[tuple[int, int]] = []
        for at in places[np.argsort(-row[places], kind="stable")].tolist():
            reach = wide[at] / 2
            if all(abs(at - other) > reach + span for other, span in taken):
                taken.append((at, wide[at] / 2 + 2))
                found.append((fibre, at))
    return sorted(found)
