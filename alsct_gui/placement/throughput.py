"""How much goes through each lane: samples for a plot, as many as a window shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NOTE = "throughput"
"""Name of the note in the ledger."""
SAMPLE_S = 20.0
"""Time that one sample stands for."""
KEPT = 720
"""Samples that are kept: four hours, in which something moves all the time on one lane."""


class Throughput:
    """Adds up what moves, and makes a sample of it now and then.

    Parameters
    ----------
    samples
        Those that were kept before, oldest first: plain data with ``time_s``, ``lane``,
        ``bytes_per_s`` and ``slices_per_s``.
    now_s
        When the first sample begins, seconds since 1970.
    """

    def __init__(self, samples: Iterable[Mapping[str, Any]], now_s: float) -> None:
        self._samples = [dict(sample) for sample in samples][-KEPT:]
        self._begun_s = now_s
        self._done: dict[str, int] = {}
        self._moved: dict[tuple[str, str], int] = {}
        self._lanes: set[str] = set()

    def begun(self, work: str) -> None:
        """Take in that a piece of work begins, with nothing done."""
        self._done[work] = 0

    def moved(self, work: str, lane: str, unit: str, done: int) -> None:
        """Take in how far a piece of work is; what was done before it was known is left out.

        Parameters
        ----------
        work
            Which piece of work.
        lane
            Lane that it goes on.
        unit
            ``bytes`` or ``slices``.
        done
            How many of them are done since it began.
        """
        known = self._done.setdefault(work, done)
        more = done - known
        self._done[work] = max(done, known)
        if more > 0:
            self._moved[lane, unit] = self._moved.get((lane, unit), 0) + more

    def ended(self, work: str) -> None:
        """Forget a piece of work."""
        self._done.pop(work, None)

    def sample(self, now_s: float) -> bool:
        """Make a sample of each lane if it is time; whether something has changed.

        A lane on which nothing moves any more gets one last sample, of nothing.
        """
        passed_s = now_s - self._begun_s
        if passed_s < SAMPLE_S:
            return False
        busy = {lane for lane, _ in self._moved}
        for lane in sorted(busy | self._lanes):
            self._samples.append({
                "time_s": now_s, "lane": lane,
                "bytes_per_s": self._moved.get((lane, "bytes"), 0) / passed_s,
                "slices_per_s": self._moved.get((lane, "slices"), 0) / passed_s,
            })  # fmt: skip
        changed = bool(busy or self._lanes)
        self._samples = self._samples[-KEPT:]
        self._begun_s, self._lanes, self._moved = now_s, busy, {}
        return changed

    def note(self) -> dict[str, Any]:
        """Return the note for the ledger."""
        return {"samples": list(self._samples)}
