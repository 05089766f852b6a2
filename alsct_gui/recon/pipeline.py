"""From a scan and a recipe to a volume: the streaming run.

Reading, correcting, reconstructing and writing overlap (`recon.stream`); a batch of slices is
the unit of work, and the batches are those of the plan, so that a run that was killed and
resumed does the same batches with the same neighbours and ends in the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.identity import quick_identity, scan_checksum
from alsct_gui.files.provenance import provenance_to_plain
from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.writers.base import VolumeWriter, create_volume
from alsct_gui.files.writers.scaling import scale_to_dtype
from alsct_gui.model.product import Provenance, Quality
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.scan import Scan
from alsct_gui.recon.engines.base import Cancellable, Engine
from alsct_gui.recon.job import Job, stored_scale
from alsct_gui.recon.plan import Slab
from alsct_gui.recon.quality import noise_level, ring_strength
from alsct_gui.recon.source import RawSlab
from alsct_gui.recon.stream import Stage, run_stages
from alsct_gui.recon.versions import software_versions

_WAKE_S = 0.05  # how often a waiting part looks whether it should stop
_QUALITY_SLICES = 8  # evenly spaced slices whose noise and rings are measured


@dataclass(frozen=True, slots=True)
class Result:
    """What a run made."""

    output: Path
    """The product."""
    shape: tuple[int, int, int]
    """Shape of the volume (slice, y, x)."""
    provenance: Provenance
    """As stored inside the product."""
    seconds: dict[str, float]
    """Time that each stage worked, and ``total``, the wall time."""


@dataclass(slots=True)
class _Tally:
    """Figures that the stages gather; each field is written by one stage alone."""

    nan_count: int = 0
    noise: list[float] = field(default_factory=list)
    rings: list[float] = field(default_factory=list)


def run_job(
    job: Job,
    output: Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Result:
    """Reconstruct and write a volume.

    Parameters
    ----------
    job
        A scan with its resolved recipe and plan; see `recon.job.prepare_job`.
    output
        Final name of the product; it appears when it is whole.
    progress
        Called as batches are finished.
    cancel
        Ends the run within two seconds; nothing half-written is left.
    resume
        Go on with what an earlier, killed run left of the same product.
    overwrite
        Move an existing product of that name aside once the new one is whole.

    Raises
    ------
    CancelledError
        It was cancelled.
    OutputError, ResourceError, InputError
        See the modules of files and engines.
    """
    began = time.monotonic()
    cancel = cancel or CancelToken()
    plan, output_settings = job.plan, job.recipe.output
    shape = (plan.n_slices, plan.size_px, plan.size_px)
    pyramid = output_settings.format == "ome-zarr"
    needed = volume_bytes(shape, output_settings.dtype, pyramid=pyramid) + plan.scratch_bytes
    require_space(output, needed)
    edge = job.voxel_um
    provenance = _provenance(job)
    writer = create_volume(
        output,
        shape=shape,
        dtype=output_settings.dtype,
        voxel_um=(edge * plan.extent.row_step, edge, edge) if edge else None,
        format=output_settings.format,
        provenance=provenance_to_plain(provenance),
        threads=plan.threads,
        resume=resume,
        replace=overwrite,
    )
    scratch = output.with_name(f".{output.name}.projections") if plan.first_pass else None
    with writer, _Checksum(job.scan, cancel) as checksum:
        run = _Run(job, writer, scratch, progress or (lambda step: None), cancel)
        try:
            seconds = run.stream()
        finally:
            run.source.close()
        provenance = replace(
            provenance,
            input_sha256=checksum.result(),
            quality=run.quality(),
            findings=(*job.findings, *run.source.findings),
            seconds={**job.seconds, **seconds, "total": time.monotonic() - began},
        )
        cancel.check()
        path = writer.finish(provenance_to_plain(provenance))
    return Result(path, shape, provenance, dict(provenance.seconds))


class _Run:
    """The four stages of one run."""

    def __init__(
        self,
        job: Job,
        writer: VolumeWriter,
        scratch: Path | None,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self.job, self.writer, self.progress, self.cancel = job, writer, progress, cancel
        self.source = job.source(scratch=scratch)
        self.geometry = job.resolved.geometry(self.source.angles_deg)
        self.tally = _Tally()
        self.done = writer.done_slices()
        self.began = time.monotonic()
        self.count = int(self.done.sum())
        self.fresh = 0

    def stream(self) -> dict[str, float]:
        """Run all stages to the end; return the seconds each one worked."""
        seconds = {}
        if self.job.plan.first_pass:
            started = time.perf_counter()
            self.source.run_first_pass(self.cancel, self.progress)
            seconds["projections"] = time.perf_counter() - started
        stages = [
            Stage("correct", self.correct),
            Stage("reconstruct", self.reconstruct),
            Stage("write", self.write),
        ]
        self.progress(Progress("slices", self.count, self.job.plan.n_slices, 0.0))
        with _cancels(self.job.engine, self.cancel):
            return {**seconds, **run_stages(Stage("read", self.read), stages, self.cancel)}

    def read(self, _: object) -> Iterator[tuple[Slab, RawSlab]]:
        for slab in self.job.plan.slabs:
            if not self.done[slab.start : slab.stop].all():
                yield slab, self.source.read(slab.start, slab.stop, self.cancel)

    def correct(self, item: tuple[Slab, RawSlab]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        slab, raw = item
        prepared = self.source.clean(raw)
        for start, stop in slab.batches:
            if not self.done[start:stop].all():
                yield start, self.source.line_integrals(prepared, start, stop, self.cancel)

    def reconstruct(
        self, item: tuple[int, NDArray[np.float32]]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        start, sinograms = item
        slices, bad = self.job.reconstruct(sinograms, self.geometry)
        self.tally.nan_count += bad
        yield start, slices

    def write(self, item: tuple[int, NDArray[np.float32]]) -> Iterator[None]:
        start, slices = item
        self.measure(start, slices)
        output = self.job.recipe.output
        stored: NDArray[Any] = slices
        if output.dtype != "float32":
            stored = scale_to_dtype(slices, output.dtype, output.value_range).values
        self.writer.write(start, stored)
        self.count += len(slices)
        self.fresh += len(slices)
        elapsed = time.monotonic() - self.began
        left = self.job.plan.n_slices - self.count
        self.progress(
            Progress("slices", self.count, self.job.plan.n_slices, elapsed,
                     left * elapsed / self.fresh)
        )  # fmt: skip
        yield None

    def measure(self, start: int, slices: NDArray[np.float32]) -> None:
        """Measure noise and rings of the slices that were chosen for it."""
        wanted = np.linspace(0, self.job.plan.n_slices - 1, _QUALITY_SLICES).astype(int)
        for index in set(wanted.tolist()) & set(range(start, start + len(slices))):
            picture = slices[index - start]
            noise = noise_level(picture)
            self.tally.noise.append(noise)
            self.tally.rings.append(ring_strength(picture, noise))

    def quality(self) -> Quality:
        """Sum up, counting the slices that are stored."""
        counts = self.source.counts
        return Quality(
            slices_expected=self.job.plan.n_slices,
            slices_found=int(self.writer.done_slices().sum()),
            center_confidence=self.job.resolved.center.confidence,
            ring_strength=float(np.median(self.tally.rings)) if self.tally.rings else 0.0,
            noise=float(np.median(self.tally.noise)) if self.tally.noise else 0.0,
            saturated_share=counts.saturated_share,
            clipped_share=counts.clipped_share,
            nan_count=self.tally.nan_count,
        )


class _Checksum:
    """The checksum of the scan, worked out beside the run."""

    def __init__(self, scan: Scan, cancel: CancelToken) -> None:
        self._scan, self._cancel, self._own = scan, cancel, CancelToken()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="alsct-checksum")
        self._future: Future[str] | None = None

    def __enter__(self) -> Self:
        self._future = self._pool.submit(scan_checksum, self._scan, cancel=self._own)
        return self

    def __exit__(self, *_: object) -> None:
        self._own.cancel()
        self._pool.shutdown(wait=True)

    def result(self) -> str:
        """Wait for it, or until the run is cancelled."""
        if self._future is None:
            raise RuntimeError("the checksum has not been begun")
        while not self._future.done():
            self._cancel.check()
            wait([self._future], timeout=_WAKE_S)
        return self._future.result()


@contextmanager
def _cancels(engine: Engine, cancel: CancelToken) -> Iterator[None]:
    """While inside, end the calls of a slow engine as soon as the run is cancelled."""
    if not isinstance(engine, Cancellable):
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_WAKE_S):
            if cancel.cancelled:
                engine.cancel()

    watcher = threading.Thread(target=watch, name="alsct-cancel-engine", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _provenance(job: Job) -> Provenance:
    return Provenance(
        recipe=job.asked,
        resolved=job.recipe,
        input_path=str(job.scan.path),
        input_identity=quick_identity(job.scan),
        input_sha256="",
        center=job.resolved.center,
        versions=software_versions(),
        engine=job.engine_version,
        batch_slices=job.plan.batch_slices,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        pixel_size_um=job.voxel_um,
        units=job.units,
        scale=stored_scale(job.recipe),
        findings=job.findings,
    )
