"""OME-Zarr volumes as others see them: the specification, ome-zarr, napari, plain zarr."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.omezarr import ome_metadata
from alsct_gui.files.writers.pyramid import halve

SHAPE = (21, 300, 610)


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return np.random.default_rng(0).normal(2, 1, SHAPE).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path, data: np.ndarray) -> Path:
    with create_volume(
        tmp_path / "recscan.zarr", shape=SHAPE, dtype="float32", voxel_um=(2.6, 1.3, 1.3)
    ) as writer:
        writer.write(0, data)
        return writer.finish()


def test_valid_by_the_specification(path: Path) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    image = models.Image.from_zarr(zarr.open_group(path, mode="r"))
    assert image.ome_attributes.version == "0.5"
    (multiscale,) = image.ome_attributes.multiscales
    assert [(axis.name, axis.type, axis.unit) for axis in multiscale.axes] == [
        (name, "space", "micrometer") for name in "zyx"
    ]
    assert [dataset.path for dataset in multiscale.datasets] == ["0", "1", "2"]


def test_opens_with_the_ome_zarr_library(path: Path, data: np.ndarray) -> None:
    reader = pytest.importorskip("ome_zarr.reader")
    dask_config = pytest.importorskip("dask.config")
    from ome_zarr.io import parse_url

    (node,) = reader.Reader(parse_url(str(path)))()
    assert [level.shape for level in node.data] == [SHAPE, (11, 150, 305), (6, 75, 153)]
    with dask_config.set(scheduler="synchronous"):
        np.testing.assert_array_equal(node.data[0][3:5].compute(), data[3:5])
    assert node.metadata["coordinateTransformations"][0][0]["scale"] == [2.6, 1.3, 1.3]


def test_opens_in_napari(path: Path) -> None:
    components = pytest.importorskip("napari.components")
    group = zarr.open_group(path, mode="r")
    levels = [group[name] for name in ("0", "1", "2")]
    viewer = components.ViewerModel()
    try:
        layer = viewer.add_image(
            levels, scale=(2.6, 1.3, 1.3), contrast_limits=(0, 4), multiscale=True
        )
        assert layer.level_shapes.tolist() == [list(level.shape) for level in levels]
        np.testing.assert_allclose(layer.extent.world[1], (np.array(SHAPE) - 1) * [2.6, 1.3, 1.3])
    finally:
        viewer._layer_slicer.shutdown()  # a window would do it


def test_read_by_this_program(path: Path, data: np.ndarray) -> None:
    with open_volume(path) as volume:
        assert volume.shape == SHAPE
        assert volume.voxel_um == (2.6, 1.3, 1.3)
        np.testing.assert_array_equal(volume.levels[0][:, 17, 100:200], data[:, 17, 100:200])
        np.testing.assert_array_equal(volume.levels[1][...], halve(data))


def test_shards_are_what_zarr_says(path: Path) -> None:
    """zarr itself finds every inner chunk and agrees with the checksum of the index."""
    array = zarr.open_group(path, mode="r")["0"]
    assert array.chunks == (4, 300, 305)
    assert array.shards == (16, 300, 610)
    assert sorted(file.name for file in (path / "0" / "c").iterdir()) == ["0", "1"]
    shard = path / "0" / "c" / "0" / "0" / "0"
    broken = bytearray(shard.read_bytes())
    broken[-1] ^= 1
    shard.write_bytes(broken)
    with pytest.raises(ValueError, match="checksum"):
        array[0]


def test_coarse_voxels_lie_where_their_children_are() -> None:
    shapes = [(3, 600, 600), (2, 300, 300), (1, 150, 150), (1, 75, 75)]
    metadata = ome_metadata("rec", shapes, (10.0, 1.0, 1.0), None)
    places = [d["coordinateTransformations"] for d in metadata["multiscales"][0]["datasets"]]
    assert [place[0]["scale"] for place in places] == [
        [10, 1, 1], [20, 2, 2], [40, 4, 4], [40, 8, 8]
    ]  # fmt: skip
    assert [place[1]["translation"] for place in places[1:]] == [
        [5, 0.5, 0.5], [15, 1.5, 1.5], [15, 3.5, 3.5]
    ]  # fmt: skip


def test_without_a_voxel_size_there_is_no_unit() -> None:
    metadata = ome_metadata("rec", [(1, 2, 2)], None, None)
    assert all("unit" not in axis for axis in metadata["multiscales"][0]["axes"])


def test_display_window_holds_the_bulk_of_the_values(path: Path, data: np.ndarray) -> None:
    attributes = json.loads((path / "zarr.json").read_text())["attributes"]
    window = attributes["ome"]["omero"]["channels"][0]["window"]
    assert data.min() < window["min"] <= window["start"] < 2 < window["end"] <= window["max"]


def test_a_volume_of_no_finite_value_is_still_whole(tmp_path: Path) -> None:
    with create_volume(tmp_path / "rec.zarr", shape=(2, 3, 4), dtype="float32") as writer:
        writer.write(0, np.full((2, 3, 4), np.nan, np.float32))
        path = writer.finish({"seconds": {"read": float("nan")}})
    group = zarr.open_group(path, mode="r")
    assert np.isnan(np.asarray(group["0"])).all()
    assert group.attrs["alsct"] == {"seconds": {"read": None}}


def test_what_is_outside_the_mask_takes_no_disk(tmp_path: Path) -> None:
    data = np.zeros((4, 960, 960), np.float32)
    data[:, 320:640, 320:640] = 1
    with create_volume(tmp_path / "rec.zarr", shape=data.shape, dtype="float32") as writer:
        writer.write(0, data)
        path = writer.finish()
    np.testing.assert_array_equal(np.asarray(zarr.open_group(path, mode="r")["0"]), data)
    shard = (path / "0" / "c" / "0" / "0" / "0").stat()
    assert shard.st_size > data.nbytes
    assert shard.st_blocks * 512 < data.nbytes / 4
