"""Access for the people of a scan's proposal, at a place where its file lies.

All gates of the place have to agree. Access ends, where the profile says so, a number of days
after the newest scan of a folder; it is then met when it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from alsct_gui.model.placement import MET, Evidence, ScanFacts, StepState
from alsct_gui.placement.goals.base import BlockedError, Intent, Record, World
from alsct_gui.placement.wanted import DAY_S
from alsct_gui.superfacility.access.base import AccessGate, Grant


class AccessGoals:
    """Access to scans at one place.

    Parameters
    ----------
    world
        What is known.
    place
        Name of the place.
    gates
        The ways in; at least one.
    lasts_days
        How long access lasts after the newest scan of a folder; None is for ever.
    """

    def __init__(
        self, world: World, place: str, gates: Sequence[AccessGate],
        *, lasts_days: float | None = None,
    ) -> None:  # fmt: skip
        if not gates:
            raise BlockedError(
                f"nobody gives access at {place}", where=place, fix="Set it up in the profile"
            )
        self._world, self._place, self._gates = world, place, tuple(gates)
        self._lasts_s = None if lasts_days is None else lasts_days * DAY_S

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Ask every gate who may read the files now."""
        grants = self._grants(keys)
        wanted = list(grants.values())
        told = [gate.seen(wanted) for gate in self._gates]
        found = {}
        for (key, grant), answers in zip(grants.items(), zip(*told, strict=True), strict=True):
            is_over = self._is_over(grant)
            if any(answers) if is_over else not all(answers):
                continue
            pairs = zip(self._gates, answers, strict=True)
            record = f"ended {_day(grant)}" if is_over else "; ".join(
                f"{gate.name}: {answer}" for gate, answer in pairs
            )  # fmt: skip
            where = PurePosixPath(self._world.place(self._place).root, grant.path)
            found[key] = Evidence(str(where), self._world.clock(), record=record)
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Open what is to be open and close what is over; done when this returns."""
        grants = list(self._grants(intent.keys).values())
        current = [grant for grant in grants if not self._is_over(grant)]
        over = [grant for grant in grants if self._is_over(grant)]
        for gate in self._gates:
            if current:
                gate.give(current)
            if over:
                gate.take(over)
        return intent.work

    def poll(self, outside_id: str) -> StepState:
        """It was done at once; whether it holds, the reconciler sees for itself."""
        return MET

    def cancel(self, outside_id: str) -> None:
        """Nothing runs; what was opened ends by its own calendar."""

    def _grants(self, keys: Sequence[str]) -> dict[str, Grant]:
        """Return what is wanted for each goal.

        Raises
        ------
        BlockedError
            A folder that would be opened holds scans of another proposal, too.
        """
        by_folder: dict[str, list[ScanFacts]] = {}
        for other in self._world.observed.scans.values():
            by_folder.setdefault(_folder(other), []).append(other)
        root = self._world.admitted.root.rstrip("/")
        by_folder.pop(root, None)  # it is never opened itself
        grants = {}
        for key in keys:
            scan = self._world.scan(key)
            folder, newest_s = _folder(scan), scan.admitted_s
            for name, others in by_folder.items() if folder != root else ():
                if _is_within(name, folder) or _is_within(folder, name):
                    self._need_one_proposal(scan, others)
                if _is_within(name, folder):
                    newest_s = max(newest_s, *(other.admitted_s for other in others))
            until_s = None if self._lasts_s is None else newest_s + self._lasts_s
            grants[key] = Grant(self._world.relative(scan), scan.proposal, until_s)
        return grants

    def _need_one_proposal(self, scan: ScanFacts, others: Sequence[ScanFacts]) -> None:
        other = next((one for one in others if one.proposal != scan.proposal), None)
        if other is not None:
            raise BlockedError(
                "its folder holds scans of more than one proposal: "
                f"{scan.proposal[:40]!r} and {other.proposal[:40]!r}",
                where=scan.path, fix="Put the proposals right, or the scans into folders apart",
            )  # fmt: skip

    def _is_over(self, grant: Grant) -> bool:
        return grant.until_s is not None and grant.until_s <= self._world.clock()


def _folder(scan: ScanFacts) -> str:
    return scan.path.rpartition("/")[0]


def _is_within(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(f"{other}/")


def _day(grant: Grant) -> str:
    return f"{datetime.fromtimestamp(grant.until_s or 0.0, UTC):%Y-%m-%d}"
