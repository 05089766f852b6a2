"""Policies from files, and checked: every name in them must mean something."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from alsct_gui.files.plaintext import read_plain
from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.files.resources import named_or_path, resource_names
from alsct_gui.model.codec import from_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.policy import NAME_PATTERN, WISHABLE, Place, Policy, Product, Wish
from alsct_gui.model.recipe import Recipe, recipe_to_dict

MARK_CHARS = 12
RECIPE_MARK = re.compile(f"[0-9a-f]{{{MARK_CHARS}}}")
"""Form of `recipe_hash`, and of the marks of analyses."""
_NEEDS = ("all", "any")

_WITH_RECIPE = (Product.RECONSTRUCTION, Product.METADATA)


def policy_names() -> tuple[str, ...]:
    """Names of the policies that come with the program."""
    return resource_names("policies")


def load_policy(source: str | Path = "als-8.3.2") -> Policy:
    """Load a policy by its name, or from a YAML or JSON file.

    Raises
    ------
    RecipeError
        There is no such policy, or a setting is wrong (named by its path).
    """
    path = named_or_path("policies", source)
    if path is None:
        raise RecipeError(f"there is no policy {str(source)[:80]!r}",
                          fix=f"Take one of {', '.join(policy_names())}, or a path")  # fmt: skip
    policy = from_plain(Policy, read_plain(path), where="policy")
    for name in ("recipes", "sheets"):
        if getattr(policy, name):
            raise RecipeError("is made by the program", where=f"policy.{name}", fix="Remove it")
    check_policy(policy)
    names = {wish.recipe for wish in policy.wishes if wish.recipe}
    recipes = {name: recipe_hash(load_recipe(name)) for name in sorted(names)}
    if not policy.analyses:
        return replace(policy, recipes=recipes)
    # Steps are not imported for a policy that has none.
    from alsct_gui.placement.analyses import settled

    sheets, more = settled(policy.analyses, path.absolute().parent)
    return replace(policy, recipes={**recipes, **more}, sheets=sheets)


def recipe_hash(recipe: Recipe) -> str:
    """Return 12 hexadecimal digits over all that a recipe does, its name left aside."""
    plain = dict(recipe_to_dict(recipe))
    for words in ("name", "description"):
        plain.pop(words, None)
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:MARK_CHARS]


def check_policy(policy: Policy) -> None:
    """Check that the parts of a policy fit together.

    Raises
    ------
    RecipeError
        Names what does not fit by its path.
    """
    sites = _names((site.name for site in policy.sites), "policy.sites")
    lanes = _names((lane.name for lane in policy.lanes), "policy.lanes")
    places = _names((place.name for place in policy.places), "policy.places")
    for number, place in enumerate(policy.places):
        where = f"policy.places[{number}]"
        _known(place.site, sites, f"{where}.site")
        _known(place.lane, lanes, f"{where}.lane")
        if place.source:
            _check_source(policy, place, places, f"{where}.source")
    _known(policy.admitted, places, "policy.admitted")
    analyses = _names((item.name for item in policy.analyses), "policy.analyses")
    for name in analyses.intersection(preset_names()):
        raise RecipeError(f"{name!r} is a recipe's name", where="policy.analyses",
                          fix="Take another name")  # fmt: skip
    for number, item in enumerate(policy.analyses):
        for name in item.offered:
            _known(name, places, f"policy.analyses[{number}].offered")
        _check_analysed(policy, item.offered, f"policy.analyses[{number}].offered")
    _check_wishes(policy, places)
    for number, ban in enumerate(policy.bans):
        for name in ban.sites:
            _known(name, sites, f"policy.bans[{number}].sites")
    _check_prunes(policy, places)


def _check_source(policy: Policy, place: Place, places: set[str], where: str) -> None:
    _known(place.source, places, where)
    source = next(other for other in policy.places if other.name == place.source)
    if source.source or source.site == place.site:
        raise RecipeError(
            f"nothing is brought from {place.source!r}", where=where,
            fix="Name a place of another site, where reconstructions are made",
        )  # fmt: skip


def _check_wishes(policy: Policy, places: set[str]) -> None:
    for number, wish in enumerate(policy.wishes):
        where = f"policy.wishes[{number}]"
        if wish.product not in WISHABLE:
            raise RecipeError("is a rule of its own", where=f"{where}.product",
                              fix="Write it under prunes")  # fmt: skip
        if wish.need not in _NEEDS:
            raise RecipeError(f"{wish.need[:80]!r} is not a choice", where=f"{where}.need",
                              fix="Take one of all, any")  # fmt: skip
        if not wish.places:
            raise RecipeError("names no place", where=f"{where}.places")
        for name in wish.places:
            _known(name, places, f"{where}.places")
        _check_analysis(policy, wish, where)
        made = wish.product is Product.RECONSTRUCTION
        if (made and not wish.recipe) or (wish.recipe and wish.product not in _WITH_RECIPE):
            raise RecipeError("a recipe belongs to a reconstruction or to its record, "
                              "and only there", where=f"{where}.recipe")  # fmt: skip


def _check_analysis(policy: Policy, wish: Wish, where: str) -> None:
    if (wish.product is Product.ANALYSIS) is not bool(wish.analysis):
        raise RecipeError("an analysis is named by a wish for one, and only there",
                          where=f"{where}.analysis")  # fmt: skip
    if not wish.analysis:
        return
    _known(wish.analysis, {item.name for item in policy.analyses}, f"{where}.analysis")
    _check_analysed(policy, wish.places, f"{where}.places")


def _check_analysed(policy: Policy, names: Iterable[str], where: str) -> None:
    """Check that steps can run at places, or where products are brought from to them."""
    workers = {lane.name: lane.by for lane in policy.lanes}
    known = {place.name: place for place in policy.places}
    for name in names:
        made_at = known[known[name].source or name]
        if workers[made_at.lane] == "globus":
            raise RecipeError(
                f"nothing is analysed at {made_at.name!r}: files are only brought there",
                where=where,
                fix="Name a place where reconstructions are made, or one that has such a source",
            )  # fmt: skip


def _check_prunes(policy: Policy, places: set[str]) -> None:
    for number, rule in enumerate(policy.prunes):
        where = f"policy.prunes[{number}]"
        _known(rule.place, places, f"{where}.place")
        for name in rule.copies:
            _known(name, places, f"{where}.copies")
        if len(set(rule.copies) - {rule.place}) < 2:
            raise RecipeError(
                "fewer than two other places", where=f"{where}.copies",
                fix="A raw file goes only when two copies elsewhere were read again",
            )  # fmt: skip


def _names(names: Iterable[str], where: str) -> set[str]:
    """Check names and return them."""
    known: set[str] = set()
    for name in names:
        if NAME_PATTERN.fullmatch(name) is None:
            raise RecipeError(
                f"{name[:80]!r} is not a name", where=where,
                fix="Take small letters, digits and hyphens",
            )  # fmt: skip
        if name in known:
            raise RecipeError(f"{name!r} is there twice", where=where)
        known.add(name)
    return known


def _known(name: str, names: set[str], where: str) -> None:
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    fix = f"Did you mean {near[0]!r}" if near else f"Known: {', '.join(sorted(names))}"
    raise RecipeError(f"there is no {name[:80]!r}", where=where, fix=fix)
