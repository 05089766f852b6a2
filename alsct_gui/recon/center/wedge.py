"""How well a half-turn sinogram and its mirror image fit together, in noise and with rings.

A half-turn sinogram followed by its own mirror image is a full-turn sinogram if it was
mirrored about the rotation axis, and the 2-D transform of that is small outside a double
wedge (N. T. Vo et al., Opt. Express 22, 19078, 2014). To tell how much each value of the
transform G counts in noise, G at (angular frequency k, column frequency w) is taken for a
normal random number of variance D(k, w), as found in the data: the sample's inside the
wedge, that of the noise, N(w), far outside (P. Whittle, Ark. Mat. 2, 423, 1953). The axis c
has the least

    cost(c) = sum over k and w of |G(k, w; c)|^2 N / D^2.

(1 / D would be the likelihood; a sample's power is less even than D, and it is safer to
count its own frequencies less than that.) Three things follow:

* G = plus exp(i w d) + minus exp(-i w d) for an axis at distance d, so that the cost comes
  down to one number per column frequency times exp(2 i w d): candidates cost nothing.
* The sum over k of |G|^2 alone is the same for every axis. Where D does not depend on k, as
  for noise without signal, a frequency drops out by itself, and no low-pass need be chosen.
* A wrong gain of a column (a ring) adds the same to all its angles: a value at k = 0 and a
  square wave in the odd k. Both are allowed for by a variance of their own, that of the
  square waves found; they would otherwise pull the axis.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_gui.recon.center.mirror import around_axis
from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Complex64Array = NDArray[np.complex64]
Complex128Array = NDArray[np.complex128]

HIGHEST = 0.4 * np.pi
"""Highest column frequency in use, in radians per column."""
FILLED = 0.8
"""Highest share of the angular frequencies that the wedge may fill; the noise must show."""
LOWEST = 3
"""Index of the lowest column frequency in use; offsets of whole views lie below."""
EDGES = np.array([0.3, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.2, 3.0, 5.0, 9.0])
"""Bounds of the bins of k over the wedge's edge, which lies at 1."""
MIDDLES = np.concatenate(([0.15], (EDGES[1:] + EDGES[:-1]) / 2, [12.0]))
"""Where the variance of each bin stands."""
FAR = 1.7
"""From here on outwards is noise."""
BANDS = 24
"""Bands of column frequencies, of about equal ratio, that share their variances."""
FEWEST = 4
"""Values that a bin needs for a variance of its own."""
CLEAR = 2.0
"""A bin holds signal if it exceeds the noise by so many standard errors."""
FAINTEST = 1e-13
"""Least variance, as a share of the largest: the rounding of single precision."""
RING_ROWS = 8
"""Angular frequencies that the first search leaves out, since rings lie there."""


@dataclass(frozen=True, eq=False)
class SeamSpectra:
    """2-D transforms of half turns, zero-padded to a full one, phases about one column."""

    plus: Complex64Array
    """At angular frequency k = 0 .. angles, shape (row, k, column frequency)."""
    minus: Complex64Array
    """Conjugate at -k, times (-1)^k: the transform of the mirrored, delayed half."""
    position: Float64Array
    """k over the wedge's edge, shape (k, column frequency)."""
    frequency: Float64Array
    """Of the columns, in radians per column."""
    middle: int
    """Column of the sinogram that phases are counted from."""


@dataclass(frozen=True, eq=False)
class Power:
    """Sum of |G|^2 by (bin across the wedge, column frequency), over all rows."""

    steady: Float64Array
    """The part that does not depend on the axis."""
    turning: Complex128Array
    """Half the amplitude of the part that does: times exp(2 i w d), real part, twice."""
    count: Float64Array
    """How many values are summed."""

    def at(self, distance: float, frequency: Float64Array) -> Float64Array:
        """Return the sums for an axis at a distance from the spectra's middle."""
        turned = np.real(self.turning * np.exp(2j * frequency * distance))
        return np.asarray(np.maximum(self.steady + 2 * turned, 0.0))


def seam_spectra(
    halves: Float32Array, axis: float, *, most: int | None = None, threads: int = 1
) -> SeamSpectra:
    """Transform half turns, tapered symmetrically about the presumed axis.

    Parameters
    ----------
    halves
        Line integrals, shape (row, angle, column), over half a turn without its end.
    axis
        Presumed column; an axis far from the middle, or a sample wider than the detector,
        leaves no edges with a taper about it.
    most
        How many column frequencies at most.
    threads
        For the FFT.
    """
    n_rows, n_angles, n_columns = halves.shape
    radius = max(1.0, min(axis, n_columns - 1 - axis))
    around = [around_axis(sinogram, axis, 0.3) for sinogram in halves]
    period, middle = around[0][0].shape[1], around[0][1]
    highest = min(HIGHEST, FILLED * n_angles / radius)
    count = max(LOWEST + FEWEST, int(highest * period / (2 * np.pi)))
    count = min(count if most is None else min(count, most), period // 2)
    turns = np.arange(n_angles + 1)
    sign = np.where(turns % 2, -1, 1).astype(np.float32)[:, None]
    plus = np.empty((n_rows, turns.size, count), np.complex64)
    minus = np.empty_like(plus)
    for row, (rolled, _) in enumerate(around):
        lines = scipy.fft.rfft(rolled, axis=1, workers=threads)[:, :count]
        full = scipy.fft.fft(lines, 2 * n_angles, axis=0, workers=threads)
        plus[row] = full[turns]
        np.multiply(np.conj(full[-turns]), sign, out=minus[row])
    frequency = 2 * np.pi * np.arange(count) / period
    # The sample's radius r confines a frequency w per column to |k| <= w r.
    position = turns[:, None] / np.maximum(frequency * radius, 1e-9)
    return SeamSpectra(plus, minus, position, frequency, middle)


def sum_power(spectra: SeamSpectra, *, first: int = 1) -> Power:
    """Sum over rows and the angular frequencies from ``first`` on, bin by bin."""
    bins = np.digitize(spectra.position, EDGES)
    shape = (MIDDLES.size, spectra.frequency.size)
    total = Power(np.zeros(shape), np.zeros(shape, np.complex128), np.zeros(shape))
    for plus, minus in zip(spectra.plus, spectra.minus, strict=True):
        _add_power(plus, minus, bins, first, total.steady, total.turning, total.count)
    return total


def profile_cost(power: Power, frequency: Float64Array, distances: Float64Array) -> Float64Array:
    """Return minus the log-likelihood by axis, with D the mean |G|^2 of each bin and band.

    Needs no variances in advance, so it serves to search far; `CostTerms` is sharper.
    """
    starts = _bands(frequency.size)[:-1]
    count = np.add.reduceat(power.count, starts, axis=1)
    counted = count >= FEWEST
    cost = np.empty(distances.size)
    for index, distance in enumerate(distances):
        sums = np.add.reduceat(power.at(distance, frequency), starts, axis=1)[counted]
        mean = np.maximum(sums / count[counted], FAINTEST * sums.max(initial=1e-300))
        cost[index] = count[counted] @ np.log(mean)
    return cost


@dataclass(frozen=True, eq=False)
class CostTerms:
    """What is left of the cost: a complex number per row and column frequency."""

    terms: Complex128Array
    """Shape (row, column frequency)."""
    frequency: Float64Array
    """In radians per column."""

    def cost(self, distances: Float64Array) -> Float64Array:
        """Return the cost by axis, less what is the same for all of them."""
        turns = np.exp(2j * distances[:, None] * self.frequency)
        return np.asarray(2 * np.real(turns @ self.terms.sum(axis=0)))

    def sigma_px(self, distance: float) -> float:
        """Return the standard error of the likeliest axis; infinity where there is no minimum.

        The largest of three: what the curvature of a likelihood implies, and what the scatter
        of slopes shows, over frequencies and rows, and over frequencies alone (rows may share
        a structure and with it an error).
        """
        turned = 2 * self.terms * np.exp(2j * self.frequency * distance)
        bend = float(np.sum(np.real(-4 * self.frequency**2 * turned)))
        if bend <= 0:
            return float("inf")
        slopes = np.real(2j * self.frequency * turned)
        # Noise bends as it slopes, by 2 w more; at the minimum found it rather bends up.
        bend = max(bend - float(np.sum((2 * self.frequency * slopes) ** 2)) ** 0.5, bend / 4)
        # The taper ties neighbouring frequencies together; groups of four hardly know each other.
        groups = np.add.reduceat(slopes, np.arange(0, slopes.shape[1], 4), axis=1)
        scattered = max(_variance_of_sum(groups.ravel()), _variance_of_sum(groups.sum(axis=0)))
        return max(bend**-0.5, scattered**0.5 / bend)


def cost_terms(
    spectra: SeamSpectra, power: Power, distance: float, *, threads: int = 1
) -> CostTerms:
    """Sum up the cost with variances as they are for an axis near the true one.

    Parameters
    ----------
    spectra
        Of all rows.
    power
        Of the same spectra, from k = 1 on.
    distance
        Presumed axis, from the spectra's middle.
    threads
        Over which rows are spread.
    """
    n_rows, n_turns, n_frequencies = spectra.plus.shape
    weight = _weights(_log_variance(power, spectra.frequency, distance), spectra.position, MIDDLES)
    weight_0 = weight[0].copy()
    weight[0] = 0.0  # below, by itself
    weight[-1] *= 0.5  # the last k is its own opposite
    square = _square_wave(n_turns)
    pair = np.zeros((n_rows, n_frequencies), np.complex128)
    ring = np.zeros_like(pair)

    def work(start: int, stop: int) -> None:
        for row in range(start, stop):
            _weigh(spectra.plus[row], spectra.minus[row], weight, square, pair[row], ring[row])

    run_split(n_rows, threads, work)
    fit = (np.abs(square) ** 2) @ weight
    rings = _ring_variance(np.real(ring * np.exp(1j * spectra.frequency * distance)), fit)
    at_0 = spectra.plus[:, 0] * np.conj(spectra.minus[:, 0])
    # G is real at k = 0 and thus counts half; a ring of variance v shows there n^2 v.
    terms = pair + 0.5 * at_0 * weight_0 / (1.0 + (n_turns - 1) ** 2 * rings * weight_0)
    # The square wave is the best fit to all odd k together, drawn towards 0 by its variance.
    terms -= ring**2 / (4 * (fit + 0.5 / rings))
    terms[:, :LOWEST] = 0.0
    return CostTerms(terms, spectra.frequency)


def _variance_of_sum(slopes: Float64Array) -> float:
    """Variance of the sum of independent slopes that was brought to zero.

    Where a few slopes rule, the zero took much of their scatter: n / (n - 1) for n like ones.
    """
    squares = slopes**2
    total = float(np.sum(squares))
    ruling = total**2 / max(float(np.sum(squares**2)), 1e-300)
    return total * ruling / max(ruling - 1.0, 0.25)


def _bands(n_frequencies: int) -> NDArray[np.intp]:
    """First column frequency of each band, and the end."""
    bounds = np.geomspace(min(LOWEST + 5, n_frequencies), n_frequencies, BANDS)
    return np.unique(np.concatenate(([LOWEST], np.round(bounds)))).astype(np.intp)


def _log_variance(power: Power, frequency: Float64Array, distance: float) -> Float64Array:
    """Log of D by (bin across the wedge, column frequency): noise, and signal where it is clear."""
    bands = _bands(frequency.size)
    sums = np.add.reduceat(power.at(distance, frequency), bands[:-1], axis=1)
    count = np.add.reduceat(power.count, bands[:-1], axis=1)
    mean = sums / np.maximum(count, 1.0)
    least = max(FAINTEST * float(mean.max(initial=0.0)), 1e-300)
    by_band = np.empty(mean.shape)
    for band in range(bands.size - 1):
        filled = np.flatnonzero(count[:, band] >= FEWEST)
        values = np.maximum(mean[filled, band], least)
        far = values[MIDDLES[filled] > FAR]
        noise = float(np.median(far)) if far.size else float(values[-1])
        clear = values - noise > CLEAR * noise / np.sqrt(count[filled, band])
        by_band[:, band] = np.interp(
            MIDDLES, MIDDLES[filled], np.log(np.where(clear, values, noise))
        )
    middles = 0.5 * np.log(frequency[bands[:-1]] * frequency[bands[1:] - 1])
    at = np.log(np.maximum(frequency, frequency[1]))
    return np.stack([np.interp(at, middles, values) for values in by_band])


def _square_wave(n_turns: int) -> Complex128Array:
    """Transform, at k = 0 .. n, of i over the half turn and -i over the other; k = 0 is 0."""
    n_angles = n_turns - 1
    odd = np.arange(1, n_turns, 2)
    wave = np.zeros(n_turns, np.complex128)
    wave[odd] = 2j / (1 - np.exp(-1j * np.pi * odd / n_angles))
    return wave


def _ring_variance(fitted: Float64Array, fit: Float64Array) -> Float64Array:
    """Variance of the rings' spectrum by column frequency: the mean of each band, less noise."""
    own = 0.5 / fit
    found = np.mean((fitted / fit) ** 2, axis=0) - own
    variance = 1e-3 * own
    for start, stop in itertools.pairwise(_bands(found.size)):
        mean = float(np.mean(found[start:stop]))
        variance[start:stop] = np.maximum(variance[start:stop], mean)
    return variance


@numba.njit(cache=True, nogil=True)
def _add_power(
    plus: Complex64Array,
    minus: Complex64Array,
    bins: NDArray[np.intp],
    first: int,
    steady: Float64Array,
    turning: Complex128Array,
    count: Float64Array,
) -> None:
    for k in range(first, plus.shape[0]):
        for w in range(plus.shape[1]):
            a, b, at = plus[k, w], minus[k, w], bins[k, w]
            steady[at, w] += a.real**2 + a.imag**2 + b.real**2 + b.imag**2
            turning[at, w] += a * b.conjugate()
            count[at, w] += 1.0


@numba.njit(cache=True, nogil=True)
def _weights(
    log_variance: Float64Array, position: Float64Array, middles: Float64Array
) -> Float64Array:
    """N / D^2 by (k, column frequency); log D between the bins' middles by interpolation."""
    weight = np.empty(position.shape)
    for w in range(position.shape[1]):
        left = 0
        for k in range(position.shape[0]):
            at = position[k, w]
            while left < middles.size - 2 and at > middles[left + 1]:
                left += 1
            share = (at - middles[left]) / (middles[left + 1] - middles[left])
            share = min(max(share, 0.0), 1.0)
            between = (1 - share) * log_variance[left, w] + share * log_variance[left + 1, w]
            weight[k, w] = np.exp(log_variance[-1, w] - 2 * between)
    return weight


@numba.njit(cache=True, nogil=True)
def _weigh(
    plus: Complex64Array,
    minus: Complex64Array,
    weight: Float64Array,
    square: Complex128Array,
    pair: Complex128Array,
    ring: Complex128Array,
) -> None:
    """Sum over k: plus times conjugate minus; and the product with a square wave."""
    for k in range(plus.shape[0]):
        wave = square[k]
        for w in range(plus.shape[1]):
            a, b = plus[k, w], minus[k, w]
            pair[w] += weight[k, w] * (a * b.conjugate())
            if k % 2:
                ring[w] += weight[k, w] * (wave.conjugate() * a + wave * b.conjugate())
