"""What a worker tells: every slice once it is stored, no sooner, and no mistake unsaid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import OutputError
from alsct_gui.model.progress import Progress
from alsct_gui.model.recipe import Recipe, Rotation
from alsct_gui.model.scan import Scan
from alsct_gui.placement.runs.fold import advance, new_view
from alsct_gui.placement.runs.folder import EventLog
from alsct_gui.placement.runs.model import RunView, parse_event
from alsct_gui.placement.runs.report import Reporter, SliceReport, recorded_ranges
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from tests.placement.conftest import KNOWN, wait_until

TILTED = replace(KNOWN, rotation=Rotation(tilt_deg=1.0))


@pytest.fixture(scope="module")
def opened(scan: Path) -> Iterator[Scan]:
    with open_scan(scan) as opened:
        yield opened


def view_of(events: Path) -> RunView:
    view = new_view("run", None)
    for line in events.read_bytes().splitlines():
        event = parse_event(line)
        assert event is not None
        view = advance(view, event)
    return view


class StoppedError(Exception):
    """The test has seen enough."""


def stop_after(opened: Scan, recipe: Recipe, output: Path, done: int) -> None:
    """Leave a partial product with at least so many slices."""

    def show(step: Progress) -> None:
        if step.stage == "slices" and step.done >= done:
            raise StoppedError

    with pytest.raises(StoppedError):
        run_job(prepare_job(opened, recipe, batch_slices=5), output, progress=show)


@pytest.mark.parametrize("recipe", [KNOWN, TILTED], ids=["plain", "first pass"])
@pytest.mark.parametrize("before", [0, 40])
def test_the_slices_that_are_told_are_those_that_are_stored(
    before: int, recipe: Recipe, opened: Scan, tmp_path: Path
) -> None:
    output, told = tmp_path / "rec.zarr", []
    if before:
        stop_after(opened, recipe, output, before)
        kept = sum(stop - first for first, stop in recorded_ranges(partial_folder(output)))
        assert 0 < kept < 80
    job = prepare_job(opened, recipe, batch_slices=5)
    report = SliceReport(job.plan, partial_folder(output))

    def show(step: Progress) -> None:
        if step.stage == "slices":
            report.take(step.done)
            told.append((step.done, dict(report.told())))

    run_job(job, output, progress=show, resume=True)
    seen: set[int] = set()
    for done, data in told:
        ranges = data["ranges"]
        assert isinstance(ranges, tuple)
        seen |= {index for first, stop in ranges for index in range(first, stop)}
        assert len(seen) == done == data["done"]
    assert seen == set(range(80))


def test_a_whole_run_is_told(opened: Scan, tmp_path: Path) -> None:
    events, output = tmp_path / "events.jsonl", tmp_path / "rec.zarr"
    job = prepare_job(opened, TILTED, batch_slices=5)
    with EventLog(events) as log:
        log.append("started", worker={})
        with Reporter(log) as report:
            report.stage("plan", first_pass=job.plan.first_pass)
            report.follow(job.plan, output)
            run_job(job, output, progress=report.show)
            report.warn(job.findings)
    view = view_of(events)
    assert (view.ranges, view.slices_done, view.share) == (((0, 80),), 80, 1.0)
    assert (view.stage, view.first_pass) == ("finish", True)
    assert view.partial_path == tmp_path / ".rec.zarr.partial"
    assert len(view.log) == len(job.findings)


def test_what_has_happened_is_told_though_nothing_follows(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    with EventLog(events) as log:
        log.append("started", worker={})
        with Reporter(log) as report:
            for done in range(1, 8):
                report.show(Progress("slices", done, 100, 1.0, 5.0))
            wait_until(lambda: view_of(events).stage_done == 7, "the latest is told")


def test_progress_is_told_at_a_pace(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    with EventLog(events) as log, Reporter(log) as report:
        for done in range(10_001):
            report.show(Progress("projections", done, 10_000, 1.0))
    kinds = [
        event.kind for line in events.read_bytes().splitlines() if (event := parse_event(line))
    ]
    assert kinds[0] == "stage"
    assert kinds[-1] == "progress"  # the end of the stage
    assert len(kinds) < 100


def test_a_disk_that_refuses_events_ends_the_work(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log, Reporter(log) as report:
        report.show(Progress("slices", 1, 9, 1.0))
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, log._fd)
        os.close(full)
        report.show(Progress("slices", 2, 9, 1.0))
        wait_until(lambda: report._error, "the disk refuses")
        with pytest.raises(OutputError, match="No space left"):
            report.show(Progress("slices", 3, 9, 1.0))
