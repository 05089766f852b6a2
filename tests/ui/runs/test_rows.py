"""What the list of runs says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.runs.model import RunError, RunRequest, RunState, RunView
from alsct_gui.ui.runs.rows import ended_since, finished_words, row_of, state_words
from alsct_gui.ui.widgets.marks import State

REQUEST = RunRequest(Path("/data/foam.h5"), Recipe(), Path("/data/recfoam.zarr"), "foam")
QUEUED = RunView("1", REQUEST, RunState.QUEUED, position=1)
RUNNING = RunView(
    "1", REQUEST, RunState.RUNNING, stage="reconstructing", share=0.4, eta_s=240.0,
    slices_done=812, slices_total=2160, partial_path=Path("/data/.recfoam.zarr.partial"),
)  # fmt: skip
FINISHED = RunView(
    "1", REQUEST, RunState.FINISHED, slices_done=2160, slices_total=2160, elapsed_s=360.0,
    output=Path("/data/recfoam-2.zarr"),
)  # fmt: skip
FAILED = RunView(
    "1", REQUEST, RunState.FAILED, error=RunError("the disk is full", "/data", "Free 12 GB")
)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (QUEUED, "next"),
        (replace(QUEUED, position=3), "waiting, place 3"),
        (RUNNING, "reconstructing, 812 of 2160 slices, 4 min left"),
        (replace(RUNNING, stage="", slices_total=0, eta_s=None), "starting"),
        (replace(RUNNING, cancelling=True), "being cancelled"),
        (FINISHED, "done: 2160 slices in 6 min"),
        (FAILED, "failed: the disk is full"),
        (replace(FAILED, state=RunState.CANCELLED, error=None), "cancelled"),
    ],
)
def test_a_run_says_how_it_is(view: RunView, words: str) -> None:
    assert state_words(view) == words


def test_only_what_makes_sense_can_be_done() -> None:
    running, done, failed = row_of(RUNNING), row_of(FINISHED), row_of(FAILED)
    assert (running.may_cancel, running.may_retry, running.may_forget) == (True, False, False)
    assert (done.may_cancel, done.may_retry, done.may_forget) == (False, False, True)
    assert (failed.may_cancel, failed.may_retry, failed.may_forget) == (False, True, True)
    assert not row_of(QUEUED).may_move
    assert row_of(replace(QUEUED, position=2)).may_move
    assert not row_of(replace(RUNNING, cancelling=True)).may_cancel


def test_slices_can_be_looked_at_as_soon_as_there_are_any() -> None:
    assert row_of(RUNNING).shows == RUNNING.partial_path
    assert row_of(replace(RUNNING, slices_done=0)).shows is None
    assert row_of(FINISHED).shows == FINISHED.output
    assert row_of(FAILED).shows is None


def test_marks_tell_by_shape_what_a_run_is() -> None:
    marks = [row_of(view).state for view in (QUEUED, RUNNING, FINISHED, FAILED)]
    assert marks == [State.WAITING, State.MOVING, State.MET, State.FAILED]


def test_the_end_is_told_once_and_with_what_to_do() -> None:
    assert ended_since((RUNNING,), (FINISHED,)) == (FINISHED,)
    assert ended_since((FINISHED,), (FINISHED,)) == ()
    assert ended_since((), (FAILED,)) == ()
    assert finished_words(FINISHED) == "recfoam-2.zarr is ready: 2160 slices in 6 min."
    assert "the disk is full (/data). Free 12 GB." in finished_words(FAILED)


def test_a_run_without_a_request_can_still_be_shown() -> None:
    row = row_of(RunView("20260302-1", None, RunState.LOST))
    assert row.title == "20260302-1"
    assert not row.may_retry
