"""Centre from half-turn sinograms, by the signal outside the double wedge.

The views at both ends of the half turn give a few candidates; each is tried with the
likelihood of `wedge` on some rows, at few frequencies; the best one is refined with all rows
together and all frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.center.local import LocalEstimate
from alsct_gui.recon.center.mirror import Peak, coarse_peaks, lowest
from alsct_gui.recon.center.turns import half_turn
from alsct_gui.recon.center.wedge import (
    RING_ROWS,
    cost_terms,
    profile_cost,
    seam_spectra,
    sum_power,
)

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

METHOD = "sinogram"
SEAM_DEG = 2.0
"""The coarse search compares views that are opposite to within this angle."""
WIDE = 0.7
"""Share of the columns in which the axis of a half-turn scan is looked for."""
CLEAR_SCORE = 0.3
"""A coarse score below this may be chance, and trust falls with it."""
FIRST_ROWS = 4
"""Rows that candidates are tried with."""
FIRST_FREQUENCIES = 64
"""Column frequencies that candidates are tried with."""
ROUNDS = 3
"""How often variances and axis are found in turn; three are as good as many."""
RECENTRINGS = 4
"""How often at most the taper is moved onto the axis found; it pulls towards its own middle."""
NEAR_PX = 0.2
"""A taper this near to the axis pulls no more than other errors (about a twentieth of it)."""
LEAST_SIGMA_PX = 0.01
"""No method here resolves less."""


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
    reach = max(6.0, min(16.0, n_columns / 16), n_columns / 160)
    found = [_first_search(halves, peak.column, reach, threads) for peak in peaks]
    scores = np.array([p.score * f.depth for p, f in zip(peaks, found, strict=True)])
    best = int(np.argmax(scores))
    column, sigma_px = _refine(halves, found[best].column, reach, threads)
    others = [s for s, f in zip(scores, found, strict=True) if abs(f.column - column) > 2]
    rival = max(others, default=0.0)
    trust = float(np.clip(2 * (1 - rival / max(scores[best], 1e-9)), 0.0, 1.0))
    trust *= float(np.clip(peaks[best].score / CLEAR_SCORE, 0.0, 1.0))
    return LocalEstimate(METHOD, column, sigma_px, trust)


@dataclass(frozen=True, slots=True)
class _Found:
    """Outcome of trying axes around one candidate."""

    column: float
    """The likeliest."""
    depth: float
    """Log of how much likelier it is than the median one; 0 where it lies at the end of the
    range and is no minimum."""


def _first_search(halves: Float32Array, around: float, reach: float, threads: int) -> _Found:
    """Try axes within ``reach`` of a column on some rows of (row, angle, column)."""
    spectra = seam_spectra(_some(halves), around, most=FIRST_FREQUENCIES, threads=threads)
    columns = around + np.arange(-reach, reach + 0.125, 0.25)
    power = sum_power(spectra, first=min(RING_ROWS, halves.shape[1] // 8 + 1))
    cost = profile_cost(power, spectra.frequency, columns - spectra.middle)
    inside = 0 < int(np.argmin(cost)) < cost.size - 1
    return _Found(
        column=lowest(columns, cost),
        depth=float(np.median(cost) - cost.min()) if inside else 0.0,
    )


def _some(halves: Float32Array) -> Float32Array:
    """Return at most `FIRST_ROWS` rows, spread over all."""
    return halves[:: -(-len(halves) // FIRST_ROWS)]


def _refine(halves: Float32Array, start: float, reach: float, threads: int) -> tuple[float, float]:
    """Find the best axis of all rows together and its standard error."""
    column = start
    if len(halves) > FIRST_ROWS:
        # Some rows bring the taper near to the axis, so that all of them need go once only.
        column, _ = _refine(_some(halves), column, reach, threads)
    for _ in range(RECENTRINGS):
        about = column
        spectra = seam_spectra(halves, about, threads=threads)
        power = sum_power(spectra)
        for _ in range(ROUNDS):
            terms = cost_terms(spectra, power, column - spectra.middle, threads=threads)
            columns = column + np.arange(-reach / 2, reach / 2, 0.1)
            column = lowest(columns, terms.cost(columns - spectra.middle))
        if abs(column - about) < NEAR_PX:
            break
    sigma_px = terms.sigma_px(column - spectra.middle)
    columns = column + np.arange(-reach, reach, 0.1)
    spread_px = _spread(columns - column, terms.cost(columns - spectra.middle), sigma_px)
    return column, max(LEAST_SIGMA_PX, sigma_px, spread_px)


def _spread(distances: Float64Array, cost: Float64Array, sigma_px: float) -> float:
    """Root mean square distance from the likeliest axis, weighted by likelihood.

    Other minima count as much as they are likely, which the curvature does not know. The
    cost is scaled to give ``sigma_px`` at its minimum.
    """
    bend = float(np.polyfit(distances[near := np.abs(distances) < 0.3], cost[near], 2)[0]) * 2
    if bend <= 0 or not np.isfinite(sigma_px):
        return float("inf")
    likelihood = np.exp(-(cost - cost.min()) / max(1.0, bend * sigma_px**2))
    return float(np.sqrt(np.sum(likelihood * distances**2) / np.sum(likelihood)))


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
