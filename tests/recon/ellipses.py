"""Exact sinograms of random ellipses about a known axis."""

from __future__ import annotations

import numpy as np


def ellipse_sinogram(
    seed: int,
    angles_deg: np.ndarray,
    n_columns: int,
    center: float,
    *,
    radius: float | None = None,
    highest: float = 2.0,
) -> np.ndarray:
    """Line integrals (angle, column), float32; the sample fits in ``radius`` about the axis."""
    random = np.random.default_rng(seed)
    inside = 0.9 * min(center, n_columns - 1 - center) if radius is None else radius
    parts = [(0.03, -0.05, 0.85, 0.75, 0.4, 1.0)]
    for _ in range(20):
        away, toward = 0.65 * np.sqrt(random.random()), 2 * np.pi * random.random()
        a, b = 0.02 + 0.09 * random.random(2) ** 2
        density = random.choice([-0.7, 0.8, 1.5])
        turn = np.pi * random.random()
        parts.append((away * np.cos(toward), away * np.sin(toward), a, b, turn, density))
    angle = np.deg2rad(angles_deg)[:, None]
    column = np.arange(n_columns)[None] - center
    total = np.zeros((len(angles_deg), n_columns))
    for x, y, a, b, turn, density in parts:
        x, y, a, b = x * inside, y * inside, a * inside, b * inside
        half2 = (a * np.cos(angle - turn)) ** 2 + (b * np.sin(angle - turn)) ** 2
        off = column - x * np.cos(angle) - y * np.sin(angle)
        total += 2 * density * a * b / half2 * np.sqrt(np.maximum(half2 - off**2, 0))
    return (total * (highest / total.max())).astype(np.float32)


def ellipse_frames(
    seed: int, angles_deg: np.ndarray, n_rows: int, n_columns: int, center: float
) -> np.ndarray:
    """Line integrals (angle, row, column); the sample changes every eight rows."""
    return np.stack(
        [
            ellipse_sinogram(seed * 1000 + row // 8, angles_deg, n_columns, center)
            for row in range(n_rows)
        ],
        axis=1,
    )


def with_noise(line_integrals: np.ndarray, photons: float, seed: int) -> np.ndarray:
    """Line integrals as measured with so many photons a pixel in the open beam."""
    counts = np.random.default_rng(seed).poisson(photons * np.exp(-line_integrals))
    return -np.log(np.maximum(counts, 0.5) / photons).astype(np.float32)


def with_rings(sinogram: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """Add a constant to each column (..., column)."""
    gains = np.random.default_rng(seed).standard_normal(sinogram.shape[-1])
    return sinogram + (strength * gains).astype(np.float32)
