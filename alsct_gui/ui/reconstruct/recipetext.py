"""The recipe as text that can be edited, and where in the text something is wrong. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from alsct_gui.files.plaintext import parse_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says."""

    recipe: Recipe | None
    """None when something is wrong with it."""
    trouble: str = ""
    """What is wrong, a sentence."""
    line: int | None = None
    """Where, from 0; None when no line can be named."""


def recipe_text(recipe: Recipe) -> str:
    """Write a recipe as YAML, every setting in it."""
    return yaml.safe_dump(recipe_to_dict(recipe), sort_keys=False, allow_unicode=True)


def read_recipe(text: str) -> Reading:
    """Read a recipe that was typed; never raises for what is in the text."""
    try:
        data = parse_plain(text.encode("utf-8", "replace"))
        return Reading(recipe_from_dict({} if data is None else data))
    except RecipeError as error:
        cause = error.__cause__
        if isinstance(cause, yaml.MarkedYAMLError) and cause.problem_mark is not None:
            return Reading(None, f"The text is not YAML: {cause.problem}.", cause.problem_mark.line)
        where = error.where.removeprefix("recipe.")
        words = [f"{where}: {error.what}." if where not in ("", "recipe") else f"{error.what}."]
        words += [f"{error.fix}."] if error.fix else []
        return Reading(None, " ".join(words), _line(text, error))


def _line(text: str, error: RecipeError) -> int | None:
    """Line of the setting that an error names, as far down its path as the text goes."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    found = None
    quoted = re.search(r"unknown setting '([^']*)'", error.what)
    keys = re.findall(r"[^.\[\]]+", error.where)[1:] + ([quoted[1]] if quoted else [])
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next((item for item in node.value if item[0].value == key), None)
            if pair is None:
                break
            found, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            found = node.start_mark.line
        else:
            break
    return found
