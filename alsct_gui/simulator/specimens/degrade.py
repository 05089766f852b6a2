"""What stands between a perfect volume and a real one: blur, noise, rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alsct_gui.simulator.specimens.specimen import Float32Array


@dataclass(frozen=True, slots=True)
class Degradation:
    """How a volume is made worse; nothing by default."""

    blur_px: float = 0.0
    """Sigma of a Gaussian."""
    cnr: float | None = None
    """Contrast over the standard deviation of the noise in a voxel; None for no noise."""
    correlation_px: float = 0.0
    """Sigma of the Gaussian that the noise is smoothed by, before it is given its strength."""
    rings_per_slice: float = 0.0
    """Mean number of rings that begin in a slice."""
    ring_strength: float = 0.3
    """Standard deviation of the rings' height, as a share of the contrast."""
    ring_slices: float = 2.0
    """Mean number of slices that a ring goes on for."""


def degrade(values: Float32Array, how: Degradation, contrast: float, seed: int) -> None:
    """Blur a volume, then add rings and noise, in place.

    Parameters
    ----------
    values
        Shape (slice, y, x).
    how
        What to do.
    contrast
        Grey difference that `how` speaks of.
    seed
        The same seed gives the same noise.
    """
    from scipy.ndimage import gaussian_filter

    if how.blur_px > 0:
        gaussian_filter(values, how.blur_px, output=values)
    rng = np.random.default_rng([seed, 21])
    if how.rings_per_slice > 0:
        _add_rings(values, how, contrast, rng)
    if how.cnr is not None:
        _add_noise(values, how.correlation_px, contrast / how.cnr, rng)


def _add_noise(
    values: Float32Array, correlation_px: float, sigma: float, rng: np.random.Generator
) -> None:
    if correlation_px <= 0:
        for picture in values:
            picture += sigma * rng.standard_normal(picture.shape, dtype=np.float32)
        return
    from scipy.ndimage import gaussian_filter

    noise = rng.standard_normal(values.shape, dtype=np.float32)
    gaussian_filter(noise, correlation_px, output=noise, mode="wrap")
    values += np.float32(sigma / noise.std()) * noise


def _add_rings(
    values: Float32Array, how: Degradation, contrast: float, rng: np.random.Generator
) -> None:
    """Add rings about the middle, each over a few slices: a detector's bad rows are few."""
    n_slices, n_y, n_x = values.shape
    y, x = np.ogrid[:n_y, :n_x]
    radius = np.hypot(y - (n_y - 1) / 2, x - (n_x - 1) / 2).astype(np.float32)
    for first in range(n_slices):
        for _ in range(rng.poisson(how.rings_per_slice)):
            place = rng.uniform(0.05, 1.0) * min(n_y, n_x) / 2
            width = rng.uniform(0.5, 1.5)
            height = how.ring_strength * contrast * rng.standard_normal()
            last = first + 1 + rng.geometric(1 / how.ring_slices)
            ring = np.exp(-0.5 * ((radius - place) / width) ** 2)
            values[first : last - 1] += np.float32(height) * ring
