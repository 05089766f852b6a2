"""The form's settings go into the recipe and come out of it; nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.recipe import Phase, Recipe, RingFilter, Zingers
from napari_alsct_recon.quick import Quick, quick_of, with_center, with_quick
from napari_alsct_recon.sweep import SETTINGS, with_value


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_comes_back_unchanged(name: str) -> None:
    recipe = load_recipe(name)
    assert with_quick(recipe, quick_of(recipe)) == recipe


def test_what_is_set_is_in_the_recipe_and_the_rest_stays() -> None:
    base = replace(load_recipe("standard-8.3.2"), zingers=Zingers(5))
    made = with_quick(
        base,
        Quick("vo-all", 500.0, 320.5, True, "hann", 0.7, (10, 20), 2, "uint8"),
    )
    assert made.rings == (RingFilter(method="vo-all"),)
    assert made.phase == Phase(delta_beta=500.0)
    assert (made.center.method, made.center.center_px) == ("manual", 320.5)
    assert made.zingers == Zingers(5)
    assert made.engine == replace(base.engine, filter="hann", cutoff=0.7)
    assert (made.region.rows, made.region.binning, made.output.dtype) == ((10, 20), 2, "uint8")
    assert made.correction == base.correction
    off = with_quick(made, replace(quick_of(made), rings="none", delta_beta=None, center_px=None,
                                   zingers=False))  # fmt: skip
    assert (off.rings, off.phase, off.zingers, off.center.method) == ((), None, None, "auto")


def test_several_ring_filters_stay_until_another_is_chosen() -> None:
    two = replace(Recipe(), rings=(RingFilter("sorting"), RingFilter("titarenko", alpha=2.0)))
    assert quick_of(two).rings == "several"
    assert with_center(two, 5.0).rings == two.rings
    assert with_quick(two, replace(quick_of(two), rings="sorting")).rings == (
        RingFilter("sorting"),
    )


def test_every_swept_value_can_be_taken() -> None:
    recipe = load_recipe("standard-8.3.2")
    for item in SETTINGS:
        made = with_value(recipe, item.path, abs(item.span[1]))
        assert made != recipe
