"""Recipes on disk and the presets that come with the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.files.resources import PLAIN_SUFFIXES, named_or_path, resource_names
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict


def preset_names() -> tuple[str, ...]:
    """Names of the presets, in alphabetical order."""
    return resource_names("recipes")


def load_recipe(source: str | Path | Mapping[str, Any]) -> Recipe:
    """Load a recipe from a preset's name, a JSON or YAML file, or plain data.

    A text is a preset's name when a preset is called so, else a path. A recipe without a
    name takes the file's.

    Raises
    ------
    RecipeError
        There is no such preset or file, or a setting is wrong (named by its path).
    """
    if isinstance(source, Mapping):
        return recipe_from_dict(source)
    path = _path_of(source)
    data = read_plain(path)
    recipe = recipe_from_dict({} if data is None else data)
    return recipe if "name" in (data or {}) else replace(recipe, name=path.stem)


def save_recipe(recipe: Recipe, path: str | Path) -> None:
    """Write a recipe as JSON or YAML, by the suffix of the path.

    Raises
    ------
    RecipeError
        The suffix is neither.
    OutputError
        The file cannot be written.
    """
    path = Path(path)
    if path.suffix not in PLAIN_SUFFIXES:
        raise RecipeError("is neither YAML nor JSON by its name", where=str(path),
                          fix=f"End it in one of {', '.join(PLAIN_SUFFIXES)}")  # fmt: skip
    data = recipe_to_dict(recipe)
    write_plain(path, data)


def _path_of(source: str | Path) -> Path:
    path = named_or_path("recipes", source)
    if path is None:
        raise RecipeError(
            f"there is no preset {str(source)[:80]!r}",
            fix=f"Take one of {', '.join(preset_names())}, or a path ending in .yaml or .json",
        )
    return path
