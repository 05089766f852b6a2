"""Arguments of a request, hostile until checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import UsageError
from alsct_gui.model.recipe import Recipe, recipe_from_dict
from alsct_gui.recon.desk.shelf import input_path

MOST_VALUES = 200
"""Most pictures of a sweep, and most values of one setting."""


class Arguments:
    """Takes values out of a request's arguments.

    Each method raises `UsageError`, naming the argument, when it is missing or wrong;
    `recipe` raises `RecipeError`.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def path(self, name: str = "path") -> Path:
        """An absolute path, so that it means the same in every process."""
        path = input_path(self._given.get(name))
        if not path.is_absolute():
            raise UsageError("is not an absolute path", where=name)
        return path

    def recipe(self) -> Recipe:
        """The recipe, with ``binning`` in place of its own when that is given."""
        recipe = recipe_from_dict(self._given.get("recipe"))
        binning = self.integer("binning", least=1, most=16)
        if binning is None:
            return recipe
        return replace(recipe, region=replace(recipe.region, binning=binning))

    def integer(self, name: str, *, least: int = 0, most: int = 1 << 31) -> int | None:
        """A whole number within bounds, or None."""
        value = self._given.get(name)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            raise UsageError(f"{value!r} is no whole number from {least} to {most}"[:200],
                             where=name)  # fmt: skip
        return value

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 1 << 31) -> int:
        """A whole number within bounds."""
        value = self.integer(name, least=least, most=most)
        return default if value is None else value

    def choice(self, name: str, options: tuple[str, ...]) -> Any:
        """One of some words; the first when it is not given."""
        value = self._given.get(name, options[0])
        if value not in options:
            raise UsageError(f"{value!r} is none of {', '.join(options)}"[:200], where=name)
        return value

    def flag(self, name: str) -> bool:
        """True or false; false when it is not given."""
        value = self._given.get(name, False)
        if not isinstance(value, bool):
            raise UsageError(f"{value!r} is neither true nor false"[:200], where=name)
        return value

    def numbers(self, name: str) -> list[float]:
        """Finite numbers, one to `MOST_VALUES`."""
        values = self._given.get(name)
        if not isinstance(values, list) or not 1 <= len(values) <= MOST_VALUES:
            raise UsageError(f"is no list of 1 to {MOST_VALUES} numbers", where=name)
        for value in values:
            if type(value) not in (int, float) or not math.isfinite(value):
                raise UsageError(f"{value!r} is no finite number"[:200], where=name)
        return [float(value) for value in values]

    def settings(self) -> list[tuple[str, list[Any]]]:
        """One or two settings of a recipe, each with the values to try."""
        rows = self._given.get("settings")
        if not isinstance(rows, list) or not 1 <= len(rows) <= 2:
            raise UsageError("one or two settings can be swept", where="settings")
        found = []
        for row in rows:
            good = isinstance(row, list) and len(row) == 2 and isinstance(row[0], str)
            if not good or not isinstance(row[1], list) or not row[1]:
                raise UsageError("a setting is a path and a list of values", where="settings")
            found.append((row[0], list(row[1])))
        if math.prod(len(values) for _, values in found) > MOST_VALUES:
            raise UsageError(f"more than {MOST_VALUES} pictures are asked for", where="settings",
                             fix="Take fewer values")  # fmt: skip
        return found
