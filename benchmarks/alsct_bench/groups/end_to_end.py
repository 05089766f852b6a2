"""A whole run: read, correct, ring filter, reconstruct, write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import ScanFile, band_file
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job

GROUP = "end-to-end"
_PEER_SLAB = 64
_PIXEL_CM = 0.65e-4
_STAGES = ("read", "correct", "reconstruct", "write")


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure the production recipe, with its ring filter and without."""
    scan = band_file(bench.folder, bench.size)
    standard = _recipe(scan)
    folder = bench.folder / "end-to-end"
    task = Task(
        "end-to-end",
        options={
            "scan": str(scan.path), "rows": scan.rows, "center_px": scan.center_px,
            "slab": _PEER_SLAB, "pixel_cm": _PIXEL_CM, "output": str(folder / "script"),
        },
        items=bench.size.run_rows,
        repeats=1,
        target=Target("ratio", 4.0),
        note="a plain script of the same recipe, one step after the other",
    )  # fmt: skip
    try:
        yield from _run(bench, scan.path, standard, folder, "production recipe", [task])
        yield from _run(bench, scan.path, replace(standard, rings=()), folder, "no ring filter", [])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _recipe(scan: ScanFile) -> Recipe:
    recipe = load_recipe("standard-8.3.2")
    return replace(
        recipe,
        # The peer's script is given the centre too.
        center=replace(recipe.center, method="manual", center_px=scan.center_px),
    )


def _run(
    bench: Bench, path: Path, recipe: Recipe, folder: Path, words: str, tasks: list[Task]
) -> Iterator[Measurement]:
    output = folder / "volume.ome.zarr"

    def clean() -> None:
        shutil.rmtree(output, ignore_errors=True)

    latest: dict[str, float] = {}

    def ours() -> None:
        with open_scan(path) as scan:
            job = prepare_job(scan, recipe, threads=bench.threads)
            latest.update(run_job(job, output).seconds)

    n_slices = bench.size.run_rows
    comparison = bench.compare(
        GROUP, f"a slice of {n_slices}, {words}, {_words(bench.threads)}", ours, before=clean,
        items=n_slices, threads=bench.threads, hold_blas=False, tasks=tasks,
        repeats=min(2, bench.repeats),
    )  # fmt: skip
    clean()
    yield from comparison.rows
    yield from _shares(latest, words)


def _shares(seconds: dict[str, float], words: str) -> Iterator[Measurement]:
    """Share of the wall time that each stage worked: near 1 for the one that decides."""
    stages = {name: seconds[name] for name in _STAGES}
    busiest = max(stages, key=lambda name: stages[name])
    for name, busy in stages.items():
        yield Measurement(
            GROUP, f"{words}: {name} at work, share of the time", busy / seconds["total"], ""
        )
    yield Measurement(
        GROUP, f"{words}: idle share of the busiest stage", 1 - stages[busiest] / seconds["total"],
        "", target=Target("value", 0.2), note=f"busiest: {busiest}",
    )  # fmt: skip


def _words(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}"
