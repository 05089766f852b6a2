"""Where a gap begins and ends: a blurred box fitted to the grey value that is missing.

The depth of a gap is known from the wide ones, so that the two edges alone are fitted: noise in the
middle of a gap does not matter, as it does to a sum over it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

EDGE_SLICES = 0.8
"""Sigma of a gap's edge: the blur of the picture, and fracture planes that lie askew."""
_MARGIN_SLICES = 4
_ROUNDS = 12
_STEP = 1e-3
_DAMPING = 1e-3
_LEAST_SLICES = 0.1


def fit_gap(missing: Float64Array, middle: float, opening: float) -> tuple[float, float]:
    """Fit a gap.

    Parameters
    ----------
    missing
        Grey value that is missing in each slice along a fibre, as a share of a gap's depth;
        shape (slice,).
    middle, opening
        Where the gap is about, and how wide, in slices.

    Returns
    -------
    middle, opening
        By least squares (Gauss-Newton, damped); as they were where there is nothing to fit.
    """
    first = max(0, int(middle - opening / 2) - _MARGIN_SLICES)
    last = min(len(missing), int(middle + opening / 2) + _MARGIN_SLICES + 2)
    z = np.arange(first, last, dtype=np.float64)
    wanted = missing[first:last]
    found = np.array([middle, max(opening, 5 * _LEAST_SLICES)])
    for _ in range(_ROUNDS):
        here = _box(z, *found)
        slope = np.column_stack(
            [
                (_box(z, found[0] + _STEP, found[1]) - here) / _STEP,
                (_box(z, found[0], found[1] + _STEP) - here) / _STEP,
            ]
        )
        normal = slope.T @ slope + _DAMPING * np.eye(2)
        step = np.linalg.solve(normal, slope.T @ (wanted - here))
        found = found + np.clip(step, -0.5, 0.5)
        found[1] = max(found[1], _LEAST_SLICES)
        if np.abs(step).max() < _STEP:
            break
    if abs(found[0] - middle) > opening / 2 + 2:
        return middle, opening  # it has run away to something else
    return float(found[0]), float(found[1])


def _box(z: Float64Array, middle: float, opening: float) -> Float64Array:
    """Depth of a gap in each slice, 0 outside, 1 in the middle of a wide one."""
    from scipy.special import erf

    scale = EDGE_SLICES * np.sqrt(2)
    off = z - middle
    return np.asarray(0.5 * (erf((off + opening / 2) / scale) - erf((off - opening / 2) / scale)))
