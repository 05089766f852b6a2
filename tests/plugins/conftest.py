from __future__ import annotations

from pathlib import Path

import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.cli.conftest import alsct
from tests.face.conftest import apart, viewer, wait
from tests.ui.conftest import collected, collector, on_screen

__all__ = ["alsct", "apart", "collected", "collector", "on_screen", "viewer", "wait"]


@pytest.fixture(scope="session")
def scan_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated scan; its axis is at column 66.3 of 128."""
    spec = SimulationSpec(
        phantom="foam", n_columns=128, n_rows=12, n_angles=181, center_px=66.3, seed=3
    )
    return simulate_scan(tmp_path_factory.mktemp("scan") / "foam é.h5", spec)


@pytest.fixture(scope="session")
def rec_path(scan_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its reconstruction: 12 slices of 128 x 128."""
    with open_scan(scan_path) as scan:
        job = prepare_job(scan, Recipe())
        return run_job(job, tmp_path_factory.mktemp("rec") / "recfoam.zarr").output


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own for what steps leave."""
    monkeypatch.setenv("ALSCT_STEPS", str(tmp_path / "jobs"))
