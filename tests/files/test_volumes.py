from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from alsct_gui.files.open import is_volume, open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import InputError, UnsafeInputError


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).random(shape, np.float32)


@pytest.mark.parametrize(("layout", "name"), [("ome-zarr", "recscan.zarr"), ("tiff", "recscan")])
def test_what_is_written_is_read(tmp_path: Path, layout: str, name: str) -> None:
    data = values(9, 20, 30)
    provenance = {"units": "1/cm", "pixel_size_um": 1.3, "engine": "fourier"}
    with create_volume(
        tmp_path / name, shape=data.shape, dtype=data.dtype, format=layout,  # type: ignore[arg-type]
        voxel_um=(1.3, 1.3, 1.3), provenance=provenance,
    ) as writer:  # fmt: skip
        writer.write(0, data)
        path = writer.finish()
    assert is_volume(path)
    with open_volume(path) as volume:
        assert volume.layout == layout
        assert volume.shape == data.shape
        assert volume.voxel_um == (1.3, 1.3, 1.3)
        assert volume.units == "1/cm"
        assert volume.provenance["engine"] == "fourier"
        assert volume.warnings == ()
        finest = volume.levels[0]
        np.testing.assert_array_equal(finest[...], data)
        np.testing.assert_array_equal(finest[3], data[3])
        np.testing.assert_array_equal(finest[-1, 2:5], data[-1, 2:5])
        np.testing.assert_array_equal(finest[::4, ..., 7], data[::4, ..., 7])
        with pytest.raises(IndexError):
            finest[9]


def test_ome_zarr_0_4_of_others(tmp_path: Path) -> None:
    data = values(1, 1, 4, 6, 8)
    group = zarr.open_group(tmp_path / "v.zarr", mode="w", zarr_format=2)
    for level in (0, 1):
        step = 2**level
        group.create_array(str(level), data=data[..., ::step, ::step, ::step])
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": n, "type": "space", "unit": "nanometer"} for n in "zyx"]
    scale = [{"type": "scale", "scale": [1, 1, 500, 250, 250]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}, {"path": "1"}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    with open_volume(tmp_path / "v.zarr") as volume:
        assert volume.voxel_um == (0.5, 0.25, 0.25)
        assert [level.shape for level in volume.levels] == [(4, 6, 8), (2, 3, 4)]
        np.testing.assert_array_equal(volume.levels[0][1:3, 2], data[0, 0, 1:3, 2])
        assert volume.units == ""


def test_slices_of_others_have_no_voxel_size(tmp_path: Path) -> None:
    data = values(3, 4, 5)
    for number, image in enumerate(data):
        tifffile.imwrite(tmp_path / f"s{number}.tif", image)
    with open_volume(tmp_path) as volume:
        np.testing.assert_array_equal(volume.levels[0][1:], data[1:])
        assert volume.voxel_um is None
        assert [item.name for item in volume.warnings] == ["pixel-size-missing"]
    assert not is_volume(tmp_path)


@pytest.mark.parametrize("inner", ["../other", "/etc", "a/../../b"])
def test_levels_outside_are_refused(tmp_path: Path, inner: str) -> None:
    group = zarr.open_group(tmp_path / "v.zarr", mode="w")
    group.attrs["ome"] = {"multiscales": [{"datasets": [{"path": inner}]}]}
    with pytest.raises(UnsafeInputError):
        open_volume(tmp_path / "v.zarr")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"zarr_format": 3, "node_type": "group", "attributes": {}}',
             '{"zarr_format": 3, "node_type": "group", "attributes": {"ome": 3}}']
)  # fmt: skip
def test_broken_metadata_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.zarr").mkdir()
    (tmp_path / "v.zarr" / "zarr.json").write_text(text)
    with pytest.raises(InputError):
        open_volume(tmp_path / "v.zarr")


def test_what_is_no_volume(tmp_path: Path) -> None:
    (tmp_path / "rec_empty").mkdir()
    for name in ("absent", "rec_empty"):
        assert not is_volume(tmp_path / name)
        with pytest.raises(InputError):
            open_volume(tmp_path / name)
    (tmp_path / "rec_empty" / "provenance.json").write_text(json.dumps({}))
    assert is_volume(tmp_path / "rec_empty")


def test_rows_that_were_left_out_make_voxels_of_a_tiff_stack_tall(tmp_path: Path) -> None:
    provenance = {"pixel_size_um": 2.0, "resolved": {"region": {"row_step": 5}}}
    with create_volume(
        tmp_path / "rec", shape=(2, 4, 4), dtype="float32", format="tiff", provenance=provenance
    ) as writer:
        writer.write(0, np.zeros((2, 4, 4), np.float32))
        path = writer.finish(provenance)
    with open_volume(path) as volume:
        assert volume.voxel_um == (10.0, 2.0, 2.0)
        assert volume.levels[0].size == 32
