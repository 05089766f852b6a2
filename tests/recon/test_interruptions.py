"""Runs that are cancelled, that fail, that are killed and go on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.errors import AlsctError, CancelledError, InputError, OutputError
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.model.recipe import (
    Center,
    EngineSettings,
    Output,
    Recipe,
    Region,
    RingFilter,
    Rotation,
    Zingers,
    recipe_to_dict,
)
from alsct_gui.model.scan import Scan
from alsct_gui.recon.engines.base import Availability, Capabilities, SliceGeometry
from alsct_gui.recon.job import Job, prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.recon.scans import Stack, counts_scan

KNOWN = Recipe(center=Center("manual", 31.2))
TILTED = replace(KNOWN, rotation=Rotation(tilt_deg=1.0))
WAIT_S = 60


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = SimulationSpec(n_columns=64, n_rows=30, n_angles=61, center_px=31.2, n_flats=4)
    return simulate_scan(tmp_path_factory.mktemp("scan") / "scan.h5", spec)


@pytest.fixture(scope="module")
def scan(path: Path) -> Iterator[Scan]:
    with open_scan(path) as opened:
        yield opened


def own_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("alsct-")]


# Cancelled


@pytest.mark.parametrize("recipe", [KNOWN, TILTED], ids=["plain", "first pass"])
@pytest.mark.parametrize("moment", [0, 1, 3, 5])
def test_cancelled_from_its_progress_it_leaves_nothing(
    moment: int, recipe: Recipe, scan: Scan, tmp_path: Path
) -> None:
    cancel, steps = CancelToken(), []

    def show(step: Progress) -> None:
        steps.append(step)
        if len(steps) > moment:
            cancel.cancel()

    job = prepare_job(scan, recipe, batch_slices=5)
    with pytest.raises(CancelledError):
        run_job(job, tmp_path / "slices.zarr", progress=show, cancel=cancel)
    assert list(tmp_path.iterdir()) == []
    assert own_threads() == []
    # Items that were under way may still have told where they are.
    assert len(steps) <= moment + 2


def test_cancelled_before_it_starts_it_makes_nothing(scan: Scan, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        run_job(prepare_job(scan, KNOWN), tmp_path / "slices.zarr", cancel=cancel)
    assert list(tmp_path.iterdir()) == []


class Waiting(Stack):
    """Frames whose reading waits until the run is cancelled."""

    def __init__(self, frames: Any, begun: threading.Event, cancel: CancelToken) -> None:
        super().__init__(frames)
        self._begun, self._cancel = begun, cancel

    def read(self, *args: Any, **more: Any) -> Any:
        if "out" in more:  # the flow's own reading, not the identity's
            self._begun.set()
            assert self._cancel._event.wait(WAIT_S)
        return super().read(*args, **more)


def test_cancelled_from_another_thread_while_it_reads(tmp_path: Path) -> None:
    begun, cancel = threading.Event(), CancelToken()
    scan = counts_scan(20, 8, 24)
    frames = scan.projections.read()
    scan = replace(scan, projections=Waiting(frames, begun, cancel))
    job = prepare_job(scan, replace(KNOWN, center=Center("manual", 11.5)))

    def later() -> None:
        if begun.wait(WAIT_S):
            cancel.cancel()

    other = threading.Thread(target=later)
    other.start()
    with pytest.raises(CancelledError):
        run_job(job, tmp_path / "slices.zarr", cancel=cancel)
    other.join()
    assert list(tmp_path.iterdir()) == []
    assert own_threads() == []


class PatientEngine:
    """Stands in for an engine that works for hours: each call waits until it is cancelled."""

    def __init__(self) -> None:
        self.called, self.cancelled = threading.Event(), threading.Event()

    def capabilities(self) -> Capabilities:
        return Capabilities("patient", "waits", ("wait",), iterative=True)

    def check(self) -> Availability:
        return Availability(ok=True, version="1")

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        return 0

    def reconstruct(self, sinograms: Any, geometry: Any, settings: Any, **more: Any) -> Any:
        self.called.set()
        assert self.cancelled.wait(WAIT_S), "nobody has cancelled the engine"
        raise CancelledError("cancelled")

    def cancel(self) -> None:
        self.cancelled.set()


def test_a_slow_engine_is_told_to_stop(scan: Scan, tmp_path: Path) -> None:
    engine, cancel = PatientEngine(), CancelToken()
    job = replace(prepare_job(scan, KNOWN), engine=engine)

    def later() -> None:
        if engine.called.wait(WAIT_S):
            cancel.cancel()

    other = threading.Thread(target=later)
    other.start()
    with pytest.raises(CancelledError):
        run_job(job, tmp_path / "slices.zarr", cancel=cancel)
    other.join()
    assert engine.cancelled.is_set()
    assert list(tmp_path.iterdir()) == []
    assert own_threads() == []


# Failed


@pytest.mark.parametrize("reads", [0, 1, 2])
@pytest.mark.parametrize("tilt_deg", [0.0, 1.0])
def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_kept(
    reads: int, tilt_deg: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small slabs, so that there are several reads.
    monkeypatch.setattr("alsct_gui.recon.plan.SLAB_SLICES", 4)
    monkeypatch.setattr("alsct_gui.recon.firstpass.FIRST_PASS_BYTES", 5 * 16 * 24 * 4)
    scan = counts_scan(20, 16, 24)
    recipe = Recipe(
        center=Center("manual", 11.5), rotation=Rotation(tilt_deg=tilt_deg), zingers=Zingers()
    )
    job = prepare_job(scan, recipe, batch_slices=2)
    good = scan.projections.read()
    flawed = Stack(good, reads_left=4 + reads)  # four are for the quick identity
    broken = replace(job, scan=replace(scan, projections=flawed))
    output = tmp_path / "slices.zarr"
    with pytest.raises(InputError, match="the file was cut short"):
        run_job(broken, output)
    assert own_threads() == []
    assert [p.name for p in tmp_path.iterdir()] == [".slices.zarr.partial"]
    # The scan is whole again: it goes on from there.
    run_job(job, output, resume=True)
    run_job(job, tmp_path / "at once.zarr")
    assert files_of(output) == files_of(tmp_path / "at once.zarr")


class FailingEngine(PatientEngine):
    def reconstruct(self, sinograms: Any, geometry: Any, settings: Any, **more: Any) -> Any:
        raise ValueError("slice 3 is bad")


def test_an_error_of_the_engine_comes_out_as_it_is(scan: Scan, tmp_path: Path) -> None:
    job = replace(prepare_job(scan, KNOWN), engine=FailingEngine())
    with pytest.raises(ValueError, match="slice 3 is bad"):
        run_job(job, tmp_path / "slices.zarr")
    assert own_threads() == []


def test_an_error_of_a_filter_comes_out_as_it_is(scan: Scan, tmp_path: Path) -> None:
    recipe = replace(KNOWN, rings=(RingFilter("wavelet-fourier", wavelet="no such"),))
    with pytest.raises(AlsctError, match="no such"):
        run_job(prepare_job(scan, recipe), tmp_path / "slices.zarr")
    assert own_threads() == []


def test_an_error_of_the_progress_callback_comes_out(scan: Scan, tmp_path: Path) -> None:
    def show(step: Progress) -> None:
        if step.done:
            raise RuntimeError("the window is gone")

    with pytest.raises(RuntimeError, match="the window is gone"):
        run_job(prepare_job(scan, KNOWN), tmp_path / "slices.zarr", progress=show)
    assert own_threads() == []


# Killed, and gone on with


def start(path: Path, output: Path, recipe: Recipe, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.recon.runs", str(path), str(output)]
    command += [json.dumps(recipe_to_dict(recipe)), "batch=5", *options]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def run(path: Path, output: Path, recipe: Recipe, *options: str) -> dict[str, Any]:
    with start(path, output, recipe, *options) as process:
        lines = process.communicate(timeout=WAIT_S)[0].splitlines()
    assert process.returncode == 0
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def run_and_kill(path: Path, output: Path, recipe: Recipe, line: str, *options: str) -> None:
    with start(path, output, recipe, *options) as process:
        assert process.stdout is not None
        assert line in (text.strip() for text in process.stdout)
        process.kill()
    assert not output.exists()


def files_of(product: Path) -> dict[str, bytes]:
    """Content of every file; of the provenance without times."""
    content = {}
    for file in sorted(product.rglob("*")):
        if file.is_file():
            name, data = str(file.relative_to(product)), file.read_bytes()
            if name in ("zarr.json", "provenance.json"):
                plain = json.loads(data)
                told = plain["attributes"]["alsct"] if name == "zarr.json" else plain
                del told["seconds"], told["created"]
                if name == "zarr.json":
                    plain["attributes"]["ome"]["multiscales"][0].pop("name")
                data = json.dumps(plain).encode()
            content[name] = data
    return content


KILLED = {
    "plain": KNOWN,
    "found and filtered": Recipe(rings=(RingFilter("sorting"),), zingers=Zingers()),
    "first pass": TILTED,
    "tiff": replace(KNOWN, output=Output(format="tiff", dtype="uint16")),
    "odd rows": replace(KNOWN, region=Region(rows=(1, 28))),
}


@pytest.mark.parametrize("name", KILLED)
def test_killed_and_resumed_it_ends_in_the_same_bytes(
    name: str, path: Path, scan: Scan, tmp_path: Path
) -> None:
    recipe, output = KILLED[name], tmp_path / "slices"
    run_and_kill(path, output, recipe, "slices 15", "wait=15")
    done: list[int] = []
    job = prepare_job(scan, recipe, batch_slices=5, threads=2)
    run_job(job, output, resume=True, progress=lambda step: done.append(step.done))
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    whole = run_job(prepare_job(scan, recipe, batch_slices=5), tmp_path / "whole" / "slices")
    assert files_of(output) == files_of(whole.output)
    assert read_provenance(output).quality == whole.provenance.quality


def test_killed_in_the_first_pass_it_starts_that_anew(
    path: Path, scan: Scan, tmp_path: Path
) -> None:
    output = tmp_path / "slices.zarr"
    run_and_kill(path, output, TILTED, "slices 0", "wait=0")
    assert (tmp_path / ".slices.zarr.partial" / "projections").exists()
    job = prepare_job(scan, TILTED, batch_slices=5)
    run_job(job, output, resume=True)
    whole = run_job(job, tmp_path / "whole.zarr")
    assert files_of(output) == files_of(whole.output)
    assert len(list(tmp_path.iterdir())) == 2


def test_another_recipe_does_not_go_on_with_it(path: Path, scan: Scan, tmp_path: Path) -> None:
    output = tmp_path / "slices.zarr"
    run_and_kill(path, output, KNOWN, "slices 15", "wait=15")
    other = replace(KNOWN, engine=EngineSettings(filter="hann"))
    with pytest.raises(OutputError, match="another recipe"):
        run_job(prepare_job(scan, other, batch_slices=5), output, resume=True)
    with pytest.raises(OutputError, match="another recipe"):
        run_job(prepare_job(scan, KNOWN, batch_slices=6), output, resume=True)
    run_job(prepare_job(scan, other), output)  # without resuming it starts anew
    assert np.isclose(read_provenance(output).center.center_px, 31.2)


@pytest.mark.parametrize("recipe", [KNOWN, TILTED], ids=["slices", "first pass"])
def test_a_disk_that_is_full_is_told_and_the_run_can_go_on(
    recipe: Recipe, path: Path, scan: Scan, tmp_path: Path
) -> None:
    output = tmp_path / "slices.zarr"
    answer = run(path, output, recipe, "file_bytes=100000")
    assert answer["error"] == "OutputError"
    assert "too large" in answer["sentence"]
    assert "resume" in answer["sentence"]
    assert [p.name for p in tmp_path.iterdir()] == [".slices.zarr.partial"]
    assert "error" not in run(path, output, recipe, "resume")
    whole: Job = prepare_job(scan, recipe, batch_slices=5)
    assert files_of(output) == files_of(run_job(whole, tmp_path / "whole.zarr").output)


def test_damaged_figures_of_an_earlier_run_are_refused(
    path: Path, scan: Scan, tmp_path: Path
) -> None:
    output = tmp_path / "slices.zarr"
    run_and_kill(path, output, KNOWN, "slices 15", "wait=15")
    figures = tmp_path / ".slices.zarr.partial" / "figures.jsonl"
    figures.write_text('[0, {"counts": 5}]\n')
    job = prepare_job(scan, KNOWN, batch_slices=5)
    with pytest.raises(OutputError, match="Start anew"):
        run_job(job, output, resume=True)
    run_job(job, output)
    assert output.exists()
