"""A run stays within the memory that its plan announces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.recipe import (
    Center,
    Output,
    Recipe,
    Region,
    RingFilter,
    Rotation,
    Zingers,
)
from alsct_gui.simulator.physics import Physics
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.recon.test_interruptions import run

KNOWN = Recipe(center=Center("manual", 640.0))
RECIPES = {
    "plain": KNOWN,
    "filters": replace(
        KNOWN, zingers=Zingers(), rings=(RingFilter("sorting"),), output=Output("tiff")
    ),
    "binned": replace(KNOWN, region=Region(binning=2)),
    "first pass": replace(
        KNOWN, rotation=Rotation(tilt_deg=0.5), region=Region(binning=2, angle_step=2)
    ),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = SimulationSpec(
        n_columns=1280, n_rows=64, n_angles=600, repeat_rows=1, n_flats=4, n_darks=2,
        i0cycle=200, physics=Physics.ideal(),
    )  # fmt: skip
    return simulate_scan(tmp_path_factory.mktemp("scan") / "scan.h5", spec)


@pytest.mark.parametrize("name", RECIPES)
def test_peak_memory_is_within_the_plan(name: str, path: Path, tmp_path: Path) -> None:
    answer = run(path, tmp_path / "slices", RECIPES[name], "threads=2", "batch=16")
    assert answer["peak_bytes"] <= answer["planned_bytes"]
