"""One value of the centre: what is shown, used and written is the same number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.errors import CancelledError, RecipeError
from alsct_gui.model.geometry import Window
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import Center, Output, Recipe, Region, Rotation
from alsct_gui.model.scan import Scan
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.recon.preprocess.tilt import center_after_turning
from alsct_gui.recon.resolve import resolve
from alsct_gui.simulator.physics import Physics
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.recon.scans import counts_scan

N_COLUMNS = 160
HALF = SimulationSpec(
    phantom="asymmetric", n_columns=N_COLUMNS, n_rows=12, n_angles=241, center_px=76.7,
    physics=Physics.ideal(),
)  # fmt: skip
FULL = replace(HALF, range_deg=360.0, n_angles=360, endpoint=False)
SPECS = {
    "180": HALF,
    "360": FULL,
    "offset left": replace(FULL, n_angles=480, center_px=31.3),
    "offset right": replace(FULL, n_angles=480, center_px=127.4),
    "tilted": replace(HALF, tilt_deg=2.0, center_px=50.2),
}


@dataclass(frozen=True)
class Case:
    scan: str
    kind: str
    recipe: Recipe = field(default_factory=Recipe)


CASES = {
    "plain": Case("180", "180"),
    "cropped": Case("180", "180", Recipe(region=Region(columns=(9, 151), rows=(2, 10)))),
    "binned": Case("180", "180", Recipe(region=Region(binning=2))),
    "cropped and binned": Case("180", "180", Recipe(region=Region(columns=(7, 152), binning=3))),
    "one row": Case("180", "180", Recipe(region=Region(rows=(5, 6)))),
    "every second angle": Case("180", "180", Recipe(region=Region(angle_step=2))),
    "full turn": Case("360", "360"),
    "half of a full turn": Case("360", "180", Recipe(region=Region(angles=(10, 191)))),
    "offset left": Case("offset left", "360-offset"),
    "offset right": Case("offset right", "360-offset"),
    "offset right, cropped and binned": Case(
        "offset right", "360-offset", Recipe(region=Region(columns=(5, 160), binning=2))
    ),
    "tilted": Case("tilted", "180", Recipe(rotation=Rotation(tilt_deg=2.0))),
    "tilted, rows at the top": Case(
        "tilted", "180",
        Recipe(rotation=Rotation(tilt_deg=2.0), region=Region(rows=(0, 4), columns=(3, 160))),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scan]]:
    folder = tmp_path_factory.mktemp("scans")
    opened = {}
    for name, spec in SPECS.items():
        opened[name] = open_scan(simulate_scan(folder / f"{name}.h5", spec))
    yield opened
    for scan in opened.values():
        scan.close()


@pytest.mark.parametrize("name", CASES)
def test_the_value_shown_used_and_written_is_one(
    name: str, scans: dict[str, Scan], tmp_path: Path
) -> None:
    case = CASES[name]
    scan, spec = scans[case.scan], SPECS[case.scan]
    recipe = replace(case.recipe, output=Output(format="tiff"))
    job = prepare_job(scan, recipe, threads=2)
    shown = job.resolved.center.center_px
    assert shown == pytest.approx(spec.center_px, abs=0.25)
    assert job.recipe.rotation.kind == case.kind

    # Used: the axis in the engine's columns, taken back to the full detector by hand.
    geometry = job.resolved.geometry(job.source().angles_deg)
    columns = case.recipe.region.columns or (0, N_COLUMNS)
    window = Window(columns[0], case.recipe.region.binning)
    if job.resolved.stitching is not None:
        window = job.resolved.stitching.new_window(window)
    used = window.to_full(float(geometry.center_px))
    tilt_deg = case.recipe.rotation.tilt_deg
    assert used == pytest.approx(center_after_turning(shown, N_COLUMNS, tilt_deg), abs=1e-9)

    # Written: in the product's provenance, twice.
    output = run_job(job, tmp_path / "slices").output
    written = read_provenance(output)
    assert written.center.center_px == shown
    assert written.resolved.center == Center("manual", shown)
    assert written.resolved.rotation.kind == case.kind
    assert written.recipe == recipe

    # And what is written gives the same again.
    again = resolve(scan, written.resolved)
    assert again.center.center_px == shown
    assert again.recipe == written.resolved
    np.testing.assert_array_equal(
        again.geometry(geometry.angles_deg).center_px, geometry.center_px
    )  # fmt: skip


def test_all_methods_tell_their_value(scans: dict[str, Scan]) -> None:
    estimates = resolve(scans["180"], Recipe()).center.estimates
    assert [e.method for e in estimates] == ["phase-correlation", "sinogram", "image-metric"]
    assert all(e.center_px == pytest.approx(76.7, abs=0.3) for e in estimates)


def test_a_manual_centre_is_taken_as_it_is(scans: dict[str, Scan]) -> None:
    recipe = Recipe(center=Center("manual", 70.123), region=Region(columns=(3, 150), binning=2))
    found = resolve(scans["180"], recipe)
    assert found.center.center_px == 70.123
    assert [e.method for e in found.center.estimates] == ["manual"]
    assert found.geometry(np.zeros(3)).center_px == Window(3, 2).to_local(70.123)


def test_quick_takes_one_method_and_few_rows(scans: dict[str, Scan]) -> None:
    found = resolve(scans["180"], Recipe(), quick=True)
    assert [e.method for e in found.center.estimates] == ["phase-correlation"]
    assert found.center.center_px == pytest.approx(76.7, abs=0.25)
    asked_for = resolve(scans["180"], Recipe(center=Center("sinogram")), quick=True)
    assert [e.method for e in asked_for.center.estimates] == ["sinogram"]
    full = resolve(scans["offset left"], Recipe(), quick=True)
    assert full.recipe.rotation.kind == "360-offset"


def test_threads_do_not_change_the_value(scans: dict[str, Scan]) -> None:
    values = [resolve(scans["180"], Recipe(), threads=n).center for n in (1, 3)]
    assert values[0] == values[1]


def test_reverse_keeps_the_centre(scans: dict[str, Scan]) -> None:
    found = resolve(scans["180"], Recipe(rotation=Rotation(reverse=True)))
    assert found.center.center_px == pytest.approx(76.7, abs=0.25)


@pytest.mark.parametrize("kind", ["180", "360"])
def test_a_kind_that_is_given_is_kept(scans: dict[str, Scan], kind: str) -> None:
    recipe = Recipe(center=Center("manual", 31.3), rotation=Rotation(kind))  # type: ignore[arg-type]
    found = resolve(scans["offset left"], recipe)
    assert found.recipe.rotation.kind == kind
    assert found.stitching is None


def test_a_short_scan_is_a_half_turn(scans: dict[str, Scan]) -> None:
    recipe = Recipe(region=Region(angles=(0, 120)))  # 90 degrees
    manual = replace(recipe, center=Center("manual", 76.7))
    assert resolve(scans["180"], manual).recipe.rotation.kind == "180"
    found = resolve(scans["180"], recipe)
    assert found.recipe.rotation.kind == "180"
    assert [finding.name for finding in found.findings] == ["center-uncertain"]


def test_stitching_needs_a_full_turn(scans: dict[str, Scan]) -> None:
    recipe = Recipe(rotation=Rotation("360-offset"), center=Center("manual", 76.7))
    with pytest.raises(RecipeError, match=r"recipe.rotation.kind"):
        resolve(scans["180"], recipe)
    outside = replace(recipe, center=Center("manual", 400.0))
    with pytest.raises(RecipeError, match=r"recipe.center"):
        resolve(scans["360"], outside)


def test_nothing_to_find_a_centre_in_is_told() -> None:
    scan = counts_scan(n_angles=2)
    recipe = Recipe(center=Center("phase-correlation"))
    with pytest.raises(RecipeError, match="Give center_px"):
        resolve(scan, recipe)


def test_cancel_ends_the_search(scans: dict[str, Scan]) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        resolve(scans["180"], Recipe(), cancel=token)
