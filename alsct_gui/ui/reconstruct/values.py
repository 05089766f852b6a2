"""Values of settings: out of a recipe, into words, from words, and a step up or down. Pure."""

from __future__ import annotations

import re
from math import floor, log10
from typing import Any

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict
from alsct_gui.model.settings_path import assign
from alsct_gui.ui.reconstruct.fields import FieldInfo

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def value_at(recipe: Recipe, path: str) -> Any:
    """Return a setting's value; None when the part that it belongs to is off."""
    place: Any = recipe
    for key in path.split("."):
        if place is None:
            return None
        if key.isdigit():
            place = place[int(key)] if int(key) < len(place) else None
        else:
            place = getattr(place, key)
    return place


def assignment(recipe: Recipe, info: FieldInfo, value: Any) -> tuple[str, Any]:
    """Return which setting to change to what, so that a field gets a value.

    Mostly that is the field's own setting. A part is switched on with its usual values; a ring
    filter is added or taken away; a centre that is given makes the method manual.
    """
    if info.kind == "group":
        return info.path, ({} if value else None)
    if info.path == "rings.0.method":
        if value is None:
            return "rings", []
        if not recipe.rings:
            return "rings", [{"method": value}]
    if info.path == "center.center_px" and value is not None:
        return "center", manual_center(recipe, value)
    return info.path, value


def manual_center(recipe: Recipe, center_px: float) -> dict[str, Any]:
    """Return the group ``center`` with a value that a person gave, to a hundredth of a pixel."""
    return {
        "method": "manual", "center_px": round(center_px, 2),
        "search_px": recipe.center.search_px,
    }  # fmt: skip


def changed(recipe: Recipe, info: FieldInfo, value: Any) -> Recipe:
    """Return the recipe with another value.

    Raises
    ------
    RecipeError
        The value does not fit.
    """
    data = recipe_to_dict(recipe)
    assign(data, *assignment(recipe, info, value))
    return recipe_from_dict(data)


def is_on(value: Any) -> bool:
    """Whether a switch is on; a part of the recipe is on when it is there."""
    return value is not None and value is not False


def text_of(info: FieldInfo, value: Any) -> str:
    """Write a value as its field shows it; nothing when it is left open."""
    if value is None:
        return ""
    if info.kind == "number":
        return number_text(value)
    if info.kind == "pair":
        return ":".join(number_text(item) for item in value)
    if info.kind == "numbers":
        return ", ".join(number_text(item) for item in value)
    return str(value)


def number_text(value: float) -> str:
    """Write a number without figures that say nothing: ``0.25``, ``1000``."""
    return f"{value:.10g}"


def parse(info: FieldInfo, text: str) -> Any:
    """Read what was typed into a field.

    Raises
    ------
    RecipeError
        It cannot be read; what it must be is said.
    """
    text = text.strip().replace("−", "-")
    if not text and info.optional:
        return None
    if info.kind == "text":
        return text
    if info.kind == "numbers":
        return [_number(info, part) for part in re.split(r"[,;\s]+", text) if part]
    if info.kind == "pair":
        return _pair(info, text)
    value = _number(info, text)
    return int(value) if info.kind == "integer" and value.is_integer() else value


def _pair(info: FieldInfo, text: str) -> list[float]:
    parts = re.split(r"\s*(?::|–|…|,|;|\bto\b|\s)\s*", text)
    if len(parts) != 2:
        raise RecipeError(f"{text[:40]!r} is not a range", fix="Write it as 100:120")
    pair = [_number(info, part) for part in parts]
    return [int(value) if info.whole and value.is_integer() else value for value in pair]


def _number(info: FieldInfo, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        what = f"{text[:40]!r} is not a number" if text else "there is no number"
        whole = info.kind == "integer" or info.whole
        raise RecipeError(what, fix="Write it as 12" if whole else "Write it as 0.25")
    return float(text)


def trouble(recipe: Recipe, info: FieldInfo, text: str) -> str:
    """Return what is wrong with what was typed, a sentence; empty when it fits."""
    try:
        changed(recipe, info, parse(info, text))
    except RecipeError as error:
        return short_sentence(error)
    return ""


def short_sentence(error: RecipeError) -> str:
    """Say an error where its field is, hence without the field's path."""
    words = f"{error.what}. {error.fix}." if error.fix else f"{error.what}."
    return words[0].upper() + words[1:]


def stepped(info: FieldInfo, value: Any, steps: int) -> Any:
    """Return a value some steps up or down, within its bounds; about a tenth for each step."""
    if value is None:
        value = info.default if info.default is not None else 0
    if info.kind == "integer":
        result = value + steps * (2 if info.odd else 1)
    else:
        step = fine_step(value)
        result = round(round(value / step) * step + steps * step, 10)
    if info.minimum is not None:
        result = max(info.minimum, result)
    if info.maximum is not None:
        result = min(info.maximum, result)
    return int(result) if info.kind == "integer" else float(result)


def fine_step(value: float) -> float:
    """Return a round step (1, 2 or 5 times a power of ten) near a tenth of a value."""
    if value == 0:
        return 0.1
    tenth = abs(value) / 10
    power = 10.0 ** floor(log10(tenth))
    share = tenth / power
    return (1 if share < 1.5 else 2 if share < 3.5 else 5 if share < 7.5 else 10) * power
