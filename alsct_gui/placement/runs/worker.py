"""The process that does one run: ``python -m alsct_gui.placement.runs.worker RUNFOLDER``.

It leads a process group of its own, holds the lock of the run's events until it ends, and
always says how it ended, unless it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.files.checked import opened
from alsct_gui.model.background import make_way
from alsct_gui.model.errors import AlsctError, CancelledError, InputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.placement.runs.folder import EventLog, RunBusyError, RunFolder, plain_error
from alsct_gui.placement.runs.model import RunRequest, RunState
from alsct_gui.placement.runs.processes import own_mark
from alsct_gui.placement.runs.reading import read_view
from alsct_gui.placement.runs.report import Reporter

if TYPE_CHECKING:
    from alsct_gui.model.scan import Scan
    from alsct_gui.recon.job import Job

BUSY = 75
"""Exit code when another worker has the run."""
_WAKE_S = 0.1  # how often the marker of a cancel is looked for


def main(arguments: list[str]) -> int:
    """Do the run in the folder ``arguments[0]``; return the exit code."""
    make_way()
    path = Path(arguments[0])
    folder = RunFolder(path.parent, path.name)
    try:
        log = folder.open_log()
    except RunBusyError:
        return BUSY
    with log:
        view = read_view(folder)
        if view.state is not RunState.QUEUED:
            return 0  # it was done while this process started
        log.append("started", worker=own_mark().to_plain())
        with _cancel_token(folder) as cancel:
            return _end(log, folder, cancel, resume=view.resume)


def _end(log: EventLog, folder: RunFolder, cancel: CancelToken, *, resume: bool) -> int:
    """Do the work and say how it ended."""
    try:
        output = work(folder.request(), log, cancel, resume=resume)
    except CancelledError:
        log.append("cancelled")
        return CancelledError.exit_code
    except AlsctError as error:
        print(error.sentence, flush=True)  # noqa: T201 (the worker's output is its log)
        log.append("failed", exit_code=error.exit_code, **plain_error(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a mistake of the program itself, said as such
        traceback.print_exc()
        log.append(
            "failed",
            what=f"a mistake in the program ({type(error).__name__}: {error})",
            where=str(folder.log),
            fix="Report it with this log",
        )
        return 70
    log.append("finished", output=str(output))
    return 0


def work(request: RunRequest, log: EventLog, cancel: CancelToken, *, resume: bool) -> Path:
    """Check, open, prepare and run; return the product.

    Raises
    ------
    AlsctError
        It cannot be done, or was cancelled.
    """
    with Reporter(log) as report:
        return _work(request, report, cancel, resume=resume)


def _work(request: RunRequest, report: Reporter, cancel: CancelToken, *, resume: bool) -> Path:
    if resume and _is_made(request):
        report.say(f"{request.output} is whole already")
        return request.output
    report.stage("check")
    report.say(f"Checks {request.scan}")
    with _opened(request, report) as scan:
        cancel.check()
        # The heavy libraries take a second to import, so they come in where they are used.
        from alsct_gui.recon.estimate import learn
        from alsct_gui.recon.job import prepare_job
        from alsct_gui.recon.pipeline import run_job

        report.stage("axis")
        threads = request.threads or len(os.sched_getaffinity(0))
        job = prepare_job(
            scan, request.recipe, threads=threads, budget_bytes=request.memory_bytes, cancel=cancel
        )
        report.stage("plan", first_pass=job.plan.first_pass)
        report.say(_plan_sentence(job))
        report.follow(job.plan, request.output)
        result = run_job(job, request.output, progress=report.show, cancel=cancel, resume=resume)
        report.warn(result.provenance.findings)
        learn(job.plan, job.recipe, result.seconds)
        report.say(f"Made {result.output} in {result.seconds['total']:.0f} s")
    return result.output


def _is_made(request: RunRequest) -> bool:
    """Whether the product is there and of this request: a kill may fall after its naming."""
    from alsct_gui.files.provenance import read_provenance

    if not request.output.exists():
        return False
    try:
        made = read_provenance(request.output)
    except InputError:
        return False  # something else has the name, which the run will say
    same = made.recipe == request.recipe and made.input_path == str(request.scan.resolve())
    return same and made.quality is not None


def _opened(request: RunRequest, report: Reporter) -> AbstractContextManager[Scan]:
    """Open the scan; an error that the check finds refuses it.

    Unless the person insists, or has described a TIFF better than the check can.
    """
    described = request.range_deg is not None or request.quantity is not None or request.sinogram
    return opened(
        request.scan, request.range_deg, request.quantity, request.sinogram,
        whole=not (request.force or described), told=report.warn,
    )  # fmt: skip


def _plan_sentence(job: Job) -> str:
    plan, center = job.plan, job.resolved.center
    return (
        f"Makes {plan.n_slices} slices of {plan.size_px} x {plan.size_px} with the axis at "
        f"column {center.center_px:.2f} (confidence {center.confidence:.2f}); "
        f"{plan.memory_bytes / 1e9:.1f} GB of memory, {plan.output_bytes / 1e9:.1f} GB on disk"
    )


@contextmanager
def _cancel_token(folder: RunFolder) -> Iterator[CancelToken]:
    """A token that SIGTERM, SIGINT and the marker in the run's folder cancel."""
    token, over = CancelToken(), threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: token.cancel())

    def watch() -> None:
        while not over.wait(_WAKE_S):
            if folder.cancel_asked:
                token.cancel()
                return

    watcher = threading.Thread(target=watch, name="alsct-cancel-run", daemon=True)
    watcher.start()
    try:
        yield token
    finally:
        over.set()
        watcher.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
