from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from alsct_gui.recon.preprocess.rings.medians import median_across_columns
from alsct_gui.recon.preprocess.rings.ranks import rank_columns, unrank_columns, value_of

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32, allow_nan=False)))
def test_columns_are_sorted_and_ties_keep_the_order_of_angles(sinogram: NDArray) -> None:
    keys, angles = rank_columns(sinogram)
    # -0 and 0 are equal to numpy and ordered here; adding 0 makes them one.
    sinogram = sinogram + np.float32(0)
    keys, angles = rank_columns(sinogram)
    order = np.argsort(sinogram, axis=0, kind="stable")
    assert (order == angles.T).all()
    values = np.array([[value_of(key) for key in column] for column in keys], np.float32)
    assert (np.take_along_axis(sinogram, order, axis=0) == values.T).all()


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32)))
def test_ranked_columns_go_back_bit_by_bit(sinogram: NDArray) -> None:
    back = np.empty_like(sinogram)
    unrank_columns(*rank_columns(sinogram), back)
    assert (back.view(np.uint32) == sinogram.view(np.uint32)).all()


@pytest.mark.parametrize("shape", [(5, 3), (40, 7), (33, 40), (9, 16), (1, 20)])
def test_median_equals_scipy(shape: tuple[int, int]) -> None:
    keys = np.random.default_rng(0).integers(0, 2**32, shape, dtype=np.uint32)
    keys[:, ::3] = 7  # equal values stand together in a window
    out = np.empty_like(keys)
    for size in (1, 2, 3, 4, 9, 30, 61):
        median_across_columns(keys, size, out)
        assert (out == scipy.ndimage.median_filter(keys, (size, 1), mode="reflect")).all()
