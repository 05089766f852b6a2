"""Loops over fibres and pixels of `fibres`, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.simulator.specimens.specimen import Float32Array, Float64Array

_SUBPOINTS = 4
"""Points along each edge of a pixel that a fibre's rim cuts."""


@njit(cache=True, nogil=True)
def keep_apart(places: Float64Array, apart: float, room: float, rounds: int) -> bool:
    """Push discs apart within a circle, in place; False when some overlap at the end."""
    count = len(places)
    for _ in range(rounds):
        worst = 0.0
        for i in range(count):
            for j in range(i + 1, count):
                dy = places[j, 0] - places[i, 0]
                if abs(dy) >= apart:
                    continue
                dx = places[j, 1] - places[i, 1]
                distance = math.sqrt(dy * dy + dx * dx)
                if distance >= apart:
                    continue
                worst = max(worst, 1 - distance / apart)
                step = 0.5 * (apart - distance) / max(distance, 1e-9)
                places[i, 0] -= step * dy
                places[i, 1] -= step * dx
                places[j, 0] += step * dy
                places[j, 1] += step * dx
            far = math.sqrt(places[i, 0] ** 2 + places[i, 1] ** 2)
            if far > room:
                places[i, 0] *= room / far
                places[i, 1] *= room / far
        if worst < 0.01:
            return True
    return False


@njit(cache=True, nogil=True)
def paint_fibres(
    picture: Float32Array,
    places: Float64Array,
    radius: float,
    z: float,
    gaps: Float64Array,
    fibre: float,
    air: float,
) -> None:
    """Lay the cross-sections of fibres over a slice, with what gaps leave of them."""
    first = 0
    reach = radius + 1.0
    n = _SUBPOINTS
    for index in range(places.shape[0]):
        y0, x0 = places[index]
        while first < gaps.shape[0] and gaps[first, 0] < index:
            first += 1
        stop = first
        while stop < gaps.shape[0] and gaps[stop, 0] == index:
            stop += 1
        for row in range(max(0, int(y0 - reach)), min(picture.shape[0], int(y0 + reach) + 2)):
            for column in range(
                max(0, int(x0 - reach)), min(picture.shape[1], int(x0 + reach) + 2)
            ):
                covered, empty = 0, 0.0
                for a in range(n):
                    dy = row - y0 + (a + 0.5) / n - 0.5
                    for b in range(n):
                        dx = column - x0 + (b + 0.5) / n - 0.5
                        if dy * dy + dx * dx > radius * radius:
                            continue
                        covered += 1
                        for gap in range(first, stop):
                            far = z - gaps[gap, 1] - gaps[gap, 3] * dy - gaps[gap, 4] * dx
                            half = gaps[gap, 2]
                            overlap = min(0.5, half - far) - max(-0.5, -half - far)
                            empty += min(1.0, max(0.0, overlap))
                if covered:
                    share, gone = covered / (n * n), empty / (n * n)
                    value = (1 - share) * picture[row, column]
                    picture[row, column] = value + (share - gone) * fibre + gone * air


@njit(cache=True, nogil=True)
def paint_rims(
    picture: Float32Array,
    places: Float64Array,
    radius: float,
    loose: NDArray[np.bool_],
    air: float,
) -> None:
    """Paint a ring of air, a pixel wide, about fibres where they have come loose."""
    reach = radius + 1.0
    for index in range(places.shape[0]):
        y0, x0 = places[index]
        for row in range(max(0, int(y0 - reach)), min(picture.shape[0], int(y0 + reach) + 2)):
            for column in range(
                max(0, int(x0 - reach)), min(picture.shape[1], int(x0 + reach) + 2)
            ):
                if not loose[row, column]:
                    continue
                far = math.sqrt((row - y0) ** 2 + (column - x0) ** 2)
                share = min(1.0, max(0.0, radius + 1.5 - far))
                picture[row, column] += share * (air - picture[row, column])
