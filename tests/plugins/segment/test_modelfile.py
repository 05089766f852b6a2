"""Model files from outside: what is no model is refused with a word, and never run."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from alsct_gui.model.errors import InputError, OutputError
from napari_alsct_segment.classifier.model import PixelModel, load_pixel_model, save_pixel_model
from napari_alsct_segment.modelfile import read_model, write_model
from napari_alsct_segment.network.design import Design
from napari_alsct_segment.network.model import Network, load_network, save_network

Array = np.ndarray[Any, Any]


@pytest.fixture
def path(tmp_path: Path, model: PixelModel) -> Path:
    file = tmp_path / "model.safetensors"
    save_pixel_model(model, file)
    return file


@pytest.fixture
def network() -> Network:
    design = Design(depth=3, inputs=1, outputs=1)
    values = np.random.default_rng(0).normal(size=sum(design.sizes)).astype(np.float32)
    return Network(design, values)


def parts_of(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["alsct"])
        return about, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def rewrite(path: Path, about: Any, arrays: dict[str, Array]) -> None:
    text = about if isinstance(about, str) else json.dumps(about)
    save_file(arrays, path, metadata={"alsct": text})


def test_the_file_says_how_it_was_made(path: Path) -> None:
    about, arrays = parts_of(path)
    assert about["kind"] == "pixel-classifier"
    assert about["features"]["scales_px"] == [1.0, 2.0, 4.0]
    assert about["trained"][0]["scribbles"] == {"1": 734, "2": 733, "3": 733}
    assert "scikit-learn" in about["versions"]
    assert {array.dtype.name for array in arrays.values()} == {"float32", "int32", "uint8"}


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


def test_files_that_are_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = {
        "empty": b"",
        "short": b"abc",
        "pickle": pickle.dumps(Bomb()),
        "huge header": struct.pack("<Q", 1 << 60) + b"{}",
        "header beyond the file": struct.pack("<Q", 5000) + b"{}",
        "no json": struct.pack("<Q", 8) + b"not json",
        "beyond": struct.pack("<Q", 72)
        + b'{"a":{"dtype":"F32","shape":[999999999],"data_offsets":[0,3999999996]}}'.ljust(72),
    }
    for name, raw in hostile.items():
        path = tmp_path / name
        path.write_bytes(raw)
        with pytest.raises(InputError, match="cannot be read as a model"):
            read_model(path, "network")
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(InputError, match="no such file"):
        read_model(tmp_path / "nothing", "network")
    with pytest.raises(InputError, match="cannot be read"):
        read_model(tmp_path, "network")


def test_descriptions_that_are_none(path: Path, network: Network, tmp_path: Path) -> None:
    about, arrays = parts_of(path)
    for wrong, words in (
        ("", "describe itself"),
        ("[" * 100_000, "describe itself"),
        ("[]", "not a pixel-classifier"),
        ({**about, "kind": "network"}, "it is a network"),
        ({**about, "format": 9}, "reads 1"),
        ({**about, "labels": [2, 1, 3]}, "no labels"),
        ({**about, "labels": [0, 1, 2]}, "no labels"),
        ({**about, "labels": [1, 2, 300]}, "no labels"),
        ({**about, "low": 3.0, "high": 1.0}, "no range"),
        ({**about, "low": "x"}, "low"),
        ({**about, "features": {**about["features"], "scales_px": [1e9]}}, "scales"),
        ({**about, "features": {**about["features"], "extra": 1}}, "unknown setting"),
        ({key: value for key, value in about.items() if key != "settings"}, "required"),
    ):
        rewrite(path, wrong, arrays)
        with pytest.raises(InputError, match=words):
            load_pixel_model(path)
    save_network(network, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match="it is a network"):
        load_pixel_model(tmp_path / "net.safetensors")


def test_arrays_that_do_not_belong(path: Path) -> None:
    about, arrays = parts_of(path)
    n_features = arrays["sample_features"].shape[1]
    bad_samples = arrays["sample_features"].copy()
    bad_samples[3, 2] = np.nan
    for changed, words in (
        ({"threshold": arrays["threshold"].astype(np.float64)}, "another type"),
        ({"threshold": arrays["threshold"][:-1]}, "no forest"),
        ({"feature": np.full_like(arrays["feature"], n_features)}, "beyond"),
        ({"child": np.zeros_like(arrays["child"])}, "out of its tree"),
        ({"probability": arrays["probability"][:, :2]}, "probability"),
        ({"sample_features": arrays["sample_features"][:, 1:]}, "sample_features"),
        ({"sample_features": bad_samples}, "no samples"),
        ({"sample_classes": np.full_like(arrays["sample_classes"], 3)}, "no samples"),
    ):
        rewrite(path, about, {**arrays, **changed})
        with pytest.raises(InputError, match=words):
            load_pixel_model(path)
    del arrays["roots"]
    rewrite(path, about, arrays)
    with pytest.raises(InputError, match="'roots' is missing"):
        load_pixel_model(path)


def test_a_network_comes_back_and_is_checked(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_network(network, path, {"step": "x"})
    back = load_network(path, "values")
    assert back.design == network.design
    np.testing.assert_array_equal(back.values, network.values)
    with pytest.raises(InputError, match="gives grey values, not classes"):
        load_network(path, "classes")
    about, arrays = parts_of(path)
    wrong_values = arrays["values"].copy()
    wrong_values[0] = np.inf
    for description, changed, words in (
        ({**about, "design": {**about["design"], "depth": 4}}, arrays, "values"),
        ({**about, "design": {**about["design"], "depth": 10**6}}, arrays, "out of bounds"),
        ({**about, "design": {**about["design"], "inputs": 2}}, arrays, "contradicts"),
        ({**about, "labels": [1, 2]}, arrays, "contradicts"),
        ({**about, "span": 0.0}, arrays, "contradicts"),
        ({**about, "task": "anything"}, arrays, "not a choice"),
        (about, {"values": wrong_values}, "no numbers"),
        (about, {"values": arrays["values"][:-1]}, "values"),
    ):
        rewrite(path, description, changed)
        with pytest.raises(InputError, match=words):
            load_network(path)


def test_a_folder_that_takes_nothing(tmp_path: Path, network: Network) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be saved"):
        write_model(tmp_path / "file" / "x", "network", {}, {"values": network.values})
