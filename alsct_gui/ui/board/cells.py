"""One cell of the board: how it stands with a product of a scan at a place, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alsct_gui.model.placement import Evidence, GoalKey, GoalRecord, StateKind, StepState
from alsct_gui.model.policy import Product
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.pace import Pace
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import (
    clock_words,
    count_words,
    duration_words,
    left_words,
    rate_words,
    size_words,
)

MARKS = {
    StateKind.MET: State.MET,
    StateKind.MOVING: State.MOVING,
    StateKind.WAITING: State.WAITING,
    StateKind.BLOCKED: State.BLOCKED,
    StateKind.RETRY: State.FAILED,
    StateKind.NOT_WANTED: State.NOT_WANTED,
}
"""The mark of each state."""
_WORST_FIRST = (
    StateKind.BLOCKED, StateKind.RETRY, StateKind.MOVING, StateKind.WAITING, StateKind.MET,
    StateKind.NOT_WANTED,
)  # fmt: skip
_RANK = {kind: number for number, kind in enumerate(_WORST_FIRST)}
_ITS_TURN, _ITS_END = "its turn", "the end of its writing"


@dataclass(frozen=True, slots=True)
class Cell:
    """How it stands with one product of one scan at one place."""

    state: State
    """Its mark."""
    share: float | None = None
    """While it moves: how much is done, from 0 to 1."""
    records: tuple[GoalRecord, ...] = ()
    """The goals behind it, the one that needs attention most first; one for each recipe."""
    held: bool = False
    """Whether a person holds one of them back."""
    cancelling: bool = False
    """Whether a person wants what is under way to end."""
    why: str = ""
    """Why there is no goal, a sentence without a full stop."""

    @property
    def is_open(self) -> bool:
        """Whether it is wanted and not there."""
        return self.state not in (State.MET, State.NOT_WANTED, State.FORBIDDEN)

    @property
    def keys(self) -> tuple[str, ...]:
        """Goals that a command is about; a file that is no scan yet has none."""
        return tuple(record.key for record in self.records if record.key)


NOTHING = Cell(State.NOT_WANTED, why="Not wanted by the policy")
TAKEN_BACK = Cell(State.NOT_WANTED, why="Not wanted: a person took it back")
NEXT_LOOK = Cell(State.WAITING, why="Waits for the agent's next look")


def cell_of(records: Sequence[GoalRecord], share: float | None = None) -> Cell:
    """Make a cell of the goals of a product at a place, at least one."""
    sorted_ = tuple(records)
    if len(sorted_) > 1:
        sorted_ = tuple(sorted(sorted_, key=lambda record: _RANK[record.state.kind]))
    state = MARKS[sorted_[0].state.kind]
    if state is State.MET:
        return Cell(state, None, sorted_)
    held = any(record.held and record.state.kind is not StateKind.MET for record in sorted_)
    if held and state is State.WAITING:
        state = State.HELD
    return Cell(
        state, share if state is State.MOVING else None, sorted_, held,
        any(record.cancel_asked for record in sorted_),
    )  # fmt: skip


def short_words(cell: Cell, names: Names, now_s: float, *, outside: bool) -> str:
    """Say the least that helps, beside the mark: “↑ 63 %”, “Globus”, “in 3 min”."""
    if cell.cancelling:
        return "ending"
    state = cell.records[0].state if cell.records else None
    if cell.state is State.MOVING:
        arrow = "↑" if outside else "→"
        return f"{arrow} {100 * cell.share:.0f} %" if cell.share is not None else arrow
    if cell.state is State.HELD:
        return "held"
    if cell.state is State.WAITING:
        if state is None or not state.waits_for:
            return ""
        return _brief(state, names)
    if cell.state is State.FAILED and state is not None:
        wait_s = (state.until_s or 0.0) - now_s
        return f"in {duration_words(wait_s)}" if wait_s >= 1 else "again now"
    return "needs you" if cell.state is State.BLOCKED else ""


def cell_words(
    cell: Cell, names: Names, now_s: float, paces: dict[str, Pace] | None = None
) -> tuple[str, ...]:
    """Say how it stands with each goal of a cell, a paragraph each.

    Parameters
    ----------
    cell
        What is asked about.
    names
        What places are called.
    now_s
        Seconds since 1970.
    paces
        How fast work goes, by work.
    """
    if not cell.records:
        return (f"{cell.why}.",) if cell.why else ()
    return tuple(_record_words(record, names, now_s, paces or {}) for record in cell.records)


def state_words(state: StepState, names: Names, now_s: float) -> str:
    """Say a state as a sentence, or two."""
    parts = []
    match state.kind:
        case StateKind.MET:
            parts.append("It is there")
        case StateKind.MOVING:
            parts.append("Under way")
        case StateKind.WAITING:
            why = f": {state.cause}" if state.cause else ""
            parts.append(f"Waits for {names.waits_for(state.waits_for) or 'the next look'}{why}")
        case StateKind.BLOCKED:
            parts += [f"Blocked: {state.cause}", state.fix]
        case StateKind.RETRY:
            parts += [f"Failed: {state.cause}", state.fix]
        case StateKind.NOT_WANTED:
            parts.append(f"Not wanted: {state.cause}" if state.cause else "Not wanted any more")
    if state.until_s is not None and state.until_s > now_s:
        when = f"{clock_words(state.until_s, now_s)}, in {left_words(state.until_s - now_s)}"
        waits = state.kind is StateKind.WAITING
        parts.append(f"{'Expected to go on' if waits else 'Tried again'} at {when}")
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def evidence_words(product: Product, evidence: Evidence, now_s: float) -> str:
    """Say what was seen: “14.7 GB, SHA-256 verified, seen 14:02”."""
    parts = []
    if evidence.size_bytes is not None:
        parts.append(size_words(evidence.size_bytes))
    if product is Product.ANALYSIS:
        parts.append("its making read back")
    elif evidence.sha256:
        parts.append("SHA-256 verified")
    if evidence.slices is not None:
        parts.append(f"{count_words(evidence.slices, 'slice')} counted")
    if evidence.record:
        parts.append("record read back")
    if evidence.copies:
        parts.append(f"{count_words(len(evidence.copies), 'other copy', 'other copies')} read")
    if product is Product.ACCESS and not parts:
        parts.append("rights read back")
    return ", ".join([*parts, f"seen {clock_words(evidence.observed_s, now_s)}"])


def work_words(product: Product, pace: Pace | None, *, brought: bool = False) -> str:
    """Say how far work is: “5.3 of 8.5 GB, 210 MB/s, 2 min left”; empty when unknown.

    Parameters
    ----------
    product
        What is worked for.
    pace
        How far it is.
    brought
        Whether it was made elsewhere, and its bytes are on their way.
    """
    if pace is None or (not pace.total and not pace.done):
        return ""
    in_slices = product is Product.RECONSTRUCTION and not brought
    by_step = product is Product.ANALYSIS and not brought
    parts = []
    if by_step:  # it counts whatever it likes
        parts.append(f"{100 * pace.done // max(1, pace.total)}%")
    elif in_slices:
        of = f" of {count_words(pace.total, 'slice')}" if pace.total else " slices"
        parts.append(f"{pace.done}{of}")
    else:
        of = f" of {size_words(pace.total)}" if pace.total else ""
        parts.append(f"{size_words(pace.done)}{of}")
    if pace.per_s and not by_step:
        parts.append(f"{pace.per_s:.1f} slices/s" if in_slices else rate_words(pace.per_s))
    left_s = pace.left_s()
    if left_s is not None:
        parts.append(f"about {left_words(left_s)} left")
    return ", ".join(parts)


def _record_words(record: GoalRecord, names: Names, now_s: float, paces: dict[str, Pace]) -> str:
    key = GoalKey.parse(record.key) if record.key else GoalKey("", Product.RAW, "")
    product, state = key.product, record.state
    sentence = state_words(state, names, now_s)
    if state.kind is StateKind.MET and record.evidence is not None:
        sentence = f"It is there: {evidence_words(product, record.evidence, now_s)}."
    if state.kind is StateKind.MOVING:
        pace, brought = paces.get(record.work), names.is_brought(key.place)
        far = work_words(product, pace, brought=brought)
        sentence = f"Under way: {far}." if far else "Under way."
    said = [sentence]
    if record.attempts and state.kind is not StateKind.MET:
        said.append(f"{count_words(record.attempts, 'failure')} in a row.")
    if record.cancel_asked:
        said.append("It is being ended.")
    elif record.held and state.kind is not StateKind.MET:
        said.append("Held back by a person: nothing more is begun.")
    said.append(f"Since {clock_words(record.since_s, now_s)}.")
    return " ".join(said)


def _brief(state: StepState, names: Names) -> str:
    """Name what a goal waits for in a word or two."""
    waits_for = state.waits_for
    if waits_for.startswith("a slot of"):
        return _ITS_TURN
    if waits_for == _ITS_END:
        return "arriving"
    product, _, place = waits_for.partition(" at ")
    if place and product in set(Product):
        return f"after {'raw' if product == Product.RAW else product}"
    if waits_for.startswith(_ITS_TURN):
        return _ITS_TURN
    return names.waits_for(waits_for)
