"""What a person asks of the agent: written into the ledger, whether an agent runs or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import GoalKey, Observed
from alsct_gui.model.policy import NAME_PATTERN, WISHABLE, Product
from alsct_gui.model.recipe import Recipe, recipe_to_dict
from alsct_gui.placement.events import Event, EventKind, event
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import RECIPE_MARK, recipe_hash

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


def ask_want(
    ledger: Ledger,
    scans: Sequence[str],
    product: Product,
    place: str,
    recipe: Recipe | None = None,
    *,
    known: bool = True,
) -> Event:
    """Want a product of scans at a place, whether the policy does or not; bans still hold.

    Parameters
    ----------
    ledger
        Where it is written.
    scans
        Scans, as the ledger calls them (`model.placement.scan_part`).
    product, place
        What, and where.
    recipe
        How, for a reconstruction; it need not be a file's.
    known
        Whether the scans must be in the ledger; a file that was just handed over is not yet.

    Raises
    ------
    UsageError
        There is no such scan, or such a thing cannot be wanted.
    """
    mark = "-" if recipe is None else recipe_hash(recipe)
    suffix = _suffix(product, place, mark)
    more: dict[str, object] = {"suffix": suffix}
    if recipe is not None:
        more["recipe"] = recipe_to_dict(recipe)
    if not known:
        return ledger.append([event(EventKind.ASKED, what="want", scans=list(scans), **more)])[0]
    return _ask_of_scans(ledger, "want", scans, **more)


def ask_unwant(
    ledger: Ledger, scans: Sequence[str], product: Product, place: str, recipe_hash: str = "-"
) -> Event:
    """Take a wish for scans back: a person's, and for these scans the policy's, too.

    What is there stays; what is under way is ended. The raw file where it was admitted cannot
    be taken back.

    Raises
    ------
    UsageError
        There is no such scan, or such a thing cannot be wanted.
    """
    suffix = _suffix(product, place, recipe_hash)
    return _ask_of_scans(ledger, "unwant", scans, suffix=suffix)


def _suffix(product: Product, place: str, mark: str) -> str:
    """Return what goals of a wish have in common."""
    if product not in WISHABLE:
        raise UsageError(
            f"{product} cannot be wanted of single scans", fix="Write a rule into the policy"
        )
    if NAME_PATTERN.fullmatch(place) is None:
        raise UsageError(f"{place[:80]!r} is not the name of a place", fix="See the policy")
    if (RECIPE_MARK.fullmatch(mark) is not None) is not (product is Product.RECONSTRUCTION):
        raise UsageError(
            "a recipe belongs to a reconstruction, and only there", where=f"{product} at {place}"
        )
    return GoalKey("", product, place, mark).text


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
