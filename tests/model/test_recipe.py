from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import (
    BeamHardening,
    Phase,
    Recipe,
    RingFilter,
    Zingers,
    recipe_from_dict,
    recipe_to_dict,
)


def test_the_default_recipe_survives_json() -> None:
    recipe = Recipe(
        zingers=Zingers(),
        phase=Phase(distance_mm=200.0),
        rings=(RingFilter("vo-all"), RingFilter("titarenko", blocks=4)),
        beam_hardening=BeamHardening((1.0, 0.05)),
    )
    assert recipe_from_dict(json.loads(json.dumps(recipe_to_dict(recipe)))) == recipe


def test_an_empty_group_is_the_default() -> None:
    assert recipe_from_dict({}) == Recipe()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "recipe: expected a group of settings"),
        ({"ring": []}, "unknown setting 'ring'. Did you mean 'rings'"),
        ({"rings": [{"method": "magic"}]}, r"recipe.rings\[0\].method: 'magic' is not a choice"),
        ({"rings": {"method": "vo-all"}}, "recipe.rings: expected a list"),
        ({"region": {"rows": [5, 2]}}, r"recipe.region.rows: \[5, 2\] is not a range"),
        ({"region": {"rows": [5]}}, "recipe.region.rows: expected 2 values, found 1"),
        ({"region": {"binning": 0}}, "recipe.region.binning: 0 is too small"),
        ({"region": {"binning": True}}, "recipe.region.binning: expected a whole number"),
        ({"zingers": {"size_px": 4}}, "recipe.zingers.size_px: 4 is even"),
        ({"phase": {"delta_beta": "big"}}, "recipe.phase.delta_beta: expected a number"),
        ({"phase": {"delta_beta": float("nan")}}, "must be a finite number"),
        ({"center": {"method": "manual"}}, "center_px is not given"),
        ({"output": {"value_range": [1, 1]}}, "the lower value is not below the upper"),
        ({"beam_hardening": {"coefficients": []}}, "needs at least one value"),
        ({"version": 99}, "recipe.version: 99 is too large"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(data: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_from_dict(data)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*recipe_to_dict(Recipe()), "method", "rows", "size_px", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(plain)
def test_any_plain_data_is_a_recipe_or_a_recipe_error(data: Any) -> None:
    try:
        recipe = recipe_from_dict(data)
    except RecipeError:
        return
    assert recipe_from_dict(recipe_to_dict(recipe)) == recipe
