from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from alsct_gui.files.labels import backups_of, labels_path, load_labels, save_labels
from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import CancelledError, InputError, OutputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.volume import Volume

SHAPE = (11, 30, 270)
LABELS = np.random.default_rng(0).integers(0, 5, SHAPE).astype(np.uint16)


def make(path: Path, shape: tuple[int, int, int] = SHAPE, **provenance: Any) -> Volume:
    with create_volume(
        path, shape=shape, dtype="uint8", voxel_um=(2, 1, 1), provenance=provenance
    ) as writer:
        writer.write(0, np.zeros(shape, np.uint8))
        return open_volume(writer.finish())


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return make(tmp_path / "recscan.zarr", input_identity="a")


def test_what_is_saved_is_loaded(volume: Volume) -> None:
    path = labels_path(volume.path, "fibres/left")
    assert path.name == "recscan.fibres_left.labels.zarr"
    assert save_labels(LABELS, volume, path) == path
    saved = load_labels(path, volume)
    np.testing.assert_array_equal(saved.labels[...], LABELS)
    assert saved.labels.dtype == np.uint16
    assert saved.voxel_um == (2, 1, 1)
    assert saved.volume_path == str(volume.path)
    assert saved.slice_index is None
    assert saved.warnings == ()
    assert saved.created.endswith("+00:00")
    assert not partial_folder(path).exists()
    np.testing.assert_array_equal(np.asarray(zarr.open_group(path, mode="r")["0"]), LABELS)


def test_valid_by_the_specification(volume: Volume) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    path = save_labels(LABELS, volume, labels_path(volume.path))
    image = models.ImageLabel.from_zarr(zarr.open_group(path, mode="r"))
    assert image.ome_attributes.image_label.source.image == "../recscan.zarr"


def test_labels_of_one_slice(volume: Volume) -> None:
    path = labels_path(volume.path)
    save_labels(LABELS[4] > 2, volume, path, slice_index=4)
    saved = load_labels(path, volume)
    assert saved.slice_index == 4
    np.testing.assert_array_equal(saved.labels[0], LABELS[4] > 2)
    assert saved.labels.dtype == np.uint8
    places = json.loads((path / "zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]
    steps = places["datasets"][0]["coordinateTransformations"]
    assert steps[-1] == {"type": "translation", "translation": [8, 0, 0]}


def test_earlier_copies_are_kept_newest_first(volume: Volume) -> None:
    path = labels_path(volume.path)
    for number in range(5):
        save_labels(np.full(SHAPE, number, np.uint8), volume, path, backups=2)
    assert [load_labels(old, volume).labels[0, 0, 0] for old in backups_of(path)] == [3, 2]
    assert load_labels(path).labels[3, 2, 1] == 4
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(InputError) as caught:
        load_labels(path)
    assert backups_of(path)[0].name in caught.value.fix


class Failing:
    """Labels whose reading fails half way, as a network disk's would."""

    shape, dtype = SHAPE, LABELS.dtype

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getitem__(self, key: Any) -> Any:
        if key.start:
            raise self.error
        return LABELS[key]


def test_a_save_that_fails_leaves_the_earlier_copy(volume: Volume) -> None:
    path = save_labels(LABELS, volume, labels_path(volume.path))
    with pytest.raises(OutputError, match="No space left"):
        save_labels(Failing(OSError(28, "No space left")), volume, path)
    with pytest.raises(ValueError, match="odd"):
        save_labels(Failing(ValueError("odd")), volume, path)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        save_labels(LABELS + 1, volume, path, cancel=cancel)
    np.testing.assert_array_equal(load_labels(path, volume).labels[...], LABELS)
    assert backups_of(path) == []
    assert not partial_folder(path).exists()


@pytest.mark.parametrize(
    ("labels", "slice_index"),
    [(LABELS[1:], None), (LABELS[0], None), (LABELS, 3), (LABELS[0], 11), (LABELS[0], -1),
     (LABELS.astype(np.float32), None)],
)  # fmt: skip
def test_labels_that_do_not_fit_are_not_saved(
    volume: Volume, labels: np.ndarray, slice_index: int | None
) -> None:
    path = labels_path(volume.path)
    with pytest.raises(OutputError):
        save_labels(labels, volume, path, slice_index=slice_index)
    assert not path.exists()


def test_labels_of_another_volume(volume: Volume, tmp_path: Path) -> None:
    path = save_labels(LABELS, volume, labels_path(volume.path))
    other = make(tmp_path / "other.zarr", input_identity="b")
    (warning,) = load_labels(path, other).warnings
    assert "recscan.zarr" in warning
    small = make(tmp_path / "small.zarr", (11, 30, 269))
    with pytest.raises(InputError, match="do not fit") as caught:
        load_labels(path, small)
    assert "recscan.zarr" in caught.value.fix


def test_what_is_no_labels(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no labels"):
        load_labels(tmp_path / "absent.zarr")
    with pytest.raises(InputError, match="no labels"):
        load_labels(volume.path)
    path = save_labels(LABELS, volume, labels_path(volume.path))
    group = json.loads((path / "zarr.json").read_text())
    for odd in ("x", -1, 2, True):
        group["attributes"]["alsct"]["slice_index"] = odd
        (path / "zarr.json").write_text(json.dumps(group))
        with pytest.raises(InputError):
            load_labels(path)
