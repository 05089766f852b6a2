"""What a person asks of the agent: written into the ledger, whether an agent runs or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import GoalKey, Observed
from alsct_gui.placement.events import Event, EventKind, event
from alsct_gui.placement.ledger import Ledger

OF_GOALS = ("retry", "hold", "release", "cancel")


def ask_admit(
    ledger: Ledger, path: Path, *, proposal: str = "", export_controlled: bool = False
) -> Event:
    """Hand a file over; it becomes a scan once it is whole."""
    asked = event(
        EventKind.ASKED, what="admit", path=str(path.absolute()), proposal=proposal,
        export_controlled=export_controlled,
    )  # fmt: skip
    return ledger.append([asked])[0]


def ask_of_goals(ledger: Ledger, what: str, keys: Sequence[str]) -> Event:
    """Retry, hold, release or cancel goals.

    Raises
    ------
    UsageError
        It is none of these, or there is no such goal.
    """
    if what not in OF_GOALS:
        raise UsageError(f"{what[:80]!r} cannot be asked", fix=f"Take one of {', '.join(OF_GOALS)}")
    observed = ledger.observed()
    for key in keys:
        _require_goal(observed, key)
    return ledger.append([event(EventKind.ASKED, what=what, keys=list(keys))])[0]


def ask_retry_arrival(ledger: Ledger, path: Path) -> Event:
    """Look again at once at a file that was handed over.

    Raises
    ------
    UsageError
        It was not, or is a scan already.
    """
    name = str(path.absolute())
    if name not in ledger.observed().arrivals:
        raise UsageError("is not waiting to be admitted", where=name, fix="Hand it over first")
    return ledger.append([event(EventKind.ASKED, what="retry", path=name)])[0]


def ask_priority(ledger: Ledger, scans: Sequence[str], priority: int) -> Event:
    """Give scans another priority, which is added to that of every wish.

    Raises
    ------
    UsageError
        There is no such scan, or the number is out of bounds.
    """
    if not -1000 <= priority <= 1000:
        raise UsageError(f"{priority} is not a priority", fix="Take -1000 to 1000")
    return _ask_of_scans(ledger, "priority", scans, priority=priority)


def ask_proposal(ledger: Ledger, scans: Sequence[str], proposal: str) -> Event:
    """Say which proposal scans belong to.

    Raises
    ------
    UsageError
        There is no such scan.
    """
    return _ask_of_scans(ledger, "proposal", scans, proposal=proposal)


def _ask_of_scans(ledger: Ledger, what: str, scans: Sequence[str], **more: object) -> Event:
    known = ledger.observed().scans
    for scan in scans:
        if scan not in known:
            raise UsageError(f"there is no scan {scan[:80]!r}", fix="See alsct agent status")
    return ledger.append([event(EventKind.ASKED, what=what, scans=list(scans), **more)])[0]


def _require_goal(observed: Observed, key: str) -> None:
    try:
        GoalKey.parse(key)
    except ValueError as error:
        raise UsageError(f"{key[:200]!r} is not a goal", fix="See alsct agent status") from error
    if key.partition("/")[0] not in observed.scans:
        raise UsageError(f"there is no goal {key[:200]!r}", fix="See alsct agent status")
