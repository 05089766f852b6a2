"""Simulated scans through the whole flow, held to their truth, in 1/cm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.files.open import open_scan
from alsct_gui.files.provenance import read_provenance
from alsct_gui.files.volumes import open_volume
from alsct_gui.model.errors import OutputError, RecipeError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.progress import Progress
from alsct_gui.model.recipe import (
    Center,
    EngineSettings,
    Output,
    Recipe,
    Region,
    RingFilter,
    Rotation,
    Zingers,
)
from alsct_gui.model.scan import Scan
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import Result, run_job
from alsct_gui.simulator.physics import Beam, Camera, Physics
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.truth import load_truth
from alsct_gui.simulator.write import simulate_scan
from tests.recon.scans import Stack, counts_scan

N = 160
SMOOTH = SimulationSpec(
    phantom="smooth", n_columns=N, n_rows=12, n_angles=241, center_px=76.7, physics=Physics.ideal()
)
FULL = replace(SMOOTH, range_deg=360.0, n_angles=360, endpoint=False)
DRIFTING = Physics(
    noise=False, beam=Beam(photons=60000.0, drift_px=4.0, lifetime_h=0.05),
    camera=Camera(read_noise=0.0),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    spec: SimulationSpec
    recipe: Recipe = field(default_factory=Recipe)
    error: float = 5e-4
    """Largest rms error inside the sample's circle, as a share of the largest value."""
    share: float = 0.42
    """Radius compared, as a share of the width both have."""


def known(center_px: float | None, **more: Any) -> Recipe:
    """A recipe that is told the centre, so that only the flow is judged."""
    return Recipe(center=Center("manual", center_px), **more)


CASES = {
    "180": Case(SMOOTH, known(76.7)),
    "centre found": Case(SMOOTH),
    "360": Case(FULL, known(76.7)),
    "360 offset left": Case(
        replace(FULL, n_angles=480, center_px=31.3), known(31.3), 1e-3, share=0.45
    ),
    "360 offset right": Case(
        replace(FULL, n_angles=480, center_px=127.4), known(127.4), 1e-3, share=0.45
    ),
    "binned": Case(SMOOTH, known(76.7, region=Region(binning=2)), 1e-3),
    "cropped": Case(SMOOTH, known(76.7, region=Region(rows=(3, 9), columns=(4, 150)))),
    "row step": Case(SMOOTH, known(76.7, region=Region(rows=(1, 12), row_step=4))),
    "tilted": Case(
        replace(SMOOTH, tilt_deg=1.5, n_rows=20),
        known(76.7, rotation=Rotation(tilt_deg=1.5), region=Region(rows=(5, 15))), 2e-3,
    ),
    "flats during the scan": Case(
        replace(SMOOTH, i0cycle=20, physics=DRIFTING), known(76.7), 3e-3
    ),
}  # fmt: skip


def reconstruct(scan: Scan, recipe: Recipe, output: Path, **more: Any) -> Result:
    return run_job(prepare_job(scan, recipe, threads=2), output, **more)


def voxels(path: Path) -> NDArray[Any]:
    with open_volume(path) as volume:
        return np.asarray(volume.levels[0][...])


def middle(pictures: NDArray[Any], size: int) -> NDArray[Any]:
    """Cut the middle of slices of the same parity."""
    edge = (pictures.shape[-1] - size) // 2
    assert pictures.shape[-1] - size == 2 * edge
    return pictures[..., edge : edge + size, edge : edge + size]


def within(size: int, share: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) < share * size


def truth_of(path: Path, recipe: Recipe, size: int) -> NDArray[Any]:
    """True slices as wide as the result, averaged over the pixels that were binned."""
    region = recipe.region
    rows = region.rows or (0, load_truth(path).detector.n_rows)
    n = region.binning
    slices = load_truth(path).slices(slice(*rows), size=size * n)
    slices = slices.reshape(len(slices) // n, n, size, n, size, n).mean(axis=(1, 3, 5))
    return slices[:: region.row_step]


@pytest.mark.parametrize("name", CASES)
def test_voxels_are_the_truth_in_1_per_cm(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = simulate_scan(tmp_path / "scan.h5", case.spec)
    with open_scan(path) as scan:
        result = reconstruct(scan, case.recipe, tmp_path / "slices.zarr")
    found = voxels(result.output)
    assert result.shape == found.shape
    size = found.shape[1]
    expected = truth_of(path, case.recipe, size)
    seen = within(size, case.share)
    error = np.sqrt(np.mean((found - expected)[:, seen] ** 2)) / expected.max()
    assert error < case.error
    assert found[:, seen].sum() == pytest.approx(expected[:, seen].sum(), rel=2e-3)
    for flipped in (expected[:, ::-1], expected[:, :, ::-1], expected.transpose(0, 2, 1)):
        assert np.sqrt(np.mean((found - flipped)[:, seen] ** 2)) > 20 * error * expected.max()
    assert (found[:, ~within(size, 0.5)] == 0).all()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scan]:
    """A noisy scan of 24 rows."""
    spec = replace(
        SMOOTH, n_columns=100, n_angles=121, n_rows=24, center_px=48.3, physics=Physics()
    )
    with open_scan(simulate_scan(tmp_path_factory.mktemp("scan") / "scan.h5", spec)) as opened:
        yield opened


@pytest.mark.parametrize("dtype", ["uint16", "uint8"])
@pytest.mark.parametrize("given", [None, (-5.0, 90.0)])
def test_integers_go_back_by_the_stored_scale(
    dtype: str, given: tuple[float, float] | None, scan: Scan, tmp_path: Path
) -> None:
    recipe = known(48.3, region=Region(rows=(4, 12)))
    exact = voxels(reconstruct(scan, recipe, tmp_path / "float.zarr").output)
    output = Output(dtype=dtype, value_range=given)  # type: ignore[arg-type]
    result = reconstruct(scan, replace(recipe, output=output), tmp_path / "integer.zarr")
    stored = voxels(result.output)
    assert stored.dtype == dtype
    scale = read_provenance(result.output).scale
    assert scale is not None
    low, high = scale[0], scale[0] + scale[1] * np.iinfo(stored.dtype).max
    back = scale[0] + stored * scale[1]
    assert np.abs(back - np.clip(exact, low, high)).max() <= 0.51 * scale[1]
    if given is None:  # found: nearly everything fits
        assert np.mean((exact < low) | (exact > high)) < 0.01
    else:
        assert (low, high) == pytest.approx(given)
    written = read_provenance(result.output).resolved.output.value_range
    assert written == pytest.approx((low, high))


def test_a_stack_of_tiff_holds_the_same(scan: Scan, tmp_path: Path) -> None:
    recipe = known(48.3, region=Region(rows=(4, 9)))
    zarr = reconstruct(scan, recipe, tmp_path / "volume.zarr").output
    tiff = reconstruct(scan, replace(recipe, output=Output("tiff")), tmp_path / "stack").output
    np.testing.assert_array_equal(voxels(zarr), voxels(tiff))


def test_provenance_is_complete_and_reads_back(scan: Scan, tmp_path: Path) -> None:
    recipe = Recipe(name="mine", rings=(RingFilter("sorting"),), region=Region(rows=(2, 20)))
    result = reconstruct(scan, recipe, tmp_path / "slices.zarr")
    written = read_provenance(result.output)
    assert written == result.provenance
    assert written.recipe == recipe
    assert written.resolved.center.center_px == written.center.center_px
    assert written.resolved.rings == recipe.rings
    assert len(written.input_sha256) == len(written.input_identity) == 64
    assert written.engine.startswith("fourier")
    assert written.pixel_size_um == pytest.approx(0.65)
    assert written.units == "1/cm"
    assert {"alsct-gui", "numpy", "python"} <= {name.lower() for name in written.versions}
    assert {"center", "read", "correct", "reconstruct", "write", "total"} <= set(written.seconds)
    quality = written.quality
    assert quality is not None
    assert (quality.slices_expected, quality.slices_found) == (18, 18)
    assert quality.center_confidence == written.center.confidence
    assert quality.noise > 0
    assert quality.nan_count == 0


RECIPES = {
    "fourier": Recipe(),
    "filters and integers": Recipe(
        rings=(RingFilter("sorting"),), output=Output(dtype="uint16"), region=Region(binning=2)
    ),
    "tilted": Recipe(rotation=Rotation(tilt_deg=0.5)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_replay_of_what_was_written_gives_the_same_voxels(
    name: str, scan: Scan, tmp_path: Path
) -> None:
    first = reconstruct(scan, RECIPES[name], tmp_path / "first.zarr")
    written = read_provenance(first.output)
    job = prepare_job(scan, written.resolved, threads=1, batch_slices=written.batch_slices)
    second = run_job(job, tmp_path / "second.zarr")
    np.testing.assert_array_equal(voxels(first.output), voxels(second.output))
    assert second.provenance.resolved == written.resolved
    assert second.provenance.scale == written.scale


@pytest.mark.parametrize("first_pass", [False, True])
def test_progress_never_falls_and_ends_complete(
    first_pass: bool, scan: Scan, tmp_path: Path
) -> None:
    recipe = known(48.3, rotation=Rotation(tilt_deg=0.5 if first_pass else 0.0))
    steps: list[Progress] = []
    job = prepare_job(scan, recipe, batch_slices=5)
    run_job(job, tmp_path / "slices.zarr", progress=steps.append)
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == (["projections", "slices"] if first_pass else ["slices"])
    for stage in stages:
        own = [step for step in steps if step.stage == stage]
        assert [step.done for step in own] == sorted(step.done for step in own)
        assert [step.elapsed_s for step in own] == sorted(step.elapsed_s for step in own)
        assert own[-1].done == own[-1].total
        assert own[-1].eta_s == 0
    assert [step.done for step in steps if step.stage == "slices"] == [0, 5, 10, 15, 20, 24]


def test_an_existing_product_is_refused_or_moved_aside(scan: Scan, tmp_path: Path) -> None:
    recipe, output = known(48.3, region=Region(rows=(0, 4))), tmp_path / "slices.zarr"
    first = voxels(reconstruct(scan, recipe, output).output)
    with pytest.raises(OutputError, match="exists already"):
        reconstruct(scan, recipe, output)
    other = replace(recipe, engine=EngineSettings(filter="hann"))
    reconstruct(scan, other, output, overwrite=True)
    aside = [path for path in tmp_path.iterdir() if ".old-" in path.name]
    assert sorted(tmp_path.iterdir()) == sorted([output, *aside])
    np.testing.assert_array_equal(voxels(aside[0]), first)
    assert not np.array_equal(voxels(output), first)


def test_settings_that_the_engine_lacks_are_told_before_anything_is_made(scan: Scan) -> None:
    with pytest.raises(RecipeError, match=r"recipe.engine.algorithm"):
        prepare_job(scan, known(48.3, engine=EngineSettings(algorithm="sirt")))


@pytest.mark.parametrize(
    ("n_angles", "n_rows", "n_columns"), [(30, 1, 40), (2, 3, 40), (30, 3, 3), (3, 1, 2)]
)
def test_tiny_scans_come_out(n_angles: int, n_rows: int, n_columns: int, tmp_path: Path) -> None:
    scan = counts_scan(n_angles, n_rows=3, n_columns=max(5, n_columns))
    recipe = known((n_columns - 1) / 2, region=Region(rows=(0, n_rows), columns=(0, n_columns)))
    result = reconstruct(scan, recipe, tmp_path / "slices.zarr")
    assert result.shape == (n_rows, n_columns, n_columns)
    assert np.isfinite(voxels(result.output)).all()


def test_slices_at_the_detectors_edges_are_those_of_the_whole(scan: Scan, tmp_path: Path) -> None:
    recipe = known(48.3, zingers=Zingers(5))
    whole = voxels(reconstruct(scan, recipe, tmp_path / "whole.zarr").output)
    for rows in ((0, 2), (22, 24)):
        part = replace(recipe, region=Region(rows=rows))
        found = voxels(reconstruct(scan, part, tmp_path / f"{rows[0]}.zarr").output)
        np.testing.assert_allclose(found, whole[slice(*rows)], atol=1e-4 * whole.max())


def test_without_a_pixel_size_values_are_per_pixel(tmp_path: Path) -> None:
    scan = counts_scan(40, 3, 40)
    recipe = known(19.5)
    in_cm = reconstruct(scan, recipe, tmp_path / "cm.zarr")
    geometry = Geometry(scan.geometry.angles_deg, 3, 40)
    unknown = reconstruct(replace(scan, geometry=geometry), recipe, tmp_path / "px.zarr")
    assert unknown.provenance.units == "1/px"
    assert unknown.provenance.pixel_size_um is None
    assert "values-per-pixel" in [finding.name for finding in unknown.provenance.findings]
    np.testing.assert_allclose(
        voxels(unknown.output) * 1e4 / 1.3, voxels(in_cm.output), rtol=1e-5, atol=1e-3
    )
    with open_volume(unknown.output) as volume:
        assert volume.units == "1/px"
    asked = reconstruct(scan, replace(recipe, output=Output(units="1/px")), tmp_path / "asked.zarr")
    np.testing.assert_array_equal(voxels(asked.output), voxels(unknown.output))


def test_values_that_are_not_numbers_are_counted_and_removed(tmp_path: Path) -> None:
    lines = np.random.default_rng(0).uniform(0, 1, (40, 3, 40)).astype(np.float32)
    lines[7, 1, 20] = np.nan
    scan = Scan(
        Path("memory"), "tiff", Stack(lines), None, None,
        Geometry(np.linspace(0, 180, 40, endpoint=False), 3, 40), quantity="line-integrals",
    )  # fmt: skip
    result = reconstruct(scan, known(19.5), tmp_path / "slices.zarr")
    assert np.isfinite(voxels(result.output)).all()
    assert result.provenance.quality is not None
    assert result.provenance.quality.nan_count > 0
