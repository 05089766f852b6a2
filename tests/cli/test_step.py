"""`alsct step` as a person or a program calls it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.steps.export import command_line
from tests.cli.conftest import Alsct
from tests.steps.conftest import toys, values, volume_path
from tests.steps.toysteps import SMOOTH, Smooth

__all__ = ["toys", "values", "volume_path"]
pytestmark = pytest.mark.usefixtures("toys")


def test_steps_are_listed_and_shown(alsct: Alsct) -> None:
    listed = alsct("step", "list", "--json").data["steps"]
    assert {"toy.smooth", "toy.count"} <= {row["name"] for row in listed}
    words = alsct("step", "list")
    assert "Averages neighbours." in words.out
    assert "toy.broken  (not available:" in words.out
    shown = alsct("step", "show", "toy.smooth", "--json").data
    assert shown["presets"]["strong"]["size_px"] == 7
    assert shown["settings"][0]["minimum"] == 1
    assert "--set size_px=3 px (from 1 to 15)  Edge" in alsct("step", "show", "toy.smooth").out


def test_one_runs_and_its_product_tells(alsct: Alsct, volume_path: Path, tmp_path: Path) -> None:
    params = tmp_path / "p.json"
    params.write_text(json.dumps({"factor": 2.0, "size_px": 3}))
    out = tmp_path / "out.zarr"
    done = alsct(
        "step", "run", "toy.smooth", volume_path, out, "--preset", "strong", "--params", params,
        "--set", "size_px=5", "--json",
    ).data  # fmt: skip
    assert done["parameters"] == {"size_px": 5, "mode": "mean", "factor": 2.0, "span": None}
    assert done["outputs"] == {"smooth": str(out)}
    words = alsct("info", out).out
    assert "step      toy.smooth (size_px 5, mode mean, factor 2.0, span None)" in words
    assert "made from /data/scan.h5" in words
    assert alsct("info", out, "--json").data["provenance"]["versions"]["toys"] == "1.5"


def test_the_copied_command_does_the_same(alsct: Alsct, volume_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "-o.zarr"
    command = command_line(SMOOTH, Smooth(5, "most"), {"volume": volume_path}, out)
    assert alsct(*shlex.split(command)[1:]).code == 0
    with open_volume(out) as volume:
        assert volume.provenance["parameters"]["mode"] == "most"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["toy.none", "{volume}", "{out}"], 5, "no step of this name"),
        (["toy.smooth", "{volume}", "{out}", "--set", "size_px=4"], 4, "is even"),
        (["toy.smooth", "{out}"], 2, "needs the input 'volume'"),
        (["toy.smooth", "{volume}", "{volume}", "{out}"], 2, "takes 1 inputs"),
        (["toy.smooth", "none.zarr", "{out}"], 3, "no such file"),
        (["toy.smooth", "{volume}", "{volume}"], 7, "exists already"),
        (["toy.smooth", "{out}", "--input", "volume"], 2, "has no '='"),
        (["toy.smooth", "{volume}", "{out}", "--memory-gb", "0.3", "--set", "size_px=15"], 0, ""),
    ],
)
def test_exit_codes(
    alsct: Alsct, volume_path: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    places = {"volume": volume_path, "out": tmp_path / "out.zarr"}
    answer = alsct("step", "run", *(word.format(**places) for word in words))
    assert answer.code == code, answer.err
    assert said in answer.err
