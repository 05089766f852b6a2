"""How finely a frame is read while a person moves through many. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

QUICK_S = 0.12
"""A whole frame that comes so soon needs no coarse one before it."""
COARSE = 4
"""Pixels along an edge that make one of a coarse frame."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long frames have taken lately."""

    whole_s: float | None = None
    """A whole one; None until one was read."""
    coarse_s: float | None = None
    """A coarse one; None until one was read."""

    def taken(self, binning: int, seconds: float) -> Pace:
        """The pace after one more frame."""
        return (
            replace(self, whole_s=_blend(self.whole_s, seconds))
            if binning == 1
            else replace(self, coarse_s=_blend(self.coarse_s, seconds))
        )

    @property
    def binning(self) -> int:
        """How to read the next frame while more are coming: coarsely only where that helps."""
        if self.whole_s is None or self.whole_s < QUICK_S:
            return 1
        if self.coarse_s is not None and self.coarse_s > 0.5 * self.whole_s:
            return 1
        return COARSE


def _blend(old: float | None, new: float) -> float:
    return new if old is None else 0.5 * (old + new)
