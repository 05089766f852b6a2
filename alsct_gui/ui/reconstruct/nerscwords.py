"""A reconstruction at NERSC beside one here: how long each takes, and what stands in the way. Pure.

The wait is what the queue said last, the run an estimate from the scan's size
(`superfacility.compute.estimate`), the copy the raw file's size at the speed of late.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from alsct_gui.model.placement import GoalKey, LinkState, StateKind
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.superfacility.compute.estimate import ScanSize, Speed, run_time_s
from alsct_gui.ui.board.cells import work_words
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.forecast import calendar, next_outage, outage_words
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.board.throughput import bytes_per_s
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.reconstruct.planwords import run_time_words
from alsct_gui.ui.widgets.marks import State

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

SOON_S = 12 * 3600.0
"""Outages that begin within this time are spoken of."""
THERE = "Reconstruct at NERSC"
BOTH = "Here now, at NERSC when it is back"


@dataclass(frozen=True, slots=True)
class Times:
    """How long the parts of a reconstruction at NERSC take; None for what is not known."""

    wait_s: float | None
    run_s: float
    copy_s: float | None

    @property
    def total_s(self) -> float | None:
        """All of it; None when a part is not known."""
        if self.wait_s is None or self.copy_s is None:
            return None
        return self.wait_s + self.run_s + self.copy_s


@dataclass(frozen=True, slots=True)
class Offer:
    """What is said beside the button, and what the button does."""

    line: str = ""
    """How long it takes there and here."""
    caution: str = ""
    """What stands in the way; empty when nothing does."""
    text: str = THERE
    """On the button."""
    both: bool = False
    """Whether it is made here now, and at NERSC once that is possible."""
    refusal: str = ""
    """Why it cannot be asked for; empty when it can."""
    tip: str = ""
    """Outages that are announced, and how the times were found."""


def volume_place(policy: Policy) -> Place | None:
    """Return the first place outside at which the policy wants reconstructions."""
    outside = {site.name for site in policy.sites if site.outside}
    names = [
        name
        for wish in policy.wishes
        if wish.product is Product.RECONSTRUCTION
        for name in wish.places
    ]
    places = {place.name: place for place in policy.places}
    made = (places[name] for name in names if name in places and not places[name].source)
    return next((place for place in made if place.site in outside), None)


def _raw_place(policy: Policy, site: str) -> Place | None:
    """Return where raw files are wanted at a site."""
    names = {n for wish in policy.wishes if wish.product is Product.RAW for n in wish.places}
    return next((p for p in policy.places if p.site == site and p.name in names), None)


def times_of(
    look: Look, raw_is_there: bool, view: BoardView, lane: str, speed: Speed | None = None
) -> Times:
    """Estimate how long it takes at NERSC.

    Parameters
    ----------
    look
        At the scan.
    raw_is_there
        Whether the raw file need not be copied any more.
    view
        Holds the forecast and the throughput of late.
    lane
        Way that the raw file goes.
    speed
        Of the place; None for the usual one.
    """
    size = ScanSize(look.n_angles, look.n_rows, look.n_columns, look.size_bytes)
    rate = bytes_per_s(view.samples, lane, view.now_s)
    copy_s = 0.0 if raw_is_there else look.size_bytes / rate if rate else None
    wait_s = view.forecast.wait_s if view.forecast is not None else None
    return Times(wait_s, run_time_s(size, speed or Speed(), stage=True), copy_s)


def times_words(times: Times, here_s: float | None, site: str) -> str:
    """Say both: “Here 6 min · NERSC about 11 min: waits 5, runs 3, copies 3”."""
    parts = [
        f"{verb} {_short(value_s)}"
        for verb, value_s in (
            ("waits", times.wait_s), ("runs", times.run_s), ("copies", times.copy_s),
        )
        if value_s is None or value_s > 0
    ]  # fmt: skip
    total = times.total_s
    about = f" about {run_time_words(total)}" if total is not None else ""
    return f"Here {run_time_words(here_s)} · {site}{about}: {', '.join(parts)}"


def offer_of(
    policy: Policy, view: BoardView | None, look: Look, row: Row | None, recipe: Recipe,
    here_s: float | None, path: Path,
) -> Offer:  # fmt: skip
    """Say what a reconstruction of a scan at NERSC would take, and whether it can be asked for.

    Parameters
    ----------
    policy
        What places there are.
    view
        What the ledger says; None before it was read.
    look, path
        The scan, and where it lies.
    row
        Its row on the board; None when it is not there.
    recipe
        As it is now.
    here_s
        How long a run here takes; None when that is not known.
    """
    place = volume_place(policy)
    if place is None:
        return Offer(refusal="The policy names no place outside that reconstructs")
    if view is None:
        return Offer(refusal="The ledger is being read")
    names = Names(policy)
    site = names.site(place.site)
    refusal = _refusal(policy, names, place, view, row, recipe, path)
    raw = _raw_place(policy, place.site)
    raw_is_there = raw is not None and _is_met(view, row, GoalKey("", Product.RAW, raw.name))
    lane = raw.lane if raw is not None else ""
    line = times_words(times_of(look, raw_is_there, view, lane), here_s, site)
    caution, is_down = _caution(view, place)
    tip = _tip(view)
    if is_down and not refusal:
        return Offer(line, caution, BOTH, both=True, tip=tip)
    return Offer(line, caution, f"Reconstruct at {site}", refusal=refusal, tip=tip)


def _refusal(
    policy: Policy, names: Names, place: Place, view: BoardView, row: Row | None,
    recipe: Recipe, path: Path,
) -> str:  # fmt: skip
    """Why it cannot be asked for; empty when it can."""
    if row is None:
        root = next(p.root for p in policy.places if p.name == policy.admitted)
        inside = not root or PurePath(path).is_relative_to(root)
        return "" if inside else f"Only scans that lie in {root} go there"
    if row.scan is None:
        return "The agent looks at the file; wait until it is a scan"
    columns = [(column.product, column.place) for column in view.board.columns]
    kind = (Product.RECONSTRUCTION, place.name)
    if kind in columns and row.cells[columns.index(kind)].state is State.FORBIDDEN:
        return row.cells[columns.index(kind)].why
    key = GoalKey(row.id, Product.RECONSTRUCTION, place.name, recipe_hash(recipe)).text
    record = view.board.observed.goals.get(key)
    if record is None or record.state.kind is StateKind.NOT_WANTED:
        return ""
    site = names.site(place.site)
    if record.state.kind is StateKind.MET:
        return f"It is at {site} already, by this recipe"
    if record.work:
        far = work_words(Product.RECONSTRUCTION, view.board.paces.get(record.work))
        return f"Under way at {site}{f': {far}' if far else ''}"
    return f"Asked for at {site} already: see the board"


def _caution(view: BoardView, place: Place) -> tuple[str, bool]:
    """What stands in the way, and whether nothing can be made there now."""
    links = view.board.observed.links
    chips = {chip.key: chip for chip in view.chips}
    for name in place.links:
        if name in links and links[name].state is LinkState.DOWN and name in chips:
            until = next((f.words for f in chips[name].facts if f.name == "Until"), "")
            sentence = chips[name].sentence.rstrip(".")
            return f"{sentence}{f'; said to be back at {until}' if until else ''}.", True
    outages = view.forecast.outages if view.forecast is not None else ()
    coming = next_outage(outages, view.now_s, SOON_S)
    if coming is None:
        return "", False
    return f"{outage_words(coming, view.now_s)}.", coming.is_on(view.now_s)


def _tip(view: BoardView) -> str:
    forecast = view.forecast
    lines = ["The wait is what the queue said last, run and copy are estimates."]
    if forecast is not None:
        lines += [f"{line}." for line in calendar(forecast.outages, view.now_s)]
        if not forecast.outages:
            lines.append("No outage is announced.")
        if forecast.why:
            lines.append(f"Not all is known: {forecast.why}.")
    return "\n".join(lines)


def _is_met(view: BoardView, row: Row | None, goal: GoalKey) -> bool:
    if row is None:
        return False
    record = view.board.observed.goals.get(row.id + goal.suffix)
    return record is not None and record.state.kind is StateKind.MET


def _short(seconds: float | None) -> str:
    """Minutes without their unit, as the whole has one; what is longer with its own."""
    if seconds is None:
        return "not known"
    minutes = math.ceil(seconds / 60)
    return str(minutes) if minutes < 60 else run_time_words(seconds)
