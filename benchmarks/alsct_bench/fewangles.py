"""128 of 1024 views: what a network makes of them beside the best of total variation.

``python -m alsct_bench.fewangles FOLDER [STEPS]`` trains the network that lies beside this file
(some hours on two cores; called again, it goes on where it stopped). The group ``segment``
measures it on a sample that it has never seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_bench.accuracy import circle
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.recipe import FilterName, Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.job import Job, prepare_job
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.truth import truth_slices
from alsct_gui.simulator.write import simulate_scan

Float32Array = NDArray[np.float32]

NETWORK = Path(__file__).with_name("fewangles.safetensors")
COLUMNS, VIEWS, STEP = 512, 1024, 8
TRAINED_SEED, UNSEEN_SEED = 11, 12
_ROWS = 96
_FILTERS: tuple[FilterName, ...] = ("ramp", "shepp-logan", "hann", "butterworth")
_DENOISE_WEIGHTS = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Views:
    """Some slices of a sample, as they are, from all views, and from few."""

    truth: Float32Array
    """1/cm, shape (slice, y, x)."""
    full: Float32Array
    """Reconstructed from all views."""
    few: Float32Array
    """Reconstructed from every 8th."""


def scan_of(folder: Path, seed: int, rows: int) -> Path:
    """Simulate a foam of its own for each seed, or find the scan that an earlier run made."""
    path = folder / f"fewangles-{seed}-{rows}.h5"
    spec = SimulationSpec(
        phantom="foam", n_columns=COLUMNS, n_rows=rows, n_angles=VIEWS, seed=seed, oversample=2
    )
    return path if path.exists() else simulate_scan(path, spec)


def recipe_of(*, step: int = 1, filter_name: FilterName = "shepp-logan") -> Recipe:
    """Return a recipe without ring filters: the simulated detector has no rings."""
    recipe = load_recipe("standard-8.3.2")
    return replace(
        recipe,
        rings=(),
        region=replace(recipe.region, angle_step=step),
        center=replace(recipe.center, method="manual", center_px=(COLUMNS - 1) / 2),
        engine=replace(
            recipe.engine, filter=filter_name, cutoff=0.25 if filter_name == "butterworth" else 1.0
        ),
    )


def reconstruct(scan: Scan, recipe: Recipe, rows: range) -> Float32Array:
    """Reconstruct some rows, shape (slice, y, x)."""
    return np.concatenate([slices for slices, _ in _reconstructed(scan, recipe, rows)])


def views_of(path: Path, rows: range) -> Views:
    """Return some rows of a simulated scan in three ways."""
    with open_scan(path) as scan:
        full = reconstruct(scan, recipe_of(), rows)
        few = reconstruct(scan, recipe_of(step=STEP), rows)
    part = slice(rows.start, rows.stop)
    return Views(truth_slices(path, part, oversample=4), full, few)


def psnr_db(picture: Float32Array, truth: Float32Array) -> float:
    """Peak signal to noise ratio within the circle that the detector sees, in dB."""
    inside = circle(truth.shape[-1])
    error = (picture[..., inside].astype(np.float64) - truth[..., inside]) ** 2
    return float(10 * np.log10(truth.max() ** 2 / error.mean()))


def denoised_by_tv(path: Path, rows: range, truth: Float32Array) -> tuple[float, str]:
    """Return the best that total variation makes of few-view slices, and how.

    Chambolle's method as scikit-image has it, over filters and weights; the best is chosen by
    the truth itself, which nobody has at work.
    """
    from skimage.restoration import denoise_tv_chambolle

    best = (-np.inf, "")
    with open_scan(path) as scan:
        for name in _FILTERS:
            few = reconstruct(scan, recipe_of(step=STEP, filter_name=name), rows)
            scale = truth.max()
            for weight in _DENOISE_WEIGHTS:
                made = [scale * denoise_tv_chambolle(one / scale, weight, eps=1e-5) for one in few]
                found = psnr_db(np.asarray(made, np.float32), truth)
                best = max(best, (found, f"denoising, {name}, weight {weight:g}"))
    return best


def _reconstructed(scan: Scan, recipe: Recipe, rows: range) -> Iterator[tuple[Float32Array, int]]:
    job: Job = prepare_job(scan, recipe)
    source = job.source()
    try:
        geometry = job.resolved.geometry(source.angles_deg)
        for first in range(rows.start, rows.stop, 8):
            stop = min(first + 8, rows.stop)
            yield job.reconstruct(source.sinograms(first, stop), geometry)
    finally:
        source.close()


def main(arguments: list[str]) -> None:
    """Train the network in a folder; what is reached goes beside this file."""
    from alsct_gui.steps.reporter import Reporter
    from napari_alsct_segment.network.model import save_network
    from napari_alsct_segment.network.pairs import volume_pairs
    from napari_alsct_segment.network.settings import TrainingSettings
    from napari_alsct_segment.network.train import train_network

    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "views.npz"
    if not kept.exists():
        views = views_of(scan_of(folder, TRAINED_SEED, _ROWS), range(_ROWS))
        np.savez(kept, few=views.few, full=views.full)
    with np.load(kept) as arrays:
        few, full = arrays["few"], arrays["full"]
    settings = TrainingSettings(
        depth=50, most_steps=int(arguments[1]) if len(arguments) > 1 else 12_000, patch_px=192,
        batch=2, patience=30, round_steps=100, held_out_percent=8.0,
    )  # fmt: skip
    network = train_network(
        volume_pairs(few, full), settings, checkpoint=folder / "training.safetensors",
        on_round=lambda line: print(line, flush=True), reporter=Reporter(threads=2),
        trained={"scan": f"foam, seed {TRAINED_SEED}", "views": VIEWS, "step": STEP},
    )  # fmt: skip
    save_network(network, NETWORK)


if __name__ == "__main__":
    main(sys.argv[1:])
