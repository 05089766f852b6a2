"""Every setting of the recipe has a field; values travel to words and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.history import History
from alsct_gui.model.recipe import Phase, Recipe, RingFilter, Zingers
from alsct_gui.ui.reconstruct.fields import (
    SECTIONS,
    TIERS,
    UNSHOWN,
    FieldInfo,
    all_fields,
    all_paths,
    field,
    further_rings_words,
    shown_fields,
    sweepable,
)
from alsct_gui.ui.reconstruct.values import (
    changed,
    is_on,
    parse,
    stepped,
    text_of,
    trouble,
    value_at,
)

FULL = Recipe(
    rings=(RingFilter(),), phase=Phase(), zingers=Zingers(),
)  # fmt: skip
PATHS = [info.path for info in all_fields()]


def test_every_setting_of_the_recipe_has_a_field() -> None:
    assert set(all_paths()) - set(UNSHOWN) == set(PATHS)
    assert len(PATHS) == len(set(PATHS))


def test_settings_without_a_field_exist_and_say_why() -> None:
    assert set(UNSHOWN) <= set(all_paths())
    assert all(UNSHOWN.values())


@pytest.mark.parametrize("info", all_fields(), ids=PATHS)
def test_a_field_says_what_it_is(info: FieldInfo) -> None:
    assert info.section in SECTIONS
    assert info.label
    assert len(info.label) <= 15, "does not fit the column of labels"
    assert len(info.tip) > 5
    assert "None" not in info.tip
    if info.unit:
        assert info.unit in info.tip or info.unit == "°"
    if info.optional and info.kind != "group":
        assert info.empty, "an empty field must say what is taken"


def test_tiers_hold_what_the_one_before_holds() -> None:
    shown = [set(shown_fields(FULL, tier)) for tier in TIERS]
    assert shown[0] < shown[1] < shown[2]
    assert {info.path for info in shown_fields(FULL, "simple")} == {
        "rings.0.method", "phase", "phase.delta_beta",
    }  # fmt: skip
    for path in (
        "zingers", "engine.filter", "engine.cutoff", "engine.padding", "rotation.tilt_deg",
        "region.binning", "region.rows", "output.format", "output.dtype",
        "correction.flat_interpolation",
    ):  # fmt: skip
        assert field(path) in shown[1]


def test_fields_of_other_methods_are_not_shown() -> None:
    recipe = Recipe(rings=(RingFilter("vo-all"),))
    shown = {info.path for info in shown_fields(recipe, "all")}
    assert {"rings.0.snr", "rings.0.size_small_px"} <= shown
    assert not {"rings.0.sigma", "rings.0.alpha", "phase.delta_beta", "engine.p"} & shown
    iterated = replace(recipe, engine=replace(recipe.engine, name="mbir"))
    assert "engine.filter" not in {info.path for info in shown_fields(iterated, "all")}
    assert "engine.iterations" in {info.path for info in shown_fields(iterated, "all")}


def test_only_numbers_can_be_swept_the_centre_first() -> None:
    found = sweepable(FULL)
    assert found[0].path == "center.center_px"
    assert "rings.0.sigma" in [info.path for info in found]
    assert {info.kind for info in found} == {"number", "integer"}
    assert "rings.0.sigma" not in [info.path for info in sweepable(Recipe())]


def values_of(info: FieldInfo) -> st.SearchStrategy[Any]:
    """Values that a field may be given; some of them do not fit."""
    low = -100.0 if info.minimum is None else info.minimum
    high = low + 300.0 if info.maximum is None else info.maximum
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "number": st.floats(low, high).map(lambda value: round(value, 6)),
        "integer": st.integers(int(low), int(high)),
        "choice": st.sampled_from([value for value, _ in info.choices] or ["fourier"]),
        "switch": st.booleans(),
        "group": st.booleans(),
        "text": st.text(st.characters(codec="ascii", categories=["L"]), max_size=9),
        "numbers": st.lists(st.floats(-3, 3), min_size=1, max_size=3),
        "pair": st.tuples(st.integers(0, 9), st.integers(10, 99)),
    }
    made = kinds[info.kind]
    return made | st.none() if info.optional and info.kind != "group" else made


edits = st.sampled_from(all_fields()).flatmap(
    lambda info: st.tuples(st.just(info), values_of(info))
)


def edited(recipe: Recipe, info: FieldInfo, value: Any) -> Recipe:
    try:
        return changed(recipe, info, value)
    except RecipeError:
        return recipe


@given(st.sampled_from(preset_names()), st.lists(st.tuples(edits, st.booleans()), max_size=12))
def test_undoing_every_edit_gives_the_first_recipe_back(
    preset: str, steps: list[tuple[tuple[FieldInfo, Any], bool]]
) -> None:
    first = load_recipe(preset)
    history = History(first)
    for (info, value), settle in steps:
        history = history.changed(edited(history.present, info, value), info.path)
        history = history.settled() if settle else history
    last = history.present
    undone = 0
    while history.past:
        history, undone = history.undone(), undone + 1
    assert history.present == first
    for _ in range(undone):
        history = history.redone()
    assert history.present == last


@given(edits)
def test_an_edit_changes_what_it_says_and_its_text_reads_back(edit: tuple[FieldInfo, Any]) -> None:
    info, value = edit
    try:
        recipe = changed(FULL, info, value)
    except RecipeError:
        return
    got = value_at(recipe, info.path)
    if info.kind == "group":
        assert is_on(got) is value
    elif info.kind == "number" and value is not None:
        assert got == pytest.approx(value, abs=0.005)
    elif info.kind in ("integer", "switch", "choice", "text"):
        assert got == value
    if info.kind in ("number", "integer", "pair", "numbers", "text"):
        again = changed(recipe, info, parse(info, text_of(info, got)))
        assert again == recipe or info.kind == "numbers"
        assert text_of(info, value_at(again, info.path)) == text_of(info, got)


def test_a_ring_filter_is_added_changed_and_taken_away() -> None:
    method = field("rings.0.method")
    one = changed(Recipe(), method, "vo-all")
    assert one.rings == (RingFilter("vo-all"),)
    wide = changed(one, field("rings.0.snr"), 4.0)
    other = changed(wide, method, "sorting")
    assert other.rings == (RingFilter("sorting", snr=4.0),)
    assert changed(other, method, None).rings == ()
    assert value_at(Recipe(), "rings.0.method") is None


def test_a_given_centre_is_manual_and_to_the_hundredth() -> None:
    recipe = changed(Recipe(), field("center.center_px"), 1283.2549)
    assert (recipe.center.method, recipe.center.center_px) == ("manual", 1283.25)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("region.binning", "40", "40 is too large. Most: 16."),
        ("region.binning", "two", "'two' is not a number. Write it as 12."),
        ("region.binning", "1.5", "Expected a whole number, found 1.5."),
        ("region.binning", "", "There is no number. Write it as 12."),
        ("engine.cutoff", "nan", "'nan' is not a number. Write it as 0.25."),
        ("zingers.size_px", "4", "4 is even. Take an odd number."),
        ("region.rows", "20:10", "[20, 10] is not a range. Give [start, stop) with "
         "0 <= start < stop."),
        ("region.rows", "20", "'20' is not a range. Write it as 100:120."),
        ("output.value_range", "3 : 1", "The lower value is not below the upper."),
        ("phase.energy_kev", "", ""),
        ("region.rows", "10 to 20", ""),
        ("region.rows", "10 – 20", ""),
        ("output.value_range", "−5 … 20.5", ""),
        ("beam_hardening.coefficients", "1, 0.02; 3", ""),
        ("beam_hardening.coefficients", "", "Needs at least one value."),
    ],
)  # fmt: skip
def test_what_was_typed_is_judged_in_a_sentence(path: str, text: str, words: str) -> None:
    assert trouble(FULL, field(path), text) == words


@pytest.mark.parametrize(
    ("path", "value", "steps", "wanted"),
    [
        ("region.binning", 1, 1, 2),
        ("region.binning", 1, -1, 1),
        ("region.binning", 16, 1, 16),
        ("zingers.size_px", 3, 1, 5),
        ("phase.delta_beta", 1000.0, 1, 1100.0),
        ("phase.delta_beta", 0.0, -1, 0.0),
        ("engine.cutoff", 0.25, 1, 0.26),
        ("engine.cutoff", 1.0, 1, 1.0),
        ("engine.sharpness", 0.0, -1, -0.1),
        ("phase.energy_kev", None, 1, 0.1),
    ],
)
def test_arrow_keys_step_within_bounds(path: str, value: Any, steps: int, wanted: Any) -> None:
    got = stepped(field(path), value, steps)
    assert got == pytest.approx(wanted)
    assert changed(FULL, field(path), got)


@pytest.mark.parametrize("preset", preset_names())
def test_every_value_of_a_preset_can_be_shown(preset: str) -> None:
    recipe = load_recipe(preset)
    for info in shown_fields(recipe, "all"):
        if info.kind not in ("group", "switch", "choice"):
            assert trouble(recipe, info, text_of(info, value_at(recipe, info.path))) == ""


def test_further_ring_filters_are_told_in_words() -> None:
    assert further_rings_words(Recipe(rings=())) == ""
    assert further_rings_words(Recipe(rings=(RingFilter(),))) == ""
    two = Recipe(rings=(RingFilter(), RingFilter(method="sorting")))
    assert further_rings_words(two).startswith("1 more filter follows: gentle: sorting.")
