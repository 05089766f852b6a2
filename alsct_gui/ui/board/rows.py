"""From what the ledger knows to the rows of the board, newest first. No Qt but its marks.

`BoardMaker` keeps the rows of the last time: those whose goals are the same objects as before
stay the same objects, so that a window of thousands of scans draws only what has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from alsct_gui.model.placement import (
    Arrival,
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement.matching import matcher
from alsct_gui.placement.wanted import Plan, Wanted
from alsct_gui.ui.board.cells import NEXT_LOOK, NOTHING, TAKEN_BACK, Cell, cell_of
from alsct_gui.ui.board.columns import Column, Kind, Names, columns_of
from alsct_gui.ui.board.pace import Pace, followed
from alsct_gui.ui.scans.entries import moment_of_text, title_of
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, size_words

_PART_CHARS = 32
"""Of a scan in keys."""
OWED = (
    Product.RAW, Product.RECONSTRUCTION, Product.ANALYSIS, Product.METADATA, Product.ACCESS,
)  # fmt: skip
"""Products that are a debt where they are wanted outside and not there."""
_ARRIVING = {StateKind.BLOCKED: State.BLOCKED, StateKind.RETRY: State.FAILED}


class Filter(StrEnum):
    """Which rows are shown."""

    ALL = "all"
    OWED = "owed"
    MOVING = "moving"
    BLOCKED = "blocked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Owing:
    """What one site outside lacks of a scan."""

    site: str
    """Name of the site."""
    copies: tuple[tuple[str, float], ...]
    """Lane, and bytes that have not gone there yet, of each raw file."""
    volumes: tuple[str, ...]
    """Lane of each reconstruction."""
    states: frozenset[State]
    """Marks of everything at that site."""
    held: bool
    """Whether a person holds any of it back."""
    waits_for: frozenset[str]
    """What its goals wait for."""


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
    owing: tuple[Owing, ...] = ()
    """What is owed of it outside."""
    waits: tuple[str, ...] = ()
    """What its goals wait for, one for each."""

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
    waits: Mapping[str, int] = field(default_factory=dict)
    """How many goals wait for what."""
    now_s: float = 0.0
    """When it is shown, seconds since 1970."""


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
        self._kept: dict[str, Mapping[str, Any]] = {}
        self._wanted = Wanted(policy, self._kept)
        self._bans = [(matcher(ban.scans), ban) for ban in policy.bans]
        self._board = Board()
        self._kinds: dict[str, Kind | None] = {}
        self._plans: dict[int, tuple[Plan, set[Kind], dict[Kind, str]]] = {}
        self._rows: dict[str, Row] = {}
        self._waits: Counter[str] = Counter()

    def make(
        self, observed: Observed, progress: Mapping[str, tuple[int, int]], now_s: float,
        touched: frozenset[str] | None = None,
    ) -> Board:  # fmt: skip
        """Return the board.

        Parameters
        ----------
        observed, progress
            What the ledger knows; they must not be changed any more.
        now_s
            When that was read, seconds since 1970.
        touched
            Keys and scans that may be otherwise than the last time; None when that is not known.
        """
        before = self._board
        self._kept.update(observed.recipes)
        self.names.keep(observed.recipes)
        paces = followed(before.paces, progress, observed.works, now_s)
        if touched is None:
            touched = self._differences(observed)
        for name in touched:
            if len(name) > _PART_CHARS:
                self._kind(name[_PART_CHARS:])
        parts = {name[:_PART_CHARS] for name in touched}
        for work in observed.works.values():
            if paces.get(work.id) != before.paces.get(work.id):
                parts.update(key[:_PART_CHARS] for key in work.keys)
        columns = columns_of(self.policy, filter(None, self._kinds.values()))
        if columns != before.columns:
            parts = set(observed.scans)
        changed = {
            part: self._row(part, observed.scans[part], columns, observed, paces)
            for part in parts
            if part in observed.scans
        }
        gone = self._rows.keys() - observed.scans.keys()
        order = self._order(changed, gone)
        for row in changed.values():
            self._waits.update(row.waits)
        arrivals = sorted(
            (self._arrival(item, columns) for item in observed.arrivals.values()),
            key=_newest_first,
        )
        ordered = (*arrivals, *order)
        counts = Counter(which for row in ordered for which in row.filters)
        self._board = Board(columns, ordered, counts, observed, paces, +self._waits, now_s)
        return self._board

    def _differences(self, observed: Observed) -> frozenset[str]:
        """Everything that is otherwise than the last time, or was not there."""
        known = self._board.observed
        goals = (k for k, record in observed.goals.items() if known.goals.get(k) is not record)
        scans = (p for p, scan in observed.scans.items() if known.scans.get(p) is not scan)
        asked = (
            part
            for part in observed.asked.keys() | known.asked.keys()
            if observed.asked.get(part) != known.asked.get(part)
        )
        return frozenset([*goals, *scans, *asked])

    def _order(self, changed: Mapping[str, Row], gone: Set[str]) -> list[Row]:
        """Take changed rows in; returns all of them, newest first."""
        before = self._rows
        for part in (*changed, *gone):
            old = before.get(part)
            if old is not None:
                self._waits.subtract(old.waits)
        moved = gone or any(
            part not in before or before[part].taken_s != row.taken_s
            for part, row in changed.items()
        )
        rows = {**before, **changed}
        for part in gone:
            del rows[part]
        if moved:
            rows = {row.id: row for row in sorted(rows.values(), key=_newest_first)}
        self._rows = rows
        return list(rows.values())

    def _kind(self, suffix: str) -> Kind | None:
        """Return what an ending of keys is about; None for what nobody names any more."""
        if self._kinds.get(suffix) is None:
            self._kinds[suffix] = self.names.kind(GoalKey.parse(suffix))
        return self._kinds[suffix]

    def _aims(self, plan: Plan) -> tuple[set[Kind], dict[Kind, str]]:
        """What a plan wants anyway, and where of several places one is enough: many share it."""
        known = self._plans.get(id(plan))
        if known is None or known[0] is not plan:
            every = {kind for aim in plan.every if (kind := self._kind(aim.suffix)) is not None}
            any_of = {
                kind: ", ".join(self.names.place(other.place.name) for other in group)
                for group in plan.any_of
                for aim in group
                if (kind := self._kind(aim.suffix)) is not None
            }
            known = self._plans[id(plan)] = (plan, every, any_of)
        return known[1:]

    def _row(
        self, part: str, scan: ScanFacts, columns: tuple[Column, ...],
        observed: Observed, paces: Mapping[str, Pace],
    ) -> Row:  # fmt: skip
        found: dict[Kind, list[GoalRecord]] = {}
        for suffix, kind in self._kinds.items():
            record = observed.goals.get(part + suffix)
            if record is not None and kind is not None:
                found.setdefault(kind, []).append(record)
        asked = observed.asked.get(part)
        every, any_of = self._aims(self._wanted.plan(scan, asked))
        unwanted = {self._kind(suffix) for suffix in (asked.unwanted if asked is not None else ())}
        banned = {site: ban for fits, ban in self._bans if fits(scan) for site in ban.sites}
        cells = []
        for column in columns:
            kind = column.kind
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
        waits = tuple(
            record.state.waits_for
            for cell in cells
            for record in cell.records
            if record.state.kind is StateKind.WAITING
        )
        return Row(
            part, path, title_of(scan.metadata.get("sample", ""), path, self._naming),
            scan.proposal, taken_s(scan), scan.size_bytes, tuple(cells), scan.priority, scan,
            filters=_filters(columns, cells), owing=self._owing(scan, columns, cells),
            waits=waits,
        )  # fmt: skip

    def _owing(
        self, scan: ScanFacts, columns: tuple[Column, ...], cells: list[Cell]
    ) -> tuple[Owing, ...]:
        """What each site outside lacks."""
        pairs = tuple(zip(columns, cells, strict=True))
        owed = [(c, cell) for c, cell in pairs if c.outside and cell.is_open and c.product in OWED]
        found = []
        for site in dict.fromkeys(column.site for column, _ in owed):
            own = [(column, cell) for column, cell in owed if column.site == site]
            found.append(
                Owing(
                    site,
                    tuple(
                        (self.names.lane_of(c.place), scan.size_bytes * (1 - (cell.share or 0.0)))
                        for c, cell in own
                        if c.product is Product.RAW
                    ),
                    tuple(
                        self.names.lane_of(c.place)
                        for c, _ in own
                        if c.product is Product.RECONSTRUCTION
                    ),
                    frozenset(cell.state for _, cell in own),
                    any(cell.held for _, cell in own),
                    frozenset(
                        record.state.waits_for
                        for _, cell in own
                        for record in cell.records
                        if record.state.kind is StateKind.WAITING
                    ),
                )
            )
        return tuple(found)

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
    if chosen is Filter.ALL and not words:
        return board.rows
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
        if cell.is_open and column.outside and column.product in OWED:
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
    """Return when a scan was exposed, else admitted, seconds since 1970."""
    moment = moment_of_text(scan.metadata.get("start_time", ""))
    return moment.timestamp() if moment is not None else scan.admitted_s


def _newest_first(row: Row) -> tuple[float, str]:
    return (-row.taken_s, row.id)
