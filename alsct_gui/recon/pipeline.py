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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.identity import quick_identity, scan_checksum
from alsct_gui.files.provenance import provenance_to_plain
from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.writers.base import VolumeWriter, create_volume
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.files.writers.scaling import scale_to_dtype
from alsct_gui.model.product import Provenance, Quality
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.scan import Scan
from alsct_gui.recon.engines.base import Cancellable, Engine
from alsct_gui.recon.job import Job, stored_scale
from alsct_gui.recon.plan import Slab
from alsct_gui.recon.preprocess.correct import Counts
from alsct_gui.recon.quality import noise_level, ring_strength
from alsct_gui.recon.source import RawSlab
from alsct_gui.recon.stream import Stage, run_stages
from alsct_gui.recon.tally import BatchFigures, Tally
from alsct_gui.recon.versions import software_versions

Float32Array = NDArray[np.float32]

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


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """A batch of corrected sinograms."""

    start: int
    """First slice."""
    sinograms: Float32Array
    """Shape (row, angle, column)."""
    counts: Counts
    """Raw values out of the ordinary."""


@dataclass(frozen=True, slots=True, eq=False)
class _Slices:
    """The same, reconstructed."""

    start: int
    """First slice."""
    values: Float32Array
    """Shape (slice, y, x)."""
    counts: Counts
    """As of the sinograms."""
    nan_count: int
    """Values that were not finite."""


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
    cancel.check()
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
    # Both go with the partial product, whatever becomes of it.
    scratch = partial_folder(output) / "projections" if plan.first_pass else None
    figures = partial_folder(output) / "figures.jsonl"
    with writer, Tally(figures, resume=resume) as tally, _Checksum(job.scan, cancel) as checksum:
        run = _Run(job, writer, tally, scratch, progress or (lambda step: None), cancel)
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
        tally: Tally,
        scratch: Path | None,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self.job, self.writer, self.tally = job, writer, tally
        self.progress, self.cancel = progress, cancel
        began = time.perf_counter()
        self.source = job.source(scratch=scratch)
        self.seconds = {"flats": time.perf_counter() - began}
        self.geometry = job.resolved.geometry(self.source.angles_deg)
        self.done = writer.done_slices()
        self.count = int(self.done.sum())
        self.before = self.count
        self.began = time.monotonic()
        self.first_counts = Counts()

    def stream(self) -> dict[str, float]:
        """Run all stages to the end; return the seconds each one worked."""
        if self.job.plan.first_pass:
            started = time.perf_counter()
            self.source.run_first_pass(self.cancel, self.progress)
            self.first_counts = self.source.counts
            self.seconds["projections"] = time.perf_counter() - started
        stages = [
            Stage("correct", self.correct),
            Stage("reconstruct", self.reconstruct),
            Stage("write", self.write),
        ]
        self.began = time.monotonic()
        self.progress(Progress("slices", self.count, self.job.plan.n_slices, 0.0))
        with cancels_engine(self.job.engine, self.cancel):
            return {**self.seconds, **run_stages(Stage("read", self.read), stages, self.cancel)}

    def read(self, _: object) -> Iterator[tuple[Slab, RawSlab]]:
        for slab in self.job.plan.slabs:
            if not self.done[slab.start : slab.stop].all():
                yield slab, self.source.read(slab.start, slab.stop, self.cancel)

    def correct(self, item: tuple[Slab, RawSlab]) -> Iterator[_Lines]:
        slab, raw = item
        prepared = self.source.clean(raw)
        for start, stop in slab.batches:
            if not self.done[start:stop].all():
                before = self.source.counts
                sinograms = self.source.line_integrals(prepared, start, stop, self.cancel)
                yield _Lines(start, sinograms, self.source.counts - before)

    def reconstruct(self, lines: _Lines) -> Iterator[_Slices]:
        slices, bad = self.job.reconstruct(lines.sinograms, self.geometry)
        yield _Slices(lines.start, slices, lines.counts, bad)

    def write(self, batch: _Slices) -> Iterator[None]:
        start, slices = batch.start, batch.values
        noise, rings = self.measure(start, slices)
        self.tally.record(start, BatchFigures(batch.counts, batch.nan_count, noise, rings))
        output = self.job.recipe.output
        stored: NDArray[Any] = slices
        if output.dtype != "float32":
            stored = scale_to_dtype(slices, output.dtype, output.value_range).values
        self.writer.write(start, stored)
        self.count += int(np.count_nonzero(~self.done[start : start + len(slices)]))
        elapsed = time.monotonic() - self.began
        total = self.job.plan.n_slices
        left = (total - self.count) * elapsed / (self.count - self.before)
        self.progress(Progress("slices", self.count, total, elapsed, left))
        yield None

    def measure(
        self, start: int, slices: Float32Array
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Noise and rings of those of the slices that were chosen for it."""
        chosen = np.linspace(0, self.job.plan.n_slices - 1, _QUALITY_SLICES).astype(int)
        here = sorted(set(chosen.tolist()) & set(range(start, start + len(slices))))
        noise = tuple(noise_level(slices[index - start]) for index in here)
        rings = tuple(
            ring_strength(slices[index - start], level)
            for index, level in zip(here, noise, strict=True)
        )
        return noise, rings

    def quality(self) -> Quality:
        """Sum up, counting the slices that are stored."""
        return self.tally.quality(
            expected=self.job.plan.n_slices,
            found=int(self.writer.done_slices().sum()),
            confidence=self.job.resolved.center.confidence,
            first=self.first_counts,
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
def cancels_engine(engine: Engine, cancel: CancelToken) -> Iterator[None]:
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
        input_path=str(job.scan.path.resolve()),
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
