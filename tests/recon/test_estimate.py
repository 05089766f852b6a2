"""How long a run takes: what it grows with, and what is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.recipe import Phase, Recipe, RingFilter, Zingers
from alsct_gui.recon.estimate import (
    Pace,
    estimate_s,
    learn,
    load_pace,
    pace_path,
    update,
)
from alsct_gui.recon.plan import Plan, make_plan, needs_first_pass, resolve_extent

PRODUCTION = load_recipe("standard-8.3.2")


def plan_of(
    recipe: Recipe = PRODUCTION, shape: tuple[int, int, int] = (1313, 2160, 2560), threads: int = 2
) -> Plan:
    extent = resolve_extent(recipe.region, shape)
    return make_plan(
        extent, output=recipe.output, n_columns=extent.n_columns, frame_item_bytes=2,
        first_pass=needs_first_pass(recipe), engine_bytes=lambda n: 0, threads=threads,
    )  # fmt: skip


def estimate(recipe: Recipe = PRODUCTION, **more: int) -> float:
    seconds = estimate_s(plan_of(recipe, **more), recipe)
    assert seconds is not None
    return seconds


def test_the_measured_machine_is_met() -> None:
    # docs/benchmarks.md: 109 ms a slice of the production recipe, two threads.
    assert estimate() / 2160 == pytest.approx(0.109, rel=0.25)


def test_it_grows_with_the_work() -> None:
    half = replace(PRODUCTION, region=replace(PRODUCTION.region, rows=(0, 1080)))
    binned = replace(PRODUCTION, region=replace(PRODUCTION.region, binning=2))
    assert estimate(half) == pytest.approx(estimate() / 2, rel=0.05)
    assert estimate(binned) < estimate() / 4
    assert estimate(threads=1) == pytest.approx(2 * estimate(), rel=0.05)
    plain = replace(PRODUCTION, rings=())
    assert estimate(plain) < estimate() < estimate(replace(plain, rings=(RingFilter("vo-all"),)))
    for more in (replace(plain, phase=Phase()), replace(plain, zingers=Zingers())):
        assert estimate(more) > estimate(plain)


def test_nothing_is_claimed_of_an_unknown_engine() -> None:
    odd = replace(PRODUCTION, engine=replace(PRODUCTION.engine, name="other"))
    assert estimate_s(plan_of(odd), odd) is None
    assert update(Pace(), plan_of(odd), odd, {"total": 100.0}) == Pace()


def test_it_learns_from_runs_and_comes_near_them() -> None:
    plan, truth_s, pace = plan_of(), 900.0, Pace()
    errors = []
    for _ in range(6):
        pace = update(pace, plan, PRODUCTION, {"total": truth_s, "read": 3.0})
        errors.append(abs((estimate_s(plan, PRODUCTION, pace) or 0.0) - truth_s))
    assert errors[0] < 1e-6 * truth_s
    assert pace.runs == {"fourier": 6}
    for _ in range(20):
        pace = update(pace, plan, PRODUCTION, {"total": 300.0})
    assert estimate_s(plan, PRODUCTION, pace) == pytest.approx(300.0, rel=0.1)


def test_small_and_short_runs_teach_nothing() -> None:
    few = replace(PRODUCTION, region=replace(PRODUCTION.region, rows=(0, 31)))
    assert update(Pace(), plan_of(few), few, {"total": 500.0}) == Pace()
    assert update(Pace(), plan_of(), PRODUCTION, {"total": 1.0}) == Pace()
    assert update(Pace(), plan_of(), PRODUCTION, {}) == Pace()


def test_it_is_kept_between_runs(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "pace.json"
    assert load_pace(path) == Pace()
    learn(plan_of(), PRODUCTION, {"total": 500.0}, path)
    learn(plan_of(), PRODUCTION, {"total": 500.0}, path)
    assert load_pace(path).runs == {"fourier": 2}


def test_the_cache_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pace_path() == tmp_path / "alsct-gui" / "pace.json"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"factors": {"fourier": -1}}', '{"factors": {"fourier": "x"}}',
     '{"factors": 3}', '{"version": 9}', '{"factors": {"fourier": 1e999}}'],
)  # fmt: skip
def test_a_broken_file_counts_for_nothing_known(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pace.json"
    path.write_text(text)
    assert load_pace(path) == Pace()
    learn(plan_of(), PRODUCTION, {"total": 500.0}, path)
    assert load_pace(path).runs == {"fourier": 1}


def test_a_cache_that_cannot_be_written_does_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    learn(plan_of(), PRODUCTION, {"total": 500.0}, tmp_path / "cache" / "pace.json")
    assert "the pace is not kept" in caplog.text
