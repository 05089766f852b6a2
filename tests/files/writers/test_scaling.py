"""Integers on disk stand for floats by a rule that can be turned round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alsct_gui.files.writers.scaling import scale_of, scale_to_dtype

finite = st.floats(-1000, 1000, width=32)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@settings(deadline=None)
@given(values=arrays(np.float32, (2, 3, 5), elements=finite))
def test_inverse_is_within_half_a_step(dtype: str, values: np.ndarray) -> None:
    value_range = (-1000.0, 1000.0)
    stored, clipped = scale_to_dtype(values, dtype, value_range)
    offset, step = scale_of(dtype, value_range)
    assert stored.dtype == dtype
    assert clipped == 0
    # The float32 in between costs a part of a uint16 step.
    assert np.abs(offset + stored.astype(float) * step - values).max() <= 0.51 * step


def test_ends_rounding_clipping_and_what_is_no_number() -> None:
    values = np.array([0, 10, 5.01, -3, 12, np.nan, np.inf, -np.inf, 10.01, -0.01], np.float32)
    stored, clipped = scale_to_dtype(values, "uint8", (0.0, 10.0))
    assert stored.tolist() == [0, 255, 128, 0, 255, 0, 255, 0, 255, 0]
    assert clipped == 4


def test_float_is_left_alone() -> None:
    values = np.array([[[1.5, np.nan]]], np.float32)
    stored, clipped = scale_to_dtype(values, "float32", None)
    assert stored is values
    assert clipped == 0


def test_views_are_scaled_like_copies() -> None:
    values = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    view = scale_to_dtype(values[:, ::2, 1:3], "uint16", (0, 60)).values
    np.testing.assert_array_equal(
        view, scale_to_dtype(values, "uint16", (0, 60)).values[:, ::2, 1:3]
    )


@pytest.mark.parametrize("value_range", [None, (1.0, 1.0), (2.0, 1.0), (0.0, np.inf)])
def test_range_that_is_none(value_range: tuple[float, float] | None) -> None:
    with pytest.raises(ValueError, match="range"):
        scale_to_dtype(np.zeros((1, 1, 1), np.float32), "uint8", value_range)
