"""Settings of a recipe by their path, such as ``rings.0.sigma``."""

from __future__ import annotations

from typing import Any

from alsct_gui.model.errors import RecipeError


def assign(data: dict[str, Any], path: str, value: Any) -> None:
    """Change one value of plain data, in place.

    Parameters
    ----------
    data
        Nested dicts and lists, as `recipe_to_dict` gives them.
    path
        Keys joined by dots; numbers index lists. A group that is None is made on the way.
    value
        The new value; it is not checked here.

    Raises
    ------
    RecipeError
        The path leads nowhere.
    """
    place: Any = data
    keys = path.split(".")
    for position, key in enumerate(keys):
        last = position == len(keys) - 1
        index: Any = key
        if isinstance(place, list):
            if not key.isdigit() or int(key) >= len(place):
                raise RecipeError(f"there is no item {key!r} of {len(place)}", where=path)
            index = int(key)
        elif not isinstance(place, dict):
            raise RecipeError(f"{key!r} lies within a plain value", where=path)
        elif not last and place.get(key) is None:
            place[key] = {}  # a group that is off, such as phase
        if last:
            place[index] = value
        else:
            place = place[index]
