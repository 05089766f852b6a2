"""The steps on files, as the command line and a worker run them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import filters

from alsct_bench.textured import Textured, scribble, textured_volume
from alsct_gui.files.labels import load_labels, save_labels
from alsct_gui.files.open import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import CancelledError, EngineUnavailableError, InputError, RecipeError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from napari_alsct_segment.classifier.model import load_pixel_model
from napari_alsct_segment.network.design import Design
from napari_alsct_segment.network.model import Network, load_network, save_network
from napari_alsct_segment.steps.threshold import THRESHOLD, Threshold
from tests.cli.conftest import Alsct

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is not installed: extra [torch]"
)


@pytest.fixture(scope="module")
def small() -> Textured:
    whole = textured_volume(64, 3)
    return Textured(whole.values[:24], whole.truth[:24])


@pytest.fixture(scope="module")
def volume(small: Textured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volume $(x) é")
    with create_volume(
        folder / "rec.zarr", shape=(24, 64, 64), dtype="float32", voxel_um=(1.3, 1.3, 1.3),
        provenance={"units": "1/cm"},
    ) as writer:  # fmt: skip
        writer.write(0, small.values)
        return writer.finish()


@pytest.fixture(scope="module")
def strokes(small: Textured, volume: Path) -> Path:
    with open_volume(volume) as opened:
        marks = scribble(small.truth, 900, 1)
        return save_labels(marks, opened, volume.with_name("rec.strokes.labels.zarr"))


@pytest.fixture(scope="module")
def model(volume: Path, strokes: Path) -> Path:
    inputs = {"volume": volume, "labels": strokes}
    done = run_step(
        "segment.train", {"scales_px": [1, 2]}, inputs=inputs,
        output=volume.with_name("model.safetensors"),
    )  # fmt: skip
    return done.outputs["model"]


@pytest.mark.parametrize(
    "parameters",
    [
        {}, {"dark": True}, {"method": "li"}, {"method": "multi-otsu", "classes": 3},
        {"method": "fixed", "value": 1.25}, {"method": "local", "window_px": 9, "offset": 0.1},
        {"method": "hysteresis"}, {"method": "hysteresis", "low": 1.2, "value": 1.4},
    ],
)  # fmt: skip
def test_thresholds(
    volume: Path, small: Textured, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    said: list[str] = []
    done = run_step(
        "segment.threshold", parameters, inputs={"volume": volume},
        output=tmp_path / "phases.labels.zarr", reporter=Reporter(say=said.append),
    )  # fmt: skip
    found = load_labels(done.outputs["labels"]).labels[...]
    assert found.dtype == np.uint8
    method = parameters.get("method", "otsu")
    if method == "otsu":
        bright = small.values > filters.threshold_otsu(small.values, nbins=4096)
        assert (found == (bright != bool(parameters.get("dark")))).mean() > 0.999
        assert said[0].startswith("Threshold 1.")
        assert said[0].endswith(" 1/cm")
    elif method == "fixed":
        np.testing.assert_array_equal(found, small.values > np.float32(1.25))
    elif method == "multi-otsu":
        assert set(np.unique(found)) == {0, 1, 2}
    elif "low" in parameters:
        wanted = filters.apply_hysteresis_threshold(small.values, 1.2, 1.4)
        np.testing.assert_array_equal(found, wanted)
    else:
        assert 0 < found.mean() < 1


def test_a_given_value_is_needed() -> None:
    with pytest.raises(RecipeError, match="is needed with a given value"):
        Threshold(method="fixed")
    # The threshold of an array, as in a notebook.
    made = THRESHOLD(Threshold(method="fixed", value=0.5), volume=np.eye(4, dtype=np.float32)[None])
    np.testing.assert_array_equal(made["labels"].values[0], np.eye(4))


def test_train_and_apply_in_three_ways(
    volume: Path, model: Path, small: Textured, tmp_path: Path
) -> None:
    trained = load_pixel_model(model)
    assert trained.features.scales_px == (1.0, 2.0)
    assert trained.trained[0].identity
    inputs = {"volume": volume, "model": model}
    labels = run_step("segment.classify", inputs=inputs, output=tmp_path / "a.labels.zarr")
    found = load_labels(labels.outputs["labels"]).labels[...]
    assert (found == small.truth).mean() > 0.85
    likely = run_step(
        "segment.probability", {"label": 2}, inputs=inputs, output=tmp_path / "p.zarr"
    )
    torn = run_step("segment.uncertainty", inputs=inputs, output=tmp_path / "u.zarr")
    with open_volume(likely.outputs["probability"]) as made:
        share = made.levels[0][...]
        assert made.units == ""
        assert made.voxel_um == (1.3, 1.3, 1.3)
        assert made.provenance["step"] == "segment.probability"
        assert [mark["name"] for mark in made.provenance["inputs"]] == ["volume", "model"]
        assert all(mark["sha256"] for mark in made.provenance["inputs"])
        assert "scikit-learn" in made.provenance["versions"]
    with open_volume(torn.outputs["uncertainty"]) as made:
        doubt = made.levels[0][...]
    assert ((share > 0.5) <= (found == 2)).all()
    assert doubt.min() >= 0
    assert doubt.max() <= 1
    wrong = found != small.truth
    assert doubt[wrong].mean() > 2 * doubt[~wrong].mean()


def test_a_model_goes_on_learning(volume: Path, strokes: Path, model: Path, tmp_path: Path) -> None:
    inputs = {"volume": volume, "labels": strokes, "model": model}
    done = run_step("segment.train", inputs=inputs, output=tmp_path / "more.safetensors")
    more = load_pixel_model(done.outputs["model"])
    assert len(more.trained) == 2
    assert len(more.samples.classes) == 1800
    assert more.features.scales_px == (1.0, 2.0)


def test_the_command_line_does_the_same(
    alsct: Alsct, volume: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "phases.labels.zarr"
    alsct("step", "run", "segment.classify", str(volume), str(model), str(out))
    again = run_step(
        "segment.classify", inputs={"volume": volume, "model": model},
        output=tmp_path / "again.labels.zarr",
    )  # fmt: skip
    np.testing.assert_array_equal(
        load_labels(out).labels[...], load_labels(again.outputs["labels"]).labels[...]
    )


def test_what_is_wrong_is_said(volume: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.labels.zarr"
    for step, inputs, error, words in (
        (
            "segment.classify",
            {"volume": volume, "model": volume / "zarr.json"},
            InputError,
            "model",
        ),
        ("segment.network-label", {"volume": volume, "model": model}, InputError, "it is a pixel"),
        ("segment.train", {"volume": volume, "labels": volume}, InputError, "whole numbers"),
    ):
        with pytest.raises(error, match=words):
            run_step(step, inputs=inputs, output=out)
    with pytest.raises(RecipeError, match="no label 9"):
        run_step("segment.probability", {"label": 9}, inputs={"volume": volume, "model": model},
                 output=out)  # fmt: skip
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        run_step(
            "segment.classify", inputs={"volume": volume, "model": model}, output=out,
            reporter=Reporter(cancel=token),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_network_is_applied_without_torch(volume: Path, tmp_path: Path) -> None:
    design = Design(depth=3)
    rng = np.random.default_rng(0)
    net = Network(design, rng.normal(0, 0.2, sum(design.sizes)).astype(np.float32))
    save_network(net, tmp_path / "net.safetensors")
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from alsct_gui.steps.running import run_step\n"
        f"run_step('segment.network-denoise', inputs={{'volume': {str(volume)!r},"
        f" 'model': {str(tmp_path / 'net.safetensors')!r}}}, output={str(tmp_path / 'out.zarr')!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with open_volume(tmp_path / "out.zarr") as made:
        assert made.shape == (24, 64, 64)
        assert made.units == "1/cm"


def test_training_without_torch_says_how_to_get_it(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineUnavailableError, match=r"\[torch\]"):
        run_step(
            "segment.network-train", inputs={"volume": volume, "good": volume},
            output=tmp_path / "net.safetensors",
        )  # fmt: skip


def test_a_plain_install_has_no_torch() -> None:
    wanted = [name for name in requires("napari-alsct-segment") or () if "torch" in name]
    assert [name.replace('"', "'") for name in wanted] == ["torch>=2.5; extra == 'torch'"]
    names = [
        entry.value for entry in entry_points(group="alsct_gui.steps")
        if entry.name.startswith("segment.")
    ]  # fmt: skip
    assert len(names) == 10
    # Listing the steps loads nothing heavy.
    script = (
        "import sys, json\n"
        "from alsct_gui.steps.registry import list_steps\n"
        "assert all(found.step for found in list_steps() if found.name.startswith('segment.'))\n"
        "print(json.dumps([name for name in ('torch', 'sklearn', 'numba', 'skimage', 'scipy')"
        " if name in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert json.loads(run.stdout) == []


@needs_torch
def test_a_noisy_scan_teaches_a_network(scan_path: Path, rec_path: Path, tmp_path: Path) -> None:
    said: list[str] = []
    done = run_step(
        "segment.noise2inverse",
        {"most_steps": 6, "round_steps": 3, "depth": 10, "patch_px": 48, "splits": 3,
         "most_slices": 4, "recipe": "quick-look"},
        inputs={"scan": scan_path}, output=tmp_path / "net.safetensors",
        reporter=Reporter(say=said.append),
    )  # fmt: skip
    network = load_network(done.outputs["model"], "values")
    assert [line.steps for line in network.history] == [3, 6]
    assert said[0].startswith("Step 3: loss ")
    out = run_step(
        "segment.network-denoise", inputs={"volume": rec_path, "model": done.outputs["model"]},
        output=tmp_path / "out.zarr",
    )  # fmt: skip
    with open_volume(out.outputs["volume"]) as made, open_volume(rec_path) as before:
        assert made.shape == before.shape
    with pytest.raises(RecipeError, match="too few for"):
        run_step(
            "segment.noise2inverse", {"splits": 16}, inputs={"scan": scan_path},
            output=tmp_path / "other.safetensors",
        )  # fmt: skip


@needs_torch
def test_labels_teach_a_network(volume: Path, strokes: Path, tmp_path: Path) -> None:
    done = run_step(
        "segment.network-train-labels",
        {"most_steps": 4, "round_steps": 2, "depth": 10, "patch_px": 48,
         "checkpoint": str(tmp_path / "kept")},
        inputs={"volume": volume, "labels": strokes}, output=tmp_path / "net.safetensors",
    )  # fmt: skip
    assert (tmp_path / "kept").exists()
    assert load_network(done.outputs["model"], "classes").labels == (1, 2, 3)
    made = run_step(
        "segment.network-label", inputs={"volume": volume, "model": done.outputs["model"]},
        output=tmp_path / "out.labels.zarr",
    )  # fmt: skip
    assert set(np.unique(load_labels(made.outputs["labels"]).labels[...])) <= {1, 2, 3}
