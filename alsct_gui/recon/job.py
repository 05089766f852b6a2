"""Everything that must be known before a run starts, worked out once.

`prepare_job` resolves the recipe, loads the engine, makes the plan and, for integer output,
finds the range of values. The recipe inside a `Job` has nothing left to find: on the same
scan it makes the same voxels again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.writers.scaling import scale_of
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.engines.arguments import choose_algorithm
from alsct_gui.recon.engines.base import Engine, SliceGeometry
from alsct_gui.recon.engines.registry import get_engine
from alsct_gui.recon.finish import finish_slices, mask_radius_px
from alsct_gui.recon.plan import (
    BATCH_SLICES,
    DEFAULT_BUDGET_BYTES,
    Plan,
    make_plan,
    needs_first_pass,
)
from alsct_gui.recon.preprocess.zingers import halo_rows
from alsct_gui.recon.resolve import Resolved, resolve
from alsct_gui.recon.source import SinogramSource

_RANGE_SLICES = 5  # trial slices from which the range of integers is found
_RANGE_PERCENTILES = (0.05, 99.95)


@dataclass(frozen=True, eq=False)
class Job:
    """A reconstruction, ready to run."""

    scan: Scan
    """The open scan."""
    asked: Recipe
    """The recipe as it was given."""
    resolved: Resolved
    """The recipe with everything filled in, and where it came from."""
    engine: Engine
    """What reconstructs."""
    plan: Plan
    """Slabs, batches, memory."""
    findings: tuple[Finding, ...] = ()
    """Warnings so far, those of the scan included."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time that preparing took, by stage."""

    @property
    def recipe(self) -> Recipe:
        """The recipe with everything filled in."""
        return self.resolved.recipe

    @property
    def voxel_um(self) -> float | None:
        """Edge of a pixel of the slices; None when unknown."""
        pixel_um = self.scan.geometry.pixel_size_um
        return None if pixel_um is None else pixel_um * self.plan.extent.binning

    @property
    def units(self) -> str:
        """Unit of the values."""
        return "1/px" if self.voxel_um is None else self.recipe.output.units

    @property
    def engine_version(self) -> str:
        """Name and version of the engine."""
        return f"{self.engine.capabilities().name} {self.engine.check().version}".strip()

    def source(self, *, rows: tuple[int, int] | None = None, scratch: Path | None = None) -> (
        SinogramSource
    ):  # fmt: skip
        """Line integrals of the scan; see `SinogramSource` for the arguments."""
        return SinogramSource(
            self.scan, self.recipe, self.plan.extent, stitching=self.resolved.stitching,
            rows=rows, threads=self.plan.threads, scratch=scratch,
        )  # fmt: skip

    def reconstruct(
        self, sinograms: NDArray[np.float32], geometry: SliceGeometry
    ) -> tuple[NDArray[np.float32], int]:
        """Reconstruct, scale and mask a batch; returns slices and how many were not finite."""
        slices = self.engine.reconstruct(
            sinograms, geometry, self.recipe.engine, threads=self.plan.threads
        )
        factor = 1.0
        if self.units == "1/cm" and self.voxel_um is not None:
            factor = 1e4 / self.voxel_um
        bad = finish_slices(
            slices, factor=factor, threads=self.plan.threads,
            radius_px=mask_radius_px(self.recipe.output.circular_mask, geometry.size),
        )  # fmt: skip
        return slices, bad


def prepare_job(
    scan: Scan,
    recipe: Recipe,
    *,
    threads: int = 1,
    budget_bytes: int = DEFAULT_BUDGET_BYTES,
    batch_slices: int = BATCH_SLICES,
    quick: bool = False,
    cancel: CancelToken | None = None,
) -> Job:
    """Work out everything that a run needs.

    Parameters
    ----------
    scan
        An open scan.
    recipe
        What is asked for.
    threads
        Threads that each stage may use.
    budget_bytes
        Memory not to be exceeded.
    batch_slices
        Slices that the engine gets at once, if they fit.
    quick
        Look for the centre by the quickest method only; for previews.
    cancel
        Ends the work between its parts.

    Raises
    ------
    RecipeError, EngineUnavailableError, ResourceError, InputError
        What is asked for cannot be done; the message says why.
    """
    engine = get_engine(recipe.engine.name)
    choose_algorithm(recipe.engine, engine.capabilities())
    began = time.perf_counter()
    resolved = resolve(scan, recipe, threads=threads, quick=quick, cancel=cancel)
    seconds = {"center": time.perf_counter() - began}
    findings = [*scan.warnings, *resolved.findings]
    if scan.geometry.pixel_size_um is None and recipe.output.units == "1/cm":
        findings.append(
            Finding(
                "values-per-pixel",
                Severity.WARNING,
                "The pixel size is unknown, so values are in 1/pixel instead of 1/cm.",
                "Record the pixel size with the scan",
            )
        )
    extent = resolved.extent
    geometry = resolved.geometry(np.zeros(extent.n_angles))
    plan = make_plan(
        extent,
        output=recipe.output,
        n_columns=resolved.n_columns,
        frame_item_bytes=scan.projections.dtype.itemsize,
        first_pass=needs_first_pass(resolved.recipe),
        engine_bytes=lambda n: engine.memory_needed(geometry, n, recipe.engine),
        threads=threads,
        budget_bytes=budget_bytes,
        batch_slices=batch_slices,
        flat_groups=max(1, len(scan.flat_groups)),
        halo_rows=halo_rows(recipe.zingers),
    )
    job = Job(scan, recipe, resolved, engine, plan, tuple(findings), seconds)
    if recipe.output.dtype != "float32" and recipe.output.value_range is None:
        began = time.perf_counter()
        output = replace(recipe.output, value_range=_find_range(job, cancel))
        full = replace(resolved, recipe=replace(resolved.recipe, output=output))
        job = replace(job, resolved=full)
        seconds["value range"] = time.perf_counter() - began
    return job


def stored_scale(recipe: Recipe) -> tuple[float, float] | None:
    """Offset and step of integer output; None for float32."""
    if recipe.output.dtype == "float32":
        return None
    return scale_of(recipe.output.dtype, recipe.output.value_range)


def _find_range(job: Job, cancel: CancelToken | None) -> tuple[float, float]:
    """Values that become the lowest and highest integer: all but the outermost of a few slices."""
    values = []
    count = min(_RANGE_SLICES, job.plan.n_slices)
    for index in np.linspace(0, job.plan.n_slices - 1, count).astype(int).tolist():
        source = job.source(rows=job.plan.extent.detector_rows(index))
        geometry = job.resolved.geometry(source.angles_deg)
        slices, _ = job.reconstruct(source.sinograms(index, index + 1, cancel), geometry)
        values.append(np.percentile(slices[0], _RANGE_PERCENTILES))
    low, high = float(np.min(values)), float(np.max(values))
    return (low, high) if low < high else (low, low + 1.0)
