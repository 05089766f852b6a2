"""Mirrored arrays, and volumes computed from blocks with all of their surroundings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from alsct_gui.model.errors import CancelledError, ResourceError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.surrounded import Mirrored, Surrounded

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def volume() -> Array:
    return np.random.default_rng(3).random((7, 300, 90)).astype(np.float32)


def test_mirrored_is_what_numpy_pads(volume: Array) -> None:
    # More than the volume has: it is thrown back and forth.
    wide = Mirrored(volume, (9, 4, 100))
    wanted = np.pad(volume, ((9, 9), (4, 4), (100, 100)), mode="symmetric")
    assert wide.shape == wanted.shape
    np.testing.assert_array_equal(wide[...], wanted)
    np.testing.assert_array_equal(wide[3, ::2, 50:60], wanted[3, ::2, 50:60])
    assert wide[2:2].shape == (0, 308, 290)
    assert wide[0].flags.c_contiguous


def test_mirrored_reads_no_more_than_it_needs(volume: Array) -> None:
    asked: list[Any] = []

    class Spy:
        shape, dtype, size, ndim = volume.shape, volume.dtype, volume.size, 3

        def __getitem__(self, key: Any) -> Array:
            asked.append(key)
            return np.asarray(volume[key])

    Mirrored(Spy(), (2, 2, 2))[4:6, 100:110, 0:5]
    assert asked == [(slice(2, 4), slice(98, 108), slice(0, 3))]


def mean(block: Array) -> Array:
    return np.asarray(ndimage.uniform_filter(block, 5, mode="nearest")[2:-2, 2:-2, 2:-2])


def test_surrounded_is_the_same_read_and_computed(volume: Array) -> None:
    lazy = Surrounded(mean, volume, reach=(2, 2, 2))
    wanted = ndimage.uniform_filter(volume, 5, mode="reflect")
    whole = lazy.compute(Reporter(threads=2, memory_bytes=3_000_000))
    np.testing.assert_allclose(whole, wanted, atol=1e-6)
    np.testing.assert_array_equal(lazy[3], whole[3])
    np.testing.assert_array_equal(lazy[1:6:2, 250:, ::3], whole[1:6:2, 250:, ::3])
    assert lazy[2:2].shape == (0, 300, 90)


def test_too_little_memory_is_said(volume: Array) -> None:
    lazy = Surrounded(mean, volume, reach=(40, 40, 40))
    for memory_bytes in (200_000, 30_000_000):
        with pytest.raises(ResourceError, match="smallest block needs"):
            lazy.plan(memory_bytes, 2)
    for block in lazy.plan(200_000_000, 2):
        sizes = [axis.stop - axis.start + 80 for axis in block.inner]
        assert 3 * 16 * np.prod(sizes) <= 200_000_000


def test_cancel_ends_it(volume: Array) -> None:
    token = CancelToken()

    def work(block: Array) -> Array:
        token.cancel()
        return mean(block)

    lazy = Surrounded(work, volume, reach=(2, 2, 2))
    with pytest.raises(CancelledError):
        lazy.compute(Reporter(cancel=token, memory_bytes=3_000_000))
