"""Ledgers for the board's tests: scans, goals and links as an agent would have told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.placement import (
    MET,
    MOVING,
    Evidence,
    GoalKey,
    GoalRecord,
    Health,
    LinkState,
    Observed,
    ScanFacts,
    StateKind,
    StepState,
    Work,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import (
    Analysis,
    Ban,
    Lane,
    Output,
    Place,
    Policy,
    Product,
    Selection,
    Sheet,
    Site,
    Source,
    Wish,
)
from alsct_gui.placement.events import Event, EventKind, lean
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.ui.board.rows import Board, BoardMaker, Filter, Row

NOW_S = 1_800_000_000.0
RECIPE = recipe_hash(load_recipe("standard-8.3.2"))
RAW, CFS, REC, HERE = "data832-raw", "nersc-cfs", "nersc-recon", "data832-scratch"


def night_policy() -> Policy:
    """What is wanted at a beamline whose raw files and volumes belong to NERSC, too."""
    volume = Wish("a volume", Product.RECONSTRUCTION, (REC, HERE), "any", "standard-8.3.2",
                  priority=30)  # fmt: skip
    there = Wish("a volume at NERSC", Product.RECONSTRUCTION, (REC,), recipe="standard-8.3.2")
    return Policy(
        "night",
        sites=(Site("here", "Beamline 8.3.2", outside=False), Site("nersc", "NERSC")),
        lanes=(
            Lane("here", 2), Lane("workstation"), Lane("globus", 3, 500, by="globus"),
            Lane("slurm", 8, by="nersc"),
            Lane("services", 4),
        ),
        places=(
            Place(RAW, "here", "here", "/data/raw", title="data832"),
            Place(HERE, "here", "workstation", "/data/scratch", title="Workstation"),
            Place(CFS, "nersc", "globus", "/cfs/raw", ("globus", "cfs"), title="NERSC CFS"),
            Place(REC, "nersc", "slurm", "", ("perlmutter", "cfs"), title="Perlmutter"),
            Place("scicat", "nersc", "services", links=("scicat",), title="SciCat"),
        ),
        admitted=RAW,
        wishes=(
            Wish("raw at NERSC", Product.RAW, (CFS,), priority=20), volume, there,
            Wish("a record", Product.METADATA, ("scicat",)),
            Wish("its owners can read it", Product.ACCESS, (CFS,), requires_proposal=True),
        ),
        bans=(
            Ban(
                "export-controlled scans stay here", ("nersc",),
                Selection(export_controlled=True), "The law forbids it.",
            ),
        ),
        recipes={"standard-8.3.2": RECIPE},
    )  # fmt: skip


POROSITY = Sheet("porosity", "own.porosity", {},
                 (Source("volume", Product.RECONSTRUCTION, RECIPE),),
                 (Output("made", "table", ".csv"),), mark="ab" * 6)  # fmt: skip


def analysing_policy() -> Policy:
    """The same, with a table of every scan, which may be asked for at NERSC, too."""
    policy = night_policy()
    return replace(
        policy, analyses=(Analysis("porosity", "porosity.py", "standard-8.3.2", offered=(REC,)),),
        sheets={"porosity": POROSITY},
        wishes=(*policy.wishes,
                Wish("porosity", Product.ANALYSIS, (HERE,), analysis="porosity")),
    )  # fmt: skip


def identity(number: int) -> str:
    return f"{number:08x}".ljust(64, "f")


def part(number: int) -> str:
    return scan_part(identity(number))


def facts(number: int, now_s: float = NOW_S, **changes: object) -> ScanFacts:
    known: dict[str, object] = {
        "id": identity(number), "path": f"/data/raw/BLS-00564_x/20260203_040506_foam {number}.h5",
        "size_bytes": 10_000_000_000, "sha256": "a" * 64, "proposal": "BLS-00564",
        "admitted_s": now_s - 3600 + number,
    }  # fmt: skip
    return ScanFacts(**{**known, **changes})  # type: ignore[arg-type]


def key(number: int, product: Product, place: str) -> str:
    recipe = RECIPE if product is Product.RECONSTRUCTION else "-"
    return GoalKey(part(number), product, place, recipe).text


def evidence(product: Product, size_bytes: int, seen_s: float) -> Evidence:
    if product is Product.RAW:
        return Evidence("/somewhere", seen_s, size_bytes, "a" * 64)
    if product is Product.RECONSTRUCTION:
        return Evidence("/somewhere", seen_s, slices=2160)
    return Evidence("somewhere", seen_s, record="20.500/x abc")


class Made:
    """An `Observed` that is put together piece by piece."""

    def __init__(self, policy: Policy | None = None, now_s: float = NOW_S) -> None:
        self.policy, self.now_s = policy or night_policy(), now_s
        self.observed = Observed()
        self.progress: dict[str, tuple[int, int]] = {}
        self.notes: dict[str, dict[str, Any]] = {}

    def scan(self, number: int, **changes: object) -> None:
        scan = facts(number, self.now_s, **changes)
        self.observed.scans[scan_part(scan.id)] = scan
        self.goal(number, Product.RAW, RAW)

    def goal(
        self, number: int, product: Product, place: str, state: StepState = MET, **more: object
    ) -> str:
        name = key(number, product, place)
        size_bytes = self.observed.scans[part(number)].size_bytes
        seen = evidence(product, size_bytes, self.now_s - 60) if state is MET else None
        record = GoalRecord(name, state, self.now_s - 600, seen, **more)  # type: ignore[arg-type]
        self.observed.goals[name] = record
        return name

    def work(self, name: str, *keys: str, done: int = 0, total: int = 0, since_s: float = 100.0):
        self.observed.works[name] = Work(name, keys, self.now_s - since_s, outside_id="id")
        for goal in keys:
            known = self.observed.goals.get(goal) or GoalRecord(goal, MOVING, self.now_s - since_s)
            self.observed.goals[goal] = replace(known, state=MOVING, work=name)
        if total:
            self.progress[name] = (done, total)

    def link(self, name: str, state: LinkState = LinkState.UP, **more: object) -> None:
        health = Health(name, state, self.now_s - 3600, **more)  # type: ignore[arg-type]
        self.observed.links[name] = health

    def maker(self) -> BoardMaker:
        return BoardMaker(self.policy, r"(?P<date>\d{8})_(?P<time>\d{6})_(?P<title>.*)\.h5")

    def board(self, maker: BoardMaker | None = None, now_s: float | None = None) -> Board:
        maker = maker or self.maker()
        return maker.make(self.observed, self.progress, now_s or self.now_s)

    def write(self, path: Path) -> None:
        """Write a ledger that says all this."""
        with Ledger(path, clock=lambda: self.now_s - 600) as ledger:
            ledger.append(self._events())
            for work, (done, total) in self.progress.items():
                ledger.note_progress(work, replace(MOVING, done=done, total=total))
            for name, note in self.notes.items():
                ledger.note(name, note)

    def _events(self) -> list[Event]:
        """Everything in the order in which it would have happened."""
        observed, told = self.observed, []
        for scan in observed.scans.values():
            when = scan.admitted_s
            told.append(Event(EventKind.SCAN, {"scan": lean(scan), "path": scan.path}, when))
        late_s = self.now_s - 30
        for path, arrival in observed.arrivals.items():
            state = {"path": path, "state": lean(arrival.state)}
            told.append(Event(EventKind.ASKED, {"what": "admit", "path": path}, late_s))
            told.append(Event(EventKind.ARRIVAL, state, late_s + 1))
        for work in observed.works.values():
            intent = {"work": work.id, "keys": list(work.keys)}
            outside = {"work": work.id, "scans": [k[:32] for k in work.keys], "id": work.outside_id}
            told.append(Event(EventKind.INTENT, intent, work.intent_s))
            told.append(Event(EventKind.OUTSIDE, outside, work.intent_s + 1))
        for number, (name, record) in enumerate(observed.goals.items()):
            when = min(observed.scans[name[:32]].admitted_s + 90 * (number % 4) + 5, late_s)
            if record.held:
                told.append(Event(EventKind.ASKED, {"what": "hold", "keys": [name]}, late_s))
            if record.state is MET:
                seen = {"keys": [name], "evidence": lean(record.evidence)}
                told.append(Event(EventKind.MET, seen, when))
            elif not record.work:
                worse = record.state.kind in (StateKind.RETRY, StateKind.BLOCKED)
                kind = EventKind.FAILED if worse else EventKind.STATE
                state = {"keys": [name], "state": lean(record.state)}
                told.append(Event(kind, state, when + 1))
        told += [
            Event(EventKind.LINK, {"health": lean(health)}, health.since_s)
            for health in observed.links.values()
        ]
        return sorted(told, key=lambda item: item.time_s)


def row_of(board: Board, number: int) -> Row:
    return next(row for row in board.rows if row.id == part(number))


def marks(board: Board, number: int) -> dict[str, str]:
    row = row_of(board, number)
    return {
        column.words: cell.state.value
        for column, cell in zip(board.columns, row.cells, strict=True)
    }  # fmt: skip


def in_outage(count: int = 37, now_s: float = NOW_S) -> Made:
    """Every raw file is at NERSC; Perlmutter is down, so volumes were made here."""
    made = Made(now_s=now_s)
    maintenance = waiting("perlmutter", "maintenance", now_s + 4 * 3600)
    made.link("globus")
    made.link("cfs")
    made.link(
        "perlmutter", LinkState.DOWN, why="maintenance", until_s=now_s + 4 * 3600,
        fix="Work goes on here; what is owed is paid when it returns",
    )  # fmt: skip
    for number in range(count):
        made.scan(number)
        made.goal(number, Product.RAW, CFS)
        made.goal(number, Product.RECONSTRUCTION, HERE)
        made.goal(number, Product.RECONSTRUCTION, REC, maintenance)
        made.goal(number, Product.METADATA, "scicat")
        made.goal(number, Product.ACCESS, CFS)
    return made


def counts(board: Board) -> Mapping[Filter, int]:
    return {which: count for which, count in board.counts.items() if count}
