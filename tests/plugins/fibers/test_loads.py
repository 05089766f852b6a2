"""The same breaks at another load; clusters and what chance makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.tables import read_table
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.table import Table
from alsct_gui.steps.running import run_step
from napari_alsct_fibers.clusters import find_clusters
from napari_alsct_fibers.match import find_stretch, match_fibres, pair_heights
from napari_alsct_fibers.steps.loads import LOADS, Loads
from napari_alsct_fibers.tables import count_table
from tests.plugins.fibers.conftest import FIRST, PLAIN, SECOND, Painted


def inputs(results: dict[str, Path], *names: str) -> dict[str, Path]:
    return {
        f"{kind}_{number}": results[name] / f"{kind}.csv"
        for number, name in enumerate(names, start=1)
        for kind in ("breaks", "fibres")
    }


def tables(results: dict[str, Path], *names: str) -> dict[str, Table]:
    return {key: read_table(path) for key, path in inputs(results, *names).items()}


@pytest.fixture(scope="module")
def followed(results: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("followed") / "loads"
    run_step(
        "fibers.loads", {"loads_n": [93, 151]}, inputs=inputs(results, "93", "151"), output=output
    )
    return output


def test_breaks_of_the_first_load_are_found_again(
    followed: Path, results: dict[str, Path], painted: Painted
) -> None:
    summary = read_table(followed / "summary.csv")
    before, after = (len(painted(PLAIN, step).tables["breaks"]) for step in (FIRST, SECOND))
    assert summary.column("load").tolist() == ["93 N", "151 N"]
    assert abs(summary.column("n_breaks") - [before, after]).max() <= 1
    assert summary.column("n_again")[1] >= summary.column("n_breaks")[0] - 1
    assert summary.column("n_lost")[1] <= 1
    assert summary.column("n_new")[1] == pytest.approx(after - before, abs=2)
    assert summary.column("strain")[1] == pytest.approx(0.003, abs=0.002)
    assert summary.column("n_fibres")[1] >= 0.98 * PLAIN.n_fibres


def test_a_history_has_one_row_a_break(followed: Path) -> None:
    history = read_table(followed / "history.csv")
    again = history.column("first_load") == 1
    later = np.isfinite(history.column("along_151_n_um"))
    assert history.n_rows == later.sum() + (again & ~later).sum()
    both = again & later
    # All openings grow by the same factor between the two loads.
    factor = history.column("opening_151_n_um")[both] / history.column("opening_93_n_um")[both]
    assert np.median(factor) == pytest.approx(1 / 0.7, rel=0.06)


def test_counts_are_those_of_each_load(followed: Path, results: dict[str, Path]) -> None:
    counts = read_table(followed / "counts.csv")
    for name, load in (("93_n", "93"), ("151_n", "151")):
        breaks = read_table(results[load] / "breaks.csv").n_rows
        assert counts.column(name).sum() == breaks
        assert counts.column(f"{name}_below")[-1] == breaks
    assert counts.column("slice_to")[-1] == PLAIN.n_slices
    report = (followed / "report.html").read_text(encoding="utf-8")
    assert "93 N" in report
    assert report.count("<svg") == 2


def test_another_specimen_is_refused(results: dict[str, Path]) -> None:
    given = tables(results, "93", "151")
    fibres = given["fibres_2"]
    stray = np.random.default_rng(0).uniform(0, 140, (2, fibres.n_rows))
    names = [column.name for column in fibres.columns]
    values = list(fibres.values)
    values[names.index("across_1_um")], values[names.index("across_2_um")] = stray
    given["fibres_2"] = Table(fibres.columns, tuple(values), fibres.facts)
    with pytest.raises(InputError, match="fibres are found again"):
        LOADS(**given)


def test_what_is_given_must_fit_together(results: dict[str, Path]) -> None:
    given = tables(results, "93", "151")
    with pytest.raises(RecipeError, match="3 loads are given for 2"):
        LOADS(Loads(loads_n=(1.0, 2.0, 3.0)), **given)
    with pytest.raises(InputError, match="belong together"):
        LOADS(**given, breaks_3=given["breaks_1"])
    swapped = {**given, "breaks_1": given["fibres_1"]}
    with pytest.raises(InputError, match="has no"):
        LOADS(**swapped)


def test_a_pattern_is_found_again_after_a_shift_and_a_turn() -> None:
    rng = np.random.default_rng(1)
    first = rng.uniform(0, 100, (120, 2))
    turn = np.deg2rad(2.3)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    second = first @ matrix.T + [7.0, -12.0] + rng.normal(0, 0.1, first.shape)
    order = rng.permutation(120)[:100]
    match = match_fibres(first, second[order], 6.0)
    assert len(match.first) >= 95
    assert (order[match.second] == match.first).mean() > 0.98


def test_breaks_tell_shift_and_stretch() -> None:
    rng = np.random.default_rng(2)
    heights = []
    for _ in range(30):
        one = rng.uniform(0, 300, 1)
        other = np.append(one * 1.004 + 9.0 + rng.normal(0, 0.3, 1), rng.uniform(0, 300, 2))
        heights.append((one, other))
    found = find_stretch(heights, 4.0, 60.0)
    assert found.factor == pytest.approx(1.004, abs=0.001)
    assert found.shift == pytest.approx(9.0, abs=0.5)
    assert found.n_pairs >= 28
    assert find_stretch(heights[:1], 4.0, 60.0).n_pairs == 0


def test_pairs_are_the_nearest_ones() -> None:
    first, second = np.array([10.0, 20.0, 50.0]), np.array([11.0, 19.5, 30.0])
    pairs = pair_heights(first, second, np.full((3, 3), 5.0))
    assert sorted(map(tuple, pairs.tolist())) == [(0, 0), (1, 1)]
    assert len(pair_heights(np.empty(0), second, np.empty((0, 3)))) == 0


def test_clusters_are_neighbours_at_one_height() -> None:
    places = np.array([[0, 0], [0, 8], [0, 16], [0, 24], [50, 0], [50, 8]], np.float64)
    along = np.array([10.0, 12.0, 14.0, 80.0, 10.0, 60.0])
    found = find_clusters(places, along, 10.0, 5.0)
    assert found.number.tolist() == [1, 1, 1, 0, 0, 0]
    assert found.size.tolist() == [3, 3, 3, 1, 1, 1]
    assert (found.n_pairs, found.n_clusters) == (2, 1)


def test_chance_makes_few_pairs_of_breaks_in_one_plane() -> None:
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(np.arange(10) * 8.0, np.arange(10) * 8.0), -1).reshape(-1, 2)
    along = rng.uniform(0, 1000, 100)
    scattered = find_clusters(places, along, 9.0, 10.0)
    along[40:60] = 500.0
    clustered = find_clusters(places, along, 9.0, 10.0)
    assert scattered.chance > 0.02
    assert clustered.chance < 0.02
    assert clustered.n_pairs > 2 * clustered.pairs_by_chance
    empty = find_clusters(np.empty((0, 2)), np.empty(0), 9.0, 10.0)
    assert (empty.n_pairs, empty.n_clusters) == (0, 0)


def test_counts_fill_their_ranges() -> None:
    table = count_table([np.array([0.0, 9.9, 10.0])], ["breaks"], 20, 1.0, 2)
    assert table.column("breaks").tolist() == [1, 2]
    assert table.column("slice_from").tolist() == [0, 10]
