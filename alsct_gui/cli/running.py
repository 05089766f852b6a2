"""Running a job from the command line: progress, Ctrl-C, and what is said at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsct_gui.cli.console import (
    emit_json,
    finding_rows,
    out,
    progress_bars,
    show_findings,
)
from alsct_gui.model.codec import to_plain
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    from alsct_gui.recon.engines.base import Cost
    from alsct_gui.recon.job import Job
    from alsct_gui.recon.pipeline import Result


@contextmanager
def cancelled_by_signals() -> Iterator[CancelToken]:
    """Ctrl-C and SIGTERM cancel the work instead of breaking it off."""
    token = CancelToken()
    names = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.signal(name, lambda *_: token.cancel()) for name in names}
    try:
        yield token
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def run_and_tell(
    job: Job,
    output: Path,
    token: CancelToken,
    *,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    also: ProgressCallback | None = None,
) -> Result:
    """Run a job with progress bars and print its result; ``also`` is told the progress, too."""
    from alsct_gui.recon.estimate import learn
    from alsct_gui.recon.pipeline import run_job

    with progress_bars(quiet=as_json) as show:

        def tell(step: Progress) -> None:
            show(step)
            if also is not None:
                also(step)

        result = run_job(
            job, output, progress=tell, cancel=token, resume=resume, overwrite=overwrite
        )
    if not resume:
        learn(job.plan, job.recipe, result.seconds)
    if as_json:
        emit_json(result_facts(result))
    else:
        _tell(result)
    return result


def result_facts(result: Result) -> dict[str, Any]:
    """A run's result as plain data."""
    provenance = result.provenance
    return {
        "output": result.output,
        "slices": result.shape[0],
        "shape": list(result.shape),
        "center_px": provenance.center.center_px,
        "engine": provenance.engine,
        "units": provenance.units,
        "seconds": result.seconds,
        "quality": to_plain(provenance.quality),
        "findings": finding_rows(provenance.findings),
    }


def plan_facts(job: Job) -> dict[str, Any]:
    """A plan as plain data."""
    from alsct_gui.recon.estimate import estimate_job_s

    plan = job.plan
    return {
        "plan": {
            "slices": plan.n_slices,
            "size_px": plan.size_px,
            "slabs": len(plan.slabs),
            "batch_slices": plan.batch_slices,
            "first_pass": plan.first_pass,
            "threads": plan.threads,
            "memory_bytes": plan.memory_bytes,
            "scratch_bytes": plan.scratch_bytes,
            "output_bytes": plan.output_bytes,
            "seconds_estimate": estimate_job_s(job),
        },
        "center_px": job.resolved.center.center_px,
        "findings": finding_rows(job.findings),
    }


def estimated_cost(job: Job) -> Cost | None:
    """What a slow engine expects the whole run to cost; None for the quick ones."""
    from alsct_gui.recon.engines.base import Estimating

    if not isinstance(job.engine, Estimating):
        return None
    import numpy as np

    geometry = job.resolved.geometry(np.zeros(job.plan.extent.n_angles))
    return job.engine.estimate(geometry, job.plan.n_slices, job.recipe.engine)


def show_plan(job: Job) -> None:
    """Print a plan for people."""
    from alsct_gui.recon.estimate import estimate_job_s

    plan, center = job.plan, job.resolved.center
    out.print(f"slices   {plan.n_slices} of {plan.size_px} x {plan.size_px}")
    out.print(f"axis     column {center.center_px:.2f}, confidence {center.confidence:.2f}")
    out.print(f"memory   {plan.memory_bytes / 1e9:.1f} GB")
    out.print(f"disk     {plan.output_bytes / 1e9:.1f} GB for the result")
    if plan.first_pass:
        out.print(f"         {plan.scratch_bytes / 1e9:.1f} GB for projections meanwhile")
    seconds = estimate_job_s(job)
    if seconds is not None:
        out.print(f"time     about {duration(seconds)}")
    cost = estimated_cost(job)
    if cost is not None:
        out.print(f"engine   {cost.memory_bytes / 1e9:.1f} GB of memory in its own process,")
        out.print(f"         {cost.disk_bytes / 1e9:.1f} GB of its cache on disk")
    show_findings(job.findings)


def duration(seconds: float) -> str:
    """A time as people say it: seconds up to two minutes, minutes up to two hours, hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _tell(result: Result) -> None:
    provenance, quality = result.provenance, result.provenance.quality
    show_findings(provenance.findings)
    per_slice = 1000 * result.seconds["total"] / result.shape[0]
    out.print(str(result.output), style="bold", markup=False)
    out.print(
        f"  {result.shape[0]} slices of {result.shape[1]} x {result.shape[2]}, "
        f"{provenance.units}, in {result.seconds['total']:.1f} s ({per_slice:.0f} ms a slice)"
    )
    out.print(
        f"  axis at column {provenance.center.center_px:.2f}, "
        f"confidence {provenance.center.confidence:.2f}"
    )
    if quality is not None:
        out.print(
            f"  noise {quality.noise:.3g} {provenance.units}, rings {quality.ring_strength:.2f} "
            f"of it, clipped {quality.clipped_share:.2%}, saturated {quality.saturated_share:.2%}"
        )
