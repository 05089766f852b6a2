"""Stages of a preview: their keys, what is made again, and that the pictures are the same."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import Recipe, RingFilter
from alsct_gui.recon.desk.shelf import OpenScan, Shelf
from alsct_gui.recon.desk.stages import (
    Slicer,
    center_key,
    corrected_key,
    filtered_key,
    with_center,
)
from alsct_gui.recon.engines.registry import get_engine
from alsct_gui.recon.plan import resolve_extent
from alsct_gui.recon.preview import preview, sweep, with_setting

SHAPE = (181, 12, 128)
BASE = with_setting(with_center(load_recipe("standard-8.3.2"), 66.3), "rotation.kind", "180")


def keys(recipe: Recipe, index: int = 3) -> dict[str, Any]:
    extent = resolve_extent(recipe.region, SHAPE)
    return {
        "center": center_key(recipe, quick=True),
        "corrected": corrected_key(recipe, extent, index),
        "filtered": filtered_key(recipe, extent, index),
    }


@pytest.mark.parametrize(
    ("setting", "value", "changed"),
    [
        ("center.center_px", 70.0, {"center"}),
        ("engine.filter", "hann", set()),
        ("engine.cutoff", 0.5, set()),
        ("output.circular_mask", 0.8, set()),
        ("output.units", "1/px", set()),
        ("name", "mine", set()),
        ("rings", [], {"filtered"}),
        ("rings.0.sigma", 5.0, {"filtered"}),
        ("beam_hardening.coefficients", [1.0, 0.1], {"filtered"}),
        ("phase.delta_beta", 500.0, {"corrected", "filtered"}),
        ("zingers.threshold", 0.3, {"corrected", "filtered"}),
        ("correction.transmission_min", 0.02, {"center", "corrected", "filtered"}),
        ("region.binning", 2, {"center", "corrected", "filtered"}),
        ("region.columns", [2, 126], {"center", "corrected", "filtered"}),
        ("region.angle_step", 2, {"center", "corrected", "filtered"}),
        ("rotation.tilt_deg", 1.0, {"center", "corrected", "filtered"}),
        ("rotation.reverse", True, {"center", "corrected", "filtered"}),
    ],
)
def test_a_key_holds_what_its_stage_depends_on(setting: str, value: Any, changed: set[str]) -> None:
    before, after = keys(BASE), keys(with_setting(BASE, setting, value))
    assert {name for name in before if before[name] != after[name]} == changed


def test_the_seam_of_an_offset_scan_follows_the_centre() -> None:
    offset = with_setting(BASE, "rotation.kind", "360-offset")
    assert keys(offset)["corrected"] != keys(with_center(offset, 70.0))["corrected"]
    assert keys(BASE)["corrected"] == keys(with_center(BASE, 70.0))["corrected"]


def test_a_slice_has_a_key_by_its_detector_row() -> None:
    cut = with_setting(BASE, "region.rows", [3, 12])
    assert keys(BASE, 3)["corrected"] == keys(cut, 0)["corrected"] != keys(BASE, 4)["corrected"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"center": {"method": "auto"}},
        {"region.binning": 2},
        {"phase.delta_beta": 200.0},
        {"rotation.tilt_deg": 0.7},
        {"beam_hardening.coefficients": [1.0, 0.05]},
        {"rings": [{"method": "vo-all"}, {"method": "titarenko"}]},
        {"output.dtype": "uint8"},
    ],
)
def test_previews_are_those_of_recon_preview(
    foam: Path, shelf: Shelf, slicer: Slicer, changes: dict[str, Any]
) -> None:
    recipe = BASE
    for setting, value in changes.items():
        recipe = with_setting(recipe, setting, value)
    with shelf.scan(foam) as opened:
        # Other settings first: whatever is kept of them must not show.
        slicer.preview(opened, load_recipe("quick-look"), 5, CancelToken())
        slicer.preview(opened, with_center(recipe, 60.0), 5, CancelToken())
        first = slicer.preview(opened, recipe, 5, CancelToken())
        again = slicer.preview(opened, recipe, 5, CancelToken())
        plain = preview(opened.scan, with_setting(recipe, "output.dtype", "float32"), 5)
    assert first.image.tobytes() == again.image.tobytes() == plain.picture.tobytes()
    assert first.center_px == plain.resolved.center.center_px
    assert (first.units, first.pixel_um) == (plain.units, plain.pixel_um)
    assert first.resolved.output == recipe.output
    assert first.low < first.high


class Counting:
    """A stack that counts its reads."""

    def __init__(self, stack: Any) -> None:
        self._stack = stack
        self.shape, self.dtype = stack.shape, stack.dtype
        self.reads = 0

    def read(self, *args: Any, **options: Any) -> Any:
        self.reads += 1
        return self._stack.read(*args, **options)


def test_only_what_a_change_concerns_is_made_again(foam: Path, slicer: Slicer) -> None:
    with open_scan(foam) as scan:
        frames = Counting(scan.projections)
        opened = OpenScan(replace(scan, projections=frames), "key")
        slicer.preview(opened, BASE, 5, CancelToken())
        reads, used = frames.reads, slicer.cache.used_bytes
        assert reads > 0
        slicer.preview(opened, with_setting(BASE, "engine.filter", "hann"), 5, CancelToken())
        slicer.preview(opened, replace(BASE, rings=(RingFilter("sorting"),)), 5, CancelToken())
        assert frames.reads == reads
        assert slicer.cache.used_bytes > used
        slicer.preview(opened, BASE, 6, CancelToken())
        assert frames.reads > reads


def test_centres_of_a_batch_are_those_of_a_sweep(foam: Path, shelf: Shelf, slicer: Slicer) -> None:
    centers_px = [64.0, 66.25, 70.5]
    with shelf.scan(foam) as opened:
        batch = slicer.preview_centers(opened, BASE, 5, centers_px, CancelToken())
        plain = sweep(opened.scan, BASE, "center.center_px", centers_px, 5)
    for made, trial in zip(batch, plain, strict=True):
        assert made.image.tobytes() == trial.picture.tobytes()
        assert made.center_px == made.resolved.center.center_px == trial.value


def test_sinograms_of_every_stage(foam: Path, shelf: Shelf, slicer: Slicer) -> None:
    with shelf.scan(foam) as opened:
        raw, corrected, filtered = (
            slicer.sinogram(opened, BASE, 5, stage, CancelToken())
            for stage in ("raw", "corrected", "filtered")
        )
        stored = opened.scan.projections.read(rows=slice(5, 6))[:, 0]
    assert np.array_equal(raw.image, stored)
    assert (raw.quantity, corrected.quantity) == ("counts", "line-integrals")
    assert raw.image.shape == corrected.image.shape == filtered.image.shape == (181, 128)
    assert not np.array_equal(corrected.image, filtered.image)
    stripes = [np.std(np.diff(s.image.mean(axis=0))) for s in (corrected, filtered)]
    assert stripes[1] < stripes[0]


def test_a_cancelled_preview_ends_and_leaves_nothing_wrong(
    foam: Path, shelf: Shelf, slicer: Slicer
) -> None:
    token = CancelToken()
    token.cancel()
    with shelf.scan(foam) as opened:
        with pytest.raises(CancelledError):
            slicer.preview(opened, BASE, 5, token)
        made = slicer.preview(opened, BASE, 5, CancelToken())
        assert made.image.tobytes() == preview(opened.scan, BASE, 5).picture.tobytes()


class Endless:
    """A slow engine that works until it is cancelled."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._ended = threading.Event()
        self.begun = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def reconstruct(self, *args: Any, **options: Any) -> Any:
        self.begun.set()
        self._ended.wait(60.0)
        raise CancelledError("ended")

    def cancel(self) -> None:
        self._ended.set()


def test_a_slow_engine_is_ended_when_its_preview_is_cancelled(
    foam: Path, shelf: Shelf, slicer: Slicer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, token = Endless(get_engine("fourier")), CancelToken()
    monkeypatch.setattr("alsct_gui.recon.job.get_engine", lambda name: engine)

    def cancel() -> None:
        engine.begun.wait(60.0)
        token.cancel()

    other = threading.Thread(target=cancel)
    other.start()
    with shelf.scan(foam) as opened, pytest.raises(CancelledError, match="ended"):
        slicer.preview(opened, BASE, 5, token)
    other.join()


def test_a_raw_sinogram_needs_no_centre(foam: Path, shelf: Shelf, slicer: Slicer) -> None:
    short = with_setting(load_recipe("standard-8.3.2"), "region.angles", [0, 20])
    with shelf.scan(foam) as opened:
        assert slicer.sinogram(opened, short, 5, "raw", CancelToken()).image.shape == (20, 128)
    assert slicer.cache.used_bytes == 0
