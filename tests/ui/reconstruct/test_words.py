"""Plans, axes, sweeps and recipes in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.recipe import Center, Output, Recipe, RingFilter
from alsct_gui.recon.desk.answers import PlanView
from alsct_gui.ui.reconstruct import axiswords, planwords, sweepplan
from alsct_gui.ui.reconstruct.fields import field, sweepable
from alsct_gui.ui.reconstruct.recipetext import read_recipe, recipe_text

PLAN = PlanView(
    slices=2160, size_px=2560, memory_bytes=3_500_000_000, memory_available_bytes=20_000_000_000,
    output_bytes=57_000_000_000, scratch_bytes=0, disk_free_bytes=210_000_000_000,
    seconds_estimate=350.0, engine="fourier", slow_engine=False, center_px=1283.25, refusal="",
    findings=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "time unknown"), (0.4, "under a minute"), (54.9, "under a minute"),
        (58, "1 min"), (350, "6 min"), (3600, "1 h"), (4790, "1 h 20 min"), (4900, "1 h 25 min"),
        (86_390, "1 d"), (90_100, "1 d 1 h"),
    ],
)  # fmt: skip
def test_times(seconds: float | None, words: str) -> None:
    assert planwords.run_time_words(seconds) == words


@given(st.floats(55, 1e6))
def test_a_run_never_takes_longer_than_was_said(seconds: float) -> None:
    words = planwords.run_time_words(seconds).split()
    units = {"min": 60, "h": 3600, "d": 86400}
    said = sum(int(n) * units[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
    # Days are told to the hour, below it the minutes are cut.
    assert said >= seconds or (units["d"] <= said and seconds - said < 3600)


def test_a_plan_in_three_lines() -> None:
    assert planwords.plan_lines(PLAN) == (
        "2160 slices of 2560 × 2560 px", "6 min here · 3.5 GB memory",
        "57.0 GB on disk · 210 GB free",
    )  # fmt: skip
    assert planwords.plan_lines(replace(PLAN, slices=0)) == ()
    assert "1283.25 px" in planwords.plan_tip(PLAN)
    assert "only while it runs" in planwords.plan_tip(replace(PLAN, scratch_bytes=10**9))


def test_the_product_lies_where_a_person_said_or_beside_the_scan() -> None:
    scan, recipe = Path("/data/20240101_120000_fibre.h5"), Recipe()
    name = "rec20240101_120000_fibre.zarr"
    assert planwords.product_path(scan, recipe, "", None) == Path("/data") / name
    assert planwords.product_path(scan, recipe, "", Path("/scratch")) == Path("/scratch") / name
    assert planwords.product_path(scan, recipe, "/mine", Path("/scratch")) == Path("/mine") / name
    tiff = replace(recipe, output=Output(format="tiff"))
    assert planwords.product_path(Path("/data/stack.v2"), tiff, "", None).name == "recstack"


def test_a_chosen_name_follows_the_format() -> None:
    tiff = Recipe(output=Output(format="tiff"))
    assert planwords.other_format(Path("/x/mine.zarr"), tiff) == Path("/x/mine")
    assert planwords.other_format(Path("/x/mine.v2"), Recipe()) == Path("/x/mine.v2.zarr")
    assert planwords.other_format(Path("/x/mine.zarr"), Recipe()) == Path("/x/mine.zarr")


def found(*values: tuple[str, float, float], apart: float) -> CenterResult:
    estimates = tuple(CenterEstimate(*value) for value in values)
    return CenterResult(estimates[0].center_px, 0.8, estimates, apart)


AGREED = found(("phase-correlation", 100.1, 0.9), ("sinogram", 100.2, 0.8), apart=0.1)


def test_the_axis_that_is_given_is_shown_before_what_was_found() -> None:
    given_ = Recipe(center=Center("manual", 90.0))
    view = axiswords.axis_view(given_, AGREED, 91.0, searching=False, trouble="")
    assert (view.center_px, view.source, view.spread) == (90.0, "given", "± 0.05")
    view = axiswords.axis_view(Recipe(), AGREED, 91.0, searching=False, trouble="")
    assert (view.center_px, view.source, view.sentence) == (100.1, "found", "")
    view = axiswords.axis_view(Recipe(), None, 91.0, searching=True, trouble="")
    assert (view.center_px, view.spread, view.warns) == (91.0, "", False)
    view = axiswords.axis_view(Recipe(), None, None, searching=False, trouble="No half turn.")
    assert (view.center_px, view.source, view.warns) == (None, "unknown", True)


def test_disagreement_is_said_in_a_sentence() -> None:
    apart = found(("phase-correlation", 100.0, 0.9), ("sinogram", 103.4, 0.8), apart=3.4)
    assert axiswords.disagreement(apart) == (
        "Correlation and Vo are 3.4 px apart. Compare the slices before the run."
    )
    assert axiswords.disagreement(AGREED) == ""
    unsure = found(("sinogram", 100.0, 0.1), apart=0.0)
    assert "No method is sure" in axiswords.disagreement(unsure)


@given(st.floats(0, 4000), st.floats(-30, 30))
def test_the_slider_stays_within_its_reach(base: float, away: float) -> None:
    steps = axiswords.slider_steps(base + away, base)
    assert abs(steps * axiswords.STEP_PX) <= axiswords.REACH_PX
    if abs(away) < axiswords.REACH_PX:
        assert abs(steps * axiswords.STEP_PX - away) <= axiswords.STEP_PX / 2 + 1e-6


@pytest.mark.parametrize("preset", preset_names())
def test_a_usual_sweep_is_always_possible(preset: str) -> None:
    recipe = load_recipe(preset)
    for info in sweepable(recipe):
        span = sweepplan.usual_span(info, recipe, 320.0)
        assert sweepplan.trouble(recipe, (span,)) == "", info.path
        assert 2 <= len(span.values) <= 17


def test_a_sweep_says_what_is_wrong_with_it() -> None:
    recipe = Recipe(rings=(RingFilter(),))
    sigma, level = field("rings.0.sigma"), field("rings.0.level")
    span = sweepplan.Span(sigma, 1.0, 3.0, 5)
    assert span.values == (1.0, 1.5, 2.0, 2.5, 3.0)
    assert sweepplan.trouble(recipe, ()) == "Choose a parameter."
    assert "two different" in sweepplan.trouble(recipe, (span, span))
    assert "too small" in sweepplan.trouble(recipe, (replace(span, start=-1.0),))
    assert "two values" in sweepplan.trouble(recipe, (replace(span, count=1),))
    many = sweepplan.Span(level, 1, 12, 12)
    assert "240 pictures" in sweepplan.trouble(recipe, (replace(span, count=20), many))
    assert sweepplan.pictures_words((span, many)) == "5 × 12 = 60 pictures"


def test_whole_and_odd_settings_get_such_values() -> None:
    size = sweepplan.Span(field("zingers.size_px"), 3, 9, 5)
    assert size.values == (3, 5, 7, 9)
    assert sweepplan.value_words(size.info, 5) == "5 px"
    assert sweepplan.value_words(field("center.center_px"), 1283.25) == "1283.25 px"
    assert sweepplan.value_words(field("rings.0.sigma"), 2.5) == "2.5"


def test_the_present_values_are_found_on_the_sheet() -> None:
    grid = [(sigma, level) for sigma in (1.0, 2.0, 3.0) for level in (4, 8)]
    assert sweepplan.nearest(grid, (2.2, 8.0)) == 3
    assert sweepplan.nearest(grid, (99.0, 0.0)) == 4
    assert sweepplan.nearest([(1.0,)], (5.0,)) == 0


@given(st.integers(1, 40), st.integers(1, 8), st.data())
def test_arrows_stay_on_the_sheet(count: int, columns: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    for key in ("left", "right", "up", "down"):
        assert 0 <= sweepplan.moved(index, key, columns, count) < count


def test_pictures_are_as_large_as_can_be() -> None:
    assert sweepplan.sheet_columns(9, 900, 900) == 3
    assert sweepplan.sheet_columns(9, 1800, 200) == 9
    assert sweepplan.sheet_columns(1, 100, 100) == 1


@pytest.mark.parametrize("preset", preset_names())
def test_text_of_a_recipe_reads_back(preset: str) -> None:
    recipe = load_recipe(preset)
    assert read_recipe(recipe_text(recipe)).recipe == recipe


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("region:\n  binning: 99\n", "region.binning: 99 is too large. Most: 16.", 1),
        ("rings:\n- sigma: 3\n- method: x\n", "rings[1].method: 'x' is not a choice.", 2),
        ("name: a\nregoin: {}\n", "unknown setting 'regoin'. Did you mean 'region'.", 1),
        ("name: [\n", "The text is not YAML", 1),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed", None),
        ("- 1\n", "expected a group of settings, found [1].", None),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(text: str, words: str, line: int | None) -> None:
    reading = read_recipe(text)
    assert reading.recipe is None
    assert words in reading.trouble
    assert reading.line == line


@given(st.text(max_size=60))
def test_nothing_that_is_typed_breaks_it(text: str) -> None:
    reading = read_recipe(text)
    assert (reading.recipe is None) == bool(reading.trouble)
