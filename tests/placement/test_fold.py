"""Views as a pure fold over events, whatever the events are."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.recipe import Center, Recipe, RingFilter
from alsct_gui.placement.runs.fold import advance, fold, merge_ranges, new_view
from alsct_gui.placement.runs.model import (
    EventKind,
    RunEvent,
    RunRequest,
    RunState,
    event_line,
    parse_event,
    request_from_plain,
    request_to_plain,
)
from alsct_gui.placement.runs.reading import queue_order

ID = "20260801T120000000000-0a1b"
REQUEST = RunRequest(
    Path("/data/scan.h5"),
    Recipe(center=Center("manual", 3.5), rings=(RingFilter(),)),
    Path("/data/rec.zarr"),
    "scan",
)
WORKER = {"pid": 1234, "start_ticks": 5678, "boot": "b"}


def events(*items: tuple[str, dict[str, Any]]) -> list[RunEvent]:
    """Events a second apart."""
    return [RunEvent(100.0 + second, kind, data) for second, (kind, data) in enumerate(items)]


QUEUED = ("queued", {"resume": False})
STARTED = ("started", {"worker": WORKER})
PLANNED = ("stage", {"stage": "plan", "first_pass": True})
SOME = (
    "slices",
    {"partial": "/data/.rec.zarr.partial", "ranges": [[0, 16], [32, 40]], "total": 40},
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
data_names = st.sampled_from(
    ["stage", "done", "total", "eta_s", "ranges", "partial", "what", "worker", "text", "output",
     "resume", "first_pass"]
)  # fmt: skip
any_event = st.builds(
    RunEvent,
    st.floats(0, 1e11),
    st.sampled_from([kind.value for kind in EventKind]) | st.text(max_size=5),
    st.dictionaries(data_names, json_values, max_size=3),
)
any_events = st.lists(any_event, max_size=10)


def test_a_whole_life() -> None:
    view = fold(
        ID,
        REQUEST,
        events(
            QUEUED, STARTED, PLANNED,
            ("progress", {"stage": "projections", "done": 10, "total": 20, "eta_s": 3.0}),
            ("progress", {"stage": "slices", "done": 20, "total": 40, "eta_s": 7.5}),
            SOME, ("log", {"text": "goes well"}),
        ),
    )  # fmt: skip
    assert view.state is RunState.RUNNING
    assert (view.stage, view.stage_done, view.stage_total) == ("slices", 20, 40)
    assert view.share == 0.4 + 0.6 * 0.5
    assert (view.eta_s, view.elapsed_s) == (7.5, 5.0)
    assert (view.ranges, view.slices_done, view.slices_total) == (((0, 16), (32, 40)), 24, 40)
    assert view.partial_path == Path("/data/.rec.zarr.partial")
    assert view.worker is not None
    assert view.worker.pid == 1234
    assert view.log == ("goes well",)
    done = advance(view, RunEvent(110.0, "finished", {"output": "/data/rec.zarr"}))
    assert (done.state, done.share, done.eta_s, done.partial_path, done.worker) == (
        RunState.FINISHED, 1.0, None, None, None,
    )  # fmt: skip
    assert done.output == Path("/data/rec.zarr")
    assert done.elapsed_s == 9.0


def test_the_end_of_the_first_pass_is_not_the_end_of_the_run() -> None:
    step = ("progress", {"stage": "projections", "done": 20, "total": 20, "eta_s": 0.0})
    view = fold(ID, REQUEST, events(QUEUED, STARTED, PLANNED, step))
    assert view.eta_s is None
    assert view.share == 0.4


def test_lost_and_started_again_it_goes_on_with_what_there_is() -> None:
    lost = fold(
        ID, REQUEST, events(QUEUED, STARTED, SOME, ("lost", {"what": "gone", "fix": "again"}))
    )
    assert (lost.state, lost.slices_done) == (RunState.LOST, 24)
    assert lost.error is not None
    assert (lost.error.what, lost.error.fix) == ("gone", "again")
    again = reduce(advance, events(("queued", {"resume": True}), STARTED), lost)
    assert (again.state, again.error, again.attempt) == (RunState.RUNNING, None, 2)
    assert again.resume
    assert again.share == 0


def test_cancelled_it_has_nothing_to_show() -> None:
    view = fold(ID, REQUEST, events(QUEUED, STARTED, SOME, ("cancelled", {})))
    assert (view.state, view.slices_done, view.partial_path) == (RunState.CANCELLED, 0, None)


@given(any_events)
def test_any_events_fold_to_a_view_that_can_be_shown(items: list[RunEvent]) -> None:
    view = fold(ID, REQUEST, items)
    assert 0 <= view.share <= 1
    assert view.elapsed_s >= 0
    assert view.eta_s is None or view.eta_s >= 0
    assert 0 <= view.stage_done <= view.stage_total
    assert view.slices_done == sum(stop - first for first, stop in view.ranges)
    assert not (view.state.ended and view.worker)
    assert (view.state is RunState.FAILED) <= (view.error is not None)


@given(any_events, any_events)
def test_it_may_be_folded_in_parts(first: list[RunEvent], second: list[RunEvent]) -> None:
    whole = fold(ID, REQUEST, first + second)
    assert reduce(advance, second, fold(ID, REQUEST, first)) == whole


@given(any_events, st.sampled_from(["finished", "failed", "cancelled", "lost"]))
def test_an_end_is_left_only_by_queueing_again(items: list[RunEvent], end: str) -> None:
    ended = fold(ID, REQUEST, events(QUEUED, STARTED, (end, {})))
    late = [event for event in items if event.kind != "queued"]
    assert reduce(advance, late, ended).state == end
    again = advance(ended, RunEvent(200.0, "queued"))
    assert (again.state, again.queued_s) == (RunState.QUEUED, 200.0)


def test_events_of_a_later_version_are_kept() -> None:
    paused = RunEvent(103.0, "paused", {"until": 5})
    view = fold(ID, REQUEST, [*events(QUEUED, STARTED), paused])
    assert view.state is RunState.RUNNING
    assert view.unknown == (paused,)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_event_are_none(line: bytes) -> None:
    event = parse_event(line)
    assert event is None or isinstance(event.kind, str)


def test_lines_that_are_nearly_events_are_none() -> None:
    good = b'{"time_s": 1.0, "kind": "log", "data": {}}'
    assert parse_event(good) == RunEvent(1.0, "log")
    hostile = [
        good[:-1], b"[1]", b"[" * 100_000, good.replace(b"1.0", b"NaN"),
        good.replace(b"1.0", b"true"), good.replace(b"1.0", b"1e400"),
        good.replace(b'"log"', b"7"), good.replace(b"{}}", b"[]}"),
    ]  # fmt: skip
    assert [parse_event(line) for line in hostile] == [None] * len(hostile)


@given(any_event)
def test_events_survive_the_disk(event: RunEvent) -> None:
    line = event_line(event)
    assert line.count(b"\n") == 1
    back = parse_event(line)
    assert back is not None
    assert (back.time_s, back.kind, back.data.keys()) == (
        event.time_s, event.kind, event.data.keys(),
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda p: (p[0], p[0] + p[1])))
)
def test_ranges_are_disjoint_and_hold_the_same_slices(ranges: list[tuple[int, int]]) -> None:
    merged = merge_ranges(ranges)
    assert all(a[1] < b[0] for a, b in pairwise(merged))
    slices = {index for first, stop in ranges for index in range(first, stop)}
    assert [i for first, stop in merged for i in range(first, stop)] == sorted(slices)


@given(st.lists(st.integers(0, 9), unique=True), st.lists(st.integers(0, 12)))
def test_every_queued_run_has_one_place(queued: list[int], moved: list[int]) -> None:
    views = [advance(new_view(f"r{n}", None), RunEvent(float(n), "queued")) for n in queued]
    running = fold("r99", None, events(QUEUED, STARTED))
    order = queue_order([running, *views], [f"r{n}" for n in moved])
    assert sorted(order) == sorted(f"r{n}" for n in queued)
    wanted = [f"r{n}" for n in dict.fromkeys(moved) if n in queued]
    assert list(order[: len(wanted)]) == wanted
    rest = [int(name[1:]) for name in order[len(wanted) :]]
    assert rest == sorted(rest)


def test_a_request_survives_the_disk() -> None:
    assert request_from_plain(request_to_plain(REQUEST)) == REQUEST
