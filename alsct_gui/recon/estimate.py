"""How long a run takes, told before it begins.

The work of each stage is its size times a constant that was measured (docs/benchmarks.md);
how fast this machine is beside that one is learned from finished runs, for each engine, and
kept in the user's cache folder.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import OutputError, RecipeError
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.engines.base import Estimating
from alsct_gui.recon.job import Job
from alsct_gui.recon.plan import Plan

_log = logging.getLogger(__name__)

LEARN_SLICES = 32
"""Runs of fewer slices teach nothing: what happens once outweighs the work."""
LEARN_S = 5.0
"""Nor do shorter ones."""

# Nanoseconds on one thread; per value of a sinogram where nothing else is said.
_CORRECT_NS = 1.0
_RINGS_NS = {"wavelet-fourier": 6.6, "vo-all": 33.0, "sorting": 15.0, "titarenko": 1.6}
_ZINGERS_NS = 10.0  # a median of 3 x 3; larger windows take about their area more
_PHASE_NS = 19.0  # a pixel of a projection
_WRITE_NS = 5.2  # a voxel, its pyramid and checksum included
_ENGINE_NS = {"fourier": 0.9, "tomopy": 2.6}  # see `_engine_units`
_READ_NS = 0.5  # a byte of the scan: read, and its checksum
_ONCE_S = 3.0  # the centre, the flats, the first batch through all stages
_TOGETHER = 1.3  # stages that run at a time hinder each other
_MOST_WEIGHT = 5  # runs after which older ones fade


@dataclass(frozen=True, slots=True)
class Pace:
    """How this machine compares with the one that was measured."""

    factors: Mapping[str, float] = field(default_factory=dict)
    """Time that runs took over the time computed, by engine."""
    runs: Mapping[str, int] = field(default_factory=dict)
    """Runs that the factor was learned from, by engine."""
    version: int = field(default=1, metadata={"min": 1, "max": 1})
    """Version of this format."""


def estimate_s(plan: Plan, recipe: Recipe, pace: Pace | None = None) -> float | None:
    """Estimate the wall time of a run.

    Parameters
    ----------
    plan
        Sizes and threads.
    recipe
        What is done.
    pace
        Of this machine; None for the one that was measured.

    Returns
    -------
    seconds
        None for an engine, or an algorithm, of which nothing is known.
    """
    computed_s = _computed_s(plan, recipe)
    if computed_s is None:
        return None
    factor = 1.0 if pace is None else pace.factors.get(recipe.engine.name, 1.0)
    return _ONCE_S + computed_s * factor


def estimate_job_s(job: Job, pace: Pace | None = None) -> float | None:
    """Estimate the wall time of a job: a slow engine tells its own, for others see `estimate_s`.

    Parameters
    ----------
    job
        Resolved and planned.
    pace
        None reads that of this machine.
    """
    if isinstance(job.engine, Estimating):
        geometry = job.resolved.geometry(np.zeros(job.plan.extent.n_angles))
        return job.engine.estimate(geometry, job.plan.n_slices, job.recipe.engine).seconds
    return estimate_s(job.plan, job.recipe, load_pace() if pace is None else pace)


def update(pace: Pace, plan: Plan, recipe: Recipe, seconds: Mapping[str, float]) -> Pace:
    """Learn from a finished run.

    Parameters
    ----------
    pace
        What was known before.
    plan, recipe
        Of the run.
    seconds
        Its wall times as `Provenance.seconds` has them; ``total`` is what counts.
    """
    computed_s, total_s = _computed_s(plan, recipe), seconds.get("total", 0.0)
    if computed_s is None or plan.n_slices < LEARN_SLICES or total_s < LEARN_S:
        return pace
    name = recipe.engine.name
    seen = min(pace.runs.get(name, 0), _MOST_WEIGHT)
    measured = min(100.0, max(0.01, (total_s - _ONCE_S) / computed_s))
    known = math.log(pace.factors.get(name, 1.0))
    learned = math.exp((known * seen + math.log(measured)) / (seen + 1))
    return Pace(
        {**pace.factors, name: learned}, {**pace.runs, name: pace.runs.get(name, 0) + 1}
    )  # fmt: skip


def pace_path() -> Path:
    """Where the pace of this machine is kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "alsct-gui" / "pace.json"


def load_pace(path: Path | None = None) -> Pace:
    """Read the pace; one that is absent or broken counts for nothing known."""
    try:
        pace = from_plain(Pace, read_plain(path or pace_path()), where="pace")
    except RecipeError:
        return Pace()  # it is learned anew, nothing else depends on it
    return pace if all(0 < factor < math.inf for factor in pace.factors.values()) else Pace()


def learn(
    plan: Plan, recipe: Recipe, seconds: Mapping[str, float], path: Path | None = None
) -> None:
    """Learn from a finished run and keep it; a cache that cannot be written is only logged."""
    path = path or pace_path()
    before = load_pace(path)
    after = update(before, plan, recipe, seconds)
    if after is before:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_plain(path, to_plain(after))
    except (OSError, OutputError) as error:
        # The run is done and well: it must not fail for want of a better estimate next time.
        _log.warning("the pace is not kept: %s", error)


def _computed_s(plan: Plan, recipe: Recipe) -> float | None:
    """Time by the constants alone; None for an engine that has none."""
    engine_ns = _ENGINE_NS.get(recipe.engine.name)
    if engine_ns is None or recipe.engine.algorithm not in ("", "fbp", "gridrec"):
        return None
    extent = plan.extent
    values = extent.n_angles * extent.n_columns
    rings_ns = sum(_RINGS_NS[ring.method] for ring in recipe.rings)
    slice_ns = (
        values * (_CORRECT_NS + rings_ns)
        + engine_ns * _engine_units(extent.n_angles, plan.size_px)
        + plan.size_px**2 * _WRITE_NS
    )
    width, height = (stop - start for start, stop in (extent.columns, extent.rows))
    pixels = extent.n_angles * width * height // extent.row_step
    work_ns = plan.n_slices * slice_ns + 2 * pixels * _READ_NS
    if recipe.zingers is not None:
        work_ns += pixels * _ZINGERS_NS * (recipe.zingers.size_px / 3) ** 2
    if plan.first_pass:
        work_ns += extent.n_angles * extent.n_columns * (height // extent.binning) * _PHASE_NS
        work_ns += 2 * plan.scratch_bytes * _READ_NS
    return _TOGETHER * work_ns / 1e9 / max(1, plan.threads)


def _engine_units(n_angles: int, size_px: int) -> float:
    """Work of a slice: Fourier transforms of its rays and of its grid, n log n."""
    return (n_angles * size_px + size_px**2) * math.log2(max(2, size_px))
