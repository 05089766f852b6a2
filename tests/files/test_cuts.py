from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files import cuts
from alsct_gui.files.cuts import (
    AXES,
    Axis,
    Cut,
    available_memory_bytes,
    index_at_level,
    level_for,
    level_for_3d,
    plane_shape,
    read_cut,
)
from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.pyramid import level_shapes
from alsct_gui.model.errors import InputError

FULL = level_shapes((2160, 2560, 2560))
sizes = st.integers(1, 3000)
shapes = st.tuples(sizes, sizes, sizes)


def test_cuts_show_the_other_two_axes(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((9, 12, 300), np.float32)
    with create_volume(
        tmp_path / "v.zarr", shape=data.shape, dtype="float32", voxel_um=(4, 2, 1)
    ) as writer:
        writer.write(0, data)
        path = writer.finish()
    with open_volume(path) as volume:
        image = read_cut(volume, Cut("slice", 3))
        np.testing.assert_array_equal(image.values, data[3])
        assert image.extent_um == (24, 300)
        image = read_cut(volume, Cut("row", 11))
        np.testing.assert_array_equal(image.values, data[:, 11])
        assert image.pixel_um == (4, 1)
        image = read_cut(volume, Cut("column", 299))
        np.testing.assert_array_equal(image.values, data[:, :, 299])
        assert image.pixel_um == (4, 2)
        image = read_cut(volume, Cut("row", 11), level=1)
        np.testing.assert_array_equal(image.values, volume.levels[1][:, 5])
        assert (image.index, image.pixel_um) == (5, (8, 2))
        for cut, level in ((Cut("row", 12), 0), (Cut("slice", -1), 0), (Cut("slice", 0), 2)):
            with pytest.raises(InputError):
                read_cut(volume, cut, level)


def test_a_slice_on_a_screen_takes_the_level_that_fills_it() -> None:
    assert level_for(FULL, "slice", (2560, 2560)) == 0
    assert level_for(FULL, "slice", (1281, 3000)) == 0
    assert level_for(FULL, "slice", (1280, 3000)) == 1
    assert level_for(FULL, "row", (768, 600)) == 2
    assert level_for(FULL, "row", (5000, 5000)) == 0
    assert level_for([(1, 10, 10)], "column", (1, 1)) == 0


@given(shapes, st.sampled_from(AXES), st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_the_level_is_never_blurred_and_never_finer_than_needed(
    shape: tuple[int, int, int], axis: Axis, screen: tuple[int, int]
) -> None:
    levels = level_shapes(shape)
    chosen = level_for(levels, axis, screen)
    whole = plane_shape(shape, axis)
    shown = min(screen[0] / whole[0], screen[1] / whole[1])

    def sharp(level: int) -> bool:
        pixels = plane_shape(levels[level], axis)
        return all(p >= w * shown for p, w in zip(pixels, whole, strict=True))

    assert sharp(chosen) or chosen == 0
    assert not any(sharp(level) for level in range(chosen + 1, len(levels)))


@given(shapes, st.data())
def test_a_coarse_voxel_holds_the_fine_index(
    shape: tuple[int, int, int], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, shape[0] - 1))
    for number, level in enumerate(level_shapes(shape)):
        factor = 2**number if level[0] > 1 else None
        coarse = index_at_level(index, shape[0], level[0])
        assert coarse == (index // factor if factor else 0)


def test_other_pyramids_may_round_down() -> None:
    assert index_at_level(5, 5, 2) == 1
    assert index_at_level(2000, 2561, 1280) == 1000
    assert index_at_level(2560, 2561, 1280) == 1279


def test_3d_takes_the_finest_level_that_fits_memory_and_card() -> None:
    choice = level_for_3d(FULL, 64 * 10**9)
    assert (choice.level, choice.bytes) == (1, 1080 * 1280 * 1280 * 4)
    assert "1080 × 1280 × 1280 voxels, 7.1 GB" in choice.sentence
    assert "2160 × 2560 × 2560 voxels need 56.6 GB, 16.0 GB may be taken" in choice.sentence
    choice = level_for_3d(FULL, 10**12)
    assert choice.level == 1
    assert "exceed the graphics card's edge of 2048" in choice.sentence
    assert level_for_3d(FULL, 10**12, texture_limit_px=4096).level == 0
    assert level_for_3d(FULL, 8 * 10**9).level == 2


def test_3d_is_refused_with_the_figures() -> None:
    choice = level_for_3d(FULL, 10 * 10**6)
    assert choice.level is None
    assert choice.bytes == math.prod(FULL[-1]) * 4
    assert "135 × 160 × 160 voxels need 13.8 MB" in level_for_3d(FULL, 10**6).sentence
    choice = level_for_3d([(100, 5000, 5000)], 10**12)
    assert choice.level is None
    assert "edge of 2048" in choice.sentence
    assert "coarser levels" in choice.sentence


def test_memory_is_read_where_the_system_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert available_memory_bytes() > 1 << 20
    file = tmp_path / "meminfo"
    monkeypatch.setattr(cuts, "_MEMINFO", file)
    file.write_text("MemTotal: 100 kB\nMemAvailable:    2048 kB\n")
    assert available_memory_bytes() == 2 << 20
    for text in ("MemAvailable: many kB\n", "MemTotal: 1 kB\n", "MemAvailable:\n"):
        file.write_text(text)
        assert available_memory_bytes() > 1 << 20
    file.unlink()
    assert available_memory_bytes() > 1 << 20
