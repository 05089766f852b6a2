"""What a person asks of the agent: written into the ledger, whether an agent runs or not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import GoalKey, Observed
from alsct_gui.model.policy import NAME_PATTERN, WISHABLE, Policy, Product, Sheet
from alsct_gui.model.recipe import Recipe, recipe_to_dict
from alsct_gui.placement.events import Event, EventKind, event
from alsct_gui.placement.ledger import Ledger, LedgerMovedError
from alsct_gui.placement.policy import RECIPE_MARK, recipe_hash
from alsct_gui.placement.recipes import Recipes
from alsct_gui.placement.sheets import Sheets, chain_of, sheet_from_plain, sheet_to_plain

OF_GOALS = ("retry", "hold", "release", "cancel")
_MARKED = (Product.RECONSTRUCTION, Product.ANALYSIS)
"""Products of which there are several: by recipe, by analysis."""


@dataclass(frozen=True, slots=True)
class AskedAnalysis:
    """An analysis that a person asks for, with all that it is made of.

    It is kept in the ledger, so that the wish outlives a change of the policy.
    """

    sheet: Sheet
    kept: Mapping[str, Mapping[str, Any]]
    """Plain data by mark: its sheet, those of what it is made of, and their recipes."""


def analysis_of(
    policy: Policy, name: str, kept: Mapping[str, Mapping[str, Any]] | None = None
) -> AskedAnalysis:
    """Return an analysis by its name, to be asked for.

    Parameters
    ----------
    policy
        Where it is looked for first.
    name
        Its name.
    kept
        `Observed.recipes`, where it is looked for then: persons have asked for it before.

    Raises
    ------
    UsageError
        There is none of this name.
    BlockedError
        Something that it is made of is not known any more, or has changed.
    """
    kept = {} if kept is None else kept
    asked = (plain for plain in kept.values() if "step" in plain and plain.get("name") == name)
    sheet = policy.sheets.get(name) or next(map(sheet_from_plain, asked), None)
    if sheet is None:
        known = ", ".join(policy.sheets) or "none"
        raise UsageError(f"the policy has no analysis {name[:80]!r}", fix=f"It has: {known}")
    return kept_analysis(policy, kept, sheet)


def kept_analysis(
    policy: Policy, kept: Mapping[str, Mapping[str, Any]], sheet: Sheet
) -> AskedAnalysis:
    """Return an analysis of a policy or of the ledger, to be asked for.

    Parameters
    ----------
    policy
        The policy.
    kept
        `Observed.recipes`.
    sheet
        The analysis.

    Raises
    ------
    BlockedError
        Something that it is made of is not known any more.
    """
    chain = chain_of(sheet, Sheets(policy, kept).find)
    plain = {item.mark: sheet_to_plain(item) for item in chain}
    recipes = Recipes(policy, Observed(recipes=dict(kept)))
    for source in (source for item in chain for source in item.inputs):
        if source.product is Product.RECONSTRUCTION:
            plain[source.mark] = dict(recipe_to_dict(recipes.find(source.mark)))
    return AskedAnalysis(sheet, plain)


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


OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,199}")
"""Form of an owner's name."""
FLOWS = "prefect/"
"""What owners that are deployments of an orchestrator begin with; the rest is its name."""


def ask_owner(
    ledger: Ledger, scans: Sequence[str], owner: str, until_s: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Event:  # fmt: skip
    """Give scans to one owner, who alone works for them; the same owner may ask for longer.

    Parameters
    ----------
    ledger
        Where it is written.
    scans
        Scans, as the ledger calls them (`model.placement.scan_part`).
    owner
        Its name; empty to give them back to the agent of the ledger.
    until_s
        When it ends by itself, seconds since 1970; None for not before it is given back.
    clock
        Seconds since 1970.

    Raises
    ------
    UsageError
        There is no such scan, the name is none, somebody else has one of them, or work for
        one is under way.
    """
    if owner and OWNER.fullmatch(owner) is None:
        raise UsageError(f"{owner[:80]!r} is not the name of an owner")
    data = {"what": "owner", "scans": list(scans), "owner": owner, "until_s": until_s}
    while True:
        observed = ledger.observed()
        for scan in scans:
            _require_free(observed, scan, owner, clock())
        try:
            return ledger.append([event(EventKind.ASKED, **data)], after=observed.seq)[0]
        except LedgerMovedError:
            continue  # somebody may have taken one of them meanwhile


def ask_hand_over(ledger: Ledger, scans: Sequence[str], deployment: str) -> Event:
    """Hand scans over to a deployment of the orchestrator, until its run has ended.

    Raises
    ------
    UsageError
        As `ask_owner`, or it is no deployment.
    """
    if not all(deployment.partition("/")[::2]):
        raise UsageError(f"{deployment[:80]!r} is no deployment", fix="Name it as flow/deployment")
    return ask_owner(ledger, scans, f"{FLOWS}{deployment}")


def ask_take_back(ledger: Ledger, scans: Sequence[str]) -> Event:
    """Take scans back from whoever has them; a flow run is then cancelled there.

    Raises
    ------
    UsageError
        There is no such scan.
    """
    return _ask_of_scans(ledger, "owner", scans, owner="", until_s=None)


def _require_free(observed: Observed, scan: str, owner: str, now_s: float) -> None:
    facts = observed.scans.get(scan)
    if facts is None:
        raise UsageError(f"there is no scan {scan[:80]!r}", fix="See alsct agent status")
    lease = observed.leases.get(scan)
    if lease is not None and lease.lasts(now_s):
        if lease.owner == owner:
            return
        raise UsageError(
            f"{lease.owner} works for it", where=facts.path, fix="Take it back first, or wait"
        )
    if owner and any(key.startswith(scan) for work in observed.works.values() for key in work.keys):
        raise UsageError(
            "work for it is under way", where=facts.path, fix="Cancel it, or wait for its end"
        )


def ask_want(
    ledger: Ledger,
    scans: Sequence[str],
    product: Product,
    place: str,
    recipe: Recipe | None = None,
    *,
    analysis: AskedAnalysis | None = None,
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
    analysis
        Which, for an analysis.
    known
        Whether the scans must be in the ledger; a file that was just handed over is not yet.

    Raises
    ------
    UsageError
        There is no such scan, or such a thing cannot be wanted.
    """
    if (analysis is not None) is not (product is Product.ANALYSIS):
        raise UsageError("an analysis is named by a wish for one, and only there")
    mark = "-" if recipe is None else recipe_hash(recipe)
    suffix = _suffix(product, place, mark if analysis is None else analysis.sheet.mark)
    more: dict[str, object] = {"suffix": suffix}
    if recipe is not None:
        more["recipe"] = recipe_to_dict(recipe)
    if analysis is not None:
        more["recipes"] = analysis.kept
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
    if (RECIPE_MARK.fullmatch(mark) is not None) is not (product in _MARKED):
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
