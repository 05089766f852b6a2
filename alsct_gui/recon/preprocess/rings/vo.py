"""Stripe filters of N. T. Vo, R. C. Atwood and M. Drakopoulos.

"Superior techniques for eliminating ring artifacts in X-ray micro-tomography",
Optics Express 26, 28396 (2018), https://doi.org/10.1364/OE.26.028396. Algorithm numbers
below are the paper's. Written afresh; equal to algotom's functions of the same purpose,
which are the reference in the tests, but for ties (see docs/decisions/0004-ring-filters.md).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.preprocess.rings.medians import median_across_columns, reflect
from alsct_gui.recon.preprocess.rings.ranks import (
    Float32Array,
    Keys,
    key_of,
    rank_columns,
    unrank_columns,
    value_of,
)

Float64Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SMOOTHING_ANGLES = 10
"""Angles averaged to tell what a column's fluctuation is (algorithm 6)."""
_DROPPED_SHARE = 0.1
"""Share of the lowest and highest ranks left out of a column's mean (algorithm 5)."""
_QUIET = 1e-5
"""A profile flatter than this has no noise to measure a stripe against."""
_COLUMN_BLOCK = 512


def remove_stripes_by_sorting(sinogram: Float32Array, size_small_px: int) -> None:
    """Remove small and medium stripes (algorithm 3), in place.

    Parameters
    ----------
    sinogram
        Line integrals, shape (angle, column), float32, C order.
    size_small_px
        Median window in columns; wider than the widest such stripe.
    """
    keys, angles = rank_columns(sinogram)
    smooth = np.empty_like(keys)
    median_across_columns(keys, size_small_px, smooth)
    unrank_columns(smooth, angles, sinogram)


def remove_all_stripes(
    sinogram: Float32Array, snr: float, size_large_px: int, size_small_px: int
) -> None:
    """Remove dead, fluctuating, large, then small stripes (algorithms 6, 5, 3), in place.

    Parameters
    ----------
    sinogram
        Line integrals, shape (angle, column), float32, C order.
    snr
        Ratio to the noise above which a column counts as a large or dead stripe.
    size_large_px
        Median window in columns for large stripes.
    size_small_px
        Median window in columns for small stripes.
    """
    _replace_dead_columns(sinogram, snr, size_large_px)
    keys, angles = rank_columns(sinogram)
    smooth = np.empty_like(keys)
    median_across_columns(keys, size_large_px, smooth)
    n_ranks = keys.shape[1]
    dropped = int(0.5 * _DROPPED_SHARE * n_ranks)
    mean = _mean_of_ranks(keys, dropped, n_ranks - dropped)
    mean_smooth = _mean_of_ranks(smooth, dropped, n_ranks - dropped)
    gain = np.divide(mean, mean_smooth, out=np.ones_like(mean), where=mean_smooth != 0)
    large = _widen(find_stripes(gain, snr))
    # Dividing a column by its gain keeps the order of its values, and a replaced column
    # takes the smoothed values in that same order: no second sort is needed.
    _level_columns(keys, smooth, gain, large)
    _reverse_turned_columns(keys, angles, gain, large)
    median_across_columns(keys, size_small_px, smooth)
    unrank_columns(smooth, angles, sinogram)


def find_stripes(profile: Float64Array, snr: float) -> Mask:
    """Find outlying columns (algorithm 4).

    The sorted profile's middle half is fitted by a line; its rise over the whole width is
    the noise level, against which the ends are measured.

    Parameters
    ----------
    profile
        One value per column, shape (column,), near 1 for a good column.
    snr
        Ratio to the noise level that makes an outlier.

    Returns
    -------
    stripes
        Shape (column,); all False when there is no noise to measure against.
    """
    n = profile.size
    none = np.zeros(n, np.bool_)
    quarter = int(0.25 * n)
    ordered = np.sort(profile)
    middle = ordered[quarter : n - quarter - 1]
    if middle.size < 2 or not np.isfinite(middle).all():
        return none
    place = np.arange(quarter, n - quarter - 1, dtype=np.float64)
    offset = place - place.mean()
    slope = float(offset @ (middle - middle.mean()) / (offset @ offset))
    lowest = float(middle.mean() - slope * place.mean())
    highest = lowest + slope * (n - 1)
    noise = abs(highest - lowest)
    if noise < _QUIET:
        return none
    stripes = none
    if abs(ordered[-1] - highest) / noise >= snr:
        stripes = stripes | (profile > highest + 0.5 * noise * snr)
    if abs(lowest - ordered[0]) / noise >= snr:
        stripes = stripes | (profile <= lowest - 0.5 * noise * snr)
    return stripes


def _widen(mask: Mask) -> Mask:
    """Add each stripe's two neighbouring columns."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    return wide


def _replace_dead_columns(sinogram: Float32Array, snr: float, size_px: int) -> None:
    """Interpolate columns that fluctuate too little or too much (algorithm 6), in place."""
    n_columns = sinogram.shape[1]
    fluctuation = np.zeros(n_columns)
    _sum_fluctuation(sinogram, fluctuation)
    usual = _median_profile(fluctuation, size_px)
    usual[usual == 0.0] = np.mean(np.abs(usual))
    ratio = np.divide(fluctuation, usual, out=np.ones_like(usual), where=usual != 0)
    dead = _widen(find_stripes(ratio, snr))
    # The two columns at each edge stay: there is nothing beyond them to interpolate from.
    dead[:2] = False
    dead[-2:] = False
    if 0 < np.count_nonzero(dead) < n_columns // 3:
        _interpolate_columns(sinogram, dead)


def _median_profile(profile: Float64Array, size: int) -> Float64Array:
    places = np.arange(profile.size)[:, None] + np.arange(size) - size // 2
    period = 2 * profile.size
    places %= period
    places = np.where(places < profile.size, places, period - 1 - places)
    windows = np.partition(profile[places], size // 2, axis=1)
    median: Float64Array = windows[:, size // 2].copy()
    return median


def _interpolate_columns(sinogram: Float32Array, missing: Mask) -> None:
    """Fill columns linearly from the nearest good ones on both sides, in place."""
    good = np.flatnonzero(~missing)
    for c in np.flatnonzero(missing):
        right = int(np.searchsorted(good, c))
        a, b = int(good[right - 1]), int(good[right])
        weight = (c - a) / (b - a)
        filled = (1 - weight) * sinogram[:, a].astype(np.float64) + weight * sinogram[:, b]
        sinogram[:, c] = filled


@njit(nogil=True, cache=True)
def _sum_fluctuation(sinogram: Float32Array, total: Float64Array) -> None:
    """Sum over the angles of the distance from a running mean, for each column."""
    n_angles, n_columns = sinogram.shape
    before = _SMOOTHING_ANGLES // 2
    running = np.empty(_COLUMN_BLOCK, np.float64)
    for c0 in range(0, n_columns, _COLUMN_BLOCK):
        width = min(_COLUMN_BLOCK, n_columns - c0)
        running[:] = 0.0
        for i in range(_SMOOTHING_ANGLES):
            row = sinogram[reflect(i - before, n_angles), c0:]
            for j in range(width):
                running[j] += row[j]
        for a in range(n_angles):
            here = sinogram[a, c0:]
            leaving = sinogram[reflect(a - before, n_angles), c0:]
            coming = sinogram[reflect(a - before + _SMOOTHING_ANGLES, n_angles), c0:]
            for j in range(width):
                total[c0 + j] += abs(here[j] - running[j] / _SMOOTHING_ANGLES)
                running[j] += np.float64(coming[j]) - np.float64(leaving[j])


@njit(nogil=True, cache=True)
def _mean_of_ranks(keys: Keys, start: int, stop: int) -> Float64Array:
    mean = np.empty(keys.shape[0], np.float64)
    for c in range(keys.shape[0]):
        total = 0.0
        for r in range(start, stop):
            total += value_of(keys[c, r])
        mean[c] = total / (stop - start)
    return mean


@njit(nogil=True, cache=True)
def _level_columns(keys: Keys, smooth: Keys, gain: Float64Array, replaced: Mask) -> None:
    """Divide each column by its gain; take the smoothed column where it is replaced."""
    for c in range(keys.shape[0]):
        if replaced[c]:
            keys[c] = smooth[c]
        elif gain[c] != 0.0:
            for r in range(keys.shape[1]):
                keys[c, r] = key_of(np.float32(value_of(keys[c, r]) / gain[c]))


def _reverse_turned_columns(
    keys: Keys, angles: NDArray[np.uint16], gain: Float64Array, replaced: Mask
) -> None:
    """Put columns of negative gain, whose order was turned round, in order again."""
    for c in np.flatnonzero((gain < 0) & ~replaced):
        keys[c] = keys[c, ::-1].copy()
        angles[c] = angles[c, ::-1].copy()
