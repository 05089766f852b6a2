"""The histogram of a whole volume, slab by slab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import physical_array

BINS = 4096
MOST_VOXELS = 500_000_000
"""Of larger volumes evenly spaced slices are counted."""
_SAMPLED_SLICES = 16
_OUTER_PERCENT = (0.01, 99.99)
_MARGIN = 0.25
"""Share of the range by which it is widened: what lies beyond counts as its ends."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur."""

    counts: NDArray[np.int64]
    """Shape (bin,)."""
    centers: NDArray[np.float64]
    """Value in the middle of each bin, shape (bin,), growing evenly."""

    @property
    def total(self) -> int:
        """Number of voxels that were counted."""
        return int(self.counts.sum())


_known: WeakKeyDictionary[Volume, dict[bool, Histogram]] = WeakKeyDictionary()
"""Of volumes that are open: a preview asks for the same again and again."""


def volume_histogram(volume: Volume, reporter: Reporter, *, skip_zeros: bool = True) -> Histogram:
    """Count the values of a volume in its unit; remembered while the volume is open.

    Parameters
    ----------
    volume
        An open volume.
    reporter
        Progress and cancel.
    skip_zeros
        Leave out voxels that are exactly zero: what was masked.

    Raises
    ------
    InputError
        There is nothing to count.
    """
    known = _known.setdefault(volume, {})
    if skip_zeros not in known:
        known[skip_zeros] = array_histogram(
            physical_array(volume), reporter, skip_zeros=skip_zeros, where=str(volume.path)
        )
    return known[skip_zeros]


def array_histogram(
    array: LazyArray | NDArray[Any],
    reporter: Reporter,
    *,
    skip_zeros: bool = True,
    where: str = "volume",
) -> Histogram:
    """Count the values of an array of shape (slice, y, x); see `volume_histogram`."""
    slices, rows, columns = array.shape
    step = max(1, -(-slices * rows * columns // MOST_VOXELS))
    low, high = _range_of(array, skip_zeros, where)
    counts = np.zeros(BINS, np.int64)
    for index in reporter.each(range(0, slices, step), "histogram"):
        _count(np.asarray(array[index], np.float32).ravel(), low, high, skip_zeros, counts)
    width = (high - low) / BINS
    centers = low + width * (np.arange(BINS, dtype=np.float64) + 0.5)
    return Histogram(counts, centers)


def _range_of(array: LazyArray | NDArray[Any], skip_zeros: bool, where: str) -> tuple[float, float]:
    """The range of a few slices without its outermost values, and some room."""
    last = array.shape[0] - 1
    chosen = sorted({round(i * last / (_SAMPLED_SLICES - 1)) for i in range(_SAMPLED_SLICES)})
    parts = []
    for index in chosen:
        values = np.asarray(array[index], np.float32).ravel()
        parts.append(values[np.isfinite(values) & ~(skip_zeros & (values == 0))])
    sample = np.concatenate(parts)
    if not sample.size:
        raise InputError("it holds no values to count", where=where, fix="Check the volume")
    low, high = (float(value) for value in np.percentile(sample, _OUTER_PERCENT))
    room = _MARGIN * (high - low) or max(abs(low), 1.0) * 1e-3
    return low - room, high + room


@njit(nogil=True, cache=True)
def _count(
    values: NDArray[np.float32], low: float, high: float, skip_zeros: bool,
    counts: NDArray[np.int64],
) -> None:  # fmt: skip
    scale = counts.size / (high - low)
    last = float(counts.size - 1)
    for value in values:
        if np.isfinite(value) and not (skip_zeros and value == 0):
            place = (value - low) * scale
            counts[int(min(max(place, 0.0), last))] += 1
