"""Slices made stage by stage, with every stage kept that a change leaves as it is.

A change of the centre, the filter or the mask needs the reconstruction alone; one of a ring
filter the corrected sinogram; only what concerns reading and correction reads the file again.
The keys are pure functions of the recipe: everything that a stage depends on is in its key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.codec import to_plain
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.recipe import Output, Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.desk.answers import Preview, Sinogram, Stage
from alsct_gui.recon.desk.cache import BoundedCache
from alsct_gui.recon.desk.pictures import limits
from alsct_gui.recon.desk.shelf import OpenScan
from alsct_gui.recon.engines.base import Cancellable, Engine
from alsct_gui.recon.job import Job, prepare_job
from alsct_gui.recon.pipeline import cancels_engine
from alsct_gui.recon.plan import Extent, resolve_extent
from alsct_gui.recon.preprocess.hardening import correct_hardening
from alsct_gui.recon.preprocess.rings.apply import apply_rings
from alsct_gui.recon.preview import slice_index
from alsct_gui.recon.resolve import Resolved, resolve

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lines:
    """Line integrals of one slice."""

    sinogram: Float32Array
    """Shape (1, angle, column); not to be changed."""
    angles_deg: Float64Array
    """Shape (angle,)."""


def center_key(recipe: Recipe, *, quick: bool) -> Hashable:
    """Everything that the search for the centre depends on, beside the scan."""
    rings = bool(recipe.rings) and not quick
    parts = (recipe.region, recipe.correction, recipe.center, recipe.rotation)
    return (_frozen(parts), rings, quick)


def corrected_key(recipe: Recipe, extent: Extent, index: int) -> Hashable:
    """Everything that the corrected sinogram depends on, beside the scan.

    Parameters
    ----------
    recipe
        Resolved: the centre is manual, the rotation kind is not ``auto``.
    extent
        Of the recipe.
    index
        Slice.
    """
    used = (extent.detector_rows(index), extent.columns, extent.angles, extent.angle_step,
            extent.binning)  # fmt: skip
    rotation = recipe.rotation
    # The axis matters before the reconstruction only where two half turns are joined.
    seam = recipe.center.center_px if rotation.kind == "360-offset" else None
    parts = (recipe.correction, recipe.zingers, recipe.phase)
    return (used, _frozen(parts), rotation.tilt_deg, rotation.reverse, seam)


def filtered_key(recipe: Recipe, extent: Extent, index: int) -> Hashable:
    """Everything that the sinogram depends on once it is filtered."""
    parts = (recipe.rings, recipe.beam_hardening)
    return (corrected_key(recipe, extent, index), _frozen(parts))


def _frozen(value: Any) -> Hashable:
    """Plain data as a text that is equal when the data are."""
    return repr(to_plain(list(value)))


class Slicer:
    """Makes slices of open scans.

    Parameters
    ----------
    cache
        Where stages are kept.
    threads
        Threads to use.
    """

    def __init__(self, cache: BoundedCache, threads: int) -> None:
        self.cache, self.threads = cache, threads
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def resolved(
        self,
        opened: OpenScan,
        recipe: Recipe,
        cancel: CancelToken,
        *,
        quick: bool = True,
        on_estimate: Callable[[CenterEstimate], None] | None = None,
    ) -> Resolved:
        """The recipe with its centre and rotation; the centre is looked for once."""

        def search() -> Resolved:
            found = resolve(
                opened.scan, recipe, threads=self.threads, quick=quick, cancel=cancel,
                on_estimate=on_estimate,
            )  # fmt: skip
            return replace(found, stitching=None)

        key = ("center", opened.key, center_key(recipe, quick=quick))
        return self.cache.get(key, search, lambda _: 4096)

    def job(
        self, opened: OpenScan, recipe: Recipe, cancel: CancelToken, *, output: Output | None = None
    ) -> Job:
        """A job with the centre by the quickest method; for pictures unless an output is given."""
        found = self.resolved(opened, recipe, cancel)
        picture = replace(recipe.output, dtype="float32", value_range=None)
        fixed = replace(
            recipe,
            center=found.recipe.center,
            rotation=found.recipe.rotation,
            output=output or picture,
        )
        job = prepare_job(opened.scan, fixed, threads=self.threads, quick=True, cancel=cancel)
        engine = job.engine
        with self._lock:
            # An engine keeps its work space for the next call: fresh memory costs more time.
            # One that can be cancelled is not shared: it would end the calls of others too.
            if not isinstance(engine, Cancellable):
                engine = self._engines.setdefault(recipe.engine.name, engine)
        told = replace(job.resolved, center=found.center, findings=found.findings)
        findings = tuple(dict.fromkeys((*job.findings, *found.findings)))
        return replace(job, engine=engine, resolved=told, findings=findings)

    def lines(
        self, opened: OpenScan, job: Job, index: int, cancel: CancelToken, *, filtered: bool = True
    ) -> Lines:
        """Sinogram of one slice, corrected, and filtered if asked for."""
        recipe, extent = job.recipe, job.plan.extent

        def correct() -> Lines:
            plain = replace(recipe, rings=(), beam_hardening=None)
            bare = replace(job, resolved=replace(job.resolved, recipe=plain))
            source = bare.source(rows=extent.detector_rows(index))
            try:
                return Lines(source.sinograms(index, index + 1, cancel), source.angles_deg)
            finally:
                source.close()

        def corrected() -> Lines:
            key = ("corrected", opened.key, corrected_key(recipe, extent, index))
            return self.cache.get(key, correct, _lines_bytes)

        def filter_it() -> Lines:
            lines = corrected()
            cancel.check()
            sinogram = lines.sinogram.copy()
            if recipe.rings:
                apply_rings(sinogram, recipe.rings, threads=self.threads)
            if recipe.beam_hardening is not None:
                correct_hardening(sinogram, recipe.beam_hardening.coefficients, self.threads)
            return Lines(sinogram, lines.angles_deg)

        if not filtered or not (recipe.rings or recipe.beam_hardening):
            return corrected()
        key = ("filtered", opened.key, filtered_key(recipe, extent, index))
        return self.cache.get(key, filter_it, _lines_bytes)

    def preview(
        self, opened: OpenScan, recipe: Recipe, row: int | None, cancel: CancelToken
    ) -> Preview:
        """Reconstruct the slice of one detector row."""
        began = time.perf_counter()
        job = self.job(opened, recipe, cancel)
        index = slice_index(job.plan.extent, row)
        lines = self.lines(opened, job, index, cancel)
        cancel.check()
        with cancels_engine(job.engine, cancel):
            slices, _ = job.reconstruct(lines.sinogram, job.resolved.geometry(lines.angles_deg))
        return _preview(job, recipe, index, slices[0], time.perf_counter() - began)

    def preview_centers(
        self,
        opened: OpenScan,
        recipe: Recipe,
        row: int | None,
        centers_px: Sequence[float],
        cancel: CancelToken,
    ) -> list[Preview]:
        """Reconstruct one slice about each of several centres, in one batch where that goes."""
        began = time.perf_counter()
        recipes = [with_center(recipe, center_px) for center_px in centers_px]
        jobs = [self.job(opened, changed, cancel) for changed in recipes]
        if any(job.resolved.stitching is not None for job in jobs):
            return [self.preview(opened, changed, row, cancel) for changed in recipes]
        index = slice_index(jobs[0].plan.extent, row)
        lines = self.lines(opened, jobs[0], index, cancel)
        geometry = jobs[0].resolved.geometry(lines.angles_deg)
        locals_px = np.array(
            [float(job.resolved.geometry(lines.angles_deg).center_px) for job in jobs]
        )
        shape = (len(jobs), *lines.sinogram.shape[1:])
        batch = np.ascontiguousarray(np.broadcast_to(lines.sinogram, shape))
        with cancels_engine(jobs[0].engine, cancel):
            slices, _ = jobs[0].reconstruct(batch, replace(geometry, center_px=locals_px))
        seconds = (time.perf_counter() - began) / len(jobs)
        return [
            _preview(job, changed, index, picture, seconds)
            for job, changed, picture in zip(jobs, recipes, slices, strict=True)
        ]

    def sinogram(
        self, opened: OpenScan, recipe: Recipe, row: int | None, stage: Stage, cancel: CancelToken
    ) -> Sinogram:
        """One detector row at all angles, as far as the stage goes."""
        if stage == "raw":
            return _raw_sinogram(opened.scan, recipe, row)
        job = self.job(opened, recipe, cancel)
        extent = job.plan.extent
        index = slice_index(extent, row)
        lines = self.lines(opened, job, index, cancel, filtered=stage == "filtered")
        low, high = limits(lines.sinogram[0])
        return Sinogram(
            image=lines.sinogram[0], stage=stage, row=extent.detector_rows(index)[0],
            angles_deg=lines.angles_deg, quantity="line-integrals", pixel_um=job.voxel_um,
            low=low, high=high, findings=job.findings,
        )  # fmt: skip


def with_center(recipe: Recipe, center_px: float) -> Recipe:
    """The recipe with a given centre."""
    center = replace(recipe.center, method="manual", center_px=center_px, search_px=None)
    return replace(recipe, center=center)


def _raw_sinogram(scan: Scan, recipe: Recipe, row: int | None) -> Sinogram:
    """Stored values of one detector row, not binned; needs no centre."""
    extent = resolve_extent(recipe.region, scan.projections.shape)
    at = extent.detector_rows(slice_index(extent, row))[0]
    frames = slice(extent.angles[0], extent.angles[1], extent.angle_step)
    block = scan.projections.read(frames, slice(at, at + 1), slice(*extent.columns))
    image = np.ascontiguousarray(block[:, 0, :], dtype=np.float32)
    low, high = limits(image)
    return Sinogram(
        image=image, stage="raw", row=at, angles_deg=scan.geometry.angles_deg[frames],
        quantity=scan.quantity, pixel_um=scan.geometry.pixel_size_um, low=low, high=high,
        findings=scan.warnings,
    )  # fmt: skip


def _lines_bytes(lines: Lines) -> int:
    return lines.sinogram.nbytes + lines.angles_deg.nbytes


def _preview(job: Job, recipe: Recipe, index: int, image: Float32Array, seconds: float) -> Preview:
    low, high = limits(image, masked=recipe.output.circular_mask > 0)
    return Preview(
        image=image, row=job.plan.extent.detector_rows(index)[0],
        center_px=job.resolved.center.center_px, confidence=job.resolved.center.confidence,
        units=job.units, pixel_um=job.voxel_um, low=low, high=high, seconds=seconds,
        resolved=replace(job.recipe, output=recipe.output), findings=job.findings,
    )  # fmt: skip
