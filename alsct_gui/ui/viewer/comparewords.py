"""What the viewer says of two volumes. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from alsct_gui.files.compare import Difference
from alsct_gui.model.volume import Volume
from alsct_gui.ui.viewer.words import value_words

_SHOWN = 4
_BESIDE = ("region.", "output.", "name", "version")
"""Settings that say where and how a product is stored, not how its values are made."""


def figures_words(figures: Difference, unit: str) -> str:
    """Say how two slices differ: ``rms 0.012 1/cm, largest 0.4, correlation 0.9991``."""
    if not figures.n_pixels:
        return "no pixel has a value in both"
    if figures.largest == 0:
        return "the slices are equal"
    words = f"rms {value_words(figures.rms, unit)}, largest {figures.largest:.3g}"
    if math.isfinite(figures.correlation):
        words += f", correlation {figures.correlation:.4f}"
    return words


def caption_lines(
    a: Volume, b: Volume, *, notes: Sequence[str], figures: Difference | None, seen: str
) -> tuple[str, ...]:
    """Return what is said over the pictures of two volumes.

    Parameters
    ----------
    a, b
        The first and the second.
    notes
        What is to be known of comparing them.
    figures
        How the two slices differ; None while they are coarse or not subtracted.
    seen
        Which one is seen, where they blink; empty for both.
    """
    measured = figures_words(figures, a.units) if figures is not None else ""
    differs = differs_words(recipe_differences(a.provenance, b.provenance))
    return tuple(line for line in (seen, measured, differs, *notes) if line)


def recipe_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """Say in which settings two products differ: ``center px 1283.25 → 1283.75``.

    Parameters
    ----------
    a, b
        Provenances of the two, as plain data; settings that were found stand in ``resolved``.

    Returns
    -------
    words
        One for each setting, in the order of the recipe; what says only where the product
        lies is left out. Empty when nothing is known of either.
    """
    first, second = (_flat(_recipe(each)) for each in (a, b))
    if not first or not second:
        return ()
    names = [*first, *(name for name in second if name not in first)]
    return tuple(
        f"{_spoken(name)} {_value(first.get(name))} → {_value(second.get(name))}"
        for name in names
        if first.get(name) != second.get(name)
        and not name.startswith(_BESIDE)
        # The settings of a step that only one of them has go without saying.
        and (not _is_step(name) or (name in first and name in second))
    )


def differs_words(differences: tuple[str, ...]) -> str:
    """Say them in one line; empty when there are none."""
    if not differences:
        return ""
    words = ", ".join(differences[:_SHOWN])
    left = len(differences) - _SHOWN
    return f"differs in: {words}" + (f" and {left} more" if left > 0 else "")


def _recipe(provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in ("resolved", "recipe"):
        found = provenance.get(key)
        if isinstance(found, Mapping):
            return found
    return {}


def _flat(data: Mapping[str, Any], lead: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{lead}{key}."))
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            flat[f"{lead}{key}"] = " + ".join(str(item.get("method", item)) for item in value)
            for place, item in enumerate(value):
                rest = {name: setting for name, setting in item.items() if name != "method"}
                flat.update(_flat(rest, f"{lead}{key}.{place}."))
        else:
            flat[f"{lead}{key}"] = (tuple(value) or None) if isinstance(value, list) else value
    return flat


def _is_step(name: str) -> bool:
    """Whether it is a setting of one step among several, such as ``rings.0.sigma``."""
    return any(part.isdigit() for part in name.split("."))


def _spoken(name: str) -> str:
    """``rings.method`` is “rings”, ``center.center_px`` “center px”."""
    name = ".".join(part for part in name.split(".") if not part.isdigit())
    section, _, setting = name.rpartition(".")
    if setting in ("method", "enabled", "algorithm", ""):
        return section.replace("_", " ") or name
    if section and setting.startswith(section):
        return setting.replace("_", " ")
    return f"{section} {setting}".strip().replace("_", " ").replace(".", " ")


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return "(" + ", ".join(_value(item) for item in value) + ")"
    return str(value)[:60]
