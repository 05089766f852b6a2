"""This workstation as a place of the same kind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.superfacility.compute.base import Compute, JobRequest, Resources, outcome
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import RefusedError
from tests.superfacility.compute.conftest import LONG, WORK

RESOURCES = Resources("local", "none", "cpu", time_s=600, cpus=1, memory_gb=1)
WORKER = (sys.executable, "-c", WORK)
LASTING = (sys.executable, "-c", LONG)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("here")
    yield place
    for item in place.glob("*.pid"):
        try:
            os.killpg(int(item.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue


def request(folder: Path, key: str = "k") -> JobRequest:
    return JobRequest(key, f"{folder}/raw 'x.h5", f"{folder}/rec $(x)", RESOURCES, slices=4)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the test's own limit ends it otherwise."""
    while not condition():
        time.sleep(0.005)


def wait(here: Here, id_: str) -> JobState:
    """Wait for the end of a job."""
    until(lambda: here.status(id_).is_final)
    return here.status(id_).state


def test_a_job_runs_and_is_one_however_often_asked(folder: Path) -> None:
    here, job = Here(folder, program=WORKER), request(folder)
    assert isinstance(here, Compute)
    assert here.find(job.name) is None
    assert here.status(job.name).listed is False
    id_ = here.submit(job)
    assert here.submit(job) == id_
    assert wait(here, id_) is JobState.COMPLETED
    assert outcome(here.status(id_), here.progress(job.name), 4).verdict == "done"
    assert (Path(job.output) / "scan").read_text() == job.scan
    stamp = (Path(job.output) / "scan").stat().st_mtime_ns
    other = Here(folder, program=WORKER)
    assert other.submit(job) == id_
    assert other.status(id_).state is JobState.COMPLETED
    assert (Path(job.output) / "scan").stat().st_mtime_ns == stamp


def test_cancel_in_good_order_also_by_another_process(folder: Path) -> None:
    here, job = Here(folder, program=LASTING), request(folder)
    id_ = here.submit(job)
    other = Here(folder, program=LASTING)
    assert other.submit(job) == id_
    assert other.status(id_).state is JobState.RUNNING
    claim = folder / f"{job.name}.claim"
    until(claim.exists)
    other.cancel(id_)
    assert wait(here, id_) in (JobState.CANCELLED, JobState.FAILED)
    assert other.status(id_).is_final
    other.cancel(id_)


def test_a_killed_job_is_told_as_lost(folder: Path) -> None:
    here, job = Here(folder, program=LASTING), request(folder)
    id_ = here.submit(job)
    claim = folder / f"{job.name}.claim"
    until(claim.exists)
    os.killpg(int((folder / f"{job.name}.pid").read_text()), signal.SIGKILL)
    assert wait(here, id_) is JobState.NODE_FAIL


def test_a_failing_program_and_foreign_ids(folder: Path) -> None:
    here = Here(folder, program=("bash", "-c", "exit 3"))
    id_ = here.submit(request(folder))
    assert wait(here, id_) is JobState.FAILED
    assert here.status(id_).exit_code == 3
    with pytest.raises(RefusedError):
        here.status("../x")
    with pytest.raises(RefusedError):
        Here(folder / "a b")


def test_the_program_itself_reconstructs(folder: Path) -> None:
    spec = SimulationSpec(phantom="foam", n_columns=64, n_rows=4, n_angles=61, center_px=32)
    scan = simulate_scan(folder / "a $(x) 'é\n.h5", spec)
    options = ("--center", "32", "--set", "rings=[]")
    job = JobRequest("k", str(scan), str(folder / "rec b.zarr"), RESOURCES, options=options)
    here = Here(folder)
    id_ = here.submit(job)
    assert wait(here, id_) is JobState.COMPLETED, (folder / f"{job.name}.log").read_text()
    assert outcome(here.status(id_), here.progress(job.name), 4).verdict == "done"
