"""Ledgers for the board's tests: scans, goals and links as an agent would have told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
    StepState,
    Work,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.placement.policy import load_policy
from alsct_gui.ui.board.rows import Board, BoardMaker, Filter, Row

NOW_S = 1_800_000_000.0
RECIPE = load_policy().recipes["standard-8.3.2"]
RAW, CFS, REC, HERE = "data832-raw", "nersc-cfs", "nersc-recon", "data832-scratch"
MAINTENANCE = waiting("perlmutter", "maintenance", NOW_S + 4 * 3600)


def titled_policy() -> Policy:
    """The policy that comes with the program, its places with titles."""
    policy = load_policy()
    titles = {"scicat": "SciCat", HERE: "Workstation", REC: "Perlmutter"}
    places = tuple(replace(p, title=titles.get(p.name, "")) for p in policy.places)
    return replace(policy, places=places)


def identity(number: int) -> str:
    return f"{number:08x}".ljust(64, "f")


def part(number: int) -> str:
    return scan_part(identity(number))


def facts(number: int, **changes: object) -> ScanFacts:
    known: dict[str, object] = {
        "id": identity(number), "path": f"/data/raw/BLS-00564_x/20260203_040506_foam {number}.h5",
        "size_bytes": 10_000_000_000, "sha256": "a" * 64, "proposal": "BLS-00564",
        "admitted_s": NOW_S - 3600 + number,
    }  # fmt: skip
    return ScanFacts(**{**known, **changes})  # type: ignore[arg-type]


def key(number: int, product: Product, place: str) -> str:
    recipe = RECIPE if product is Product.RECONSTRUCTION else "-"
    return GoalKey(part(number), product, place, recipe).text


def evidence(product: Product) -> Evidence:
    if product is Product.RAW:
        return Evidence("/somewhere", NOW_S - 60, 10_000_000_000, "a" * 64)
    if product is Product.RECONSTRUCTION:
        return Evidence("/somewhere", NOW_S - 60, slices=2160)
    return Evidence("somewhere", NOW_S - 60, record="20.500/x abc")


class Made:
    """An `Observed` that is put together piece by piece."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or titled_policy()
        self.observed = Observed()
        self.progress: dict[str, tuple[int, int]] = {}

    def scan(self, number: int, **changes: object) -> None:
        scan = facts(number, **changes)
        self.observed.scans[scan_part(scan.id)] = scan
        self.goal(number, Product.RAW, RAW)

    def goal(
        self, number: int, product: Product, place: str, state: StepState = MET, **more: object
    ) -> str:
        name = key(number, product, place)
        seen = evidence(product) if state is MET else None
        record = GoalRecord(name, state, NOW_S - 600, seen, **more)  # type: ignore[arg-type]
        self.observed.goals[name] = record
        return name

    def work(self, name: str, *keys: str, done: int = 0, total: int = 0, since_s: float = 100.0):
        self.observed.works[name] = Work(name, keys, NOW_S - since_s, outside_id="id")
        for goal in keys:
            known = self.observed.goals.get(goal) or GoalRecord(goal, MOVING, NOW_S - since_s)
            self.observed.goals[goal] = replace(known, state=MOVING, work=name)
        if total:
            self.progress[name] = (done, total)

    def link(self, name: str, state: LinkState = LinkState.UP, **more: object) -> None:
        health = Health(name, state, NOW_S - 3600, **more)  # type: ignore[arg-type]
        self.observed.links[name] = health

    def maker(self) -> BoardMaker:
        return BoardMaker(self.policy, r"(?P<date>\d{8})_(?P<time>\d{6})_(?P<title>.*)\.h5")

    def board(self, maker: BoardMaker | None = None, now_s: float = NOW_S) -> Board:
        return (maker or self.maker()).make(self.observed, self.progress, now_s)


def row_of(board: Board, number: int) -> Row:
    return next(row for row in board.rows if row.id == part(number))


def marks(board: Board, number: int) -> dict[str, str]:
    row = row_of(board, number)
    return {
        column.words: cell.state.value
        for column, cell in zip(board.columns, row.cells, strict=True)
    }  # fmt: skip


def in_outage(count: int = 37) -> Made:
    """Every raw file is at NERSC; Perlmutter is down, so volumes were made here."""
    made = Made()
    made.link("globus")
    made.link("cfs")
    made.link(
        "perlmutter", LinkState.DOWN, why="maintenance", until_s=NOW_S + 4 * 3600,
        fix="Work goes on here; what is owed is paid when it returns",
    )  # fmt: skip
    for number in range(count):
        made.scan(number)
        made.goal(number, Product.RAW, CFS)
        made.goal(number, Product.RECONSTRUCTION, HERE)
        made.goal(number, Product.RECONSTRUCTION, REC, MAINTENANCE)
        made.goal(number, Product.METADATA, "scicat")
        made.goal(number, Product.ACCESS, CFS)
    return made


def counts(board: Board) -> Mapping[Filter, int]:
    return {which: count for which, count in board.counts.items() if count}


def place_of(policy: Policy, name: str) -> Place:
    return next(place for place in policy.places if place.name == name)
