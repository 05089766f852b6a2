"""Specimens: what they claim to know of themselves is so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.model.errors import InputError, OutputError, RecipeError
from alsct_gui.simulator.specimens.balls import BallSpec, foam, touching_spheres
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.fibres import FibreSpec, LoadStep, make_bundle, paint_bundle
from alsct_gui.simulator.specimens.judge import judge_breaks
from alsct_gui.simulator.specimens.specimen import read_truth, write_specimen

CLEAN = Degradation()
BALLS = BallSpec((60, 64, 68), 30, 7.0)
FIBRES = FibreSpec(n_slices=80, n_fibres=40, n_breaks=16, degradation=CLEAN)


def test_spheres_touch_and_do_not_overlap() -> None:
    specimen = touching_spheres(BALLS)
    rows = specimen.tables["spheres"]
    center = np.array([[row["z_um"], row["y_um"], row["x_um"]] for row in rows])
    radius = np.array([row["radius_um"] for row in rows])
    gap = np.linalg.norm(center[:, None] - center[None], axis=2) - radius[:, None] - radius[None]
    np.fill_diagonal(gap, np.inf)
    assert gap.min() > -0.003 * radius.max()
    assert specimen.facts["contacts"] > len(rows)
    assert specimen.values.mean() == pytest.approx(specimen.facts["phase_share"], rel=2e-4)


def test_a_foam_knows_each_slice() -> None:
    specimen = foam(replace(BALLS, inside=0.0, outside=2.0))
    assert 1 - specimen.values.mean() / 2 == pytest.approx(specimen.facts["phase_share"], abs=1e-4)
    share = [row["share"] for row in specimen.tables["heights"]]
    np.testing.assert_allclose(1 - specimen.values.mean(axis=(1, 2)) / 2, share, atol=5e-4)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        touching_spheres(BallSpec((40, 40, 40), 60, 7.0))
    with pytest.raises(RecipeError, match="voids fit"):
        foam(BallSpec((40, 40, 40), 60, 7.0))
    with pytest.raises(RecipeError, match="larger than the box"):
        touching_spheres(BallSpec((20, 20, 20), 1, 30.0))
    with pytest.raises(RecipeError, match="breaks fit"):
        make_bundle(replace(FIBRES, n_fibres=3, n_breaks=200))


def test_a_seed_is_a_specimen() -> None:
    one, again, other = (
        paint_bundle(make_bundle(replace(FIBRES, seed=seed, degradation=Degradation(0.5, 3.0))))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)


def test_breaks_are_gaps_where_they_are_told() -> None:
    specimen = paint_bundle(make_bundle(FIBRES))
    edge = specimen.voxel_um
    for row in specimen.tables["breaks"]:
        z, y, x = (round(row[f"{axis}_um"] / edge) for axis in "zyx")
        assert specimen.values[z, y, x] < 0.35
        reach = round(row["opening_um"] / edge / 2) + 3
        assert specimen.values[z - reach, y, x] > 0.9
        assert specimen.values[z + reach, y, x] > 0.9
        missing = 1 - specimen.values[z - reach : z + reach + 1, y, x]
        assert missing.sum() == pytest.approx(row["opening_um"] / edge, abs=0.3)


def test_cracks_leave_fibres_whole() -> None:
    spec = replace(FIBRES, n_breaks=0, n_cracks=1, crack_breaks=0.0, crack_opening_px=4.0)
    specimen = paint_bundle(make_bundle(spec))
    (crack,) = specimen.tables["cracks"]
    middle = round(crack["z_um"] / specimen.voxel_um)
    picture = specimen.values[middle]
    far = specimen.values[0 if middle > 30 else -1]
    assert picture.mean() < far.mean() - 0.02
    assert (picture > 0.9).sum() == pytest.approx((far > 0.9).sum(), rel=0.05)


def test_a_load_opens_adds_and_moves() -> None:
    bundle = make_bundle(FIBRES)
    early = paint_bundle(bundle, LoadStep(0.5, 0.5))
    late = paint_bundle(bundle, LoadStep(1.0, 1.0, 0.01, (3.0, 1.0, -2.0)))
    before = {row["break"]: row for row in early.tables["breaks"]}
    after = {row["break"]: row for row in late.tables["breaks"]}
    assert set(before) < set(after)
    assert len(before) == 8
    edge = FIBRES.voxel_um
    for number, row in before.items():
        then = after[number]
        assert then["opening_um"] == pytest.approx(2.02 * row["opening_um"])
        middle = (FIBRES.n_slices - 1) / 2 * edge
        moved = (row["z_um"] - middle) * 1.01 + middle + 3 * edge
        assert then["z_um"] == pytest.approx(moved)
        assert then["y_um"] - row["y_um"] == pytest.approx(edge, abs=0.02)


def test_noise_has_its_strength() -> None:
    flat = BallSpec((40, 40, 40), 1, 2.0, degradation=Degradation(cnr=4.0, correlation_px=1.0))
    clean = foam(replace(flat, degradation=CLEAN)).values
    noisy = foam(flat).values
    assert (noisy - clean).std() == pytest.approx(0.25, rel=0.02)
    step = np.corrcoef((noisy - clean)[:-1].ravel(), (noisy - clean)[1:].ravel())[0, 1]
    assert step > 0.5


def test_rings_are_round_and_short() -> None:
    how = Degradation(rings_per_slice=1.0, ring_strength=0.5)
    base = replace(BALLS, shape=(40, 60, 60), count=1, radius_px=2.0)
    rings = foam(replace(base, degradation=how)).values - foam(base).values
    turned = np.rot90(rings, axes=(1, 2))
    np.testing.assert_allclose(rings, turned, atol=1e-5)
    assert np.abs(rings).max() > 0.2
    lasting = np.abs(rings[:, 30]).max(axis=1) > 0.1
    assert lasting.mean() > 0
    assert np.abs(rings.mean(axis=0)).max() < np.abs(rings).max() / 2


def test_truth_is_stored_beside(tmp_path: Path) -> None:
    specimen = touching_spheres(BALLS)
    path = write_specimen(tmp_path / "s.zarr", specimen)
    facts, tables = read_truth(path)
    assert facts == pytest.approx(dict(specimen.facts))
    assert tables["spheres"] == [dict(row) for row in specimen.tables["spheres"]]
    with open_volume(path) as volume:
        assert volume.voxel_um == (1.3, 1.3, 1.3)
        np.testing.assert_array_equal(volume.levels[0][5], specimen.values[5])
    with pytest.raises(OutputError, match="the truth exists"):
        write_specimen(path, specimen)
    with pytest.raises(InputError, match="truth"):
        read_truth(tmp_path / "none.zarr")


def test_verdicts_pair_one_to_one() -> None:
    truth = [
        {"z_um": 10.0, "y_um": 5.0, "x_um": 5.0, "opening_um": 8.0},
        {"z_um": 50.0, "y_um": 5.0, "x_um": 5.0, "opening_um": 1.0},
    ]
    found = np.array([[13.0, 5, 5], [11.0, 5, 5], [50.0, 9.5, 5]])
    verdict = judge_breaks(truth, found, beside_um=2.0)
    assert verdict.pairs.tolist() == [[0, 1]]
    assert verdict.missed_share == 0.5
    assert verdict.false_share == pytest.approx(2 / 3)
    nothing = judge_breaks([], np.empty((0, 3)), beside_um=2.0)
    assert (nothing.missed_share, nothing.false_share) == (1.0, 0.0)
