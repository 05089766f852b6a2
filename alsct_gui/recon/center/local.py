"""What a method finds, in columns of the arrays it was given.

The methods know nothing of crop and binning. `find` alone turns their answers into
full-detector columns, so there is one place where that can go wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.geometry import Window

TOLERANCE_PX = 0.25
"""Error of a centre, in full-detector columns, that does not show in a slice."""


@dataclass(frozen=True, slots=True)
class LocalEstimate:
    """One method's answer in columns of the arrays at hand."""

    method: str
    """As in `model.center.CenterEstimate`."""
    column: float
    """Rotation axis; 0 is the centre of the array's first column."""
    sigma_px: float
    """Standard error in columns of the array, from the scatter of independent parts."""
    trust: float
    """From 0 to 1: how far the answer stands out against the next best one."""

    def on_full_detector(self, window: Window) -> CenterEstimate:
        """Return the estimate in full-detector columns, with its confidence."""
        return CenterEstimate(
            method=self.method,
            center_px=window.to_full(self.column),
            confidence=confidence(self.sigma_px * window.binning, self.trust),
        )


def confidence(sigma_px: float, trust: float) -> float:
    """Return a confidence from 0 to 1.

    Parameters
    ----------
    sigma_px
        Standard error in full-detector columns; an error of `TOLERANCE_PX` halves the
        confidence.
    trust
        From 0 to 1.
    """
    return float(trust / (1.0 + (sigma_px / TOLERANCE_PX) ** 2))


def scatter(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median of independent estimates and its standard error.

    The error comes from the median absolute deviation, so that a few wild parts count
    little; it is never below 0.01, which no method here can resolve. The median of fewer
    than two values has an unknown error: infinity.
    """
    middle = float(np.median(values))
    if values.size < 2:
        return middle, float("inf")
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    # 1.25 is the ratio of the errors of a median and of a mean for normal noise.
    return middle, max(0.01, 1.25 * spread / float(values.size) ** 0.5)
