"""A contact sheet shows all its pictures in one contrast, and survives odd input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alsct_gui.files.montage import common_range, montage
from alsct_gui.model.errors import OutputError


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def flat(value: float) -> np.ndarray:
    return np.full((40, 40), value, np.float32)


def greys(sheet: np.ndarray) -> dict[int, int]:
    """How many pixels each neutral grey has that neither ground nor text has."""
    neutral = sheet[(np.ptp(sheet, axis=2) == 0)][:, 0]
    return dict(
        zip(*(part.tolist() for part in np.unique(neutral, return_counts=True)), strict=True)
    )


def test_one_contrast_for_all(tmp_path: Path) -> None:
    path = montage(
        [flat(0), flat(1), flat(2)], ["", "", ""], tmp_path / "sheet.png", units="",
        value_range=(0, 4),
    )  # fmt: skip
    found = greys(pixels(path))
    for grey in (0, 64, 128):
        assert found[grey] == 320 * 320


def test_row_0_is_on_top(tmp_path: Path) -> None:
    image = np.zeros((320, 320), np.float32)
    image[0, 0] = 1
    sheet = pixels(montage([image], [""], tmp_path / "s.png", units="", value_range=(0, 1)))
    assert np.argwhere((sheet == 255).all(axis=2)).tolist() == [[24, 24]]


def test_scale_bar_has_the_length_it_says(tmp_path: Path) -> None:
    image = np.zeros((400, 400), np.float32)
    plain = pixels(montage([image], [""], tmp_path / "a.png", value_range=(0, 1)))
    barred = pixels(montage([image], [""], tmp_path / "b.png", value_range=(0, 1), pixel_um=2.0))
    rows = np.argwhere(((plain != barred).any(axis=2)) & (barred == (226, 229, 233)).all(axis=2))
    lowest = rows[rows[:, 0] == rows[:, 0].max()][:, 1]
    # 400 pixels of 2 um: a quarter is 200 um, which is 100 pixels.
    assert np.ptp(lowest) == 100


@pytest.mark.parametrize("count", [1, 2, 5, 7, 12])
@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (200, 300)])
def test_any_number_and_shape(tmp_path: Path, count: int, shape: tuple[int, int]) -> None:
    images: list[Any] = [np.random.default_rng(0).normal(size=shape) for _ in range(count)]
    path = montage(images, ["x" * 400] * count, tmp_path / "s.png", title="y\n" * 300, pixel_um=1.3)
    height, width, _ = pixels(path).shape
    assert max(height, width) < 4000
    assert [item.name for item in tmp_path.iterdir()] == ["s.png"]


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    image = np.array([[np.nan, np.inf], [-np.inf, 1.0]], np.float32)
    found = greys(pixels(montage([image], [""], tmp_path / "s.png", units="", value_range=(0, 2))))
    assert found[0] == 2 * 160 * 160  # NaN and the negative one
    assert found[255] == found[128] == 160 * 160


def test_common_range_leaves_out_mask_and_outliers() -> None:
    image = np.random.default_rng(0).uniform(10, 20, (500, 500)).astype(np.float32)
    image[:200] = 0
    image[300, 300] = 1e30
    image[300, 301] = np.nan
    low, high = common_range([image, image + 10])
    assert 10 <= low < 10.5
    assert 29.5 < high <= 30.5
    assert common_range([flat(0)]) == (0.0, 1.0)
    assert common_range([flat(3)]) == (2.5, 3.5)


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no pictures"):
        montage([], [], tmp_path / "s.png")
    with pytest.raises(OutputError, match="captions"):
        montage([flat(0)], [], tmp_path / "s.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        montage([flat(0)], [""], tmp_path / "file" / "s.png")
