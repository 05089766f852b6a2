"""Fibres and breaks, against specimens whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import CancelledError, InputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.fibres import FibreSpec
from alsct_gui.simulator.specimens.judge import Verdict, judge_breaks
from alsct_gui.simulator.specimens.specimen import Specimen
from alsct_gui.steps.reporter import Reporter
from napari_alsct_fibers.analysis import Composite, Search, analyse
from napari_alsct_fibers.breaks import Judgement
from napari_alsct_fibers.direction import Turned, found_direction, in_volume, turned_edges
from napari_alsct_fibers.gaps import fit_gap
from napari_alsct_fibers.spots import find_spots, found_radius
from napari_alsct_fibers.tables import break_table
from tests.plugins.fibers.conftest import HARD, PLAIN, Painted

Array = np.ndarray[Any, Any]
ALL = Judgement()


def found_in(specimen: Specimen, search: Search | None = None) -> Composite:
    return analyse(specimen.values, search or Search(), ALL, Reporter(threads=2))


def judged(specimen: Specimen, found: Composite, spec: FibreSpec) -> tuple[Verdict, Array]:
    """The verdict, and the errors of the openings in voxels."""
    edge = specimen.voxel_um
    table = break_table(found.found.breaks, found, (edge,) * 3)
    places = np.column_stack([table.column(name) for name in ("z_um", "y_um", "x_um")])
    truth = specimen.tables["breaks"]
    verdict = judge_breaks(truth, places, beside_um=spec.radius_px * edge)
    true_um = np.array([row["opening_um"] for row in truth])[verdict.pairs[:, 0]]
    errors = table.column("opening_um")[verdict.pairs[:, 1]] - true_um
    return verdict, errors / edge


def test_breaks_at_cnr_3(painted: Painted) -> None:
    specimen = painted(PLAIN)
    found = found_in(specimen)
    assert found.axis == "z"
    assert found.radius_px == pytest.approx(PLAIN.radius_px, rel=0.08)
    verdict, errors = judged(specimen, found, PLAIN)
    assert verdict.missed_share <= 0.02
    assert verdict.false_share <= 0.02
    assert np.median(np.abs(errors)) < 0.5
    assert abs(np.median(errors)) < 0.2


def test_rings_correlated_noise_and_cracks_at_cnr_4(painted: Painted) -> None:
    specimen = painted(HARD)
    assert sum(row["at_crack"] for row in specimen.tables["breaks"]) >= 3
    verdict, errors = judged(specimen, found_in(specimen), HARD)
    assert verdict.missed_share <= 0.05
    assert verdict.false_share <= 0.10
    assert np.median(np.abs(errors)) < 0.5


def test_every_fibre_is_followed_once(painted: Painted) -> None:
    specimen = painted(PLAIN)
    found = found_in(specimen)
    edge = specimen.voxel_um
    feet = np.array([[row["y_um"], row["x_um"]] for row in specimen.tables["fibres"]]) / edge
    middle = found.paths.places[:, PLAIN.n_slices // 2]
    apart = np.linalg.norm(feet[:, None] - middle[None], axis=2)
    assert (apart.min(axis=1) < 0.5 * PLAIN.radius_px).all()
    assert len(middle) <= 1.03 * len(feet)
    assert np.median(apart.min(axis=1)) < 0.5


def test_without_breaks_there_are_none(painted: Painted) -> None:
    whole = replace(PLAIN, n_breaks=0, seed=5)
    assert len(found_in(painted(whole)).found.breaks.fibre) == 0
    cracked = replace(HARD, n_breaks=0, seed=5)
    assert len(found_in(painted(cracked)).found.breaks.fibre) <= 1


def test_dark_fibres(painted: Painted) -> None:
    dark = replace(PLAIN, fibre=0.5, matrix=1.0)
    specimen = painted(dark)
    verdict, errors = judged(specimen, found_in(specimen, Search(bright=False)), dark)
    assert verdict.missed_share <= 0.06
    assert verdict.false_share <= 0.06
    assert np.median(np.abs(errors)) < 0.5


def test_fibres_along_another_axis_give_the_same(painted: Painted) -> None:
    specimen = painted(PLAIN)
    lying = Specimen(
        np.ascontiguousarray(specimen.values.transpose(1, 2, 0)), specimen.voxel_um,
        specimen.facts, specimen.tables,
    )  # fmt: skip
    # Rings are about the axis of the scan, which is another one here.
    upright = found_in(specimen, Search(rings=False))
    found = found_in(lying)
    assert found.axis == "x"
    np.testing.assert_allclose(found.found.breaks.opening, upright.found.breaks.opening, rtol=1e-4)
    one = break_table(found.found.breaks, found, (1.3,) * 3)
    other = break_table(upright.found.breaks, upright, (1.3,) * 3)
    for name, was in (("z_um", "y_um"), ("y_um", "x_um"), ("x_um", "z_um")):
        np.testing.assert_allclose(one.column(name), other.column(was), atol=0.05)


def test_leaning_fibres(painted: Painted) -> None:
    leaning = replace(PLAIN, lean=(0.2, -0.1))
    specimen = painted(leaning)
    direction = found_direction(specimen.values)
    assert direction.lean == pytest.approx((0.2, -0.1), abs=0.03)
    verdict, _ = judged(specimen, found_in(specimen), leaning)
    assert verdict.missed_share <= 0.03
    assert verdict.false_share <= 0.03


def test_volumes_without_fibres_are_refused() -> None:
    noise = np.random.default_rng(0).random((40, 60, 60)).astype(np.float32)
    with pytest.raises(InputError, match="no common direction"):
        analyse(noise, Search(), ALL, Reporter())
    with pytest.raises(InputError, match=r"no (fibres|cross-sections)"):
        analyse(np.ones((40, 60, 60), np.float32), Search(axis="z"), ALL, Reporter())


def test_a_gap_is_not_brighter_than_the_fibres(painted: Painted) -> None:
    with pytest.raises(InputError, match="not darker"):
        found_in(painted(PLAIN), Search(gap_value=2.0, radius_px=4.5))


def test_a_known_gap_sets_the_openings(painted: Painted) -> None:
    specimen = painted(PLAIN)
    verdict, errors = judged(specimen, found_in(specimen, Search(gap_value=0.0)), PLAIN)
    assert verdict.missed_share <= 0.02
    assert np.median(np.abs(errors)) < 0.3


def test_cancel_ends_it(painted: Painted) -> None:
    token = CancelToken()
    stages: list[str] = []

    def progress(step: Any) -> None:
        stages.append(step.stage)
        if step.stage == "grey values":
            token.cancel()

    reporter = Reporter(progress=progress, cancel=token, threads=2)
    with pytest.raises(CancelledError):
        analyse(painted(PLAIN).values, Search(radius_px=4.5), ALL, reporter)
    assert stages[0] == "cross-sections"


@pytest.mark.parametrize("radius", [3.0, 4.5, 7.0])
def test_the_radius_is_found(painted: Painted, radius: float) -> None:
    spec = FibreSpec(
        n_slices=24, n_fibres=60, n_breaks=0, radius_px=radius,
        degradation=Degradation(0.7, 3.0),
    )  # fmt: skip
    picture = painted(spec).values[8:15].mean(axis=0)
    assert found_radius(picture) == pytest.approx(radius, rel=0.1)


def test_spots_are_found_to_a_fraction_of_a_pixel() -> None:
    rng = np.random.default_rng(3)
    places = np.stack(np.meshgrid(np.arange(14, 100, 18), np.arange(14, 100, 18)), -1)
    centers = places.reshape(-1, 2) + rng.uniform(-0.5, 0.5, (25, 2))
    y, x = np.indices((110, 110))
    picture = np.zeros((110, 110), np.float32)
    for row, column in centers:
        picture += 1 / (1 + np.exp(4 * (np.hypot(y - row, x - column) - 5)))
    found = find_spots(picture, 5.0).places
    assert len(found) == 25
    apart = np.linalg.norm(centers[:, None] - found[None], axis=2).min(axis=1)
    assert apart.max() < 0.1


@pytest.mark.parametrize("opening", [1.5, 3.0, 8.0, 20.0])
def test_a_gap_is_fitted(opening: float) -> None:
    fine = np.arange(0, 60, 0.02)
    inside = (np.abs(fine - 30.3) < opening / 2).astype(float)
    kernel = np.exp(-0.5 * (np.arange(-200, 201) * 0.02 / 0.8) ** 2)
    blurred = np.convolve(inside, kernel / kernel.sum(), "same")
    missing = blurred.reshape(-1, 50).mean(axis=1)  # slices of one voxel, about 0.49, 1.49 …
    middle, found = fit_gap(missing, 29.0, opening * 1.3)
    assert middle == pytest.approx(30.3 - 0.49, abs=0.05)
    assert found == pytest.approx(opening, abs=0.12)


def test_turned_volumes_lead_back() -> None:
    values = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    for axis in ("z", "y", "x"):
        turned = Turned(values, axis)
        at = (1, 2, 3)
        back = in_volume(np.array([at], np.float64), axis)[0].astype(int)
        assert turned[at] == values[tuple(back)]
    assert turned_edges((1.0, 2.0, 3.0), "x") == (3.0, 1.0, 2.0)
