"""How much each projection counts: quadrature weights for angles of any spacing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError

_SAME_DEG = 1e-6
"""Angles closer than this (modulo 180) are one direction seen again."""
_WEDGE = 5.0
"""A gap so many times the 90th percentile of the gaps is a missing wedge."""


def angle_weights(angles_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each projection in radians, shape (angle,); they sum to pi.

    A parallel projection is the same from behind, so directions live on a circle of 180
    degrees: half turns, full turns and overscans are all covered. Each direction gets half
    the gap to its neighbours on both sides (the trapezoidal rule on a circle); projections
    of the same direction share its weight. A missing wedge is not made up for by its
    neighbours: there, half the median gap counts, and the sum falls short of pi.

    Raises
    ------
    InputError
        When there are no angles, or one is not finite.
    """
    angles = np.asarray(angles_deg, dtype=np.float64)
    if angles.ndim != 1 or angles.size == 0:
        raise InputError("there are no projection angles", where="angles_deg")
    if not np.isfinite(angles).all():
        bad = int(np.flatnonzero(~np.isfinite(angles))[0])
        raise InputError(f"the angle of projection {bad} is not a number", where="angles_deg")
    folded = np.mod(angles, 180.0)
    order = np.argsort(folded, kind="stable")
    sorted_deg = folded[order]
    # Number the directions; one just below 180 is the same as one at 0.
    direction = np.concatenate([[0], np.cumsum(np.diff(sorted_deg) > _SAME_DEG)])
    if direction[-1] > 0 and sorted_deg[0] + 180.0 - sorted_deg[-1] <= _SAME_DEG:
        direction[direction == direction[-1]] = 0
    n_directions = int(direction.max()) + 1
    count = np.bincount(direction, minlength=n_directions)
    first = np.searchsorted(np.maximum.accumulate(direction), np.arange(n_directions))
    share = _circle_shares(sorted_deg[first]) / count
    weights = np.empty_like(angles)
    weights[order] = share[direction]
    return weights


def _circle_shares(directions_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the gaps on both sides, in radians, of sorted directions on [0, 180)."""
    if directions_deg.size == 1:
        return np.array([math.pi])
    gaps = np.diff(directions_deg, append=directions_deg[0] + 180.0)
    usual = np.percentile(gaps, 90, method="lower")
    gaps = np.where(gaps > _WEDGE * usual, np.median(gaps), gaps)
    return np.asarray(np.deg2rad(0.5 * (gaps + np.roll(gaps, 1))))
