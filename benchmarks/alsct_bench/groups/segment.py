"""Segmentation: the pixel classifier beside scikit-image's, and the network beside TV.

The plugin ``napari-alsct-segment`` has to be installed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_bench import fewangles
from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.textured import MATRIX, METAL, WOVEN, dice, scribble, textured_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import AlsctError
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
_SIMPLE = FeatureRecipe(scales_px=(1.0, 2.0))


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure classifier, live preview, memory and network."""
    yield from _classifier(bench)
    yield from _live(bench)
    yield from _memory(bench)
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
        repeats=1 if bench.quick else 3,
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
    """A slice as the widget shows it: the first time, and after a further stroke."""
    edge_px = 512 if bench.quick else _SLICE_PX
    sample = textured_volume(64, 1)
    repeats = -(-edge_px // 64)
    wide = np.tile(sample.values, (1, repeats, repeats))[:, :edge_px, :edge_px]
    marks = np.zeros(wide.shape, np.uint8)
    marks[:, :64, :64] = scribble(sample.truth, _VOXELS, 0)
    strokes = scribbles_of(marks, Reporter())
    first, again = [], []
    for _ in range(bench.repeats):
        work = WorkBench(wide)
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            model = work.learn(strokes, FeatureRecipe(), ForestSettings())
            work.look(model, 32, strokes)
            seconds.append(time.perf_counter() - began)
        first.append(seconds[0])
        again.append(seconds[1])
    for words, times in (("first", first), ("after a further stroke", again)):
        middle = statistics.median(times)
        yield Measurement(
            GROUP, f"live preview of a slice, {edge_px} x {edge_px}, {words}", middle, "s",
            spread=(max(times) - min(times)) / middle, target=Target("value", 3.0),
            note="volume in memory; training included",
        )  # fmt: skip


_CHILD = """
import resource, sys
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
inputs = {"volume": sys.argv[1], "model": sys.argv[2]}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for volume, output in ((sys.argv[3], sys.argv[4] + ".small"), (sys.argv[1], sys.argv[4])):
    reporter = Reporter(threads=2, memory_bytes=int(sys.argv[5]))
    run_step("segment.classify", inputs={**inputs, "volume": volume}, output=output,
             reporter=reporter)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak * 1024, flush=True)
"""


def _memory(bench: Bench) -> Iterator[Measurement]:
    """A volume of twice the memory budget, in a process of its own.

    What the libraries and the compiled code take is seen on a small volume first.
    """
    from napari_alsct_segment.classifier.model import save_pixel_model

    slices = 32 if bench.quick else 256
    folder = bench.folder / "segment"
    folder.mkdir(exist_ok=True)
    sample = textured_volume(128, 2)
    model = train(
        Lesson(sample.values, scribbles_of(scribble(sample.truth, 600, 0), Reporter())), _SIMPLE
    )
    save_pixel_model(model, folder / "model.safetensors")
    wide = np.tile(sample.values, (1, 4, 4))
    large = _volume(folder / "large.zarr", wide, slices)
    small = _volume(folder / "small.zarr", sample.values[:8, :64, :64], 8)
    budget = slices * wide[0].nbytes // 2
    words = [str(large), str(folder / "model.safetensors"), str(small), str(folder / "out")]
    run = subprocess.run(
        [sys.executable, "-c", _CHILD, *words, str(budget)],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if run.returncode:
        raise AlsctError(
            f"the classifier failed: {(run.stderr.splitlines() or ['no message'])[-1]}",
            where="bench segment",
        )
    base, peak = (float(line) for line in run.stdout.split())
    yield Measurement(
        GROUP, f"classifier on {slices} x 512 x 512, memory as a share of its budget",
        (peak - base) / budget, "", target=Target("value", 1.0),
        note=f"budget {budget / 1e6:.0f} MB, half of the volume; above what a tiny volume takes",
    )  # fmt: skip


def _volume(path: Path, values: NDArray[np.float32], slices: int) -> Path:
    if path.exists():
        return path
    shape = (slices, *values.shape[1:])
    with create_volume(path, shape=shape, dtype=np.float32, voxel_um=(1.0, 1.0, 1.0)) as writer:
        for index in range(slices):
            writer.write(index, values[index % len(values)][None])
        return writer.finish()


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
