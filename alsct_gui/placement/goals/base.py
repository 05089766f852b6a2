"""The Protocol that every kind of goal fulfils, and what they share.

An object of it serves all goals of one product at one place, so that many of them can share
one look and one piece of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    Evidence,
    Observed,
    ScanFacts,
    StepState,
)
from alsct_gui.model.policy import Place, Policy
from alsct_gui.superfacility.transfer.base import check_path

Clock = Callable[[], float]
"""Gives seconds since 1970."""
Record = Callable[[str], None]
"""Stores a submission's id in the ledger; returns when it is on the disk."""


class BlockedError(AlsctError):
    """A person has to do something before a goal can go on; trying again is of no use."""


class NotYetError(AlsctError):
    """It is being found out, and asking again later gives the answer; nothing has failed."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A piece of work, as it stands in the ledger before it is begun."""

    work: str
    """Its idempotency key."""
    keys: tuple[str, ...]
    """Goals that it serves."""
    time_s: float
    """When it was decided on, seconds since 1970."""
    submission: str = ""
    """What was recorded when it was begun before; empty at first."""


class Goals(Protocol):
    """How the goals of one product at one place are seen and pursued.

    Every method may block, and raises `AlsctError` when it fails: `BlockedError`,
    `NeedsPersonError` and `RefusedError` when a person is needed, `NotYetError` when the
    answer is on its way, any other to try again.
    """

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Look which of the goals are there, by looking at the products themselves."""
        ...

    def act(self, intent: Intent, record: Record) -> str:
        """Begin a piece of work, once however often it is asked for.

        Parameters
        ----------
        intent
            It is in the ledger already. After a crash it comes again, the same.
        record
            Stores an id that a service wants to be asked by again, before anything begins.

        Returns
        -------
        str
            Its id outside.
        """
        ...

    def poll(self, outside_id: str) -> StepState:
        """Say how it goes: moving, waiting or blocked while it lasts, then met or retry.

        ``met`` only means that it says so; the reconciler looks for itself.
        """
        ...

    def cancel(self, outside_id: str) -> None:
        """End it; one that has ended stays as it is."""
        ...


@dataclass(slots=True)
class World:
    """What goals know of the work."""

    policy: Policy
    observed: Observed
    """What the ledger knows; kept up to date by the reconciler."""
    clock: Clock

    def scan(self, key: str) -> ScanFacts:
        """Return the scan of a goal."""
        return self.observed.scans[key.partition("/")[0]]

    def place(self, name: str) -> Place:
        """Return a place by its name.

        Raises
        ------
        BlockedError
            The policy has none, or no longer.
        """
        for place in self.policy.places:
            if place.name == name:
                return place
        raise BlockedError(f"the policy has no place {name}", fix="Put the place back")

    @property
    def admitted(self) -> Place:
        """Place where raw files are admitted."""
        return self.place(self.policy.admitted)

    def relative(self, scan: ScanFacts) -> str:
        """Return a scan's path below the place where it was admitted.

        Raises
        ------
        BlockedError
            It lies elsewhere, so that it has no place of its own in other folders.
        RefusedError
            The path cannot be used in other places.
        """
        root = PurePosixPath(self.admitted.root)
        path = PurePosixPath(scan.path)
        if not path.is_relative_to(root) or path == root:
            raise BlockedError(
                f"the scan does not lie in {root}", where=scan.path, fix="Move it there"
            )
        relative = path.relative_to(root).as_posix()
        check_path(relative)
        return relative
