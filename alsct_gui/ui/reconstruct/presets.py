"""Presets against the recipe as it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alsct_gui.model.recipe import Recipe

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import PresetRow


def with_own_center(preset: Recipe, recipe: Recipe) -> Recipe:
    """Return a preset with the centre that a person gave for the scan, if one was given.

    A centre belongs to its scan and not to the preset: another preset does not take it away,
    and it does not make the recipe a changed one.
    """
    if recipe.center.method != "manual":
        return preset
    return replace(preset, center=recipe.center)


def is_changed(recipe: Recipe, rows: Sequence[PresetRow]) -> bool:
    """Whether the recipe differs from the preset whose name it has; False without one."""
    row = next((row for row in rows if row.name == recipe.name), None)
    return row is not None and recipe != with_own_center(row.recipe, recipe)


def preset_words(recipe: Recipe, rows: Sequence[PresetRow]) -> str:
    """Say which preset the recipe is, and whether it was changed."""
    name = recipe.name or "custom"
    if not rows:
        return name  # nobody knows the presets yet
    if all(row.name != recipe.name for row in rows):
        return f"{name} (own)"
    return f"{name} (changed)" if is_changed(recipe, rows) else name
