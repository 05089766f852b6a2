"""From what the ledger knows to the rows of the board, newest first. No Qt but its marks.

`BoardMaker` keeps the rows of the last time: those whose goals are the same objects as before
stay the same objects, so that a window of thousands of scans draws only what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from alsct_gui.model.placement import (
    Arrival,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement.wanted import Plan, Wanted, matcher
from alsct_gui.ui.board.cells import NEXT_LOOK, NOTHING, TAKEN_BACK, Cell, cell_of
from alsct_gui.ui.board.columns import Column, Names, columns_of
from alsct_gui.ui.board.pace import Pace, followed
from alsct_gui.ui.scans.entries import moment_of_text, title_of
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, size_words

_Kind = tuple[Product, str]
"""Product and name of the place."""
_ARRIVING = {StateKind.BLOCKED: State.BLOCKED, StateKind.RETRY: State.FAILED}


class Filter(StrEnum):
    """Which rows are shown."""

    ALL = "all"
    OWED = "owed"
    MOVING = "moving"
    BLOCKED = "blocked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Row:
    """One scan, or a file that was handed over and is none yet."""

    id: str
    """`scan_part` of the scan; the path of a file that is no scan yet."""
    path: Path
    """Where it lies."""
    title: str
    """Sample, or the file's name."""
    proposal: str
    """Whose it is; empty when unknown."""
    taken_s: float
    """When it was exposed, else admitted or handed over; seconds since 1970."""
    size_bytes: int
    """Of the raw file; 0 when unknown."""
    cells: tuple[Cell, ...]
    """One for each column."""
    priority: int = 0
    """What a person added to that of every wish."""
    scan: ScanFacts | None = None
    """None for a file that is no scan yet."""
    arrival: Arrival | None = None
    """How it stands with that file."""
    filters: frozenset[Filter] = frozenset({Filter.ALL})
    """Filters that show it."""

    @property
    def haystack(self) -> str:
        """What the filter looks through."""
        return f"{self.title} {self.proposal} {self.path}".casefold()


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the board."""

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    """Newest first; files that are no scans yet on top."""
    counts: Mapping[Filter, int] = field(default_factory=dict)
    """How many rows each filter shows."""
    observed: Observed = field(default_factory=Observed)
    """What it was made from."""
    paces: Mapping[str, Pace] = field(default_factory=dict)
    """How fast work goes, by work."""
    now_s: float = 0.0
    """When that was read, seconds since 1970."""


class BoardMaker:
    """Makes one board after another.

    Parameters
    ----------
    policy
        What is wanted, and what places are called.
    naming
        The beamline's form of a file name, a regular expression with a group ``title``.
    """

    def __init__(self, policy: Policy, naming: str = "") -> None:
        self.policy, self._naming = policy, naming
        self.names = Names(policy)
        self._wanted = Wanted(policy)
        self._bans = [(matcher(ban.scans), ban) for ban in policy.bans]
        self._board = Board()
        self._kinds: dict[str, _Kind] = {}
        self._plans: dict[int, tuple[Plan, set[_Kind], dict[_Kind, str]]] = {}
        self._rows: dict[str, Row] = {}

    def make(
        self, observed: Observed, progress: Mapping[str, tuple[int, int]], now_s: float
    ) -> Board:
        """Return the board.

        Parameters
        ----------
        observed, progress
            What the ledger knows; they must not be changed any more.
        now_s
            When that was read, seconds since 1970.
        """
        before = self._board
        paces = followed(before.paces, progress, observed.works, now_s)
        known = before.observed
        touched = {
            key[:32] for key, record in observed.goals.items() if known.goals.get(key) is not record
        }
        touched.update(
            name
            for name in observed.asked.keys() | known.asked.keys()
            if observed.asked.get(name) != known.asked.get(name)
        )
        for work in observed.works.values():
            if paces.get(work.id) != before.paces.get(work.id):
                touched.update(key[:32] for key in work.keys)
        columns = self._columns(observed)
        anew = columns != before.columns
        rows = {}
        for part, scan in observed.scans.items():
            row = self._rows.get(part)
            if row is None or anew or part in touched or row.scan is not scan:
                row = self._row(part, scan, columns, observed, paces)
            rows[part] = row
        self._rows = rows
        arrivals = (self._arrival(item, columns) for item in observed.arrivals.values())
        ordered = [
            *sorted(arrivals, key=_newest_first), *sorted(rows.values(), key=_newest_first),
        ]  # fmt: skip
        counts = {which: sum(which in row.filters for row in ordered) for which in Filter}
        self._board = Board(columns, tuple(ordered), counts, observed, paces, now_s)
        return self._board

    def _columns(self, observed: Observed) -> tuple[Column, ...]:
        """Columns of the policy and of all goals; most goals share a few endings."""
        for key in observed.goals:
            self._kind(key[32:])
        return columns_of(self.policy, self._kinds.values())

    def _kind(self, suffix: str) -> _Kind:
        """Return what an ending of keys is about."""
        kind = self._kinds.get(suffix)
        if kind is None:
            _, product, place, _ = suffix.split("/")
            kind = self._kinds[suffix] = (Product(product), place)
        return kind

    def _aims(self, plan: Plan) -> tuple[set[_Kind], dict[_Kind, str]]:
        """What a plan wants anyway, and where of several places one is enough: many share it."""
        known = self._plans.get(id(plan))
        if known is None or known[0] is not plan:
            every = {(aim.product, aim.place.name) for aim in plan.every}
            any_of = {
                (aim.product, aim.place.name): ", ".join(
                    self.names.place(other.place.name) for other in group
                )
                for group in plan.any_of
                for aim in group
            }
            known = self._plans[id(plan)] = (plan, every, any_of)
        return known[1:]

    def _row(
        self, part: str, scan: ScanFacts, columns: tuple[Column, ...],
        observed: Observed, paces: Mapping[str, Pace],
    ) -> Row:  # fmt: skip
        found: dict[_Kind, list[GoalRecord]] = {}
        for suffix, kind in self._kinds.items():
            record = observed.goals.get(part + suffix)
            if record is not None:
                found.setdefault(kind, []).append(record)
        asked = observed.asked.get(part)
        every, any_of = self._aims(self._wanted.plan(scan, asked))
        unwanted = {self._kind(suffix) for suffix in (asked.unwanted if asked is not None else ())}
        banned = {site: ban for fits, ban in self._bans if fits(scan) for site in ban.sites}
        cells = []
        for column in columns:
            kind = (column.product, column.place)
            records = found.get(kind, [])
            is_there = any(r.state.kind is not StateKind.NOT_WANTED for r in records)
            if not is_there and column.site in banned:
                ban = banned[column.site]
                why = f"Forbidden: {ban.name}. {ban.why}".strip().rstrip(".")
                cells.append(Cell(State.FORBIDDEN, why=why))
            elif kind in unwanted and kind not in every and not any(map(_has_begun, records)):
                cells.append(TAKEN_BACK)  # the agent says so too at its next look
            elif records:
                shares = [paces[r.work].share for r in records if r.work in paces]
                cells.append(cell_of(records, shares[0] if shares else None))
            elif kind in every:
                cells.append(NEXT_LOOK)
            elif kind in any_of:
                why = f"One of these is enough: {any_of[kind]}"
                cells.append(Cell(State.NOT_WANTED, why=why))
            else:
                cells.append(NOTHING)
        path = Path(scan.path)
        return Row(
            part, path, title_of(scan.metadata.get("sample", ""), path, self._naming),
            scan.proposal, taken_s(scan), scan.size_bytes, tuple(cells), scan.priority, scan,
            filters=_filters(columns, cells),
        )  # fmt: skip

    def _arrival(self, arrival: Arrival, columns: tuple[Column, ...]) -> Row:
        """A file that is no scan yet: its state stands where the raw file will be."""
        state = _ARRIVING.get(arrival.state.kind, State.WAITING)
        first = GoalRecord("", arrival.state, arrival.since_s, attempts=arrival.attempts)
        cells = tuple(
            Cell(state, records=(first,))
            if (column.product, column.place) == (Product.RAW, self.policy.admitted)
            else Cell(State.NOT_WANTED, why="It is no scan yet")
            for column in columns
        )
        filters = {Filter.ALL, *((Filter.BLOCKED,) if state is State.BLOCKED else ())}
        path = Path(arrival.path)
        return Row(
            arrival.path, path, title_of("", path, self._naming), arrival.proposal,
            arrival.since_s, 0, cells, arrival=arrival, filters=frozenset(filters),
        )  # fmt: skip


def shown_rows(board: Board, chosen: Filter, typed: str) -> tuple[Row, ...]:
    """Return the rows that a filter shows and that hold every word that was typed."""
    words = typed.casefold().split()
    return tuple(
        row
        for row in board.rows
        if chosen in row.filters and (not words or all(word in row.haystack for word in words))
    )


def facts_words(row: Row, now_s: float) -> str:
    """Return the second line of a row: whose, how much, when."""
    parts = [
        row.proposal,
        size_words(row.size_bytes) if row.size_bytes else "",
        clock_words(row.taken_s, now_s) if row.taken_s > 0 else "",
    ]
    if row.priority:
        parts.append(f"priority {row.priority:+d}")
    return " · ".join(part for part in parts if part)


def _filters(columns: tuple[Column, ...], cells: list[Cell]) -> frozenset[Filter]:
    found = {Filter.ALL}
    for column, cell in zip(columns, cells, strict=True):
        if cell.is_open and column.outside and column.product is not Product.PRUNED:
            found.add(Filter.OWED)
        if cell.state is State.MOVING:
            found.add(Filter.MOVING)
        if cell.state is State.BLOCKED:
            found.add(Filter.BLOCKED)
        if cell.held:
            found.add(Filter.HELD)
    return frozenset(found)


def _has_begun(record: GoalRecord) -> bool:
    return bool(record.work) or record.state.kind is StateKind.MET


def taken_s(scan: ScanFacts) -> float:
    moment = moment_of_text(scan.metadata.get("start_time", ""))
    return moment.timestamp() if moment is not None else scan.admitted_s


def _newest_first(row: Row) -> tuple[float, str]:
    return (-row.taken_s, row.id)
