"""Catching up: what is owed where, what moves how fast, and what waits for a person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alsct_gui.model.placement import GoalKey, StateKind
from alsct_gui.model.policy import Product
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.debt import Debt, time_words
from alsct_gui.ui.board.rows import Board, Filter
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import count_words, left_words, rate_words, size_words

_TROUBLES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is owed, moves, or waits for a person."""

    state: State
    """Its mark."""
    title: str
    """What, in a few words."""
    words: str
    """More about it."""
    share: float | None = None
    """While it moves: how much is done, from 0 to 1."""
    scans: tuple[str, ...] = ()
    """Rows that it is about."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How far the facility is behind."""

    owed: tuple[Line, ...] = ()
    moving: tuple[Line, ...] = ()
    troubles: tuple[Line, ...] = ()
    """What waits for a person, the most scans first."""
    further: int = 0
    """Troubles that are not listed."""


def catch_up(board: Board, debts: Sequence[Debt], names: Names, now_s: float) -> CatchUp:
    """Return what is owed, what moves, and what waits for a person.

    Parameters
    ----------
    board
        With everything that is wanted.
    debts
        What is owed to each site outside.
    names
        What places are called.
    now_s
        Seconds since 1970.
    """
    troubles = _troubles(board)
    return CatchUp(
        tuple(_owed(debt, now_s) for debt in debts), _moving(board, names),
        troubles[:_TROUBLES_SHOWN], max(0, len(troubles) - _TROUBLES_SHOWN),
    )  # fmt: skip


def _owed(debt: Debt, now_s: float) -> Line:
    size = f", {size_words(debt.size_bytes)}" if debt.size_bytes else ""
    kinds = [
        count_words(count, noun)
        for count, noun in ((debt.copies, "raw file"), (debt.volumes, "reconstruction"))
        if count
    ]
    notes = [
        f"{count} {word}"
        for count, word in (
            (debt.moving, "moving"), (debt.blocked, "blocked"), (debt.held, "held"),
        )
        if count
    ]  # fmt: skip
    state = State.MOVING if debt.moving else State.WAITING
    when = time_words(debt, now_s)
    return Line(
        state, f"{debt.title}: {count_words(debt.scans, 'scan')}{size}",
        " · ".join([when[:1].upper() + when[1:], *kinds, *notes]),
    )  # fmt: skip


def _moving(board: Board, names: Names) -> tuple[Line, ...]:
    """One line for each lane in use."""
    lanes: dict[str, list[str]] = {}
    for work in board.observed.works.values():
        lane = names.lane_of(GoalKey.parse(work.keys[0]).place)
        lanes.setdefault(lane, []).append(work.id)
    lines = []
    for lane, ids in sorted(lanes.items()):
        works = [board.observed.works[work] for work in ids]
        keys = [key for work in works for key in work.keys]
        paces = [board.paces[work] for work in ids if work in board.paces]
        speed = sum(pace.per_s or 0.0 for pace in paces)
        goals = [GoalKey.parse(key) for key in keys]
        made = {goal.product for goal in goals if not names.is_brought(goal.place)}
        in_slices = bool(made) and made <= {Product.RECONSTRUCTION, Product.ANALYSIS}
        parts = [count_words(len(keys), "scan")]
        if speed and Product.ANALYSIS not in made:
            parts.append(f"{speed:.1f} slices/s" if in_slices else rate_words(speed))
        left = [pace.left_s() for pace in paces]
        longest = [left_s for left_s in left if left_s is not None]
        if longest:
            parts.append(f"{left_words(max(longest))} left")
        total = sum(pace.total for pace in paces)
        share = sum(pace.done for pace in paces) / total if total else None
        noun = "run" if in_slices else "copy"
        count = count_words(len(ids), noun, "copies" if noun == "copy" else "")
        scans = tuple(dict.fromkeys(key[:32] for key in keys))
        lines.append(Line(State.MOVING, f"{lane}: {count}", " · ".join(parts), share, scans))
    return tuple(lines)


def _troubles(board: Board) -> tuple[Line, ...]:
    """What is blocked, by its cause."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in board.rows if board.counts.get(Filter.BLOCKED) else ():
        for cell in row.cells if Filter.BLOCKED in row.filters else ():
            for record in cell.records if cell.state is State.BLOCKED else ():
                if record.state.kind is StateKind.BLOCKED:
                    scans = found.setdefault((record.state.cause, record.state.fix), [])
                    scans.append(row.id)
    lines = []
    for (cause, fix), scans in found.items():
        own = tuple(dict.fromkeys(scans))
        title = f"{count_words(len(own), 'scan')}: {cause}"
        lines.append(Line(State.BLOCKED, title, f"{fix}." if fix else "", scans=own))
    return tuple(sorted(lines, key=lambda line: (-len(line.scans), line.title)))
