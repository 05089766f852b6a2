"""How much went through the lanes of late, from the samples that the agent keeps. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

LATE_S = 6 * 3600.0
"""Samples that are older say nothing about how fast it goes now."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What went through a lane in the time before a moment."""

    time_s: float
    """Seconds since 1970."""
    lane: str
    """Name of the lane."""
    bytes_per_s: float
    """Bytes a second; 0 when nothing was copied."""
    slices_per_s: float
    """Slices a second; 0 when nothing was reconstructed."""


def samples_of(note: Any) -> tuple[Sample, ...]:
    """Read the note “throughput”, oldest first; what makes no sense in it is left out."""
    rows = note.get("samples") if isinstance(note, Mapping) else note
    found = []
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, Mapping) or not isinstance(row.get("lane"), str):
            continue
        figures = [row.get(name, 0.0) for name in ("time_s", "bytes_per_s", "slices_per_s")]
        if all(_is_figure(figure) for figure in figures):
            found.append(Sample(float(figures[0]), row["lane"], *map(float, figures[1:])))
    return tuple(sorted(found, key=lambda sample: sample.time_s))


def bytes_per_s(samples: Iterable[Sample], lane: str, now_s: float) -> float | None:
    """Return how fast a lane copies while it copies; None when it has not of late."""
    return _middle(s.bytes_per_s for s in samples if s.lane == lane and now_s - s.time_s <= LATE_S)


def slices_per_s(samples: Iterable[Sample], lane: str, now_s: float) -> float | None:
    """Return how fast a lane reconstructs while it does; None when it has not of late."""
    return _middle(s.slices_per_s for s in samples if s.lane == lane and now_s - s.time_s <= LATE_S)


def lanes_of(samples: Iterable[Sample]) -> tuple[str, ...]:
    """Return the lanes through which anything went, by name."""
    return tuple(sorted({s.lane for s in samples if s.bytes_per_s or s.slices_per_s}))


def _middle(values: Iterable[float]) -> float | None:
    busy = [value for value in values if value > 0]
    return median(busy) if busy else None


def _is_figure(value: Any) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and math.isfinite(value) and value >= 0
