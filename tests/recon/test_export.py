"""The exported command and script make the voxels that the recipe makes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.cli.options import apply_assignments
from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.recipe import (
    BeamHardening,
    Center,
    Phase,
    Recipe,
    RingFilter,
    Zingers,
    recipe_from_dict,
    recipe_to_dict,
)
from alsct_gui.recon.export import command_line, python_script
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

CHANGED = replace(
    load_recipe("noisy"),
    rings=(RingFilter("sorting", size_small_px=5), RingFilter("titarenko")),
    center=Center("manual", 31.25),
    beam_hardening=BeamHardening((1.0, 1e-05)),
    zingers=Zingers(threshold=1e-7),
)


def recipe_of(command: str) -> Recipe:
    """The recipe that `alsct recon` makes of a command's words."""
    words = shlex.split(command)
    preset = words[words.index("--recipe") + 1]
    changes = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    data: dict[str, Any] = dict(recipe_to_dict(load_recipe(preset)))
    return recipe_from_dict(apply_assignments(data, changes))


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_its_name(name: str) -> None:
    command = command_line(load_recipe(name), "scan.h5", "rec.zarr")
    assert command == f"alsct recon scan.h5 --output rec.zarr --recipe {name}"


@pytest.mark.parametrize("recipe", [CHANGED, Recipe(), replace(Recipe(), phase=Phase(1e22))])
def test_the_command_gives_the_recipe_back(recipe: Recipe) -> None:
    assert recipe_of(command_line(recipe, "a b.h5", "c'd.zarr")) == recipe


@given(
    st.text(max_size=30), st.text(max_size=60),
    st.floats(1e-9, 1.0), st.floats(-1e6, 1e6), st.sampled_from(preset_names()),
)  # fmt: skip
def test_any_words_and_numbers_survive_shell_and_yaml(
    name: str, description: str, least: float, center_px: float, preset: str
) -> None:
    base = load_recipe(preset)
    recipe = replace(
        base, name=name, description=description, center=Center("manual", center_px),
        correction=replace(base.correction, transmission_min=least),
    )  # fmt: skip
    assert recipe_of(command_line(recipe, "x.h5", "y.zarr")) == recipe


def test_paths_are_quoted_and_never_options() -> None:
    words = shlex.split(command_line(Recipe(), "-x $(y) 'é'.h5", "-o"))
    assert words[2:5] == ["./-x $(y) 'é'.h5", "--output", "./-o"]


def test_command_script_and_library_make_the_same_voxels(tmp_path: Path) -> None:
    spec = SimulationSpec(phantom="foam", n_columns=64, n_rows=4, n_angles=91, center_px=31.25)
    scan_path = simulate_scan(tmp_path / "scan $(x) é.h5", spec)
    with open_scan(scan_path) as scan:
        run_job(prepare_job(scan, CHANGED), tmp_path / "library.zarr")
    command = shlex.split(command_line(CHANGED, scan_path, tmp_path / "command.zarr"))
    start = [sys.executable, "-c", "from alsct_gui.cli import main; main()"]
    script = tmp_path / "script.py"
    script.write_text(python_script(CHANGED, scan_path, tmp_path / "script.zarr"))
    subprocess.run([*start, *command[1:]], check=True, capture_output=True)
    subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    voxels = []
    for name in ("library", "command", "script"):
        with open_volume(tmp_path / f"{name}.zarr") as volume:
            voxels.append(np.asarray(volume.levels[0][:]))
    assert voxels[0].tobytes() == voxels[1].tobytes() == voxels[2].tobytes()
