"""The recipes that goals name by their hash: those of the policy, and what persons asked for."""

from __future__ import annotations

from collections.abc import Mapping

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.placement import Observed
from alsct_gui.model.policy import Policy
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.policy import recipe_hash


class Recipes:
    """Finds recipes by their hash, each read once.

    Parameters
    ----------
    policy
        Names recipes, with the hashes that they had when it was loaded.
    observed
        Holds recipes that a person has asked for.
    """

    def __init__(self, policy: Policy, observed: Observed) -> None:
        self._names = {mark: name for name, mark in policy.recipes.items()}
        self._asked: Mapping[str, Mapping[str, object]] = observed.recipes
        self._known: dict[str, Recipe] = {}

    def find(self, mark: str) -> Recipe:
        """Return the recipe of a hash.

        Raises
        ------
        BlockedError
            Nobody names it, or what has its name is another one by now.
        """
        if mark not in self._known:
            self._known[mark] = self._read(mark)
        return self._known[mark]

    def _read(self, mark: str) -> Recipe:
        asked, name = self._asked.get(mark), self._names.get(mark)
        if asked is None and name is None:
            raise BlockedError(
                "the recipe is not in the policy any more", where=mark,
                fix="Put it back, or take the wish back",
            )  # fmt: skip
        try:
            recipe = load_recipe(asked if asked is not None else str(name))
        except RecipeError as error:
            raise BlockedError(
                f"the recipe cannot be read: {error.what}", where=name or error.where,
                fix=error.fix or "Put it right",
            ) from error  # fmt: skip
        if recipe_hash(recipe) != mark:
            raise BlockedError(
                "the recipe has changed since the policy was read", where=name or mark,
                fix="Restart the agent, which takes it as it is now",
            )  # fmt: skip
        return recipe
