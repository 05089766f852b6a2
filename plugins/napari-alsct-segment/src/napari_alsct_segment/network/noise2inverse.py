"""Reconstructions of one scan from separate sets of its angles.

What Noise2Inverse learns from: Hendriksen, Pelt and Batenburg, "Noise2Inverse: self-supervised
deep convolutional denoising for tomography", IEEE Trans. Comput. Imaging 6, 1320 (2020).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import cancels_engine
from alsct_gui.steps.reporter import Reporter

LEAST_ANGLES = 16
"""Angles that each reconstruction has at least."""


def split_reconstructions(
    scan: Scan, recipe: Recipe, splits: int, most_slices: int, reporter: Reporter
) -> list[NDArray[np.float32]]:
    """Reconstruct the middle slices of a scan several times, from every n-th angle each time.

    Correction and ring filters work on all angles; only the reconstruction is split.

    Parameters
    ----------
    scan
        An open scan.
    recipe
        What is asked for; the centre is found once.
    splits
        How many sets of angles.
    most_slices
        So many slices at most, around the middle.
    reporter
        Progress, cancel, threads, memory, scratch space.

    Returns
    -------
    volumes
        One for each set, float32, shape (slice, y, x), on the scratch disk.

    Raises
    ------
    RecipeError
        There are too few angles for so many sets.
    """
    job = prepare_job(
        scan, recipe, threads=reporter.threads, budget_bytes=reporter.memory_bytes,
        cancel=reporter.cancel,
    )  # fmt: skip
    count = min(most_slices, job.plan.n_slices)
    first = (job.plan.n_slices - count) // 2
    source = job.source()
    angles = source.angles_deg
    if len(angles) < splits * LEAST_ANGLES:
        raise RecipeError(
            f"{len(angles)} angles are too few for {splits} sets", where="parameters.splits",
            fix=f"Take at most {len(angles) // LEAST_ANGLES}",
        )  # fmt: skip
    geometry = job.resolved.geometry(angles)
    parts = [replace(geometry, angles_deg=angles[number::splits]) for number in range(splits)]
    size = geometry.size
    volumes = [reporter.scratch_array((count, size, size), np.float32) for _ in parts]
    step = max(1, job.plan.batch_slices)
    try:
        if job.plan.first_pass:
            source.run_first_pass(reporter.cancel)
        with cancels_engine(job.engine, reporter.cancel):
            for start in reporter.each(range(0, count, step), "reconstructions"):
                stop = min(start + step, count)
                sinograms = source.sinograms(first + start, first + stop, reporter.cancel)
                for number, (part, volume) in enumerate(zip(parts, volumes, strict=True)):
                    own = np.ascontiguousarray(sinograms[:, number::splits])
                    volume[start:stop] = _reconstruct(job, own, part)
    finally:
        source.close()
    return volumes


def _reconstruct(job: Any, sinograms: NDArray[np.float32], geometry: Any) -> Any:
    slices, _ = job.reconstruct(sinograms, geometry)
    return slices
