from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.geometry import Geometry, Window


@given(st.integers(0, 2000), st.integers(1, 16), st.floats(-100, 3000))
def test_a_column_goes_to_a_window_and_back(start: int, binning: int, column: float) -> None:
    window = Window(start, binning)
    assert window.to_full(window.to_local(column)) == pytest.approx(column)


def test_a_binned_column_stands_in_the_middle_of_its_pixels() -> None:
    assert Window(100, 4).to_full(0) == 101.5
    assert Window(100, 1).to_local(100) == 0


@pytest.mark.parametrize(("n", "turn"), [(180, 180.0), (1313, 360.0)])
def test_range_counts_the_last_step(n: int, turn: float) -> None:
    angles = np.arange(n) * turn / n
    geometry = Geometry(angles_deg=-angles, n_rows=2, n_columns=3)
    assert geometry.range_deg == pytest.approx(turn)


def test_an_error_is_one_line_that_says_what_where_and_what_to_do() -> None:
    error = AlsctError("the file ends\nearly", where="scan.h5", fix="Copy it again")
    assert error.sentence == "scan.h5: the file ends early. Copy it again."
