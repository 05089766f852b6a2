"""From files to files, with provenance; whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from alsct_gui.files.identity import array_checksum
from alsct_gui.files.labels import load_labels
from alsct_gui.files.open import open_volume
from alsct_gui.files.provenance import read_made, read_provenance
from alsct_gui.files.tables import read_about, read_table
from alsct_gui.model.errors import (
    CancelledError,
    EngineUnavailableError,
    InputError,
    OutputError,
    UsageError,
)
from alsct_gui.model.product import StepProvenance
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.export import command_line, python_script
from alsct_gui.steps.preview import preview_slice
from alsct_gui.steps.registry import get_step, list_steps, step_names
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from alsct_gui.steps.values import array_volume
from tests.steps.toysteps import COUNT, SMOOTH, Smooth

Array = np.ndarray[Any, Any]


@pytest.mark.parametrize("name", ["smooth.zarr", "smooth"])
def test_a_volume_with_all_that_tells_how(
    volume_path: Path, values: Array, tmp_path: Path, name: str
) -> None:
    reporter = Reporter(threads=2, memory_bytes=4_000_000)
    result = run_step(
        SMOOTH, {"size_px": 5}, inputs={"volume": volume_path}, output=tmp_path / name,
        reporter=reporter,
    )  # fmt: skip
    with open_volume(result.outputs["smooth"]) as made:
        stored = made.levels[0][:]
        assert made.voxel_um == (2.0, 0.65, 0.65)
        assert made.units == "1/cm"
    np.testing.assert_allclose(stored, ndimage.uniform_filter(values, 5, mode="nearest"), 1e-5)
    told = read_made(tmp_path / name)
    assert isinstance(told, StepProvenance)
    assert (told.step, told.parameters["size_px"]) == ("toy.smooth", 5)
    (mark,) = told.inputs
    assert mark.sha256 == array_checksum(values)
    assert mark.path == str(volume_path)
    assert mark.made["engine"] == "fourier 1"
    with pytest.raises(InputError, match=r"the step toy\.smooth made it"):
        read_provenance(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([volume_path.name, name])


def test_a_chain_is_told_from_its_beginning(volume_path: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zarr", tmp_path / "b.zarr"
    run_step(SMOOTH, inputs={"volume": volume_path}, output=first)
    run_step(SMOOTH, Smooth(7), inputs={"volume": first}, output=second)
    told = read_made(second)
    assert isinstance(told, StepProvenance)
    before: Any = told.inputs[0].made
    assert before["parameters"]["size_px"] == 3
    assert before["inputs"][0]["made"]["input_path"] == "/data/scan.h5"


def test_several_outputs_in_one_folder(volume_path: Path, values: Array, tmp_path: Path) -> None:
    said: list[str] = []
    result = run_step(
        COUNT, {"above": 0.7}, inputs={"volume": volume_path}, output=tmp_path / "count",
        reporter=Reporter(say=said.append),
    )  # fmt: skip
    assert said == ["2 objects"]
    table = read_table(result.outputs["table"])
    assert table.column("size_voxels").tolist() == [400, 3600]
    assert table.facts == {"objects": 2}
    assert table.objects == "labels"
    assert read_about(result.outputs["table"])["inputs"][0]["sha256"] == array_checksum(values)
    with open_volume(volume_path) as volume:
        labels = load_labels(result.outputs["labels"], volume)
    assert labels.warnings == ()
    assert np.bincount(labels.labels[:].ravel()).tolist()[1:] == [400, 3600]
    made = read_made(result.outputs["labels"])
    assert isinstance(made, StepProvenance)
    assert made.output == "labels"
    assert "2 objects by toy.count" in result.outputs["report"].read_text()
    beside = json.loads(Path(f"{result.outputs['report']}.json").read_text())
    assert beside["parameters"] == {"above": 0.7}
    with pytest.raises(OutputError, match="exists already"):
        run_step(COUNT, inputs={"volume": volume_path}, output=tmp_path / "count")


def _cancelled_soon() -> Reporter:
    token = CancelToken()
    return Reporter(
        progress=lambda told: token.cancel(), say=lambda text: token.cancel(), cancel=token
    )


def test_nothing_is_left_of_what_was_cancelled(volume_path: Path, tmp_path: Path) -> None:
    for step, name in ((SMOOTH, "a.zarr"), (COUNT, "b")):
        with pytest.raises(CancelledError):
            run_step(step, inputs={"volume": volume_path}, output=tmp_path / name,
                     reporter=_cancelled_soon())  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == [volume_path.name]


def test_what_cannot_be_is_refused(volume_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "never.zarr"
    with pytest.raises(UsageError, match="needs the input 'volume'"):
        run_step(SMOOTH, inputs={}, output=out)
    with pytest.raises(UsageError, match="has no input 'mask'"):
        run_step(SMOOTH, inputs={"volume": volume_path, "mask": volume_path}, output=out)
    with pytest.raises(InputError, match="no such file"):
        run_step(SMOOTH, inputs={"volume": tmp_path / "none"}, output=out)
    with pytest.raises(InputError, match="labels are whole numbers"):
        run_step(COUNT, inputs={"volume": volume_path, "mask": volume_path}, output=out)
    with pytest.raises(OutputError, match="inside an input"):
        run_step(SMOOTH, inputs={"volume": volume_path}, output=volume_path / "in.zarr")
    assert [path.name for path in tmp_path.iterdir()] == [volume_path.name]


def test_one_slice_is_the_slice_of_the_whole(values: Array) -> None:
    given = {"volume": array_volume(values)}
    whole = ndimage.uniform_filter(values, 3, mode="nearest")
    np.testing.assert_allclose(
        preview_slice(SMOOTH, given, Smooth(), 0)["smooth"], whole[0], rtol=1e-5
    )
    labels = preview_slice(COUNT, given, COUNT.preset(), 19)["labels"]
    assert labels.shape == (90, 110)
    assert not labels.any()
    assert preview_slice(COUNT, given, COUNT.preset(), 13)["labels"].max() == 1


def test_the_same_as_a_command_and_as_python(volume_path: Path, tmp_path: Path) -> None:
    command = command_line(SMOOTH, Smooth(5, "most"), {"volume": volume_path}, tmp_path / "o.zarr")
    assert command.startswith("alsct step run toy.smooth '")
    assert command.endswith("""o.zarr --set size_px=5 --set 'mode="most"'""")
    named = command_line(COUNT, COUNT.preset(), {"mask": "m.zarr", "volume": "v.zarr"}, "-o")
    assert named == "alsct step run toy.count ./-o --input mask=m.zarr --input volume=v.zarr"
    script = python_script(SMOOTH, Smooth(5), {"volume": volume_path}, tmp_path / "o.zarr")
    compile(script, "script.py", "exec")
    assert "'toy.smooth'" in script


def test_steps_are_found_and_a_broken_one_says_why(toys: Path) -> None:
    assert {"toy.smooth", "toy.count", "toy.broken"} <= set(step_names())
    rows = {found.name: found for found in list_steps()}
    assert rows["toy.smooth"].package == "toys 1.5"
    assert rows["toy.broken"].step is None
    assert "AttributeError" in rows["toy.broken"].error
    assert get_step("toy.count").title == "Counting"
    with pytest.raises(EngineUnavailableError, match=r"Did you mean 'toy\.smooth'"):
        get_step("toy.smoth")
