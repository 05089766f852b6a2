"""Every command as a person or a program calls it, on a simulated scan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from alsct_gui.cli.app import COMMANDS
from alsct_gui.files.open import open_volume
from tests.cli.conftest import Alsct


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    heavy = "numba", "h5py", "zarr", "scipy", "skimage"
    program = (
        "import sys\nfrom alsct_gui.cli.app import _exit_code\n"
        "_exit_code(['--help'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert all(f"\n  {name}" in done.stdout for name in COMMANDS)
    assert done.stderr.strip() == "[]"


def test_info_of_a_scan(alsct: Alsct, foam: Path) -> None:
    data = alsct("info", foam, "--json").data
    assert data["shape"] == [181, 12, 128]
    assert data["layout"] == "als-8.3.2"
    assert data["geometry"]["pixel_size_um"] == pytest.approx(0.65)
    assert data["geometry"]["last_angle_deg"] == pytest.approx(-180)
    assert data["metadata"]
    words = alsct("info", foam, "--all")
    assert "181 of 12 rows x 128 columns" in words.out
    assert "/measurement/instrument/detector/pixel_size" in words.out


def test_check_says_ok_and_what_is_wrong(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    good = alsct("check", foam, "--json")
    assert (good.code, good.data["ok"]) == (0, True)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(foam.read_bytes()[:200_000])
    bad = alsct("check", cut, "--json")
    assert (bad.code, bad.data["ok"]) == (8, False)
    assert {"name", "severity", "message"} <= set(bad.data["findings"][0])
    assert "truncated" in {item["name"] for item in bad.data["findings"]}
    refused = alsct("recon", cut, "-o", tmp_path / "never.zarr")
    assert refused.code == 3
    assert refused.err.count("\n") == 1
    assert not list(tmp_path.glob("*never*"))


def test_center_agrees_with_the_simulated_axis(alsct: Alsct, foam: Path) -> None:
    data = alsct("center", foam, "--set", "rings=[]", "--json").data
    assert data["center_px"] == pytest.approx(66.3, abs=0.25)
    assert data["confidence"] > 0.5
    assert {"phase-correlation", "sinogram"} <= {e["method"] for e in data["estimates"]}
    assert "rotation axis at column 66" in alsct("center", foam, "-s", "rings=[]").out


def test_preview_writes_a_picture(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    picture = tmp_path / "slice.png"
    data = alsct("preview", foam, "-o", picture, "--row", 5, "--center", 66.3, "--json").data
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert data["center_px"] == 66.3
    assert data["maximum"] > data["minimum"]
    assert data["units"] == "1/cm"


@pytest.mark.parametrize(
    ("setting", "values", "tried"),
    [
        ("center.center_px", "64:68:3", [64.0, 66.0, 68.0]),
        ("engine.filter", "ramp,hann", ["ramp", "hann"]),
        ("phase.delta_beta", "100,1000", [100, 1000]),
    ],
)
def test_sweep_over_any_setting(
    alsct: Alsct, foam: Path, tmp_path: Path, setting: str, values: str, tried: list[object]
) -> None:
    sheet = tmp_path / "sheet.png"
    data = alsct(
        "sweep", foam, setting, values, "-o", sheet, "-s", "rings=[]", "--center", 66.3, "--json"
    ).data
    assert data["values"] == tried
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_recon_replay_convert_and_info_of_the_product(
    alsct: Alsct, foam: Path, tmp_path: Path
) -> None:
    product, again = tmp_path / "rec.zarr", tmp_path / "again.zarr"
    common = ("--set", "rings=[{method: sorting}]", "--set", "zingers={}")
    data = alsct("recon", foam, "-o", product, *common, "--rows", "2:10", "--json").data
    assert data["slices"] == 8
    assert data["center_px"] == pytest.approx(66.3, abs=0.25)
    assert data["quality"]["slices_found"] == data["quality"]["slices_expected"] == 8
    assert {"read", "correct", "reconstruct", "write", "total"} <= set(data["seconds"])

    assert alsct("replay", product, "-o", again, "--json").data["slices"] == 8
    with open_volume(product) as first, open_volume(again) as second:
        np.testing.assert_array_equal(first.levels[0][:], second.levels[0][:])

    facts = alsct("info", product, "--json").data
    assert facts["units"] == "1/cm"
    assert facts["voxel_um"] == pytest.approx([0.65] * 3)
    assert len(facts["provenance"]["input_sha256"]) == 64

    stack = tmp_path / "stack"
    made = alsct("convert", product, stack, "--dtype", "uint8", "--slices", "1:4", "--json").data
    assert (made["shape"], made["dtype"]) == ([3, 128, 128], "uint8")
    assert len(list(stack.glob("*.tiff"))) == 3


def test_replay_on_another_scan_finds_its_own_axis(
    alsct: Alsct, foam: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.h5"
    made = alsct(
        "simulate", other, "--columns", 128, "--rows", 6, "--angles", 181, "--center", 61.8,
        "--seed", 5, "--json",
    )  # fmt: skip
    assert made.data["shape"] == [181, 6, 128]
    product = tmp_path / "rec.zarr"
    assert alsct("recon", foam, "-o", product, "-s", "rings=[]").code == 0
    data = alsct("replay", product, other, "-o", tmp_path / "new.zarr", "--json").data
    assert data["center_px"] == pytest.approx(61.8, abs=0.25)
    assert data["slices"] == 6


def test_plan_does_nothing(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    place = tmp_path / "rec.zarr"
    data = alsct("recon", foam, "-o", place, "--plan", "--json").data
    assert data["plan"]["slices"] == 12
    assert data["plan"]["memory_bytes"] > 0
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unless_asked(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    place = tmp_path / "rec.zarr"
    words = ("recon", foam, "-o", place, "-s", "rings=[]", "--rows", "0:2", "--center", "66.3")
    assert alsct(*words).code == 0
    refused = alsct(*words)
    assert (refused.code, "exists already" in refused.err) == (7, True)
    assert alsct(*words, "--overwrite").code == 0
    assert len(list(tmp_path.glob("rec.zarr.old-*"))) == 1


def test_engines_are_listed_with_the_reason_why_not(alsct: Alsct) -> None:
    rows = {row["name"]: row for row in alsct("engines", "--json").data["engines"]}
    assert rows["fourier"]["available"] is True
    for row in rows.values():
        assert row["available"] or (row["reason"] and row["fix"])
    assert "gridrec is not quantitative" in alsct("engines").out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("recon", "no such file.h5"), 3, "no such file.h5"),
        (("recon", "FOAM", "--recipe", "no-such-recipe"), 4, "no-such-recipe"),
        (("recon", "FOAM", "--set", "rings.0.sigma=-1"), 4, "recipe.rings[0].sigma"),
        (("recon", "FOAM", "--set", "nonsense"), 4, "has no '='"),
        (("recon", "FOAM", "--set", "rings.7.sigma=1"), 4, "rings.7.sigma"),
        (("recon", "FOAM", "--rows", "5-7"), 4, "--rows"),
        (("recon", "FOAM", "--rows", "5:700"), 4, "recipe.region.rows"),
        (("recon", "FOAM", "--engine", "magic"), 5, "magic"),
        (("sweep", "FOAM", "center.center_px", "1:2"), 4, "neither a list nor a range"),
        (("preview", "FOAM", "--row", "99"), 4, "lies outside"),
        (("info", "FOAM", "--no-such-option"), 2, "--no-such-option"),
        (("info",), 2, "path"),
    ],
)
def test_errors_are_one_line_with_an_exit_code(
    alsct: Alsct, foam: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    answer = alsct(*(foam if word == "FOAM" else word for word in words))
    assert answer.code == code
    assert says in answer.err
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    as_json = alsct(*(foam if word == "FOAM" else word for word in words), "--json")
    assert as_json.data["error"]["exit_code"] == code


def test_a_recipe_file_is_taken(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        yaml.safe_dump({"rings": [], "center": {"method": "manual", "center_px": 60}})
    )
    data = alsct("preview", foam, "-r", recipe, "-o", tmp_path / "p.png", "--json").data
    assert data["center_px"] == 60
