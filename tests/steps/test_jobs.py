"""A step in a process of its own: followed, cancelled, and lost with a word why."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.model.errors import RemoteError
from alsct_gui.steps import jobs
from alsct_gui.steps.desk import StepDesk
from alsct_gui.steps.jobs import JobView, StepJob, StepRequest
from alsct_gui.steps.registry import get_step

pytestmark = pytest.mark.usefixtures("toys")


def until(job: StepJob, holds: Callable[[JobView], object], within_s: float = 60) -> JobView:
    end_s = time.monotonic() + within_s
    while not holds(view := job.look()):
        assert time.monotonic() < end_s, view
        time.sleep(0.01)
    return view


def hanging(volume: Path, how: str) -> StepRequest:
    return StepRequest("toy.hang", {"how": how}, {"volume": str(volume)}, "")


def test_a_job_makes_what_was_asked_for(volume_path: Path, tmp_path: Path) -> None:
    request = StepRequest(
        "toy.smooth", {"size_px": 5}, {"volume": str(volume_path)}, str(tmp_path / "out.zarr"), 2
    )
    job = StepJob(request, tmp_path / "jobs")
    view = until(job, lambda view: view.ended)
    job.close()
    assert view.error is None
    assert view.outputs == {"smooth": tmp_path / "out.zarr"}
    assert view.progress is not None
    assert view.progress.done == view.progress.total
    with open_volume(tmp_path / "out.zarr") as volume:
        assert volume.shape == (20, 90, 110)


def test_cancel_ends_it(volume_path: Path, tmp_path: Path) -> None:
    job = StepJob(hanging(volume_path, "wait"), tmp_path)
    until(job, lambda view: view.progress is not None)
    job.cancel()
    assert until(job, lambda view: view.ended).state == "cancelled"
    job.close()


def test_one_that_does_not_listen_is_killed(
    volume_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE_S", 0.2)
    job = StepJob(hanging(volume_path, "deaf"), tmp_path)
    until(job, lambda view: view.progress is not None)
    job.cancel()
    assert until(job, lambda view: view.ended).state == "cancelled"
    job.close()


def test_what_went_wrong_is_told(volume_path: Path, tmp_path: Path) -> None:
    for how, words in (("die", "no word"), ("mistake", "ZeroDivisionError: by hand")):
        job = StepJob(hanging(volume_path, how), tmp_path)
        view = until(job, lambda view: view.ended)
        job.close()
        assert view.state == "failed"
        assert isinstance(view.error, RemoteError)
        assert words in view.error.sentence
        assert ("last words" if how == "die" else "by hand") in job.log.read_text()
    unknown = StepJob(StepRequest("toy.none", {}, {}, ""), tmp_path)
    error = until(unknown, lambda view: view.ended).error
    unknown.close()
    assert error is not None
    assert "there is no step of this name" in error.sentence


def test_previews_come_from_a_process_that_stays(volume_path: Path) -> None:
    desk = StepDesk()
    step = get_step("toy.smooth")
    try:
        hang = desk.preview(get_step("toy.hang"), get_step("toy.hang").preset(),
                            {"volume": volume_path}, 0)  # fmt: skip
        first = desk.preview(step, step.preset(), {"volume": volume_path}, 4).result(60)
        assert hang.cancelled()
        again = desk.preview(step, step.preset("strong"), {"volume": volume_path}, 5).result(60)
    finally:
        desk.close()
    assert (first.index, again.index) == (4, 5)
    assert first.slices["smooth"].dtype == np.float32
    assert first.slices["smooth"].shape == (90, 110)
