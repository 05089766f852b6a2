"""The desk with its real process: what a window asks."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.errors import InputError, RecipeError, UsageError
from alsct_gui.model.finding import Severity
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.desk.answers import FrameWanted, Trial
from alsct_gui.recon.desk.client import Desk
from alsct_gui.recon.desk.stages import with_center
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.recon.preview import preview
from tests.shared_data import shared_file

RECIPE = load_recipe("standard-8.3.2")
FIXED = with_center(RECIPE, 66.3)


def done(future: Future[Any]) -> Any:
    return future.result(120.0)


def test_a_look_sums_a_scan_up(desk: Desk, foam: Path) -> None:
    look = done(desk.look(foam))
    assert (look.kind, look.ok, look.layout) == ("scan", True, "als-8.3.2")
    assert (look.n_angles, look.n_rows, look.n_columns) == (181, 12, 128)
    assert look.size_bytes == foam.stat().st_size
    assert look.people.start_time
    assert look.metadata["/measurement/instrument/source/source_name"]
    assert len(look.identity) == 64
    assert look.thumbnail.dtype == np.uint8
    assert look.thumbnail.std() > 5


def test_a_look_tells_what_is_wrong_and_goes_on(desk: Desk, tmp_path: Path, foam: Path) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(foam.read_bytes()[:-50_000])
    odd = tmp_path / "notes.h5"
    odd.write_text("no scan at all")
    for path in (cut, odd, tmp_path / "absent.h5", tmp_path):
        look = done(desk.look(path))
        assert not look.ok
        assert look.findings[0].severity is Severity.ERROR
    with pytest.raises(InputError):
        done(desk.frame(odd, FrameWanted()))
    assert done(desk.look(foam)).ok


@pytest.mark.parametrize("name", ["als832_legacy.h5", "aps_tooth.h5"])
def test_real_scans_can_be_looked_at(desk: Desk, name: str) -> None:
    path = shared_file(name)
    look = done(desk.look(path))
    assert look.kind == "scan"
    assert look.thumbnail is not None
    frame = done(desk.frame(path, FrameWanted(index=0)))
    with open_scan(path) as scan:
        assert np.array_equal(frame.image, scan.projections.read(slice(0, 1))[0])


def test_frames_raw_and_corrected(desk: Desk, foam: Path) -> None:
    with open_scan(foam) as scan:
        stored = scan.projections.read(slice(7, 8))[0]
        flats = scan.flats.read() if scan.flats else np.empty(0)
        angle_deg, pixel_um = scan.geometry.angles_deg[7], scan.geometry.pixel_size_um
    raw = done(desk.frame(foam, FrameWanted(index=7)))
    assert np.array_equal(raw.image, stored)
    assert (raw.index, raw.count, raw.angle_deg) == (7, 181, angle_deg)
    assert raw.low < raw.high
    flat = done(desk.frame(foam, FrameWanted("flat", 1)))
    assert np.array_equal(flat.image, flats[1])
    assert flat.angle_deg is None
    corrected = done(desk.frame(foam, FrameWanted(index=7, corrected=True, binning=2)))
    assert corrected.image.shape == (6, 64)
    assert corrected.quantity == "transmission"
    assert 0 < corrected.image.min() < corrected.image.max() < 1.5
    assert corrected.pixel_um == 2 * pixel_um
    with pytest.raises(UsageError, match="no projection 181"):
        done(desk.frame(foam, FrameWanted(index=181)))


def test_opposite_frames_mirror_each_other_about_the_centre(desk: Desk, foam: Path) -> None:
    pair = done(desk.opposite(foam))
    assert abs(abs(pair.angles_deg[0] - pair.angles_deg[1]) - 180) <= abs(pair.mismatch_deg) + 1e-6
    mirrored = pair.second[:, ::-1]
    shift = round(2 * 66.3 - 127)  # columns that the mirror image is moved by
    near = np.corrcoef(pair.first[:, shift:].ravel(), mirrored[:, :-shift].ravel())[0, 1]
    far = np.corrcoef(pair.first.ravel(), mirrored.ravel())[0, 1]
    assert near > 0.95 > far


def test_previews_agree_with_the_library(desk: Desk, foam: Path) -> None:
    made = done(desk.preview(foam, RECIPE, 5))
    moved = done(desk.preview(foam, with_center(RECIPE, 60.0), 5))
    with open_scan(foam) as scan:
        plain = preview(scan, RECIPE, 5)
        other = preview(scan, with_center(RECIPE, 60.0), 5)
    assert made.image.tobytes() == plain.picture.tobytes()
    assert moved.image.tobytes() == other.picture.tobytes()
    assert abs(made.center_px - 66.3) < 0.5
    assert made.resolved.center.method == "manual"
    assert done(desk.preview(foam, FIXED, 5, binning=2)).image.shape == (64, 64)


def test_a_wrong_question_is_answered_with_its_error(desk: Desk, foam: Path) -> None:
    with pytest.raises(RecipeError, match="row 99"):
        done(desk.preview(foam, FIXED, 99))
    wide = replace(FIXED, region=replace(FIXED.region, columns=(0, 5000)))
    with pytest.raises(RecipeError, match=r"region\.columns"):
        done(desk.preview(foam, wide, 5))


def test_the_newest_preview_wins(desk: Desk, foam: Path) -> None:
    futures = [desk.preview(foam, with_center(RECIPE, 60.0 + n), 5) for n in range(10)]
    assert done(futures[-1]).center_px == 69.0
    for future in futures[:-1]:
        assert future.cancelled() or future.result().center_px < 69.0


def test_a_sweep_of_two_settings(desk: Desk, foam: Path) -> None:
    trials: list[Trial] = []
    steps: list[int] = []
    settings = [("rings.0.sigma", [1.0, 4.0]), ("engine.filter", ["ramp", "hann", "nothing"])]
    swept = done(
        desk.sweep(foam, FIXED, settings, 5, 40, trials.append,
                   on_progress=lambda step: steps.append(step.done))
    )  # fmt: skip
    assert [trial.values for trial in trials] == [
        (sigma, window) for sigma in (1.0, 4.0) for window in ("ramp", "hann", "nothing")
    ]
    assert (swept.count, swept.row, steps) == (4, 5, [1, 2, 3, 4, 5, 6])
    for trial in trials:
        wrong = trial.values[1] == "nothing"
        assert bool(trial.error) == wrong
        assert wrong or trial.image.shape == (32, 32)
    assert not np.array_equal(trials[0].image, trials[1].image)


def test_a_sweep_of_centres_in_batches(desk: Desk, foam: Path) -> None:
    trials: list[Trial] = []
    centers_px = [62.0 + 0.5 * n for n in range(11)]
    done(desk.preview_centers(foam, FIXED, 5, centers_px, trials.append))
    assert [trial.center_px for trial in trials] == centers_px
    with open_scan(foam) as scan:
        plain = preview(scan, with_center(RECIPE, centers_px[9]), 5)
    assert trials[9].image.tobytes() == plain.picture.tobytes()


def test_centres_arrive_method_by_method(desk: Desk, foam: Path) -> None:
    estimates: list[CenterEstimate] = []
    found = done(desk.centers(foam, FIXED, on_estimate=estimates.append))
    assert tuple(estimates) == found.result.estimates
    assert len(estimates) >= 2
    assert abs(found.result.center_px - 66.3) < 0.5
    assert found.rotation == "180"
    near_row = done(desk.centers(foam, RECIPE, 3))
    assert abs(near_row.result.center_px - 66.3) < 0.5


def test_plans_say_what_a_run_needs(desk: Desk, foam: Path, tmp_path: Path) -> None:
    output = tmp_path / "not yet" / "rec.zarr"
    recipe = replace(FIXED, output=replace(FIXED.output, dtype="uint16"))
    plan = done(desk.plan(foam, recipe, output))
    with open_scan(foam) as scan:
        job = prepare_job(scan, recipe)
    assert (plan.slices, plan.size_px) == (job.plan.n_slices, job.plan.size_px)
    assert 12 * 128 * 128 * 2 < plan.output_bytes < 2 * 12 * 128 * 128 * 2
    assert plan.refusal == ""
    assert plan.seconds_estimate is not None
    assert not output.parent.exists()
    odd = replace(FIXED, engine=replace(FIXED.engine, name="unheard-of"))
    assert "unheard-of" in done(desk.plan(foam, odd, output)).refusal


def test_lists_and_exports(desk: Desk, foam: Path, tmp_path: Path) -> None:
    engines = done(desk.engines()).rows
    fourier = next(row for row in engines if row.name == "fourier")
    assert fourier.ok
    assert not fourier.slow
    assert all(row.ok or row.reason for row in engines)
    presets = done(desk.presets()).rows
    assert tuple(row.name for row in presets) == preset_names()
    assert presets[0].recipe == load_recipe(presets[0].name)
    exported = done(desk.export(FIXED, foam, tmp_path / "rec.zarr"))
    assert exported.command.startswith("alsct recon ")
    compile(exported.python, "script", "exec")


def test_a_volume_is_looked_at(desk: Desk, foam: Path, tmp_path: Path) -> None:
    with open_scan(foam) as scan:
        run_job(prepare_job(scan, FIXED), tmp_path / "rec.zarr")
    look = done(desk.look(tmp_path / "rec.zarr"))
    assert (look.kind, look.layout, look.shape) == ("volume", "ome-zarr", (12, 128, 128))
    assert look.units == "1/cm"
    assert look.provenance["engine"].startswith("fourier")
    assert look.thumbnail is not None
    shutil.rmtree(tmp_path / "rec.zarr" / "0")
    assert done(desk.look(tmp_path / "rec.zarr")).kind == "unknown"


def test_a_recipe_without_name_or_rings_is_a_recipe(desk: Desk, foam: Path) -> None:
    assert done(desk.preview(foam, with_center(Recipe(), 66.3), None)).row == 6


def test_cancelling_reaches_the_process_and_other_questions_go_on(desk: Desk, foam: Path) -> None:
    trials: list[Trial] = []
    begun = threading.Event()

    def take(trial: Trial) -> None:
        trials.append(trial)
        begun.set()

    values = [0.5 + 0.01 * n for n in range(200)]
    long = desk.sweep(foam, FIXED, [("rings.0.sigma", values)], 5, 64, take)
    assert begun.wait(60.0)
    assert long.cancel()
    assert done(desk.frame(foam, FrameWanted())).index == 0
    short = desk.sweep(foam, FIXED, [("rings.0.sigma", [1.0])], 5, 64, take, channel=None)
    assert done(short).count == 1  # the same lane: the long one has ended
    assert 2 <= len(trials) < 200
