"""Grey values along fibres: of their cores, of a ring about each, and of rings of the scanner."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

CORE = 0.65
"""Radius of the core over that of the fibre: what blur and a path beside the middle spare."""
RING = (1.3, 1.9)
"""Inner and outer radius of the ring about a fibre, over that of the fibre."""


def disc_points(radius_px: float) -> Float64Array:
    """Return points (y, x) that cover a disc evenly, about a pixel apart; shape (n, 2)."""
    return ring_points(0.0, radius_px)


def ring_points(inner_px: float, outer_px: float) -> Float64Array:
    """Return points (y, x) that cover a ring evenly, about a pixel apart; shape (n, 2)."""
    n = max(1, round((outer_px - inner_px) / 0.8))
    edges = np.linspace(inner_px, outer_px, n + 1)
    points: list[Float64Array] = []
    for low, high in itertools.pairwise(edges):
        middle = 2 / 3 * (high**3 - low**3) / (high**2 - low**2)
        count = max(1, round(math.pi * (high**2 - low**2) / 0.64))
        angle = 2 * np.pi * (np.arange(count) + 0.5 * (len(points) % 2)) / count
        points.append(np.column_stack([middle * np.sin(angle), middle * np.cos(angle)]))
    return np.concatenate(points)


@njit(cache=True, nogil=True)
def mean_about(
    picture: Float32Array,
    places: Float64Array,
    points: Float64Array,
    out: Float32Array,
    bright: Float32Array,
) -> None:
    """Mean grey value over points about each place, bilinear; NaN where it leaves the picture.

    Parameters
    ----------
    picture
        Shape (y, x).
    places
        (y, x) in pixels, shape (fibre, 2); NaN gives NaN.
    points
        Offsets (y, x), shape (n, 2).
    out
        Shape (fibre,).
    bright
        The same over the brighter half of the points alone; shape (fibre,).
    """
    values = np.empty(points.shape[0])
    n_y, n_x = picture.shape
    for fibre in range(places.shape[0]):
        total, count = 0.0, 0
        if not math.isnan(places[fibre, 0]):
            for index in range(points.shape[0]):
                y = places[fibre, 0] + points[index, 0]
                x = places[fibre, 1] + points[index, 1]
                if y < 0 or x < 0 or y > n_y - 1 or x > n_x - 1:
                    continue
                top, left = min(int(y), n_y - 2), min(int(x), n_x - 2)
                down, across = y - top, x - left
                value = (1 - down) * (
                    (1 - across) * picture[top, left] + across * picture[top, left + 1]
                ) + down * (
                    (1 - across) * picture[top + 1, left] + across * picture[top + 1, left + 1]
                )
                if math.isfinite(value):
                    values[count] = value
                    total += value
                    count += 1
        out[fibre] = bright[fibre] = np.nan
        if 2 * count >= points.shape[0] and count > 0:
            out[fibre] = total / count
            bright[fibre] = np.sort(values[:count])[count // 2 :].mean()


def azimuthal_means(
    picture: Float32Array, distance: NDArray[np.intp], counts: NDArray[np.int64]
) -> Float32Array:
    """Mean grey value over the distance from the rotation axis, without what sticks out.

    Parameters
    ----------
    picture
        Shape (y, x).
    distance
        Whole pixels from the axis, flat.
    counts
        How often each distance occurs.
    """
    flat = np.nan_to_num(picture.ravel())
    low, high = np.percentile(flat[:: max(1, flat.size // 100_000)], (1, 99))
    sums = np.bincount(distance, np.clip(flat, low, high), len(counts))
    return (sums / np.maximum(counts, 1)).astype(np.float32)
