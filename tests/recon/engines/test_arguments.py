"""Checks that every engine makes of its arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.arguments import (
    center_runs,
    check_shapes,
    choose_algorithm,
    prepare_output,
)
from alsct_gui.recon.engines.base import Capabilities, SliceGeometry

CAPABILITIES = Capabilities("one", "One", ("first", "second"), filters=("ramp", "hann"))
GEOMETRY = SliceGeometry(np.arange(7.0), 12, 5.5, 10)


def test_the_first_algorithm_is_the_default() -> None:
    assert choose_algorithm(EngineSettings(), CAPABILITIES) == "first"
    assert choose_algorithm(EngineSettings(algorithm="second"), CAPABILITIES) == "second"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (EngineSettings(algorithm="third"), ["'third'", "first, second"]),
        (EngineSettings(filter="parzen"), ["'parzen'", "ramp, hann"]),
    ],
)
def test_what_an_engine_lacks_is_refused(settings: EngineSettings, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        choose_algorithm(settings, CAPABILITIES)
    for word in words:
        assert word in caught.value.sentence


def test_shapes_and_types_must_fit() -> None:
    check_shapes(np.zeros((2, 7, 12), np.float32), GEOMETRY)
    for wrong in (np.zeros((2, 12, 7), np.float32), np.zeros((7, 12), np.float32)):
        with pytest.raises(ValueError, match="7, 12"):
            check_shapes(wrong, GEOMETRY)
    with pytest.raises(ValueError, match="float64"):
        check_shapes(np.zeros((2, 7, 12)), GEOMETRY)  # type: ignore[arg-type]


def test_output_is_made_or_checked() -> None:
    assert prepare_output(None, 3, GEOMETRY).shape == (3, 10, 10)
    mine = np.zeros((3, 10, 10), np.float32)
    assert prepare_output(mine, 3, GEOMETRY) is mine
    with pytest.raises(ValueError, match=r"\(3, 10, 10\)"):
        prepare_output(np.zeros((3, 12, 12), np.float32), 3, GEOMETRY)


@given(st.lists(st.sampled_from([1.0, 1.5, 2.0]), max_size=30), st.integers(1, 5))
def test_runs_cover_all_slices_once_with_one_centre_each(
    centers: list[float], longest: int
) -> None:
    runs = center_runs(centers, longest)
    assert [index for start, stop in runs for index in range(start, stop)] == list(
        range(len(centers))
    )
    for start, stop in runs:
        assert 1 <= stop - start <= longest
        assert len(set(centers[start:stop])) == 1
