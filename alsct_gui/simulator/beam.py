"""The light without a sample: profile, movement and strength through the scan."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from alsct_gui.simulator.physics import Beam

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_N_BANDS = 8
_WOBBLES = 3.0


class BeamProfile:
    """Relative brightness of every pixel, for any vertical shift of the beam.

    Parameters
    ----------
    beam
        Settings.
    n_rows, n_columns
        Size of a frame.
    seed
        Fixes the bands and the dust.
    """

    def __init__(self, beam: Beam, n_rows: int, n_columns: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 3])
        self._beam = beam
        self._n_rows, self._n_columns = n_rows, n_columns
        # Bands of a multilayer mirror: horizontal, from a dozen pixels to the full height.
        self._band_px = np.geomspace(12.0, max(24.0, n_rows), _N_BANDS) * rng.uniform(
            0.8, 1.2, _N_BANDS
        )
        self._band_depth = rng.uniform(0.005, 0.02, _N_BANDS)
        self._band_phase = rng.uniform(0, 2 * np.pi, _N_BANDS)
        across = np.linspace(-1, 1, n_columns)
        waves = np.cos(np.outer(rng.uniform(2, 12, 4), across) + rng.uniform(0, 6.28, (4, 1)))
        self._across = 1 - 0.2 * across**2 + 0.01 * waves.sum(axis=0)
        self._dust = _dust(beam.dust_per_mpx, n_rows, n_columns, rng)

    def frame(self, shift_px: float) -> Float32Array:
        """Return brightness relative to the brightest place, shape (row, column)."""
        if not self._beam.structured:
            return np.ones((self._n_rows, self._n_columns), dtype=np.float32)
        row = np.arange(self._n_rows) - shift_px
        height = 0.55 * self._n_rows
        down = np.exp(-0.5 * ((row - (self._n_rows - 1) / 2) / height) ** 2)
        waves = np.cos(2 * np.pi * row[:, None] / self._band_px + self._band_phase)
        down *= 1 + waves @ self._band_depth
        # The maximum of the parts is known, so that no frame is brighter than 1.
        down /= 1 + self._band_depth.sum()
        profile = np.outer(down, self._across / 1.04) * self._dust
        return profile.astype(np.float32)


def _dust(per_mpx: float, n_rows: int, n_columns: int, rng: np.random.Generator) -> Float64Array:
    """Return the transmission of specks on the scintillator, shape (row, column)."""
    clear = np.ones((n_rows, n_columns))
    for _ in range(rng.poisson(per_mpx * n_rows * n_columns / 1e6)):
        row, column = rng.uniform(0, n_rows), rng.uniform(0, n_columns)
        radius, depth = rng.uniform(1.5, 7.0), rng.uniform(0.03, 0.3)
        reach = math.ceil(2 * radius)
        rows = np.arange(max(0, int(row) - reach), min(n_rows, int(row) + reach + 1))
        columns = np.arange(max(0, int(column) - reach), min(n_columns, int(column) + reach + 1))
        distance2 = (rows[:, None] - row) ** 2 + (columns - column) ** 2
        # The fourth power of the distance gives a flat speck with a quick, smooth edge.
        clear[np.ix_(rows, columns)] *= 1 - depth * np.exp(-((distance2 / radius**2) ** 2))
    return clear


def shift_px(beam: Beam, share: float) -> float:
    """Return how far the beam has moved down when ``share`` (0 to 1) of the scan is done."""
    return beam.drift_px * share + beam.wobble_px * math.sin(2 * math.pi * _WOBBLES * share)


def current_ma(beam: Beam, time_s: Float64Array) -> Float64Array:
    """Return the beam current at the given times, same shape."""
    if beam.lifetime_h is None:
        return np.full_like(time_s, beam.current_ma)
    since_s = time_s % beam.top_up_every_s if beam.top_up_every_s > 0 else time_s
    current: Float64Array = beam.current_ma * np.exp(-since_s / (beam.lifetime_h * 3600))
    return current
