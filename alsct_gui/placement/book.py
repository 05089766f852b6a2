"""The ledger as one writer works with it: what is written is known at once, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from alsct_gui.model.placement import StepState
from alsct_gui.placement.events import Event, EventKind, event, lean, scans_of
from alsct_gui.placement.fold import advance
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.ledger import Ledger, LedgerMovedError


class Book:
    """A ledger, and all that is known from it.

    Parameters
    ----------
    ledger
        Opened by this thread.
    clock
        Seconds since 1970.
    owner
        Name by which scans are leased to the writer; empty for the agent of the ledger.
    """

    def __init__(self, ledger: Ledger, clock: Clock, owner: str = "") -> None:
        self._ledger, self._clock, self._owner = ledger, clock, owner
        self.observed = ledger.observed()

    def tell(self, *events: Event) -> None:
        """Write events down, and know them."""
        if not events:
            return
        stored = self._ledger.append(events)
        if stored[0].seq != self.observed.seq + 1:
            self.catch_up()  # somebody else was quicker; ours are among them
            return
        for item in stored:
            advance(self.observed, item)

    def catch_up(self) -> None:
        """Take in what others have written."""
        for item in self._ledger.tail(self.observed.seq):
            advance(self.observed, item)

    def decide(self, work: str, keys: tuple[str, ...]) -> bool:
        """Write down that work is to be done; not when somebody else has taken a scan of it.

        Nobody can take one between the look and the writing: it is one transaction.
        """
        intent = event(EventKind.INTENT, work=work, keys=list(keys))
        while True:
            if not all(self.is_mine(part) for part in scans_of(keys)):
                return False
            try:
                (stored,) = self._ledger.append([intent], after=self.observed.seq)
            except LedgerMovedError:
                self.catch_up()
                continue
            advance(self.observed, stored)
            return True

    def is_mine(self, part: str) -> bool:
        """Whether it is this writer who works for a scan."""
        lease = self.observed.leases.get(part)
        owner = lease.owner if lease is not None and lease.lasts(self._clock()) else ""
        return owner == self._owner

    def state(self, key: str) -> StepState | None:
        """Return how a goal stands; None when nothing is known of it."""
        record = self.observed.goals.get(key)
        return record.state if record is not None else None

    def set(self, keys: Sequence[str], state: StepState) -> None:
        """Write down how goals stand, if that is otherwise than before."""
        changed = [key for key in keys if self.state(key) != state]
        if changed:
            self.tell(event(EventKind.STATE, keys=changed, state=lean(state)))
