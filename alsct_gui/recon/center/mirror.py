"""The column about which one set of lines is the mirror image of another.

In a parallel beam the view from the opposite side is the mirror image of a view about
the rotation axis. Everything that compares opposite views comes down to two arrays
(line, column), ``second[l, u] = first[l, 2 c - u]``, and their axis c:

* `overlap_scores` correlates them for all axes at once, counting only the columns that
  both hold (normalised cross-correlation with masks; D. Padfield, IEEE Trans. Image
  Process. 21, 2706, 2012), so that an axis near an edge is found as well;
* `refine` gives the fraction of a column by phase correlation, where each spatial
  frequency counts by its coherence over the lines, the maximum-likelihood weight for
  a delay in noise (C. H. Knapp and G. C. Carter, IEEE Trans. ASSP 24, 320, 1976).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from alsct_gui.recon.parallel import split

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

COARSE_COLUMNS = 640
"""The coarse search averages columns until there are about so many."""
COMB = 8
"""Neighbouring frequencies that stay together when the spectrum is cut into parts."""
MIN_OVERLAP = 0.04
"""Smallest share of the columns that both sides must see."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A candidate axis of the coarse search."""

    column: float
    """Where, to about half a (binned) column."""
    score: float
    """How well the overlap agrees, weighted by its width; larger is better."""


def coarse_peaks(
    first: Float32Array,
    second: Float32Array,
    low: float,
    high: float,
    *,
    count: int = 3,
) -> list[Peak]:
    """Return the best candidates for the axis, best first.

    Parameters
    ----------
    first, second
        Line integrals, shape (line, column).
    low, high
        Range of columns to look in.
    count
        How many candidates at most.
    """
    n_columns = first.shape[1]
    binning = max(1, n_columns // COARSE_COLUMNS)
    scores = overlap_scores(
        _details(bin_columns(first, binning)), _details(bin_columns(second, binning))
    )
    # Column of each score, back from binned columns and from twice the axis.
    columns = np.arange(scores.size) / 2 * binning + (binning - 1) / 2
    scores = np.where((columns >= low) & (columns <= high), scores, -np.inf)
    apart = max(4, scores.size // 100)
    peaks = []
    for _ in range(count):
        best = int(np.argmax(scores))
        if not np.isfinite(scores[best]):
            break
        peaks.append(Peak(float(columns[best]), float(scores[best])))
        scores[max(0, best - apart) : best + apart + 1] = -np.inf
    return peaks


def overlap_scores(first: Float32Array, second: Float32Array) -> Float64Array:
    """Score the axis ``s / 2`` for every s in 0 .. 2 (column - 1).

    Parameters
    ----------
    first, second
        Shape (line, column); the mean over the overlap is taken off.

    Returns
    -------
    scores
        Shape (2 column - 1,): inverse hyperbolic tangent of the normalised correlation
        (so that 0.99 counts much more than 0.9), times the square root of the share of
        columns that overlap; minus infinity where too few do.
    """
    n_lines, n_columns = first.shape
    size = scipy.fft.next_fast_len(2 * n_columns - 1, real=True)
    product = (
        scipy.fft.rfft(first, size, axis=1) * scipy.fft.rfft(second, size, axis=1)
    ).sum(axis=0, dtype=np.complex128)  # fmt: skip
    twice = np.arange(2 * n_columns - 1)
    correlation = scipy.fft.irfft(product, size)[: twice.size]

    start = np.maximum(0, twice - n_columns + 1)
    stop = np.minimum(n_columns, twice + 1)
    count = n_lines * (stop - start)

    def over_overlap(values: Float32Array) -> Float64Array:
        cumulative = np.concatenate(([0.0], np.cumsum(values.sum(axis=0, dtype=np.float64))))
        return cumulative[stop] - cumulative[start]

    sum_1, sum_2 = over_overlap(first), over_overlap(second)
    variance_1 = over_overlap(first * first) - sum_1**2 / count
    variance_2 = over_overlap(second * second) - sum_2**2 / count
    scale = np.sqrt(np.maximum(variance_1, 0) * np.maximum(variance_2, 0))
    # Where one side is flat there is nothing to compare; rounding must not make it 1.
    enough = scale > 1e-6 * scale.max(initial=0.0)
    similar = np.zeros(twice.size)
    np.divide(correlation - sum_1 * sum_2 / count, scale, out=similar, where=enough)
    share = (stop - start) / n_columns
    scores: Float64Array = np.arctanh(np.clip(similar, -0.999, 0.999)) * np.sqrt(share)
    scores[(share < MIN_OVERLAP) | (stop - start < 8) | ~enough] = -np.inf
    return scores


def refine(
    first: Float32Array,
    second: Float32Array,
    start: float,
    *,
    reach: float,
    parts: int = 8,
    threads: int = 1,
) -> tuple[float, Float64Array]:
    """Find the axis to a fraction of a column near a start value.

    Parameters
    ----------
    first, second
        Line integrals, shape (line, column).
    start
        Column to start from.
    reach
        How far from it to look, in columns.
    parts
        How many independent parts to look at as well: bands of lines, or where lines are
        few, interleaved sets of spatial frequencies.
    threads
        For the FFT.

    Returns
    -------
    column
        The axis from all lines together.
    by_part
        The axis from each part alone, shape (part,).
    """
    column = start
    # The window must sit on the axis itself, or it pulls the answer towards its own
    # middle: find, move the window, find again.
    for span, step in ((reach, 0.25), (min(reach, 2.0), 0.1)):
        cross, power, middle, period = _line_spectra(first, second, column, threads)
        column = middle + _delay(cross.sum(0), power.sum(1), span, step, period, len(first))
    by_part = np.empty(parts)
    n_lines, n_frequencies = cross.shape
    if n_lines >= 4 * parts:
        for part, (low, high) in enumerate(split(n_lines, parts)):
            lines = slice(low, high)
            by_part[part] = middle + _delay(
                cross[lines].sum(0), power[:, lines].sum(1), 2.0, 0.1, period, high - low
            )
    else:
        comb = np.arange(n_frequencies) // COMB % parts
        for part in range(parts):
            by_part[part] = middle + _delay(
                cross.sum(0), power.sum(1), 2.0, 0.1, period, n_lines, comb == part
            )
    return column, by_part


def taper(n_columns: int, axis: float, edge: float) -> Float32Array:
    """Return a window, shape (column,), that is symmetric about the axis and ends smoothly.

    Parameters
    ----------
    n_columns
        Columns of the array.
    axis
        Column of its middle; the window reaches to the nearer edge of the array.
    edge
        Share of its half width over which it falls to zero (raised cosine).
    """
    half = min(axis, n_columns - 1 - axis) + 1
    inward = np.clip((half - np.abs(np.arange(n_columns) - axis)) / max(2.0, edge * half), 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * inward)).astype(np.float32)


def around_axis(lines: Float32Array, axis: float, edge: float) -> tuple[Float32Array, int]:
    """Cut, taper and roll lines so that the integer column nearest the axis comes first.

    Returns
    -------
    rolled
        Shape (line, period), of a length good for the FFT; column -1 is left of the axis.
    middle
        The array's column that became column 0.
    """
    n_columns = lines.shape[1]
    middle = round(axis)
    half = int(min(axis, n_columns - 1 - axis)) + 1
    low, high = max(0, middle - half), min(n_columns, middle + half + 1)
    window = taper(n_columns, axis, edge)
    period = scipy.fft.next_fast_len(2 * half + 1, real=True)
    rolled = np.zeros((len(lines), period), np.float32)
    rolled[:, : high - middle] = lines[:, middle:high] * window[middle:high]
    if middle > low:
        rolled[:, low - middle :] = lines[:, low:middle] * window[low:middle]
    return rolled, middle


def bin_columns(lines: Float32Array, binning: int) -> Float32Array:
    """Average groups of columns of (line, column); what is left over at the end is dropped."""
    if binning == 1:
        return lines
    n_columns = lines.shape[1] // binning
    return np.ascontiguousarray(
        lines[:, : n_columns * binning].reshape(len(lines), n_columns, binning).mean(axis=2)
    )


def lowest(columns: Float64Array, values: Float64Array) -> float:
    """Return where evenly spaced values are least, by a parabola through three of them."""
    at = int(np.argmin(values))
    if at in (0, values.size - 1):
        return float(columns[at])
    left, here, right = values[at - 1 : at + 2]
    bend = left - 2 * here + right
    if bend <= 0:
        return float(columns[at])
    return float(columns[at] + (columns[1] - columns[0]) * 0.5 * (left - right) / bend)


def _details(lines: Float32Array) -> Float32Array:
    """Keep what changes along the columns neither slowly (alike everywhere) nor fast (noise)."""
    smooth = scipy.ndimage.gaussian_filter1d(lines, 1.5, axis=1, mode="nearest")
    slow = scipy.ndimage.gaussian_filter1d(lines, lines.shape[1] / 20, axis=1, mode="nearest")
    return np.asarray(smooth - slow, dtype=np.float32)


def _line_spectra(
    first: Float32Array, second: Float32Array, axis: float, threads: int
) -> tuple[NDArray[np.complex64], Float32Array, int, int]:
    """Cross spectra (line, frequency) and both powers (2, line, frequency)."""
    rolled, middle = around_axis(first, axis, 0.3)
    period = rolled.shape[1]
    keep = period // 4  # half of the Nyquist frequency; beyond is mostly noise
    one = scipy.fft.rfft(rolled, axis=1, workers=threads)[:, 1:keep]
    two = scipy.fft.rfft(around_axis(second, axis, 0.3)[0], axis=1, workers=threads)[:, 1:keep]
    # Mirroring about column 0 of a real line conjugates its spectrum, hence no conj here.
    power = np.stack([np.abs(one) ** 2, np.abs(two) ** 2])
    return one * two, power, middle, period


def _delay(
    cross: NDArray[np.complex64],
    power: Float32Array,
    span: float,
    step: float,
    period: int,
    n_lines: int,
    keep: NDArray[np.bool_] | None = None,
) -> float:
    """Offset of the axis from column 0 of lines made by `around_axis`."""
    # Few lines: neighbouring frequencies stand in for further ones.
    width = max(1, round(16 / n_lines))
    cross = scipy.ndimage.uniform_filter1d(cross.astype(np.complex128), width, mode="nearest")
    power = scipy.ndimage.uniform_filter1d(power.astype(np.float64), width, axis=1, mode="nearest")
    coherence = np.abs(cross) ** 2 / np.maximum(power[0] * power[1], 1e-300)
    # Without any common signal the coherence of n samples is 1/n on average.
    floor = 1.0 / (n_lines * width)
    coherence = np.clip((coherence - floor) / (1.0 - floor), 0.0, 0.999)
    weight = coherence / (1.0 - coherence)
    if keep is not None:
        weight = weight * keep
    phase = np.angle(cross)
    frequency = 2 * np.pi * np.arange(1, cross.size + 1) / period
    offsets = np.arange(-span, span + step / 2, step)
    # first(c + x) = second(c - x) puts the phase -2 k c on the product.
    agreement = np.cos(phase[None] + 2 * frequency[None] * offsets[:, None]) @ weight
    return lowest(offsets, -agreement)
