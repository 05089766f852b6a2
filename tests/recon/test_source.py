from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.model.errors import CancelledError, OutputError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.model.recipe import (
    BeamHardening,
    Correction,
    Phase,
    Recipe,
    Region,
    RingFilter,
    Rotation,
    Zingers,
)
from alsct_gui.model.scan import Scan
from alsct_gui.recon import source as source_module
from alsct_gui.recon.plan import Extent, resolve_extent
from alsct_gui.recon.preprocess.phase import paganin
from alsct_gui.recon.preprocess.rings.apply import apply_rings
from alsct_gui.recon.preprocess.tilt import turn_frames
from alsct_gui.recon.scratch import SinogramStore
from alsct_gui.recon.source import SinogramSource
from tests.recon.scans import Stack, counts_scan, reference


def source_of(scan: Scan, recipe: Recipe, **more: object) -> SinogramSource:
    extent = resolve_extent(recipe.region, scan.projections.shape)
    return SinogramSource(scan, recipe, extent, **more)  # type: ignore[arg-type]


def extent_of(scan: Scan, recipe: Recipe) -> Extent:
    return resolve_extent(recipe.region, scan.projections.shape)


RECIPES = {
    "plain": Recipe(),
    "zingers": Recipe(zingers=Zingers(3, 0.5)),
    "wide zingers": Recipe(zingers=Zingers(5, 0.3)),
    "row step": Recipe(zingers=Zingers(), region=Region(row_step=3)),
    "rows cropped": Recipe(zingers=Zingers(5), region=Region(rows=(3, 10))),
    "columns cropped": Recipe(region=Region(columns=(5, 19))),
    "angles": Recipe(region=Region(angles=(2, 12), angle_step=3)),
    "binning": Recipe(region=Region(binning=2)),
    "binning, left over": Recipe(zingers=Zingers(), region=Region(binning=3, columns=(1, 22))),
    "binning and step": Recipe(
        zingers=Zingers(), region=Region(rows=(1, 12), binning=2, row_step=2)
    ),
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("threads", [1, 3])
def test_sinograms_equal_the_whole_scan_reference(name: str, threads: int) -> None:
    recipe = RECIPES[name]
    if recipe.zingers is not None and recipe.region.columns is not None:
        # Zingers at the cut edge are judged by the columns in use: compare without them.
        recipe = replace(recipe, zingers=None)
    scan = counts_scan()
    source = source_of(scan, recipe, threads=threads)
    expected = reference(scan, recipe)
    n_slices = source.extent.n_slices
    np.testing.assert_allclose(source.sinograms(0, n_slices), expected, rtol=2e-6, atol=3e-6)
    assert source.n_columns == expected.shape[2]
    assert source.angles_deg.size == expected.shape[1]


@pytest.mark.parametrize("name", RECIPES)
def test_slabs_and_batches_do_not_change_values(name: str) -> None:
    scan, recipe = counts_scan(), RECIPES[name]
    source = source_of(scan, recipe)
    n_slices = source.extent.n_slices
    whole = source.sinograms(0, n_slices)
    token = CancelToken()
    for start in range(0, n_slices, 3):
        stop = min(start + 3, n_slices)
        clean = source.clean(source.read(start, stop, token))
        for row in range(start, stop):
            part = source.line_integrals(clean, row, row + 1, token)
            np.testing.assert_array_equal(part[0], whole[row])
    # Flats and darks averaged over these rows alone give the same.
    alone = source_of(scan, recipe, rows=source.extent.detector_rows(1))
    np.testing.assert_array_equal(alone.sinograms(1, 2)[0], whole[1])


def test_counts_are_summed_over_slabs() -> None:
    scan = counts_scan(zingers=True)
    source = source_of(scan, Recipe())
    for start in range(0, 12, 4):
        source.sinograms(start, start + 4)
    frames = scan.projections.read()
    assert source.counts.values == frames.size
    assert source.counts.saturated == np.count_nonzero(frames == 65535)
    assert source.counts.dead == frames.shape[0]


def test_neighbouring_projections_are_read_in_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = counts_scan()
    assert isinstance(scan.projections, Stack)
    source_of(scan, Recipe()).sinograms(0, 12)
    assert scan.projections.asked == [slice(0, 13, 1)]
    monkeypatch.setattr(source_module, "_CHUNK_BYTES", 5 * 12 * 22 * 2)
    scan.projections.asked.clear()
    pieces = source_of(scan, Recipe(region=Region(angle_step=2))).sinograms(0, 12)
    assert scan.projections.asked == [slice(0, 9, 2), slice(10, 13, 2)]
    np.testing.assert_allclose(
        pieces, reference(scan, Recipe(region=Region(angle_step=2))), rtol=2e-6, atol=3e-6
    )


def test_reverse_turns_the_angles_alone() -> None:
    scan = counts_scan()
    forward = source_of(scan, Recipe())
    backward = source_of(scan, Recipe(rotation=Rotation(reverse=True)))
    np.testing.assert_array_equal(backward.angles_deg, -forward.angles_deg)
    np.testing.assert_array_equal(backward.sinograms(2, 4), forward.sinograms(2, 4))


def test_filters_work_on_line_integrals_in_order() -> None:
    scan = counts_scan()
    recipe = Recipe(
        rings=(RingFilter("sorting", size_small_px=5), RingFilter("titarenko")),
        beam_hardening=BeamHardening((1.0, 0.1)),
    )
    plain = source_of(scan, Recipe()).sinograms(0, 12)
    filtered = apply_rings(plain.copy(), recipe.rings)
    expected = filtered + np.float32(0.1) * filtered**2
    for threads in (1, 3):
        found = source_of(scan, recipe, threads=threads).sinograms(0, 12)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("quantity", ["line-integrals", "transmission"])
def test_scans_that_are_corrected_already(quantity: str, dtype: type) -> None:
    lines = np.random.default_rng(0).uniform(0.01, 3, (7, 5, 9))
    values = lines if quantity == "line-integrals" else np.exp(-lines)
    geometry = Geometry(np.linspace(0, 180, 7, endpoint=False), 5, 9)
    scan = Scan(
        Path("memory"), "tiff", Stack(values.astype(dtype)), None, None, geometry,
        quantity=quantity,  # type: ignore[arg-type]
    )  # fmt: skip
    source = source_of(scan, Recipe(zingers=Zingers()))
    np.testing.assert_allclose(
        source.sinograms(1, 4), lines.transpose(1, 0, 2)[1:4], rtol=1e-5, atol=1e-6
    )
    assert [finding.name for finding in source.findings] == ["zingers-kept"]
    np.testing.assert_allclose(
        source.transmission(slice(2, 5), (1, 4)), np.exp(-lines[2:5, 1:4]), rtol=1e-5
    )
    np.testing.assert_allclose(source.frames(slice(2, 5)), lines[2:5], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("binning", [1, 2])
def test_transmission_gives_whole_projections(binning: int) -> None:
    scan = counts_scan()
    recipe = Recipe(zingers=Zingers(), region=Region(angles=(1, 13), angle_step=2, binning=binning))
    source = source_of(scan, recipe, rows=(4, 10))
    expected = np.exp(-reference(scan, recipe).transpose(1, 0, 2))
    found = source.transmission(slice(1, 4), (4, 10))
    inner = slice(1, -1)  # beyond the rows asked for nothing is known of zingers
    np.testing.assert_allclose(
        found[:, inner], expected[1:4, 4 // binning : 10 // binning][:, inner], rtol=1e-5
    )


def test_a_missing_ring_current_is_told() -> None:
    recipe = Recipe(correction=Correction(beam_current=True))
    names = [finding.name for finding in source_of(counts_scan(), recipe).findings]
    assert names == ["beam-current-missing"]
    current = {"beam_current_ma": np.full(13, 500.0)}
    scan = counts_scan(per_frame=current)
    assert source_of(scan, recipe).findings == ()


# Work on whole projections


def fringed_scan(n_angles: int = 6, n_rows: int = 90, n_columns: int = 64) -> Scan:
    """Counts of a smooth scene with some noise, at a distance that makes phase retrieval work."""
    rng = np.random.default_rng(5)
    row, column = np.mgrid[:n_rows, :n_columns]
    scene = 1 + 0.5 * np.sin(row / 5 + column / 9) * np.cos(column / 7)
    frames = np.stack([30000 * np.exp(-scene * (1 + 0.1 * a)) for a in range(n_angles)])
    frames = frames + rng.normal(0, 100, frames.shape)
    flats = np.full((2, n_rows, n_columns), 30000, np.uint16)
    geometry = Geometry(
        np.linspace(0, 180, n_angles, endpoint=False), n_rows, n_columns,
        pixel_size_um=2.0, distance_mm=60.0, energy_kev=25.0,
    )  # fmt: skip
    darks = Stack(np.zeros((1, n_rows, n_columns), np.uint16))
    return Scan(
        Path("memory"), "tiff", Stack(frames.round().astype(np.uint16)), Stack(flats), darks,
        geometry,
    )  # fmt: skip


PHASE = Recipe(phase=Phase(delta_beta=150.0))
TILT = Recipe(rotation=Rotation(tilt_deg=2.0))
BOTH = Recipe(phase=Phase(delta_beta=150.0), rotation=Rotation(tilt_deg=-2.0))


def by_hand(scan: Scan, recipe: Recipe) -> NDArray[np.float32]:
    """The same on whole frames, shape (angle, row, column)."""
    plain = replace(recipe, phase=None, rotation=Rotation())
    lines = source_of(scan, plain).sinograms(0, extent_of(scan, plain).n_slices)
    frames = np.ascontiguousarray(lines.transpose(1, 0, 2))
    binning = recipe.region.binning
    if recipe.phase is not None:
        frames = paganin(np.exp(-frames), recipe.phase, scan.geometry, binning=binning)
    return turn_frames(frames, recipe.rotation.tilt_deg)


@pytest.mark.parametrize("recipe", [PHASE, TILT, BOTH], ids=["phase", "tilt", "both"])
@pytest.mark.parametrize("binning", [1, 2])
def test_first_pass_over_all_rows_equals_work_on_whole_frames(
    recipe: Recipe, binning: int, tmp_path: Path
) -> None:
    scan = fringed_scan()
    recipe = replace(recipe, region=Region(binning=binning))
    source = source_of(scan, recipe, scratch=tmp_path / "projections", threads=2)
    expected = by_hand(scan, recipe).transpose(1, 0, 2)
    np.testing.assert_allclose(
        source.sinograms(0, source.extent.n_slices), expected, rtol=1e-4, atol=1e-4
    )
    assert (tmp_path / "projections").stat().st_size == expected.size * 4
    source.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recipe", [PHASE, TILT, BOTH], ids=["phase", "tilt", "both"])
@pytest.mark.parametrize(
    "region",
    [
        Region(),
        Region(binning=2, rows=(1, 88)),
        Region(rows=(7, 80), row_step=4),
        Region(binning=3),
    ],
    ids=["whole", "binned", "stepped", "binned by 3"],
)
def test_a_few_rows_come_out_as_in_the_whole_run(recipe: Recipe, region: Region) -> None:
    scan, recipe = fringed_scan(), replace(recipe, region=region)
    whole = source_of(scan, recipe)
    n_slices = whole.extent.n_slices
    everything = whole.sinograms(0, n_slices)
    for index in (0, 1, n_slices // 2 - 1, n_slices // 2, n_slices - 1):
        few = source_of(scan, recipe, rows=whole.extent.detector_rows(index))
        found = few.sinograms(index, index + 1)[0]
        # Beyond the detector's edge phase retrieval fades to the opposite edge of what it is
        # given, so the outermost rows are only near to the whole run.
        at_edge = recipe.phase is not None and index not in (n_slices // 2 - 1, n_slices // 2)
        np.testing.assert_allclose(found, everything[index], atol=0.1 if at_edge else 3e-4)
    assert few.first_pass is not None
    assert few.first_pass.rows[0] > 0, "the last slice needs no rows at the top"


def test_first_pass_tells_its_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    source = source_of(fringed_scan(), PHASE, scratch=tmp_path / "projections")
    steps: list[Progress] = []
    source.run_first_pass(CancelToken(), steps.append)
    assert [(step.stage, step.total) for step in steps] == [("projections", 6)] * len(steps)
    assert steps[-1].done == 6
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        source.run_first_pass(token)
    source.close()
    assert list(tmp_path.iterdir()) == []


def test_scratch_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        SinogramStore((2, 3, 4), tmp_path / "nowhere" / "projections")
