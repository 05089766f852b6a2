"""Which goals are begun now: in batches, the most urgent first, as far as lanes have slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Lane
from alsct_gui.placement.wanted import Aim

SHRINK = 4
"""How much smaller batches are after each failure, so that one bad file is found."""

Candidate = tuple[int, float, str, Aim, ScanFacts, int]
"""Negative priority, time of admission and key, which make the order; attempts at the end."""


@dataclass(slots=True)
class Batch:
    """Goals that are begun together: of one place, proposal and number of failures."""

    aim: Aim
    limit: int
    """Most goals."""
    priority: int
    """Of the most urgent goal."""
    keys: list[str] = field(default_factory=list)
    size_bytes: int = 0

    def takes(self, scan: ScanFacts, lane: Lane) -> bool:
        """Whether there is room for one more."""
        return len(self.keys) < self.limit and self.size_bytes + scan.size_bytes <= lane.batch_bytes


def allot(
    ready: Sequence[Candidate], lanes: Mapping[str, Lane], used: Mapping[str, int]
) -> tuple[list[Batch], list[Candidate]]:
    """Return what is begun now, and what waits for a slot.

    Parameters
    ----------
    ready
        What can be begun, in any order.
    lanes
        Lanes by name.
    used
        Pieces of work under way on each.
    """
    free = {name: lane.active - used.get(name, 0) for name, lane in lanes.items()}
    filling: dict[tuple[str, str, int], Batch | None] = {}
    batches: list[Batch] = []
    waiting: list[Candidate] = []
    for candidate in sorted(ready, key=lambda item: item[:3]):
        order, _, key, aim, scan, attempts = candidate
        lane = lanes[aim.place.lane]
        bucket = (aim.suffix, scan.proposal, attempts)
        batch = filling.get(bucket)
        if batch is None or not batch.takes(scan, lane):
            batch = None
            if free[lane.name] > 0:
                free[lane.name] -= 1
                batch = Batch(aim, max(1, lane.items // SHRINK ** min(attempts, 16)), -order)
                batches.append(batch)
            filling[bucket] = batch
        if batch is None:
            waiting.append(candidate)
        else:
            batch.keys.append(key)
            batch.size_bytes += scan.size_bytes
    return batches, waiting
