"""From events to a view: a pure fold, one event at a time.

A view that has ended is left only by ``queued``, and only a queued one can be started; what
comes late changes nothing. Data of events comes from a file: what does not fit is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from alsct_gui.placement.runs.model import (
    EventKind,
    RunError,
    RunEvent,
    RunRequest,
    RunState,
    RunView,
)
from alsct_gui.placement.runs.processes import mark_from_plain

LOG_LINES = 50
"""Sentences of the log that a view keeps."""
UNKNOWN_EVENTS = 16
"""Events of unknown kinds that a view keeps."""
_FIRST_PASS_SHARE = 0.4  # of a run that works on whole projections first; about, for the bar
_TEXT_CHARS = 2000
_MOST_SLICES = 1_000_000


def fold(run_id: str, request: RunRequest | None, events: Iterable[RunEvent]) -> RunView:
    """Return the view of a run after all its events."""
    return reduce(advance, events, new_view(run_id, request))


def new_view(run_id: str, request: RunRequest | None) -> RunView:
    """Return the view of a run before its first event."""
    return RunView(run_id, request, output=request.output if request else None)


def advance(view: RunView, event: RunEvent) -> RunView:
    """Return the view after one more event; ``fold`` is this for every event in turn."""
    if event.kind not in _RULES:
        return replace(view, unknown=(*view.unknown, event)[-UNKNOWN_EVENTS:])
    states, rule = _RULES[event.kind]
    if view.state not in states:
        return view
    view = rule(view, event)
    if view.started_s and event.kind != EventKind.QUEUED:
        view = replace(view, elapsed_s=max(view.elapsed_s, event.time_s - view.started_s))
    return view


def _queued(view: RunView, event: RunEvent) -> RunView:
    return replace(
        new_view(view.id, view.request),
        queued_s=event.time_s,
        resume=event.data.get("resume") is True,
        attempt=view.attempt,
        log=view.log,
        unknown=view.unknown,
    )


def _started(view: RunView, event: RunEvent) -> RunView:
    return replace(
        view,
        state=RunState.RUNNING,
        started_s=event.time_s,
        attempt=view.attempt + 1,
        worker=mark_from_plain(event.data.get("worker")),
    )


def _stage(view: RunView, event: RunEvent) -> RunView:
    return replace(
        view,
        stage=_text(event.data.get("stage")),
        stage_done=0,
        stage_total=0,
        eta_s=None,
        first_pass=view.first_pass or event.data.get("first_pass") is True,
    )


def _progress(view: RunView, event: RunEvent) -> RunView:
    stage, eta_s = _text(event.data.get("stage")), _seconds(event.data.get("eta_s"))
    total = _count(event.data.get("total"))
    done = min(_count(event.data.get("done")), total)
    within = done / total if total else 0.0
    first = _FIRST_PASS_SHARE if view.first_pass else 0.0
    share = {"projections": first * within, "slices": first + (1 - first) * within}
    return replace(
        view,
        stage=stage,
        stage_done=done,
        stage_total=total,
        share=max(view.share, share.get(stage, 0.0)),
        # The end of an earlier stage says nothing of the end of the run.
        eta_s=eta_s if stage == "slices" else None,
    )


def _slices(view: RunView, event: RunEvent) -> RunView:
    total = _count(event.data.get("total"))
    found = event.data.get("ranges")
    ranges = merge_ranges((*view.ranges, *_ranges(found if isinstance(found, list) else [], total)))
    partial = _text(event.data.get("partial"))
    return replace(
        view,
        ranges=ranges,
        slices_done=sum(stop - first for first, stop in ranges),
        slices_total=total,
        partial_path=Path(partial) if partial else view.partial_path,
    )


def _said(view: RunView, event: RunEvent) -> RunView:
    return replace(view, log=(*view.log, _text(event.data.get("text")))[-LOG_LINES:])


def _finished(view: RunView, event: RunEvent) -> RunView:
    output = _text(event.data.get("output"))
    return replace(
        _ended(view, RunState.FINISHED),
        share=1.0,
        output=Path(output) if output else view.output,
        partial_path=None,
    )


def _failed(view: RunView, event: RunEvent) -> RunView:
    return replace(_ended(view, RunState.FAILED), error=_error(event))


def _lost(view: RunView, event: RunEvent) -> RunView:
    return replace(_ended(view, RunState.LOST), error=_error(event))


def _cancelled(view: RunView, event: RunEvent) -> RunView:
    ended = _ended(view, RunState.CANCELLED)
    return replace(ended, share=0.0, slices_done=0, ranges=(), partial_path=None)


def _ended(view: RunView, state: RunState) -> RunView:
    return replace(view, state=state, eta_s=None, worker=None)


_ANY = frozenset(RunState)
_ACTIVE = frozenset({RunState.QUEUED, RunState.RUNNING})
_RUNNING = frozenset({RunState.RUNNING})
_ENDED = _ANY - _ACTIVE
_RULES: dict[str, tuple[frozenset[RunState], Callable[[RunView, RunEvent], RunView]]] = {
    EventKind.QUEUED: (_ENDED | {RunState.QUEUED}, _queued),
    EventKind.STARTED: (frozenset({RunState.QUEUED}), _started),
    EventKind.STAGE: (_RUNNING, _stage),
    EventKind.PROGRESS: (_RUNNING, _progress),
    EventKind.SLICES: (_RUNNING, _slices),
    EventKind.LOG: (_ANY, _said),
    EventKind.WARNING: (_ANY, _said),
    EventKind.FINISHED: (_RUNNING, _finished),
    EventKind.FAILED: (_ACTIVE, _failed),
    EventKind.CANCELLED: (_ACTIVE, _cancelled),
    EventKind.LOST: (_RUNNING, _lost),
}
"""In which states an event counts, and what it does."""


def merge_ranges(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return [first, stop) ranges sorted, with those that touch or overlap made one."""
    merged: list[tuple[int, int]] = []
    for first, stop in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((first, stop))
    return tuple(merged)


def _ranges(items: list[Any], total: int) -> Iterable[tuple[int, int]]:
    for item in items:
        if isinstance(item, list) and len(item) == 2:
            first, stop = item
            if type(first) is int and type(stop) is int and 0 <= first < stop <= total:
                yield first, stop


def _error(event: RunEvent) -> RunError:
    return RunError(*(_text(event.data.get(name)) for name in ("what", "where", "fix")))


def _text(value: Any) -> str:
    return value[:_TEXT_CHARS] if isinstance(value, str) and "\0" not in value else ""


def _count(value: Any) -> int:
    return min(max(value, 0), _MOST_SLICES) if type(value) is int else 0


def _seconds(value: Any) -> float | None:
    if type(value) not in (int, float) or not abs(value) < 1e12:
        return None
    return max(0.0, float(value))
