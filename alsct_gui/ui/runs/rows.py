"""What the list of runs says of each, and what can be done with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alsct_gui.placement.runs.model import RunState, RunView
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import count_words, duration_words

_MARKS = {
    RunState.QUEUED: State.WAITING,
    RunState.RUNNING: State.MOVING,
    RunState.FINISHED: State.MET,
    RunState.FAILED: State.FAILED,
    RunState.CANCELLED: State.UNKNOWN,
    RunState.LOST: State.BLOCKED,
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row."""

    id: str
    """The run."""
    title: str
    """The scan's name."""
    state: State
    """Its mark."""
    share: float | None
    """While it runs: how much is done, from 0 to 1."""
    words: str
    """Its state in words: “reconstructing, 812 of 2160 slices, 4 min left”."""
    output: str
    """Name of the product."""
    tip: str
    """Everything about it."""
    log: str
    """The latest sentences of its log."""
    shows: Path | None
    """What can be looked at: the product, or what there is of it; None for nothing yet."""
    may_cancel: bool
    """Whether it can be ended."""
    may_retry: bool
    """Whether it can be started again."""
    may_move: bool
    """Whether it waits behind another one."""
    may_forget: bool
    """Whether it can be taken out of the list."""


def row_of(view: RunView) -> RunRow:
    """Make a row of a run."""
    request = view.request
    title = request.title or request.scan.stem if request is not None else view.id
    output = view.output or (request.output if request is not None else None)
    ended = view.state.ended
    return RunRow(
        id=view.id,
        title=title,
        state=_MARKS[view.state],
        share=view.share if view.state is RunState.RUNNING else None,
        words=state_words(view),
        output=output.name if output is not None else "",
        tip=_tip(view, output),
        log="\n".join(view.log),
        shows=_shown(view),
        may_cancel=not ended and not view.cancelling,
        may_retry=ended and view.state is not RunState.FINISHED and request is not None,
        may_move=view.position is not None and view.position > 1,
        may_forget=ended,
    )


def state_words(view: RunView) -> str:
    """Say how a run is."""
    if view.cancelling and not view.state.ended:
        return "being cancelled"
    if view.state is RunState.QUEUED:
        return "next" if view.position == 1 else f"waiting, place {view.position}"
    if view.state is RunState.RUNNING:
        parts = [view.stage or "starting"]
        if view.slices_total:
            parts.append(f"{view.slices_done} of {count_words(view.slices_total, 'slice')}")
        if view.eta_s is not None:
            parts.append(f"{duration_words(view.eta_s)} left")
        return ", ".join(parts)
    if view.state is RunState.FINISHED:
        slices = count_words(view.slices_done, "slice")
        return f"done: {slices} in {duration_words(view.elapsed_s)}"
    if view.error is not None:
        return f"{view.state}: {view.error.what}"
    return str(view.state)


def finished_words(view: RunView) -> str:
    """Say that a run ended, for a notice."""
    row = row_of(view)
    if view.state is RunState.FINISHED:
        slices = count_words(view.slices_done, "slice")
        return f"{row.output} is ready: {slices} in {duration_words(view.elapsed_s)}."
    if view.error is not None:
        where = f" ({view.error.where})" if view.error.where else ""
        fix = f" {view.error.fix}." if view.error.fix else ""
        return f"{row.title} is not reconstructed: {view.error.what}{where}.{fix}"
    return f"{row.title}: the run is {view.state}."


def ended_since(before: tuple[RunView, ...], after: tuple[RunView, ...]) -> tuple[RunView, ...]:
    """Return the runs that have ended since, oldest first."""
    open_before = {view.id for view in before if not view.state.ended}
    return tuple(view for view in reversed(after) if view.state.ended and view.id in open_before)


def _shown(view: RunView) -> Path | None:
    if view.state is RunState.FINISHED:
        return view.output
    if view.state is RunState.RUNNING and view.slices_done:
        return view.partial_path
    return None


def _tip(view: RunView, output: Path | None) -> str:
    lines = [state_words(view)]
    if view.request is not None:
        lines += [f"Scan: {view.request.scan}", f"Recipe: {view.request.recipe.name}"]
    if output is not None:
        lines.append(f"Result: {output}")
    if view.error is not None and view.error.fix:
        lines.append(view.error.fix)
    return "\n".join(lines)
