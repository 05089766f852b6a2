"""Rings in polar coordinates: straight lines, the same at every angle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Array = NDArray[Any]


def remove_from_slice(
    plane: Array, center: tuple[float, float], width_px: int, arcs: int, limit: float | None
) -> Array:
    """Subtract rings from a slice; the slice itself is not interpolated.

    Along each radius a running median is what a slice without rings would have there; what
    is left is the same at all angles of an arc where it is a ring, so its median over them is
    taken for the ring.

    Parameters
    ----------
    plane
        Shape (y, x), float32.
    center
        Row and column of the rotation axis.
    width_px
        Window of the running median: wider than the widest ring.
    arcs
        Into how many arcs the circle is cut.
    limit
        Rings of a larger difference are left alone; None for no limit.
    """
    plane = np.ascontiguousarray(plane, np.float32)
    polar = to_polar(plane, center)
    # The outer corners are missing at most angles: there, and only there, stands NaN.
    inside = np.isfinite(polar)
    filled = np.where(inside, polar, 0).astype(np.float32)
    ripple = filled - median_filter(filled, (1, 2 * (width_px // 2) + 1), mode="nearest")
    ripple[~inside] = np.nan
    rings = np.zeros((arcs, polar.shape[1]), np.float32)
    for arc, part in enumerate(np.array_split(ripple, arcs)):
        seen = np.isfinite(part).mean(axis=0) > 0.5
        rings[arc, seen] = np.nanmedian(part[:, seen], axis=0)
    rings -= median_filter(rings, (1, 4 * width_px + 1), mode="nearest")
    if limit is not None:
        rings[np.abs(rings) > limit] = 0
    out = plane.copy()
    _subtract(out, rings, center[0], center[1])
    return out


def to_polar(plane: Array, center: tuple[float, float]) -> Array:
    """Return a slice as (angle, radius), bilinear; NaN outside of it."""
    n_y, n_x = plane.shape
    far = max(np.hypot(y - center[0], x - center[1]) for y in (0, n_y - 1) for x in (0, n_x - 1))
    n_radii = int(np.ceil(far)) + 1
    n_angles = max(180, min(4 * max(plane.shape), int(np.pi * max(plane.shape))))
    out = np.empty((n_angles, n_radii), np.float32)
    _to_polar(plane, out, center[0], center[1])
    return out


@njit(nogil=True, cache=True)
def _to_polar(plane: Array, out: Array, center_y: float, center_x: float) -> None:
    n_angles, n_radii = out.shape
    n_y, n_x = plane.shape
    for a in range(n_angles):
        angle = 2 * np.pi * (a + 0.5) / n_angles - np.pi
        sine, cosine = np.sin(angle), np.cos(angle)
        for radius in range(n_radii):
            y, x = center_y + radius * sine, center_x + radius * cosine
            if y < 0 or x < 0 or y > n_y - 1 or x > n_x - 1:
                out[a, radius] = np.nan
                continue
            i, j = min(int(y), n_y - 2), min(int(x), n_x - 2)
            dy, dx = y - i, x - j
            upper = plane[i, j] * (1 - dx) + plane[i, j + 1] * dx
            lower = plane[i + 1, j] * (1 - dx) + plane[i + 1, j + 1] * dx
            out[a, radius] = upper * (1 - dy) + lower * dy


@njit(nogil=True, cache=True)
def _subtract(plane: Array, rings: Array, center_y: float, center_x: float) -> None:
    """Subtract rings (arc, radius), linear between radii and between the middles of arcs."""
    n_arcs, n_radii = rings.shape
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            y, x = i - center_y, j - center_x
            radius = np.hypot(y, x)
            r = min(int(radius), n_radii - 2)
            dr = radius - r
            at = (np.arctan2(y, x) + np.pi) / (2 * np.pi) * n_arcs - 0.5
            a = int(np.floor(at))
            da = at - a
            a, b = a % n_arcs, (a + 1) % n_arcs
            here = rings[a, r] * (1 - dr) + rings[a, r + 1] * dr
            there = rings[b, r] * (1 - dr) + rings[b, r + 1] * dr
            plane[i, j] -= here * (1 - da) + there * da
