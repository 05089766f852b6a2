"""One's own code, many volumes, and scripts by `alsct step`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.open import open_volume
from alsct_gui.files.recipes import load_recipe
from alsct_gui.files.resources import resource_path
from alsct_gui.files.tables import read_table
from alsct_gui.files.writers.base import create_volume
from alsct_gui.placement.policy import load_policy, recipe_hash
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.superfacility.compute.progress import read_progress
from tests.cli.conftest import Alsct
from tests.steps.conftest import toys, values, volume_path

__all__ = ["toys", "values", "volume_path"]
CODE = '''OUTPUT = "table"
def run(volume, threshold: float = 0.7):
    """Counts voxels."""
    if threshold < 0: raise ValueError("no")
    return {"slice": range(len(volume)), "n": (volume > threshold).sum(axis=(1, 2))}
'''


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "my code.py"
    path.write_text(CODE)
    return path


def volumes(folder: Path, count: int) -> list[Path]:
    made = []
    for number in range(count):
        (folder / f"day{number}").mkdir()
        data = np.full((4, 8, 8), number, np.float32)
        with create_volume(
            folder / f"day{number}" / "rec.zarr", shape=data.shape, dtype="float32"
        ) as writer:
            writer.write(0, data)
            made.append(writer.finish())
    return made


def test_by_path_and_from_the_folder(
    alsct: Alsct, code: Path, tmp_path: Path, volume_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = alsct("step", "show", code, "--json").data
    assert shown["sentence"] == "Counts voxels."
    assert shown["settings"][0]["default"] == 0.7
    monkeypatch.setenv("ALSCT_OWN_STEPS", str(tmp_path))
    (tmp_path / "bad.py").write_text("def run(")
    rows = {row["name"]: row for row in alsct("step", "list", "--json").data["steps"]}
    assert rows["own.my-code"]["package"] == str(code)
    assert "is no Python" in rows["bad.py"]["error"]
    assert str(code) in alsct("step", "list").out
    done = alsct("step", "run", "own.my-code", volume_path, tmp_path / "n.csv", "--json").data
    assert read_table(done["outputs"]["made"]).column("n").sum() == 8 * 100 + 6 * 20 * 30 - 4 * 100
    assert alsct("step", "show", tmp_path / "none.py").code == 3


def test_many_volumes(alsct: Alsct, code: Path, tmp_path: Path) -> None:
    into = tmp_path / "tables"
    paths = volumes(tmp_path, 3)
    broken = tmp_path / "broken.zarr"
    broken.mkdir()
    words = ("step", "run", code, paths[0], broken, *paths[1:], "--into", into)
    answer = alsct(*words, "--json")
    assert answer.code == 3
    assert [bool(row["error"]) for row in answer.data["pieces"]] == [False, True, False, False]
    names = [f"day{k}-rec.my-code.csv" for k in range(3)]
    assert sorted(path.name for path in into.glob("*.csv")) == names
    assert read_table(into / names[2]).column("n").tolist() == [64] * 4
    again = alsct(*words, "--resume", "--json").data["pieces"]
    assert [row["was_there"] for row in again] == [True, False, True, True]
    assert "exists already" in alsct(*words).err
    # Other parameters, or other code: what is there is another product.
    assert "exists already" in alsct(*words, "--resume", "--set", "threshold=5").err
    code.write_text(CODE + "# changed\n")
    assert "exists already" in alsct(*words, "--resume").err
    lines = alsct(*words, "--overwrite").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1 of 4", "3 of 4", "4 of 4"]


def test_two_of_one_name_and_no_volume(alsct: Alsct, code: Path, tmp_path: Path) -> None:
    (path,) = volumes(tmp_path, 1)
    answer = alsct("step", "run", code, path, path, "--into", tmp_path / "out")
    assert (answer.code, "is there twice" in answer.err) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def chain(alsct: Alsct, foam: Path, code: Path, tmp_path: Path, toys: Path) -> Path:
    """A table by one's own code of a filtered reconstruction of a scan."""
    rec, smooth, table = (tmp_path / f"{name}" for name in ("rec é.zarr", "s m.zarr", "n$(x).csv"))
    for words in (
        ("recon", foam, "--output", rec, "--center", "66.3", "--set", "output.dtype=uint16"),
        ("step", "run", "toy.smooth", rec, smooth, "--preset", "strong"),
        ("step", "run", code, smooth, table, "--set", "threshold=0.25"),
    ):
        answer = alsct(*words)
        assert answer.code == 0, answer.err
    return table


def made_again(words: list[object], folder: Path) -> None:
    """Run a script as a person does, with `alsct` on the path."""
    shim = folder / "bin" / "alsct"
    shim.parent.mkdir()
    shim.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from alsct_gui.cli.app import run; run()' \"$@\"\n"
    )
    shim.chmod(0o755)
    root = str(Path(__file__).parents[2])
    found = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}",
             "PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}"}  # fmt: skip
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=found, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def values_of(path: Path) -> Any:
    with open_volume(path) as volume:
        return volume.levels[0][:]


@pytest.mark.parametrize("name", ["again.sh", "again.py"])
def test_a_script_makes_the_whole_chain_again(
    alsct: Alsct, chain: Path, tmp_path: Path, name: str
) -> None:
    script = tmp_path / name
    answer = alsct("step", "script", chain, "--output", script)
    assert (answer.code, answer.err) == (0, "")
    assert alsct("step", "script", chain, "--output", script).code == 7
    printed = alsct("step", "script", chain, *(["--python"] if name == "again.py" else []))
    assert printed.out == script.read_text()
    runner = [sys.executable] if name == "again.py" else ["sh"]
    made_again([*runner, script, tmp_path / "new ones"], tmp_path)
    for product in ("rec é.zarr", "s m.zarr"):
        np.testing.assert_array_equal(
            values_of(tmp_path / "new ones" / product), values_of(tmp_path / product)
        )
    assert (tmp_path / "new ones" / chain.name).read_text() == chain.read_text()
    assert not (tmp_path / "x").exists()


def test_what_is_gone_is_said(alsct: Alsct, chain: Path, code: Path, tmp_path: Path) -> None:
    code.write_text(CODE + "# changed\n")
    told = json.loads(chain.with_suffix(".json").read_text())
    inner = told["inputs"][0]["made"]["inputs"][0]["made"]
    inner["input_path"] = str(tmp_path / "gone.h5")
    chain.with_suffix(".json").write_text(json.dumps(told))
    answer = alsct("step", "script", chain)
    assert answer.code == 0
    assert "gone.h5 is not there any more" in answer.err.replace("\n", " ")
    assert "is not what it was" in answer.err.replace("\n", " ")
    told["inputs"][0]["made"]["parameters"] = {"size_px": "many"}
    chain.with_suffix(".json").write_text(json.dumps(told))
    assert alsct("step", "script", chain).code == 4
    told["inputs"][0]["made"]["inputs"] = 5
    chain.with_suffix(".json").write_text(json.dumps(told))
    assert alsct("step", "script", chain).code == 3


def test_products_of_one_step_are_made_once(
    alsct: Alsct, toys: Path, volume_path: Path, code: Path, tmp_path: Path
) -> None:
    alsct("step", "run", "toy.count", volume_path, tmp_path / "counted")
    product = next(path for path in sorted((tmp_path / "counted").glob("*.csv")))
    text = alsct("step", "script", product).out
    assert text.count("toy.count") == 1
    assert '"$out"/counted\n' in text
    answer = alsct("step", "script", volume_path)
    assert (answer.code, "does not tell how it was made" in answer.err) == (3, True)


def test_a_job_is_told_how_far_it_is_and_refuses_other_code(
    alsct: Alsct, code: Path, tmp_path: Path, volume_path: Path
) -> None:
    progress, sums = tmp_path / "progress.json", tmp_path / "sums.json"
    words = ["step", "run", code, volume_path, "--progress-file", progress, "--code", sums]
    sums.write_text(json.dumps({code.name: file_checksum(code)}))
    assert alsct(*words, tmp_path / "a.csv").code == 0
    told = read_progress(progress)
    assert told is not None
    assert (told.state, told.slices) == ("finished", None)
    code.write_text(f"{CODE}# another\n")
    refused = alsct(*words, tmp_path / "b.csv")
    assert refused.code == 2
    assert "not what was asked for" in refused.err
    told = read_progress(progress)
    assert told is not None
    assert (told.state, "not what was asked for" in told.message) == ("failed", True)
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.usefixtures("toys")
def test_a_plugins_step_has_no_code_to_check(
    alsct: Alsct, tmp_path: Path, volume_path: Path
) -> None:
    (tmp_path / "sums.json").write_text("{}")
    words = ["step", "run", "toy.smooth", volume_path, tmp_path / "a.zarr"]
    assert alsct(*words, "--code", tmp_path / "sums.json").code == 2
    into = ["step", "run", "toy.smooth", volume_path, "--into", tmp_path]
    assert alsct(*into, "--progress-file", tmp_path / "p.json").code == 2


@pytest.mark.usefixtures("toys")
def test_a_command_becomes_a_policy(alsct: Alsct, code: Path, tmp_path: Path) -> None:
    scan = simulate_scan(
        tmp_path / "a.h5",
        SimulationSpec(n_columns=32, n_rows=4, n_angles=31, center_px=15.6, n_flats=4),
    )
    volume, filtered = tmp_path / "rec.zarr", tmp_path / "f.zarr"
    assert alsct("recon", scan, "--recipe", "quick-look", "--output", volume).code == 0
    assert alsct("step", "run", "toy.smooth", volume, filtered, "--set", "size_px=5").code == 0
    words = ["step", "run", code, filtered, tmp_path / "x.csv", "--set", "threshold=0.1"]
    printed = alsct(*words, "--as-policy")
    assert printed.code == 0, printed.err
    assert not (tmp_path / "x.csv").exists()
    policy = tmp_path / "policy.yaml"
    base = resource_path("policies", "als-8.3.2.yaml").read_text().partition("wishes:")[0]
    policy.write_text(f"{base}{printed.out}")
    loaded = load_policy(policy)
    smooth, mine = loaded.sheets["smooth"], loaded.sheets["my-code"]
    assert smooth.parameters["size_px"] == 5
    assert smooth.inputs[0].mark == recipe_hash(load_recipe("quick-look"))
    assert mine.parameters == {"threshold": 0.1}
    assert mine.inputs[0].mark == smooth.mark
    assert [wish.places for wish in loaded.wishes] == [("data832-scratch",)]
    assert alsct("step", "run", code, scan, tmp_path / "x.csv", "--as-policy").code == 2
