"""Centre from half-turn sinograms, by the signal outside the double wedge.

N. T. Vo et al., "Reliable method for calculating the center of rotation in parallel-beam
tomography", Opt. Express 22, 19078 (2014): a half-turn sinogram followed by its own mirror
image is a full-turn sinogram if it was mirrored about the rotation axis. The 2-D Fourier
transform of a full-turn sinogram is small outside a double wedge that the sample's radius
sets; a seam that does not fit leaks there. The axis minimises that leak.

How it is done here. Mirroring about a column and turning the order of spatial frequencies
are the same, so the transform of the mirrored half follows from that of the half itself,
and a candidate axis is a phase ramp: one transform serves all candidates. The sinogram is
first tapered symmetrically about the presumed axis, so that an axis far from the middle, or
a sample wider than the detector, leaves no edges. High frequencies are damped, since they
hold noise alone; the sum of moduli (rather than of squares) keeps rings from ruling it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_gui.recon.center.local import LocalEstimate, scatter
from alsct_gui.recon.center.mirror import Peak, around_axis, coarse_peaks, lowest
from alsct_gui.recon.center.turns import half_turn
from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Complex64Array = NDArray[np.complex64]

METHOD = "sinogram"
RADIUS = 0.7
"""Radius of the sample assumed for the wedge, as a share of the tapered half width."""
SMOOTH_COLUMNS = 2.0
"""Width (standard deviation) of the low-pass along the columns."""
SMOOTH_ANGLES = 2.0
"""Width (standard deviation) of the low-pass along the angles."""
DROP = 8
"""Lowest angular frequencies left out: rings lie there."""
SEAM_DEG = 2.0
"""The coarse search compares views that are opposite to within this angle."""
WIDE = 0.7
"""Share of the columns in which the axis of a half-turn scan is looked for."""
CLEAR_SCORE = 0.3
"""A coarse score below this may be chance, and trust falls with it."""
COMBS = 4
"""Parts into which the spectrum of one sinogram is cut to see how well it agrees."""


def wedge_center(
    sinograms: Float32Array,
    angles_deg: Float64Array,
    *,
    low: float | None = None,
    high: float | None = None,
    threads: int = 1,
) -> LocalEstimate | None:
    """Find the axis from half-turn sinograms.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column).
    angles_deg
        Shape (angle,); the first half turn of them is used.
    low, high
        Range of columns to look in; None for the middle part (`WIDE`).
    threads
        For the FFT and the candidates.

    Returns
    -------
    estimate
        In columns of the sinograms; its error comes from the rows and from parts of the
        spectrum. None when the scan has no half turn, or is empty.
    """
    chosen = half_turn(angles_deg)
    n_columns = sinograms.shape[2]
    if chosen is None or n_columns < 16 or sinograms.shape[0] == 0:
        return None
    low = (1 - WIDE) / 2 * (n_columns - 1) if low is None else low
    high = (1 + WIDE) / 2 * (n_columns - 1) if high is None else high
    halves = sinograms[:, chosen]
    peaks = _seam_peaks(halves, angles_deg[chosen], low, high)
    if not peaks:
        return None
    reach = max(6.0, n_columns / 160)
    found = [_search(halves, peak.column, reach, 0.5, threads) for peak in peaks]
    scores = np.array([p.score * f.depth for p, f in zip(peaks, found, strict=True)])
    best = int(np.argmax(scores))
    search = _search(halves, found[best].column, 2.0, 0.25, threads)
    others = [s for s, f in zip(scores, found, strict=True) if abs(f.column - search.column) > 2]
    rival = max(others, default=0.0)
    trust = float(np.clip(2 * (1 - rival / max(scores[best], 1e-9)), 0.0, 1.0))
    trust *= float(np.clip(peaks[best].score / CLEAR_SCORE, 0.0, 1.0))
    return LocalEstimate(METHOD, search.column, scatter(search.by_part)[1], trust)


@dataclass(frozen=True, eq=False)
class _Search:
    """Outcome of trying candidates around one column."""

    column: float
    """Where all sinograms together leak least."""
    depth: float
    """How much less than the median candidate they leak there, as a share of it; 0 where
    the least leak lies at the end of the range."""
    by_part: Float64Array
    """The same for each set of frequencies of each sinogram, shape (part,)."""


def _search(
    halves: Float32Array, around: float, reach: float, step: float, threads: int
) -> _Search:
    """Try the candidates within ``reach`` of a column on all sinograms (row, angle, column)."""
    offsets = np.arange(-reach, reach + step / 2, step)
    leaks = np.zeros((len(halves), COMBS, offsets.size))
    for row, sinogram in enumerate(halves):
        spectra = _seam_spectra(sinogram, around, threads)
        _leaks_of(spectra, offsets + (around - spectra.middle), leaks[row], threads)
    columns = around + offsets
    total = leaks.sum(axis=(0, 1))
    typical = float(np.median(total))
    # The least value at the end of the range is no minimum.
    inside = 0 < int(np.argmin(total)) < total.size - 1
    return _Search(
        column=lowest(columns, total),
        depth=1.0 - float(total.min()) / typical if inside and typical > 0 else 0.0,
        by_part=np.array([lowest(columns, part) for part in leaks.reshape(-1, offsets.size)]),
    )


@dataclass(frozen=True, eq=False)
class _SeamSpectra:
    """2-D transform of one zero-padded half turn, at positive and negative turns."""

    plus: Complex64Array
    """At angular frequency +k, shape (k, column frequency), k from DROP on; damped."""
    minus: Complex64Array
    """Conjugate at -k, times (-1)^k: the transform of the mirrored, delayed half."""
    stop: NDArray[np.intp]
    """For each k, how many column frequencies lie outside the wedge."""
    middle: int
    """Column of the sinogram that phases are counted from."""
    period: int
    """Length of the transform along the columns."""


def _seam_spectra(sinogram: Float32Array, axis: float, threads: int) -> _SeamSpectra:
    n_angles = len(sinogram)
    rolled, middle = around_axis(sinogram, axis, 0.3)
    period = rolled.shape[1]
    n_frequencies = period // 5 + 1  # beyond, the low-pass leaves nothing
    lines = scipy.fft.rfft(rolled, axis=1, workers=threads)[:, :n_frequencies]
    column_frequency = 2 * np.pi * np.arange(n_frequencies) / period
    lines *= np.exp(-0.5 * (SMOOTH_COLUMNS * column_frequency) ** 2).astype(np.float32)
    full = scipy.fft.fft(lines, 2 * n_angles, axis=0, workers=threads)

    drop = min(DROP, n_angles // 8 + 1)
    turns = np.arange(drop, max(drop + 1, int(0.55 * n_angles)))
    damping = np.exp(-0.5 * (SMOOTH_ANGLES * np.pi * turns / n_angles) ** 2).astype(np.float32)
    sign = np.where(turns % 2, -1, 1).astype(np.float32)
    # The sample's radius r confines a frequency w per column to |k| <= w r.
    radius = RADIUS * max(1.0, min(axis, sinogram.shape[1] - 1 - axis))
    stop = np.minimum(n_frequencies, np.ceil(turns / radius * period / (2 * np.pi))).astype(np.intp)
    return _SeamSpectra(
        plus=np.ascontiguousarray(full[turns] * damping[:, None]),
        minus=np.ascontiguousarray(np.conj(full[-turns]) * (damping * sign)[:, None]),
        stop=stop,
        middle=middle,
        period=period,
    )


def _leaks_of(
    spectra: _SeamSpectra, offsets: Float64Array, out: Float64Array, threads: int
) -> None:
    """Sum the moduli outside the wedge into out (comb, candidate).

    Half of the ramp is put on each side, which leaves the modulus as it is.
    """
    n_frequencies = spectra.plus.shape[1]
    frequency = 2 * np.pi * np.arange(n_frequencies) / spectra.period
    ramps = np.exp(1j * offsets[:, None] * frequency[None]).astype(np.complex64)

    def work(start: int, stop: int) -> None:
        _sum_moduli(
            spectra.plus, spectra.minus, spectra.stop, ramps[start:stop], out[:, start:stop]
        )

    run_split(offsets.size, threads, work)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sum_moduli(
    plus: Complex64Array,
    minus: Complex64Array,
    stop: NDArray[np.intp],
    ramps: Complex64Array,
    out: Float64Array,
) -> None:
    n_combs = out.shape[0]
    comb_size = 8
    for candidate in range(ramps.shape[0]):
        ramp = ramps[candidate]
        for turn in range(plus.shape[0]):
            # The lowest column frequencies are left out: they hardly move with the axis.
            for low in range(2, stop[turn], comb_size):
                total = np.float32(0.0)
                for w in range(low, min(low + comb_size, stop[turn])):
                    a, b, r = plus[turn, w], minus[turn, w], ramp[w]
                    real = (a.real + b.real) * r.real - (a.imag - b.imag) * r.imag
                    imag = (a.imag + b.imag) * r.real + (a.real - b.real) * r.imag
                    total += np.sqrt(real * real + imag * imag)
                out[(low // comb_size) % n_combs, candidate] += total


def _seam_peaks(
    halves: Float32Array, angles_deg: Float64Array, low: float, high: float
) -> list[Peak]:
    """Candidates from views at the start against those at the end of the half turn."""
    step = abs(float(angles_deg[-1] - angles_deg[0])) / (angles_deg.size - 1)
    count = max(1, min(16, int(SEAM_DEG / step) // 2, angles_deg.size // 4))
    n_columns = halves.shape[2]
    first = np.ascontiguousarray(halves[:, :count]).reshape(-1, n_columns)
    second = np.ascontiguousarray(halves[:, : -count - 1 : -1]).reshape(-1, n_columns)
    return coarse_peaks(first, second, low, high)
