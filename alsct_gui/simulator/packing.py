"""Random places for bodies that must not touch (random sequential addition)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_TRIES = 400


def pack_spheres(
    radii_um: Float64Array, room_radius_um: float, half_height_um: float, seed: int
) -> tuple[Float64Array, Float64Array]:
    """Place spheres without overlap in an upright cylinder.

    Parameters
    ----------
    radii_um
        Shape (sphere,), largest first; one for which no room is found is left out.
    room_radius_um, half_height_um
        The cylinder. Spheres lie within its side; their centres lie within its height.
    seed
        The same seed gives the same places.

    Returns
    -------
    center_um, radius_um
        Shapes (placed, 3) and (placed,).
    """
    draws = np.random.default_rng([seed, 1]).random((len(radii_um), _TRIES, 3))
    center = np.empty((len(radii_um), 3))
    kept = np.empty(len(radii_um))
    n = _place_spheres(
        np.ascontiguousarray(radii_um), draws, room_radius_um, half_height_um, center, kept
    )
    return center[:n].copy(), kept[:n].copy()


@njit(cache=True, nogil=True)
def _place_spheres(
    radii: Float64Array,
    draws: Float64Array,
    room: float,
    half_height: float,
    center: Float64Array,
    kept: Float64Array,
) -> int:
    n = 0
    for index in range(len(radii)):
        radius = radii[index]
        if radius >= room:
            continue
        for attempt in range(draws.shape[1]):
            distance = (room - radius) * math.sqrt(draws[index, attempt, 0])
            around = 2 * math.pi * draws[index, attempt, 1]
            x, y = distance * math.cos(around), distance * math.sin(around)
            z = half_height * (2 * draws[index, attempt, 2] - 1)
            free = True
            for other in range(n):
                apart = 1.02 * (radius + kept[other])  # a thin wall always stays
                dx, dy, dz = x - center[other, 0], y - center[other, 1], z - center[other, 2]
                if dx * dx + dy * dy + dz * dz < apart * apart:
                    free = False
                    break
            if free:
                center[n, 0], center[n, 1], center[n, 2] = x, y, z
                kept[n] = radius
                n += 1
                break
    return n


def pack_lines(
    count: int,
    radius_um: float,
    room_radius_um: float,
    half_height_um: float,
    slope: float,
    seed: int,
) -> tuple[Float64Array, Float64Array]:
    """Place nearly upright fibres so that no two touch within the height.

    Parameters
    ----------
    count
        How many to try for; fewer are placed when the room is full.
    radius_um
        Radius of a fibre, with whatever distance is to be kept.
    room_radius_um, half_height_um
        Upright cylinder in which the axes lie at z = 0, and its half height.
    slope
        Standard deviation of dx/dz and dy/dz.
    seed
        The same seed gives the same fibres.

    Returns
    -------
    feet_um, slopes
        Where the axes cross z = 0, and (dx/dz, dy/dz); shapes (placed, 2).
    """
    rng = np.random.default_rng([seed, 2])
    # The slope is bounded so that a fibre stays in the sample over a tall field of view.
    bound = 0.05 * room_radius_um / half_height_um
    feet, slopes = np.empty((0, 2)), np.empty((0, 2))
    for _ in range(count * 40):
        distance = (room_radius_um - radius_um) * math.sqrt(rng.random())
        around = 2 * np.pi * rng.random()
        foot = distance * np.array([np.cos(around), np.sin(around)])
        lean = (slope * rng.standard_normal(2)).clip(-bound, bound)
        if _lines_apart(feet - foot, slopes - lean, half_height_um) > 2 * radius_um:
            feet, slopes = np.vstack([feet, foot]), np.vstack([slopes, lean])
            if len(feet) == count:
                break
    return feet, slopes


def _lines_apart(feet: Float64Array, slopes: Float64Array, half_height_um: float) -> float:
    """Return the least distance, at equal height, of lines given relative to one."""
    if not len(feet):
        return math.inf
    lean2 = (slopes**2).sum(axis=1)
    best_z = -(feet * slopes).sum(axis=1) / np.maximum(lean2, 1e-30)
    best_z = best_z.clip(-1.3 * half_height_um, 1.3 * half_height_um)
    return float(np.linalg.norm(feet + slopes * best_z[:, None], axis=1).min())
