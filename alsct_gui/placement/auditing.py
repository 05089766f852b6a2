"""Which evidence is to be looked at again: the oldest, and what nobody has read yet."""

from __future__ import annotations

from collections.abc import Callable
from heapq import nsmallest

from alsct_gui.model.placement import GoalRecord, Observed, StateKind
from alsct_gui.placement.wanted import DAY_S

AT_ONCE = 8
"""Goals that are looked at again in a turn in which there is nothing else to do."""
WHILE_BUSY = 1
"""The same in any other turn: what is owed goes first."""
AGAIN_S = 600.0
"""Time until a look is repeated that came to nothing."""
SOON_S = 30.0
"""Time until a look is repeated whose answer is on its way."""


class AuditList:
    """Knows when each goal that is met is to be looked at again; forgets with the process.

    A file's size alone is weaker evidence than its bytes: such a goal is looked at again at
    once, for the case that somebody can read them.

    Parameters
    ----------
    audit_days
        Age of evidence at which it is looked at again.
    """

    def __init__(self, audit_days: float) -> None:
        self._age_s = audit_days * DAY_S
        self._again_s: dict[str, float] = {}

    def due(
        self,
        observed: Observed,
        reachable: Callable[[str], bool],
        now_s: float,
        most: int = AT_ONCE,
    ) -> tuple[str, ...]:
        """Return the goals to look at now, the most overdue first.

        Parameters
        ----------
        observed
            What the ledger knows.
        reachable
            Says whether a place, by its name, can be looked at now.
        now_s
            Seconds since 1970.
        most
            How many.
        """
        due = []
        for key, record in observed.goals.items():
            if record.evidence is None or record.state.kind is not StateKind.MET:
                continue
            when_s = self._again_s.get(key)
            if when_s is None:
                unread = is_unread(record)
                when_s = 0.0 if unread else record.evidence.observed_s + self._age_s
            if when_s < now_s and reachable(key.split("/")[2]):
                due.append((when_s, key))
        return tuple(key for _, key in nsmallest(most, due))

    def looked(self, key: str, now_s: float) -> None:
        """A goal was looked at."""
        self._again_s[key] = now_s + self._age_s

    def later(self, key: str, when_s: float) -> None:
        """A look has come to nothing, and is to be repeated at a time."""
        self._again_s[key] = when_s


def is_unread(record: GoalRecord) -> bool:
    """Whether the evidence is of a file whose bytes nobody has read where it lies."""
    evidence = record.evidence
    return (
        evidence is not None
        and evidence.size_bytes is not None
        and not (evidence.sha256 or evidence.slices or evidence.record)
    )
