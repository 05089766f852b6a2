"""Each level is the mean of what lies below, whatever the size; metadata say where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.pyramid import halve, level_shapes


def expected(block: NDArray[Any]) -> NDArray[Any]:
    """The definition, written out: pad to even sizes with NaN, mean of what is finite."""
    padded = np.pad(block.astype(np.float64), [(0, n % 2) for n in block.shape],
                    constant_values=np.nan)  # fmt: skip
    z, y, x = (n // 2 for n in padded.shape)
    cells = padded.reshape(z, 2, y, 2, x, 2).transpose(0, 2, 4, 1, 3, 5).reshape(z, y, x, 8)
    good = np.isfinite(cells)
    count = good.sum(axis=-1)
    total = np.where(good, cells, 0).sum(axis=-1)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean if block.dtype == np.float32 else np.floor(mean + 0.5)


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 9)),
    dtype=st.sampled_from(["float32", "uint16", "uint8"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_halving(shape: tuple[int, int, int], dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    top = 65535 if dtype == "uint16" else 255
    block = rng.integers(0, top, shape, endpoint=True).astype(dtype)
    if dtype == "float32":
        block[rng.random(shape) < 0.1] = np.nan
        block[rng.random(shape) < 0.02] = np.inf
    np.testing.assert_allclose(halve(block), expected(block), rtol=1e-6)


def test_sums_beyond_float32_are_still_means() -> None:
    block = np.full((2, 2, 2), 3e38, np.float32)
    assert halve(block).item() == np.float32(3e38)


def test_levels_end_when_a_picture_is_small() -> None:
    assert level_shapes((2160, 2560, 2560))[-1] == (135, 160, 160)
    assert level_shapes((1, 256, 200)) == [(1, 256, 200)]
    assert level_shapes((2, 640, 640)) == [(2, 640, 640), (1, 320, 320), (1, 160, 160)]


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
@pytest.mark.parametrize("shape", [(7, 3, 515), (37, 260, 13), (1, 5, 1025)])
def test_levels_on_disk(tmp_path: Path, dtype: str, shape: tuple[int, int, int]) -> None:
    data = np.random.default_rng(1).integers(0, 5000, shape).astype(dtype)
    order = np.random.default_rng(2).permutation(shape[0])
    with create_volume(tmp_path / "rec.zarr", shape=shape, dtype=dtype) as writer:
        for k in order:
            writer.write(int(k), data[k : k + 1])
        writer.finish()
    group = zarr.open_group(tmp_path / "rec.zarr", mode="r")
    level = data
    for number in range(1, len(level_shapes(shape))):
        level = halve(level)
        np.testing.assert_array_equal(np.asarray(group[str(number)]), level)
    assert str(len(level_shapes(shape))) not in group
