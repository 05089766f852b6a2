"""The detector's fixed defects: dark pattern, hot and dead pixels, wrong columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.simulator.noise import detect_photons, digitise, frame_key
from alsct_gui.simulator.physics import Physics

Float32Array = NDArray[np.float32]
UInt16Array = NDArray[np.uint16]

DARK, FLAT, PROJECTION = 0, 1, 2
"""Kinds of frames."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """Neighbouring columns that answer wrongly; the cause of one ring."""

    kind: str
    """``gain``, ``wide``, ``nonlinear`` or ``partial``."""
    column: int
    """First column."""
    width: int
    """Number of columns."""
    error: float
    """Relative error of the gain; for ``nonlinear`` its change from dark to full light."""
    first: int
    """First projection that is wrong."""
    last: int
    """Last projection that is wrong."""


class SimulatedCamera:
    """Turns expected photons into counts, the same way for the same frame each time.

    Parameters
    ----------
    physics
        Settings.
    n_rows, n_columns, n_angles
        Size of the scan.
    seed
        Fixes defects and noise.
    """

    def __init__(
        self, physics: Physics, n_rows: int, n_columns: int, n_angles: int, seed: int
    ) -> None:
        camera = physics.camera
        rng = np.random.default_rng([seed, 4])
        self._physics, self._seed = physics, seed
        self.ceiling = float(2**camera.bits - 1)
        pattern = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
        columns = rng.standard_normal(n_columns, dtype=np.float32)
        # Half of the pattern's variance runs down whole columns, as column amplifiers do.
        pattern = (pattern + columns) * np.float32(np.sqrt(0.5) * camera.dark_pattern)
        self.offset: Float32Array = np.float32(camera.dark_counts) + pattern
        self.dead, self.hot = _defects(n_rows * n_columns, camera.dead_share, camera.hot_share, rng)
        self.stripes = _stripes(physics, n_columns, n_angles, rng)
        self._bend = np.zeros(n_columns, dtype=np.float32)
        for stripe in self.stripes:
            if stripe.kind == "nonlinear":
                self._bend[stripe.column : stripe.column + stripe.width] = stripe.error

    def detect(self, photons: Float32Array, kind: int, index: int) -> UInt16Array:
        """Return the frame as stored.

        Parameters
        ----------
        photons
            Expected photons, shape (row, column); overwritten.
        kind, index
            `DARK`, `FLAT` or `PROJECTION`, and which one.
        """
        camera = self._physics.camera
        detect_photons(
            photons,
            frame_key(self._seed, kind, index),
            self._physics.noise,
            self._gain(kind, index),
            self._bend,
            self._physics.beam.photons,
            self.offset,
            camera.read_noise,
        )
        flat = photons.reshape(-1)
        flat[self.dead] = self.offset.reshape(-1)[self.dead]
        flat[self.hot] = 0.9 * self.ceiling
        if camera.zingers_per_mpx > 0:
            rng = np.random.default_rng([self._seed, 5, kind, index])
            count = rng.poisson(camera.zingers_per_mpx * flat.size / 1e6)
            places = rng.integers(0, flat.size, count)
            np.add.at(flat, places, rng.uniform(0.1, 1.0, count) * self.ceiling)
        frame = np.empty(photons.shape, dtype=np.uint16)
        digitise(photons, self.ceiling, frame)
        return frame

    def _gain(self, kind: int, index: int) -> Float32Array:
        """Return counts per photon of every column for one frame."""
        gain = np.full(len(self._bend), self._physics.camera.counts_per_photon, dtype=np.float32)
        if kind == PROJECTION:
            for stripe in self.stripes:
                if stripe.kind != "nonlinear" and stripe.first <= index <= stripe.last:
                    gain[stripe.column : stripe.column + stripe.width] *= 1 + stripe.error
        return gain


def _defects(
    n_pixels: int, dead_share: float, hot_share: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return flat indices of dead and of hot pixels; none is both."""
    n_dead, n_hot = rng.binomial(n_pixels, dead_share), rng.binomial(n_pixels, hot_share)
    places = np.unique(rng.integers(0, n_pixels, n_dead + n_hot))
    rng.shuffle(places)
    return np.sort(places[:n_dead]), np.sort(places[n_dead:])


def _stripes(
    physics: Physics, n_columns: int, n_angles: int, rng: np.random.Generator
) -> tuple[Stripe, ...]:
    """Draw the wrong columns; stripes may overlap, as they do on real detectors."""
    rings = physics.rings
    kinds = [(kind, getattr(rings, kind)) for kind in ("gain", "wide", "nonlinear", "partial")]
    stripes = []
    for kind, count in kinds:
        for _ in range(count):
            width = int(rng.integers(5, 16)) if kind == "wide" else 1
            width = min(width, n_columns)
            column = int(rng.integers(0, n_columns - width + 1))
            error = float(rng.normal(0.0, rings.strength))
            first, last = 0, n_angles - 1
            if kind == "partial":
                first = int(rng.integers(0, max(1, n_angles // 2)))
                last = min(n_angles - 1, first + int(rng.integers(1, max(2, n_angles // 2))))
            stripes.append(Stripe(kind, column, width, error, first, last))
    return tuple(stripes)
