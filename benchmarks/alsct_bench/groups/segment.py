"""Segmentation: the pixel classifier beside scikit-image's, and the network beside TV.

The plugin ``napari-alsct-segment`` has to be installed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alsct_bench import fewangles
from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.textured import MATRIX, METAL, WOVEN, dice, scribble, textured_volume
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.apply import Applied
from napari_alsct_segment.classifier.learn import Lesson, train
from napari_alsct_segment.classifier.samples import scribbles_of
from napari_alsct_segment.classifier.workbench import WorkBench
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.forest.grow import ForestSettings
from napari_alsct_segment.network.infer import NetworkVolume
from napari_alsct_segment.network.model import load_network

GROUP = "segment"
_VOXELS = 2200
_PHASES = {MATRIX: "matrix", METAL: "metal", WOVEN: "differs in texture only"}
_SLICE_PX = 2048
_NOTE = "2,200 voxels in strokes on three slices"
_HELD_ROWS = range(6, 10)
_SCAN_ROWS = 16


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure classifier, live preview and network."""
    yield from _classifier(bench)
    yield from _live(bench)
    yield from _network(bench)


def _classifier(bench: Bench) -> Iterator[Measurement]:
    """Train and apply, on the same strokes, with as many trees and scales as the peer."""
    edge_px = 96 if bench.quick else 256
    sample = textured_volume(edge_px, 0)
    marks = scribble(sample.truth, _VOXELS, 0)
    forest = ForestSettings()
    reporter = Reporter(threads=bench.threads)

    def ours() -> NDArray[np.uint8]:
        model = train(Lesson(sample.values, scribbles_of(marks, reporter)), reporter=reporter)
        labels: NDArray[np.uint8] = Applied(sample.values, model).labels().compute(reporter)
        return labels

    task = Task(
        "trainable-segmentation",
        {"volume": sample.values, "marks": marks},
        {"sigma_min": 1, "sigma_max": 4, "trees": forest.trees, "depth": forest.depth},
        repeats=1,
        target=Target("ratio", 2.0),
        note="intensity, edges and texture at sigma 1, 2, 4",
    )
    plural = "s" * (bench.threads != 1)
    comparison = bench.compare(
        GROUP,
        f"pixel classifier, {edge_px}³, train and apply, {bench.threads} thread{plural}",
        ours,
        unit="s",
        threads=bench.threads,
        tasks=[task],
        keep=True,
        repeats=1 if bench.quick else 2,
        target=None,
    )
    yield from comparison.rows
    for phase, words in _PHASES.items():
        missing = 1 - dice(comparison.result, sample.truth, phase)
        row = Measurement(
            GROUP, f"1 - Dice of a phase: {words}", missing, "",
            target=Target("value", 0.1, any_size=phase == WOVEN), note=_NOTE,
        )  # fmt: skip
        for rival in comparison.rivals:
            if rival.answer.result is not None:
                theirs = 1 - dice(rival.answer.result, sample.truth, phase)
                row = replace(row, peer=rival.peer.label, peer_value=theirs, ratio=theirs / missing)
        yield row


def _live(bench: Bench) -> Iterator[Measurement]:
    """A slice as the widget shows it: the first time, and after a further stroke.

    The widget makes the slice ready while the first strokes are painted.
    """
    edge_px = 512 if bench.quick else _SLICE_PX
    sample = textured_volume(64, 1)
    repeats = -(-edge_px // 64)
    wide = np.tile(sample.values, (1, repeats, repeats))[:, :edge_px, :edge_px]
    marks = np.zeros(wide.shape, np.uint8)
    marks[:, :64, :64] = scribble(sample.truth, _VOXELS, 0)
    strokes = scribbles_of(marks, Reporter())
    ready: list[float] = []
    first: list[float] = []
    again: list[float] = []
    recipe = FeatureRecipe()
    for _ in range(bench.repeats):
        began = time.perf_counter()
        work = WorkBench(wide)
        work.prepare(32, recipe)
        ready.append(time.perf_counter() - began)
        for times in (first, again):
            began = time.perf_counter()
            work.look(work.learn(strokes, recipe, ForestSettings()), 32, strokes)
            times.append(time.perf_counter() - began)
    what = f"live preview of a slice, {edge_px} x {edge_px}"
    target = Target("value", 3.0)
    for words, times, aim, note in (
        ("made ready while one begins to paint", ready, None, "its features; volume in memory"),
        ("first", first, target, "a slice that is ready; training included"),
        ("after a further stroke", again, target, "training included"),
    ):
        middle = statistics.median(times)
        yield Measurement(
            GROUP, f"{what}, {words}", middle, "s",
            spread=(max(times) - min(times)) / middle, target=aim, note=note,
        )  # fmt: skip


def _network(bench: Bench) -> Iterator[Measurement]:
    """128 of 1024 views of a sample that the network has never seen."""
    path = fewangles.scan_of(bench.folder, fewangles.UNSEEN_SEED, _SCAN_ROWS)
    rows = _HELD_ROWS[:1] if bench.quick else _HELD_ROWS
    views = fewangles.views_of(path, rows)
    network = load_network(fewangles.NETWORK, "values")
    reporter = Reporter(threads=bench.threads)
    began = time.perf_counter()
    made = NetworkVolume(views.few, network, reporter)[...]
    seconds = (time.perf_counter() - began) / len(rows)
    best, how = fewangles.denoised_by_tv(path, rows, views.truth)
    found = fewangles.psnr_db(made, views.truth)
    note = (
        f"peak signal to noise: network {found:.2f} dB, best TV {best:.2f} dB ({how}), few views "
        f"{fewangles.psnr_db(views.few, views.truth):.2f} dB, all views "
        f"{fewangles.psnr_db(views.full, views.truth):.2f} dB"
    )
    yield Measurement(
        GROUP, "network on 128 of 1024 views, error as a share of the best TV's (1.5 dB: 0.84)",
        10 ** ((best - found) / 20), "", target=Target("value", 10 ** (-1.5 / 20), any_size=True),
        note=note,
    )  # fmt: skip
    yield Measurement(
        GROUP, f"network of {network.design.depth} layers on a slice of 512 x 512", seconds, "s",
        note="processor alone",
    )  # fmt: skip
