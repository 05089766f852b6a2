"""The gridding kernel: how a sample is spread over its neighbours, and how that is undone.

phi(z) = exp(beta (sqrt(1 - (2 z / w)^2) - 1)), the "exponential of semicircle" of Barnett,
Magland and af Klinteberg (SIAM J. Sci. Comput. 41, C479, 2019), of width w grid cells. Its
Fourier transform is taken numerically.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WIDTH = 5
"""Grid points that a sample touches along each axis."""
BETA = 8.8
"""Shape; smallest error of 5 points at the oversampling of 1.25 (see decisions/0003)."""
OVERSAMPLING = 1.25
"""Grid points per pixel of the slice."""
BINS = 256
"""Table rows per grid cell; between rows it is interpolated linearly."""
TABLE_ROW = 8
"""Values of a table row: the taps, then zeros."""


def kernel(distance: NDArray[np.float64], beta: float = BETA) -> NDArray[np.float64]:
    """Phi at a distance in grid cells; zero beyond half the width."""
    inside = np.clip(1.0 - (2.0 * distance / WIDTH) ** 2, 0.0, None)
    value = np.exp(beta * (np.sqrt(inside) - 1.0))
    return np.where(np.abs(distance) <= WIDTH / 2, value, 0.0)


@lru_cache(maxsize=1)
def tap_table() -> NDArray[np.float32]:
    """Taps by position, shape ((BINS + 2) * TABLE_ROW,), float32.

    Row b holds the taps of a sample whose first grid point lies ``b / BINS`` beyond the left
    edge of its support: phi(c + b / BINS - WIDTH / 2) for tap c.
    """
    shift = np.arange(BINS + 2)[:, None] / BINS
    table = np.zeros((BINS + 2, TABLE_ROW))
    table[:, :WIDTH] = kernel(np.arange(WIDTH)[None, :] + shift - WIDTH / 2)
    return table.astype(np.float32).ravel()


def transform(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fourier transform of phi, of pixels at `share` of the grid's length from its middle."""
    nodes, node_weights = np.polynomial.legendre.leggauss(64)
    distance = nodes * WIDTH / 2
    phases = np.cos(2.0 * np.pi * np.outer(share, distance))
    return np.asarray(phases @ (node_weights * WIDTH / 2 * kernel(distance)))
