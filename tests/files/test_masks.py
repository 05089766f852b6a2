from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.files.masks import NEGATIVE, NOT_FINITE, value_mask


def test_each_kind_is_marked_and_counted() -> None:
    values = np.array([[0.0, -0.5, np.nan], [np.inf, -np.inf, -2.0]], np.float32)
    mask = value_mask(values)
    assert mask.labels.tolist() == [[0, NEGATIVE, NOT_FINITE], [NOT_FINITE, NOT_FINITE, NEGATIVE]]
    assert (mask.n_not_finite, mask.n_negative) == (3, 2)
    assert mask.labels.dtype == np.uint8
    noisy = value_mask(values, below=-1.0)
    assert noisy.labels[0].tolist() == [0, 0, NOT_FINITE]
    assert noisy.n_negative == 1


def test_unsigned_values_have_neither() -> None:
    mask = value_mask(np.arange(5, dtype=np.uint16))
    assert not mask.labels.any()
    assert (mask.n_not_finite, mask.n_negative) == (0, 0)


@pytest.mark.parametrize("below", [0.1, np.nan, -np.inf])
def test_a_threshold_above_zero_is_refused(below: float) -> None:
    with pytest.raises(ValueError, match="negative values"):
        value_mask(np.zeros(2), below=below)
