"""Real keepers and workers on small scans, an engine that waits, and nothing left alive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from alsct_gui.model.recipe import Center, EngineSettings, Recipe
from alsct_gui.placement.runs.keeper import KeeperLock
from alsct_gui.placement.runs.model import RunRequest, RunView
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

WAIT_S = 60
FREE_BATCHES = 2
"""Batches of 16 slices that the waiting engine makes before it waits."""
KNOWN = Recipe(center=Center("manual", 31.2))
WAITING = Recipe(center=Center("manual", 31.2), engine=EngineSettings(name="waiting"))

_ENGINE = f"""
import os, threading
from pathlib import Path
from alsct_gui.model.errors import CancelledError
from alsct_gui.recon.engines.fourier import FourierEngine

class WaitingEngine(FourierEngine):
    calls = 0
    def __init__(self):
        super().__init__()
        self.gate = Path(os.environ["ALSCT_TEST_GATE"])
        self.stopped = threading.Event()
    def cancel(self):
        self.stopped.set()
    def reconstruct(self, *args, **more):
        self.calls += 1
        while self.calls > {FREE_BATCHES} and not self.gate.exists():
            if self.stopped.wait(0.02):
                raise CancelledError("cancelled")
        if self.gate.exists() and self.gate.read_text() == "break":
            raise ValueError("slice 3 is bad")
        return super().reconstruct(*args, **more)
"""


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return once a condition holds."""
    waiting = threading.Event()
    for _ in range(WAIT_S * 50):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError(f"waited in vain until {what}")


def processes_of(folder: Path) -> list[psutil.Process]:
    """Processes that were started with something in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(folder) in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile
    return [process for process in found if process.pid != psutil.Process().pid]


def view_of(queue: RunQueue, run_id: str) -> RunView:
    return next(view for view in queue.views() if view.id == run_id)


@pytest.fixture(autouse=True)
def no_process_left(tmp_path: Path) -> Iterator[None]:
    """Keepers and workers are no children of the test, so they are looked for by name."""
    yield
    try:
        wait_until(lambda: not processes_of(tmp_path), "all processes have ended")
    finally:
        for process in processes_of(tmp_path):
            process.kill()


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 rows of 64 columns, the axis at 31.2."""
    spec = SimulationSpec(n_columns=64, n_rows=80, n_angles=61, center_px=31.2, n_flats=4)
    return simulate_scan(tmp_path_factory.mktemp("scan") / "a scan $(x) é.h5", spec)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File that lets the engine ``waiting`` go on once it exists; a plugin as others write it."""
    site = tmp_path / "site"
    package = site / "waiting_engine-1.dist-info"
    package.mkdir(parents=True)
    (site / "waiting_engine.py").write_text(_ENGINE)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: waiting_engine\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[alsct_gui.engines]\nwaiting = waiting_engine:WaitingEngine\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    gate = tmp_path / "gate"
    monkeypatch.setenv("ALSCT_TEST_GATE", str(gate))
    return gate


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path / "runs")


@pytest.fixture
def idle_queue(queue: RunQueue) -> Iterator[RunQueue]:
    """A queue that nobody works off: this process holds the keeper's lock."""
    lock = KeeperLock(queue.folder)
    assert lock.take()
    lock.sign()
    yield queue
    lock.close()


def request(scan: Path, output: Path, recipe: Recipe = KNOWN, **more: int | bool) -> RunRequest:
    return RunRequest(scan, recipe, output, scan.stem, threads=1, **more)  # type: ignore[arg-type]
