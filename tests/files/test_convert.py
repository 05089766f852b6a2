"""A volume written again holds the same values, and still tells how it was made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.files.convert import convert_volume
from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import VolumeFormat, create_volume
from alsct_gui.model.errors import (
    AlsctError,
    CancelledError,
    InputError,
    OutputError,
    RecipeError,
)
from alsct_gui.model.progress import CancelToken, Progress

SHAPE = (37, 20, 24)
FORMATS: list[VolumeFormat] = ["ome-zarr", "tiff"]


@pytest.fixture
def data() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(2, 1, SHAPE).astype(np.float32)


@pytest.fixture
def make(tmp_path: Path, data: NDArray[np.float32]) -> Callable[..., Path]:
    def made(kind: VolumeFormat, values: NDArray[Any] = data, **provenance: Any) -> Path:
        provenance = {"units": "1/cm", "pixel_size_um": 1.3} | provenance
        with create_volume(
            tmp_path / f"old-{kind}", shape=SHAPE, dtype=values.dtype, format=kind,
            voxel_um=(1.3, 1.3, 1.3), provenance=provenance,
        ) as writer:  # fmt: skip
            writer.write(0, values)
            return writer.finish()

    return made


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_formats(
    tmp_path: Path,
    make: Callable[..., Path],
    data: NDArray[np.float32],
    source: VolumeFormat,
    target: VolumeFormat,
) -> None:
    steps: list[Progress] = []
    path = convert_volume(
        make(source), tmp_path / "new", format=target, slices=(3, 36), rows=(2, 19),
        columns=(0, 11), progress=steps.append,
    )  # fmt: skip
    with open_volume(path) as volume:
        assert volume.layout == target
        np.testing.assert_array_equal(volume.levels[0][...], data[3:36, 2:19, :11])
        assert volume.voxel_um == (1.3, 1.3, 1.3)
        assert volume.units == "1/cm"
        (step,) = volume.provenance["converted"]
    assert (step["slices"], step["rows"], step["columns"]) == ([3, 36], [2, 19], [0, 11])
    assert [(s.done, s.total) for s in steps] == [(16, 33), (32, 33), (33, 33)]


def test_to_integers_and_back(
    tmp_path: Path, make: Callable[..., Path], data: NDArray[np.float32]
) -> None:
    small = convert_volume(
        make("ome-zarr"), tmp_path / "small", dtype="uint16", value_range=(-4, 8)
    )
    with open_volume(small) as volume:
        assert volume.dtype == np.uint16
        offset, step = volume.provenance["scale"]
    assert (offset, step) == (-4, 12 / 65535)
    back = convert_volume(small, tmp_path / "back", dtype="float32", format="tiff")
    with open_volume(back) as volume:
        assert np.abs(volume.levels[0][...] - data).max() < 0.51 * step
        assert volume.provenance["scale"] is None
        assert len(volume.provenance["converted"]) == 2


def test_a_range_is_found(
    tmp_path: Path, make: Callable[..., Path], data: NDArray[np.float32]
) -> None:
    path = convert_volume(make("tiff"), tmp_path / "small", dtype="uint8")
    with open_volume(path) as volume:
        offset, step = volume.provenance["scale"]
        values = offset + volume.levels[0][...].astype(float) * step
    inside = (data > offset) & (data < offset + 255 * step)
    assert inside.mean() > 0.99
    assert np.abs(values - data)[inside].max() < 0.51 * step


def test_integers_without_a_scale_keep_their_values(
    tmp_path: Path, make: Callable[..., Path]
) -> None:
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.uint16)
    path = convert_volume(make("tiff", values), tmp_path / "same")
    with open_volume(path) as volume:
        assert volume.dtype == np.uint16
        np.testing.assert_array_equal(volume.levels[0][...], values)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"slices": (0, 38)}, InputError, "volume of 37"),
        ({"rows": (5, 5)}, InputError, "rows"),
        ({"columns": (-1, 5)}, InputError, "columns"),
        ({"dtype": "float64"}, OutputError, "float64"),
        ({"dtype": "no type"}, OutputError, "no type"),
        ({"dtype": "uint8", "value_range": (1, 1)}, RecipeError, "range"),
        ({"dtype": "uint8", "value_range": (0, float("nan"))}, RecipeError, "range"),
    ],
)
def test_what_cannot_be_done(
    tmp_path: Path,
    make: Callable[..., Path],
    options: dict[str, Any],
    error: type[AlsctError],
    message: str,
) -> None:
    source = make("ome-zarr")
    with pytest.raises(error, match=message):
        convert_volume(source, tmp_path / "new", **options)
    assert list(tmp_path.iterdir()) == [source]


def test_never_into_itself(tmp_path: Path, make: Callable[..., Path]) -> None:
    source = make("ome-zarr")
    with pytest.raises(OutputError, match="inside the old one"):
        convert_volume(source, source / "new")
    with pytest.raises(OutputError, match="exists already"):
        convert_volume(source, source)


def test_a_scale_that_is_none(tmp_path: Path, make: Callable[..., Path]) -> None:
    source = make("tiff", np.zeros(SHAPE, np.uint8), scale="wide")
    with pytest.raises(InputError, match="scale"):
        convert_volume(source, tmp_path / "new", dtype="float32")


def test_cancel_leaves_nothing(tmp_path: Path, make: Callable[..., Path]) -> None:
    source, cancel = make("tiff"), CancelToken()
    with pytest.raises(CancelledError):
        convert_volume(
            source, tmp_path / "new", cancel=cancel, progress=lambda step: cancel.cancel()
        )
    assert list(tmp_path.iterdir()) == [source]


def test_resumed_after_a_slice_was_mended(tmp_path: Path, make: Callable[..., Path]) -> None:
    source = make("tiff")
    slice_file = source / "old-tiff_00033.tiff"
    whole = slice_file.read_bytes()
    slice_file.write_bytes(whole[:300])
    with pytest.raises(InputError):
        convert_volume(source, tmp_path / "new")
    slice_file.write_bytes(whole)
    assert len((tmp_path / ".new.partial" / "journal.jsonl").read_text().splitlines()) == 3
    path = convert_volume(source, tmp_path / "new", resume=True)
    plain = convert_volume(source, tmp_path / "plain")
    with open_volume(path) as one, open_volume(plain) as two:
        np.testing.assert_array_equal(one.levels[0][...], two.levels[0][...])
    assert json.loads((path / "zarr.json").read_text())["attributes"]["alsct"]["units"] == "1/cm"
