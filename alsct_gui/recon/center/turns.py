"""Which projections make a half turn, and which a full one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

FULL_TURN_DEG = 355.0
"""A scan of at least this range is taken for a full turn."""


def range_deg(angles_deg: Float64Array) -> float:
    """Return the span of the angles plus one step; 0 for fewer than two angles."""
    if angles_deg.size < 2:
        return 0.0
    return float(np.ptp(angles_deg)) * angles_deg.size / (angles_deg.size - 1)


def is_full_turn(angles_deg: Float64Array) -> bool:
    """Tell whether the scan goes all the way round."""
    return range_deg(angles_deg) >= FULL_TURN_DEG


def half_turn(angles_deg: Float64Array) -> NDArray[np.intp] | None:
    """Return the projections of the first half turn, by rising angle.

    The view at 180 degrees itself is left out, since it repeats the first one.
    None when the scan does not reach half a turn (less a step or two).
    """
    if angles_deg.size < 4:
        return None
    order = np.argsort(angles_deg, kind="stable")
    angles = angles_deg[order] - angles_deg[order[0]]
    step = float(np.median(np.diff(angles)))
    chosen = order[angles < 180.0 - step / 2]
    reached = float(angles[angles < 180.0 - step / 2][-1])
    # A view just too near to 180 degrees was left out: the gap may be a step and a half.
    if reached < 180.0 - 1.75 * step or chosen.size < 4:
        return None
    return chosen


def opposite(angles_deg: Float64Array) -> Float64Array:
    """Return for each projection the (fractional) index of the view from the other side.

    Angles must rise or fall steadily. Where the opposite view lies outside the scan, the
    index is NaN; for a full turn it wraps round from the last projection to the first.
    """
    angles = np.asarray(angles_deg, dtype=np.float64)
    rising = angles if angles[-1] >= angles[0] else -angles
    index = np.arange(angles.size, dtype=np.float64)
    if is_full_turn(angles):
        # One more step closes the circle: the first view again, a full turn on.
        closed = rising[0] + 360.0
        if rising[-1] < closed:
            rising = np.append(rising, closed)
            index = np.append(index, float(angles.size))
        target = rising[0] + np.mod(rising[: angles.size] + 180.0 - rising[0], 360.0)
    else:
        target = rising + 180.0
    return np.interp(target, rising, index, right=np.nan)
