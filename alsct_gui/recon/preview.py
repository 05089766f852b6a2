"""One slice at a time: previews, and sweeps over any setting of a recipe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict
from alsct_gui.model.scan import Scan
from alsct_gui.model.settings_path import assign
from alsct_gui.recon.job import Job, prepare_job
from alsct_gui.recon.plan import Extent
from alsct_gui.recon.resolve import Resolved

Float32Array = NDArray[np.float32]

CENTER_SETTING = "center.center_px"


@dataclass(frozen=True, eq=False)
class Trial:
    """One slice made with one value of a setting."""

    value: Any
    """The setting's value; None for a plain preview."""
    picture: Float32Array
    """The slice, shape (y, x)."""
    resolved: Resolved
    """The recipe it was made with."""
    units: str
    """Unit of the values."""
    pixel_um: float | None
    """Edge of a pixel; None when unknown."""
    seconds: float
    """Time it took."""


def preview(
    scan: Scan,
    recipe: Recipe,
    row: int | None = None,
    *,
    threads: int = 1,
    cancel: CancelToken | None = None,
) -> Trial:
    """Reconstruct the slice of one detector row.

    Parameters
    ----------
    scan
        An open scan.
    recipe
        What is asked for; a centre that is left open is found by the quickest method.
    row
        Detector row; None takes the middle of the recipe's region.
    threads
        Threads to use.
    cancel
        Ends the work between its parts.

    Raises
    ------
    RecipeError
        The row lies outside the region, or the recipe does not fit the scan.
    """
    began = time.perf_counter()
    job = prepare_job(scan, recipe, threads=threads, quick=True, cancel=cancel)
    return _trial(job, None, slice_index(job.plan.extent, row), began, cancel)


def sweep(
    scan: Scan,
    recipe: Recipe,
    setting: str,
    values: Sequence[Any],
    row: int | None = None,
    *,
    threads: int = 1,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> list[Trial]:
    """Reconstruct one slice with each value of a setting.

    Parameters
    ----------
    scan, recipe, row, threads, cancel
        As for `preview`. The centre is found once, with the recipe as it is.
    setting
        Path of the setting, for example ``center.center_px`` or ``rings.0.sigma``.
    values
        What to try.
    progress
        Called after each value.

    Raises
    ------
    RecipeError
        There is no such setting, or a value does not fit.
    """
    base = prepare_job(scan, recipe, threads=threads, quick=True, cancel=cancel)
    index = slice_index(base.plan.extent, row)
    detector_row = base.plan.extent.detector_rows(index)[0]
    if setting == CENTER_SETTING and base.resolved.stitching is None:
        return _sweep_centers(base, [float(value) for value in values], index, cancel)
    began = time.monotonic()
    trials = []
    for done, value in enumerate(values, start=1):
        started = time.perf_counter()
        # The base recipe's output has no range: only pictures are made.
        changed = with_setting(base.recipe, setting, value)
        job = prepare_job(scan, changed, threads=threads, cancel=cancel)
        at = slice_index(job.plan.extent, detector_row)
        trials.append(_trial(job, value, at, started, cancel))
        if progress is not None:
            elapsed = time.monotonic() - began
            left = elapsed / done * (len(values) - done)
            progress(Progress("trials", done, len(values), elapsed, left))
    return trials


def with_setting(recipe: Recipe, setting: str, value: Any) -> Recipe:
    """Return a recipe with one setting changed, by its path; numbers index lists.

    Raises
    ------
    RecipeError
        There is no such setting, or the value does not fit.
    """
    data = recipe_to_dict(recipe)
    assign(data, setting, value)
    return recipe_from_dict(data)


def slice_index(extent: Extent, row: int | None) -> int:
    """Slice that holds a detector row; the middle one for None.

    Raises
    ------
    RecipeError
        The row lies outside the region.
    """
    if row is None:
        return extent.n_slices // 2
    index = (row - extent.rows[0]) // (extent.row_step * extent.binning)
    if not extent.rows[0] <= row < extent.rows[1] or index >= extent.n_slices:
        raise RecipeError(
            f"row {row} lies outside the region",
            where="row",
            fix=f"Give one from {extent.rows[0]} to {extent.rows[1] - 1}",
        )
    return index


def _trial(job: Job, value: Any, index: int, began: float, cancel: CancelToken | None) -> Trial:
    source = job.source(rows=job.plan.extent.detector_rows(index))
    sinograms = source.sinograms(index, index + 1, cancel)
    slices, _ = job.reconstruct(sinograms, job.resolved.geometry(source.angles_deg))
    return Trial(
        value, slices[0], job.resolved, job.units, job.voxel_um, time.perf_counter() - began
    )


def _sweep_centers(
    job: Job, centers_px: list[float], index: int, cancel: CancelToken | None
) -> list[Trial]:
    """Trial centres in one batch: the sinogram is made once, the geometry is shared."""
    began = time.perf_counter()
    source = job.source(rows=job.plan.extent.detector_rows(index))
    sinogram = source.sinograms(index, index + 1, cancel)
    variants = [_with_center(job.resolved, center_px) for center_px in centers_px]
    geometry = job.resolved.geometry(source.angles_deg)
    locals_ = np.array([float(v.geometry(source.angles_deg).center_px) for v in variants])
    batch = np.ascontiguousarray(np.broadcast_to(sinogram, (len(centers_px), *sinogram.shape[1:])))
    slices, _ = job.reconstruct(batch, replace(geometry, center_px=locals_))
    share = (time.perf_counter() - began) / len(centers_px)
    return [
        Trial(center_px, picture, variant, job.units, job.voxel_um, share)
        for center_px, picture, variant in zip(centers_px, slices, variants, strict=True)
    ]


def _with_center(resolved: Resolved, center_px: float) -> Resolved:
    recipe = replace(resolved.recipe, center=replace(resolved.recipe.center, center_px=center_px))
    return replace(resolved, recipe=recipe, center=replace(resolved.center, center_px=center_px))
