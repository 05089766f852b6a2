"""A volume of twice the memory budget through filters, classifier and measures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_bench.peak import STATUS, peak_of
from alsct_bench.textured import METAL, scribble, textured_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.steps.reporter import Reporter

GROUP = "budget"
_EDGE_PX = 128
_TILES = 4
"""Of the textured cube, along y and x."""
_OTHERS = (
    "filter.tv", "filter.rings", "filter.bits", "segment.threshold", "measure.phases",
    "measure.particles", "measure.thickness",
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Measurement]:
    """Filter, label what was filtered, measure what was labelled; then other steps by themselves.

    Each step has a process of its own, as in the program.
    """
    if not STATUS.exists():
        return
    folder = bench.folder / "budget"
    folder.mkdir(exist_ok=True)
    try:
        yield from _measure(folder, 48 if bench.quick else 288, bench.threads)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, slices: int, threads: int) -> Iterator[Measurement]:
    sample = textured_volume(_EDGE_PX, 2)
    model = _model(folder, sample.values, scribble(sample.truth, 2200, 0))
    large = _volume(folder / "large.zarr", np.tile(sample.values, (1, _TILES, _TILES)), slices)
    tiny = _volume(folder / "tiny.zarr", sample.values[:, :64, :64], 24)
    budget = slices * (_TILES * _EDGE_PX) ** 2 * 4 // 2

    def row(
        step: str, inputs: Mapping[str, Path], small: Mapping[str, Path], output: Path,
        parameters: Mapping[str, object] | None = None, words: str = "",
    ) -> Measurement:  # fmt: skip
        peak = peak_of(
            step, inputs, small, output, budget_bytes=budget, parameters=parameters,
            threads=threads,
        )  # fmt: skip
        return Measurement(
            GROUP, f"{step}{words}: memory as a share of the budget",
            100 * peak.grown_bytes / budget, "%", target=Target("value", 100.0),
            note=f"budget {budget / 1e6:.0f} MB, half of the volume; the process held "
            f"{peak.peak_bytes / 1e6:.0f} MB, {peak.before_bytes / 1e6:.0f} MB of it libraries",
        )  # fmt: skip

    clean, small_clean = folder / "clean", folder / "clean-tiny"
    labels, small_labels = folder / "phases", folder / "phases-tiny"
    yield row("filter.median", {"volume": large}, {"volume": tiny}, clean)
    yield row(
        "segment.classify", {"volume": clean, "model": model},
        {"volume": small_clean, "model": model}, labels, words=" of what was filtered",
    )  # fmt: skip
    yield row(
        "measure.particles", {"volume": clean, "labels": labels},
        {"volume": small_clean, "labels": small_labels}, folder / "particles",
        {"segment": METAL}, " of what was labelled",
    )  # fmt: skip
    for step in _OTHERS:
        words = " of grain that was not filtered" if step == "measure.particles" else ""
        yield row(step, {"volume": large}, {"volume": tiny}, folder / step, words=words)


def _model(folder: Path, values: NDArray[np.float32], marks: NDArray[np.uint8]) -> Path:
    from napari_alsct_segment.classifier.learn import Lesson, train
    from napari_alsct_segment.classifier.model import save_pixel_model
    from napari_alsct_segment.classifier.samples import scribbles_of
    from napari_alsct_segment.features.recipe import FeatureRecipe

    path = folder / "model.safetensors"
    lesson = Lesson(values, scribbles_of(marks, Reporter()))
    save_pixel_model(train(lesson, FeatureRecipe(scales_px=(1.0, 2.0))), path)
    return path


def _volume(path: Path, values: NDArray[np.float32], slices: int) -> Path:
    shape = (slices, *values.shape[1:])
    with create_volume(path, shape=shape, dtype=np.float32, voxel_um=(1.0, 1.0, 1.0)) as writer:
        for index in range(slices):
            writer.write(index, values[index % len(values)][None])
        return writer.finish()
