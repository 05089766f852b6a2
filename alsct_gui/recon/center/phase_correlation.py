"""Centre from pairs of opposite views, by phase correlation (see `mirror`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.center.local import LocalEstimate, scatter
from alsct_gui.recon.center.mirror import coarse_peaks, refine

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

METHOD = "phase-correlation"
MAX_MISMATCH_DEG = 3.0
"""Views further from opposite than this are not compared."""
MAX_LINES = 540
"""Rows are averaged until a view has at most about so many lines."""


@dataclass(frozen=True, slots=True)
class PairChoice:
    """Two projections that look at the sample from (nearly) opposite sides."""

    first: int
    """Index of one projection."""
    second: int
    """Index of the other."""
    mismatch_deg: float
    """Angle of the second minus that of the first, minus a half turn."""


@dataclass(frozen=True, eq=False)
class OppositeViews:
    """The two frames of a pair."""

    first: Float32Array
    """Line integrals, shape (row, column)."""
    second: Float32Array
    """Line integrals of the opposite view, same shape."""
    mismatch_deg: float = 0.0
    """As in `PairChoice`."""


def choose_pairs(angles_deg: Float64Array, count: int = 3) -> list[PairChoice]:
    """Choose the pairs of projections to read.

    Where exactly opposite views exist (more than a half turn), they are taken, spread over
    the scan. Otherwise the pairs nearest to opposite are taken, at different mismatches, so
    that the effect of the mismatch can be extrapolated to none.

    Parameters
    ----------
    angles_deg
        Shape (angle,), in any order.
    count
        How many pairs at most.

    Returns
    -------
    pairs
        Sorted by mismatch; empty when no two views are near to opposite.
    """
    if angles_deg.size < 2:
        return []
    order = np.argsort(angles_deg, kind="stable")
    angles = np.asarray(angles_deg, dtype=np.float64)[order]
    step = float(np.median(np.diff(angles)))
    found: dict[tuple[int, int], float] = {}
    for i, angle in enumerate(angles):
        at = int(np.searchsorted(angles, angle + 180.0))
        for j in range(max(i + 1, at - count), min(angles.size, at + count)):
            mismatch = float(angles[j] - angle - 180.0)
            if abs(mismatch) <= MAX_MISMATCH_DEG:
                found[int(order[i]), int(order[j])] = mismatch
    pairs = [PairChoice(i, j, mismatch) for (i, j), mismatch in found.items()]
    exact = [pair for pair in pairs if abs(pair.mismatch_deg) <= 0.02 * step]
    if exact:
        picked = np.unique(np.linspace(0, len(exact) - 1, min(count, len(exact))).round())
        return [exact[int(i)] for i in picked]
    return sorted(pairs, key=lambda pair: abs(pair.mismatch_deg))[:count]


def phase_correlation(
    pairs: Sequence[OppositeViews],
    *,
    low: float | None = None,
    high: float | None = None,
    threads: int = 1,
) -> LocalEstimate | None:
    """Find the axis from pairs of opposite views.

    Parameters
    ----------
    pairs
        At least one, of equal shape; `choose_pairs` says which.
    low, high
        Range of columns to look in; None for the whole width.
    threads
        For the FFT.

    Returns
    -------
    estimate
        In columns of the frames, at the middle row. Its error comes from bands of rows;
        None when there are no pairs or nothing in them to compare.
    """
    per_pair, per_part, trusts = [], [], []
    for pair in pairs:
        first, second = _fewer_rows(pair.first), _fewer_rows(pair.second)
        n_columns = first.shape[1]
        bounds = (0.0 if low is None else low, n_columns - 1.0 if high is None else high)
        peaks = coarse_peaks(first, second, *bounds)
        if not peaks:
            continue
        reach = max(4.0, n_columns / 160)
        column, parts = refine(first, second, peaks[0].column, reach=reach, threads=threads)
        per_pair.append((pair.mismatch_deg, column))
        per_part.append(parts)
        rival = peaks[1].score if len(peaks) > 1 else 0.0
        trusts.append(float(np.clip(2 * (1 - rival / max(peaks[0].score, 1e-9)), 0.0, 1.0)))
    if not per_pair:
        return None
    mismatches = np.array([mismatch for mismatch, _ in per_pair])
    column = float(_at_no_mismatch(mismatches, np.array([[c] for _, c in per_pair]))[0])
    parts = _at_no_mismatch(mismatches, np.array(per_part))
    return LocalEstimate(METHOD, column, scatter(_without_trend(parts))[1], max(trusts))


def _at_no_mismatch(mismatches: Float64Array, columns: Float64Array) -> Float64Array:
    """Columns (pair, part) at mismatch 0: a straight line through them, or their mean.

    A part of the sample at depth y moves by y times the mismatch between the two views,
    which shifts the axis that they show by half of that: linear, and zero for none.
    """
    if np.ptp(mismatches) < 1e-3 or np.abs(mismatches).min() < 1e-3:
        return np.asarray(columns.mean(axis=0))
    return np.asarray(np.polyfit(mismatches, columns, 1)[1])


def _without_trend(parts: Float64Array) -> Float64Array:
    """Take off a straight line over bands of rows: a tilted axis is no error of the centre."""
    at = np.arange(parts.size)
    return np.asarray(parts - np.polyval(np.polyfit(at, parts, 1), at))


def _fewer_rows(frame: Float32Array) -> Float32Array:
    """Average neighbouring rows of (row, column); noise falls and so does the work."""
    n_rows, n_columns = frame.shape
    group = max(1, n_rows // MAX_LINES)
    if group == 1:
        return frame
    n_groups = n_rows // group
    return frame[: n_groups * group].reshape(n_groups, group, n_columns).mean(axis=1)
