"""How fast work goes, from how far it was seen to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alsct_gui.model.placement import Work

KEPT_S = 60.0
"""What is older says nothing about how fast it goes now."""
_LEAST_S = 4.0
"""Between two looks that say something about the speed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How far one piece of work was, at some moments."""

    total: int
    """Bytes or slices in all; 0 when unknown."""
    seen: tuple[tuple[float, int], ...]
    """When (seconds since 1970) how many were done, oldest first."""

    @property
    def done(self) -> int:
        """How many bytes or slices are done."""
        return self.seen[-1][1]

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None when the whole is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else None

    @property
    def per_s(self) -> float | None:
        """Bytes or slices a second; None as long as that is not known."""
        (first_s, first), (last_s, last) = self.seen[0], self.seen[-1]
        if last_s - first_s < _LEAST_S or last < first:
            return None
        return (last - first) / (last_s - first_s)

    def left_s(self) -> float | None:
        """How long it takes from the last look on, if it goes on so; None when unknown."""
        per_s = self.per_s
        if not per_s or not self.total:
            return None
        return max(0, self.total - self.done) / per_s


def followed(
    known: Mapping[str, Pace],
    progress: Mapping[str, tuple[int, int]],
    works: Mapping[str, Work],
    now_s: float,
) -> dict[str, Pace]:
    """Take in how far all work is; what has ended is forgotten.

    Parameters
    ----------
    known
        What was seen before, by work.
    progress
        How many bytes or slices of each piece of work are done, and of how many.
    works
        Work that is under way.
    now_s
        When that was read, seconds since 1970.
    """
    paces = {}
    for work, (done, total) in progress.items():
        if work not in works:
            continue
        before = known.get(work)
        # A window that has just been opened has the time of the intent to go by.
        seen = before.seen if before is not None else ((works[work].intent_s, 0),)
        if seen[-1][1] > done:
            seen = ()  # it was begun anew
        if before is not None and seen and seen[-1][1] == done:
            paces[work] = before if before.total == total else Pace(total, seen)
            continue
        recent = tuple(item for item in seen if now_s - item[0] <= KEPT_S) or seen[-1:]
        paces[work] = Pace(total, (*recent, (now_s, done)))
    return paces
