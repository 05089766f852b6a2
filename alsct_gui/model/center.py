"""Where the rotation axis is, according to whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CenterEstimate:
    """One method's answer."""

    method: str
    """``phase-correlation``, ``sinogram`` (Vo), ``image-metric`` or ``manual``."""
    center_px: float
    """Column of the axis on the full detector; see `model.geometry`."""
    confidence: float
    """From 0 (a guess) to 1 (sure)."""


@dataclass(frozen=True, slots=True)
class CenterResult:
    """The value to use, and how far the methods agree on it."""

    center_px: float
    """Column of the axis on the full detector."""
    confidence: float
    """From 0 to 1: the methods' own confidence times their agreement."""
    estimates: tuple[CenterEstimate, ...]
    """Each method's answer, in the order in which they ran."""
    disagreement_px: float
    """Largest distance between two confident estimates; 0 with fewer than two."""
