"""What is owed to the places outside, and how long it takes to pay. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from alsct_gui.model.placement import LinkState, Observed
from alsct_gui.model.policy import Product
from alsct_gui.ui.board.columns import Names, link_title
from alsct_gui.ui.board.rows import Board, Filter, Owing
from alsct_gui.ui.board.throughput import Sample, bytes_per_s, slices_per_s
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, count_words, left_words, size_words

_LATEST = 300
"""Scans by which it is judged how many slices a reconstruction has."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What one site outside lacks."""

    site: str
    """Name of the site."""
    title: str
    """As people call it."""
    scans: int
    """Scans of which anything is owed."""
    copies: int = 0
    """Raw files that are owed."""
    size_bytes: int = 0
    """Bytes of them that have not gone there yet."""
    volumes: int = 0
    """Reconstructions that are owed."""
    moving: int = 0
    """Scans of which something moves now."""
    blocked: int = 0
    """Scans that wait for a person."""
    held: int = 0
    """Scans that a person holds back."""
    links: tuple[str, ...] = ()
    """Links that are down and stand in the way."""
    until_s: float | None = None
    """When the last of them is said to return, seconds since 1970; None when nobody says."""
    copy_s: float | None = None
    """How long the copies take at the speed of late; None when nothing was measured."""
    make_s: float | None = None
    """How long the reconstructions take at the speed of late; likewise."""

    @property
    def pay_s(self) -> float | None:
        """How long it takes to pay, once the way is free; None when that is not known."""
        needed = [
            time_s
            for time_s, count in ((self.copy_s, self.copies), (self.make_s, self.volumes))
            if count
        ]
        if any(time_s is None for time_s in needed):
            return None
        return max((time_s for time_s in needed if time_s is not None), default=None)


@dataclass(slots=True)
class _Sum:
    """A debt while it is summed up."""

    scans: int = 0
    copies: int = 0
    size_bytes: float = 0.0
    volumes: int = 0
    moving: int = 0
    blocked: int = 0
    held: int = 0
    waits_for: set[str] = field(default_factory=set)
    lane_bytes: dict[str, float] = field(default_factory=dict)
    lane_volumes: dict[str, int] = field(default_factory=dict)


def debts(board: Board, names: Names, samples: Sequence[Sample], now_s: float) -> tuple[Debt, ...]:
    """Return what each site outside lacks, the largest debt first.

    Parameters
    ----------
    board
        With everything that is wanted.
    names
        What places are called, and which lane leads to them.
    samples
        What went through the lanes of late.
    now_s
        Seconds since 1970.
    """
    sums: dict[str, _Sum] = {}
    for row in board.rows:
        for owing in row.owing:
            _add(sums.setdefault(owing.site, _Sum()), owing)
    slices = _usual_slices(board) if sums else None
    found = []
    for site, total in sums.items():
        links, until_s = _links(board.observed, total.waits_for)
        copy_s = _longest(
            size / rate if (rate := _copies_per_s(lane, board, names, samples, now_s)) else None
            for lane, size in total.lane_bytes.items()
        )
        make_s = _longest(
            count * slices / rate
            if slices and (rate := slices_per_s(samples, lane, now_s)) else None
            for lane, count in total.lane_volumes.items()
        )  # fmt: skip
        found.append(
            Debt(
                site, names.site(site), total.scans, total.copies, round(total.size_bytes),
                total.volumes, total.moving, total.blocked, total.held, links, until_s,
                copy_s, make_s,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda debt: (-debt.scans, debt.title)))


def debt_line(found: Sequence[Debt], board: Board, now_s: float) -> str:
    """Say the whole debt in one line.

    For example: “37 scans owed to NERSC, 2.1 TB, about 4 h after Perlmutter returns.”
    """
    if not board.rows:
        return ""
    if not found:
        count = len(board.observed.scans)
        still = board.counts.get(Filter.MOVING, 0)
        if still:
            return f"Nothing is owed outside; {count_words(still, 'scan')} in work here."
        if board.counts.get(Filter.BLOCKED, 0):
            return "Nothing is owed outside."
        if not count:
            return "No scan yet."
        return f"{count_words(count, 'scan')}, {'each ' if count > 1 else ''}where it belongs."
    return " ".join(f"{_one_line(debt, now_s)}." for debt in found)


def person_line(board: Board) -> str:
    """Say how many scans wait for a person; empty when none does."""
    count = board.counts.get(Filter.BLOCKED, 0)
    return f"{count_words(count, 'scan')} {'needs' if count == 1 else 'need'} you" if count else ""


def time_words(debt: Debt, now_s: float) -> str:
    """Say when a debt is paid, as far as anybody can know.

    For example: “about 4 h after Perlmutter returns (said to be 18:00)”.
    """
    known = debt.pay_s
    if known is not None:
        how_long = f"about {left_words(known)}"
    elif debt.copies and debt.copy_s is not None:
        how_long = f"about {left_words(debt.copy_s)} to copy"
    else:
        how_long = ""
    if not debt.links:
        return how_long or "no speed measured yet"
    back = f"{_and(link_title(link) for link in debt.links)}"
    verb = "returns" if len(debt.links) == 1 else "return"
    when = ""
    if debt.until_s is not None and debt.until_s > now_s:
        when = f" (said to be {clock_words(debt.until_s, now_s)})"
    return f"{how_long} after {back} {verb}{when}" if how_long else f"once {back} {verb}{when}"


def _one_line(debt: Debt, now_s: float) -> str:
    parts = [f"{count_words(debt.scans, 'scan')} owed to {debt.title}"]
    if debt.size_bytes:
        parts.append(size_words(debt.size_bytes))
    elif debt.volumes:
        parts.append(count_words(debt.volumes, "reconstruction"))
    if debt.held == debt.scans:
        parts.append("held back")
    elif debt.blocked == debt.scans:
        parts.append("all of them blocked")
    else:
        parts.append(time_words(debt, now_s))
    return ", ".join(parts)


def _add(total: _Sum, owing: Owing) -> None:
    """Add what is owed of a scan."""
    total.scans += 1
    total.moving += State.MOVING in owing.states
    total.blocked += State.BLOCKED in owing.states
    total.held += owing.held
    total.waits_for |= owing.waits_for
    for lane, size_bytes in owing.copies:
        total.copies += 1
        total.size_bytes += size_bytes
        total.lane_bytes[lane] = total.lane_bytes.get(lane, 0.0) + size_bytes
    for lane in owing.volumes:
        total.volumes += 1
        total.lane_volumes[lane] = total.lane_volumes.get(lane, 0) + 1


def _links(observed: Observed, waits_for: set[str]) -> tuple[tuple[str, ...], float | None]:
    """Links that are down among what is waited for, and when the last of them returns."""
    down = [
        observed.links[name]
        for name in sorted(waits_for)
        if name in observed.links and observed.links[name].state is LinkState.DOWN
    ]
    ends = [link.until_s for link in down]
    known = [end_s for end_s in ends if end_s is not None]
    until_s = max(known) if known and len(known) == len(ends) else None
    return tuple(link.link for link in down), until_s


def _copies_per_s(
    lane: str, board: Board, names: Names, samples: Sequence[Sample], now_s: float
) -> float | None:
    """How fast a lane copies: as measured of late, else as it goes right now."""
    measured = bytes_per_s(samples, lane, now_s)
    if measured is not None:
        return measured
    going = [
        pace.per_s or 0.0
        for work, pace in board.paces.items()
        if work in board.observed.works and _is_copy(board, work, lane, names)
    ]
    return sum(going) or None


def _is_copy(board: Board, work: str, lane: str, names: Names) -> bool:
    _, product, place, _ = board.observed.works[work].keys[0].split("/")
    return product == Product.RAW and names.lane_of(place) == lane


def _usual_slices(board: Board) -> float | None:
    """Slices of a reconstruction, by the latest that were counted; None when there are none."""
    counted = [
        record.evidence.slices
        for row in board.rows[:_LATEST]
        for cell in row.cells
        for record in cell.records
        if record.evidence is not None and record.evidence.slices
    ]
    return median(counted) if counted else None


def _longest(times: Iterable[float | None]) -> float | None:
    """The lanes work side by side, so the longest counts; None when one is not known."""
    known = list(times)
    if not known or any(time_s is None for time_s in known):
        return None
    return max(time_s for time_s in known if time_s is not None)


def _and(words: Iterable[str]) -> str:
    first, *rest = words
    return f"{', '.join([first, *rest[:-1]])} and {rest[-1]}" if rest else first
