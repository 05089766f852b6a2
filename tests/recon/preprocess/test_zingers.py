from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from numpy.typing import NDArray

from alsct_gui.model.recipe import Zingers
from alsct_gui.recon.preprocess.zingers import halo_rows, remove_zingers


def frames_with_zingers(dtype: Any) -> NDArray[Any]:
    frames = np.random.default_rng(0).normal(1000, 100, (3, 23, 31)).astype(dtype)
    frames[0, 3, 5] = 9000
    frames[1, 0, 0] = 8000
    frames[1, 10, 10:12] = 7000
    return frames


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_equals_a_median_filter(dtype: Any) -> None:
    for size, threads in ((3, 1), (3, 2), (5, 1), (7, 1), (15, 2)):
        frames = frames_with_zingers(dtype)
        median = scipy.ndimage.median_filter(frames, (1, size, size)).astype(np.float32)
        bad = frames.astype(np.float32) > median * np.float32(1.2)
        expected = np.where(bad, median, frames).astype(dtype)
        count = remove_zingers(frames, Zingers(size, 0.2), threads)
        assert (frames == expected).all()
        assert count == bad.sum() > 0


def test_a_block_with_its_halo_is_as_in_the_whole_frame() -> None:
    zingers = Zingers(5, 0.2)
    halo = halo_rows(zingers)
    whole = frames_with_zingers(np.uint16)
    block = whole[:, 8 - halo : 16 + halo].copy()
    remove_zingers(whole, zingers)
    remove_zingers(block, zingers)
    assert (block[:, halo:-halo] == whole[:, 8:16]).all()
    assert halo_rows(None) == 0


def test_a_frame_smaller_than_the_window_comes_through() -> None:
    frames = np.full((1, 2, 3), 10, np.uint16)
    frames[0, 0, 0] = 500
    assert remove_zingers(frames, Zingers(15, 0.2)) == 1
    assert (frames == 10).all()
