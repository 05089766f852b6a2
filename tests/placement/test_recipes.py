"""A goal's recipe is found by its hash, wherever it comes from, and is the one that was meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.placement import Observed
from alsct_gui.model.recipe import Center, Recipe, recipe_to_dict
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.recipes import Recipes
from tests.placement.placing import folder_policy

MINE = Recipe(name="mine", center=Center("manual", 3.25))


def test_of_the_policy_and_of_persons(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    save_recipe(MINE, file)
    policy = replace(folder_policy(tmp_path), recipes={str(file): recipe_hash(MINE)})
    theirs = replace(MINE, center=Center("manual", 4.0))
    observed = Observed(recipes={recipe_hash(theirs): recipe_to_dict(theirs)})
    recipes = Recipes(policy, observed)
    assert recipes.find(recipe_hash(MINE)) == MINE
    assert recipes.find(recipe_hash(theirs)) == theirs
    with pytest.raises(BlockedError, match="not in the policy"):
        recipes.find("0" * 12)
    save_recipe(theirs, file)
    assert recipes.find(recipe_hash(MINE)) == MINE, "it was read before"
    with pytest.raises(BlockedError, match="has changed"):
        Recipes(policy, Observed()).find(recipe_hash(MINE))


def test_what_cannot_be_read_calls_a_person(tmp_path: Path) -> None:
    observed = Observed(recipes={"0" * 12: {"no such": "setting"}})
    with pytest.raises(BlockedError, match="cannot be read"):
        Recipes(folder_policy(tmp_path), observed).find("0" * 12)
