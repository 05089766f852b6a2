"""Policies from files: what comes with the program, and what is refused by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Product, Selection
from alsct_gui.placement.matching import matcher
from alsct_gui.placement.policy import load_policy, policy_names, recipe_hash
from alsct_gui.placement.wanted import Wanted

GOOD: dict[str, Any] = {
    "name": "good",
    "sites": [{"name": "here", "outside": False}, {"name": "there"}],
    "lanes": [{"name": "copies"}],
    "places": [
        {"name": "raw", "site": "here", "lane": "copies", "root": "/raw"},
        {"name": "a", "site": "there", "lane": "copies"},
        {"name": "b", "site": "there", "lane": "copies"},
    ],
    "admitted": "raw",
    "wishes": [{"name": "w", "product": "raw", "places": ["a"]}],
    "prunes": [{"name": "p", "place": "raw", "copies": ["a", "b"]}],
    "bans": [{"name": "n", "sites": ["there"], "scans": {"export_controlled": True}}],
}


def scan(**changes: Any) -> ScanFacts:
    known = {"id": "0" * 64, "path": "/raw/BLS-00564_a/x.h5", "size_bytes": 1, "sha256": "0" * 64}
    return ScanFacts(**{**known, **changes})


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return path


def test_those_that_come_with_the_program_are_good() -> None:
    assert policy_names() == ("als-8.3.2",)
    for name in policy_names():
        policy = load_policy(name)
        assert policy.name == name
        assert policy.recipes == {"standard-8.3.2": recipe_hash(load_recipe("standard-8.3.2"))}


def test_the_beamline_wants_nothing_outside_of_an_export_controlled_scan() -> None:
    policy = load_policy()
    outside = {site.name for site in policy.sites if site.outside}
    plan = Wanted(policy).plan(scan(export_controlled=True))
    aims = [*plan.every, *(aim for group in plan.any_of for aim in group)]
    assert {aim.place.name for aim in aims} == {"data832-raw", "data832-scratch", "catalogue"}
    assert not {aim.place.site for aim in aims} & outside
    free = Wanted(policy).plan(scan())
    assert {aim.suffix.split("/")[2] for aim in free.every} == {
        "data832-raw", "nersc-cfs", "nersc-recon", "data832-from-nersc", "scicat", "catalogue",
    }  # fmt: skip


def test_a_good_one_is_read(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path))
    assert policy.wishes[0].product is Product.RAW
    assert policy.prunes[0].quarantine_days == 7


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"admitted": "rwa"}, "policy.admitted", "Did you mean 'raw'"),
        ({"colour": 1}, "policy", "unknown setting"),
        ({"recipes": {"a": "b"}}, "policy.recipes", "made by the program"),
        ({"lanes": [{"name": "copies", "active": 0}]}, "policy.lanes[0].active", "too small"),
        ({"lanes": [{"name": "Copies!"}]}, "policy.lanes", "not a name"),
        ({"sites": [{"name": "here"}, {"name": "here"}]}, "policy.sites", "twice"),
        ({"wishes": [{"name": "w", "product": "raw", "places": []}]}, "wishes[0].places",
         "no place"),
        ({"wishes": [{"name": "w", "product": "raw", "places": ["c"]}]}, "wishes[0].places", "'c'"),
        ({"wishes": [{"name": "w", "product": "gold", "places": ["a"]}]}, "wishes[0].product",
         "not a choice"),
        ({"wishes": [{"name": "w", "product": "pruned", "places": ["a"]}]}, "wishes[0].product",
         "under prunes"),
        ({"wishes": [{"name": "w", "product": "raw", "places": ["a"], "need": "some"}]},
         "wishes[0].need", "not a choice"),
        ({"wishes": [{"name": "w", "product": "reconstruction", "places": ["a"]}]},
         "wishes[0].recipe", "recipe"),
        ({"wishes": [{"name": "w", "product": "raw", "places": ["a"], "recipe": "quick-look"}]},
         "wishes[0].recipe", "recipe"),
        ({"prunes": [{"name": "p", "place": "raw", "copies": ["a"]}]}, "prunes[0].copies",
         "two copies"),
        ({"prunes": [{"name": "p", "place": "raw", "copies": ["a", "raw"]}]}, "prunes[0].copies",
         "two copies"),
        ({"prunes": [{"name": "p", "place": "raw", "copies": ["a", "a"]}]}, "prunes[0].copies",
         "two copies"),
        ({"bans": [{"name": "n", "sites": ["nowhere"], "scans": {}}]}, "bans[0].sites", "nowhere"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    changes: dict[str, Any], where: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError) as caught:
        load_policy(written(tmp_path, **changes))
    assert where in caught.value.where
    assert what in caught.value.sentence


def test_a_policy_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"als-8\.3\.2"):
        load_policy("als")
    with pytest.raises(RecipeError, match="no such file"):
        load_policy(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        (Selection(), True),
        (Selection(proposal="BLS-*"), True),
        (Selection(proposal="bls-*"), False),
        (Selection(path="*/BLS-?????_a/*"), True),
        (Selection(path="/other/*"), False),
        (Selection(metadata={"sample": "foam*"}), True),
        (Selection(metadata={"sample": "foam*", "absent": "*"}), False),
        (Selection(export_controlled=False), True),
        (Selection(export_controlled=True), False),
        (Selection(proposal="BLS-*", path="*.tif"), False),
    ],
)
def test_which_scans(selection: Selection, fits: bool) -> None:
    one = scan(proposal="BLS-00564", metadata={"sample": "foam\n$(x)"})
    assert matcher(selection)(one) is fits


def test_the_name_of_a_recipe_is_no_part_of_what_it_does() -> None:
    from dataclasses import replace

    recipe = load_recipe("standard-8.3.2")
    assert recipe_hash(replace(recipe, name="other", description="")) == recipe_hash(recipe)
    assert recipe_hash(load_recipe("quick-look")) != recipe_hash(recipe)
