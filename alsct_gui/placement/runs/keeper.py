"""The process that works the queue off: ``python -m alsct_gui.placement.runs.keeper RUNS``.

There is one for each runs folder, by lock. It starts the worker of the next queued run, waits
for it, goes on, and ends when nothing is left. It may be killed at any time: workers go on
without it, and the next keeper waits for those that live and says which were lost.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.model.errors import ResourceError
from alsct_gui.placement.runs.folder import RunBusyError, RunFolder
from alsct_gui.placement.runs.model import RunState, RunView
from alsct_gui.placement.runs.processes import (
    is_alive,
    kill_group,
    mark_from_plain,
    module_command,
    module_environment,
    own_mark,
)
from alsct_gui.placement.runs.products import discard_partial
from alsct_gui.placement.runs.reading import RunsReader, read_view
from alsct_gui.placement.runs.worker import BUSY

HEARD_S = 15.0
"""A worker that has not ended so long after a cancel is killed with its group."""
_TICK_S = 0.1
_LOG_BYTES = 1 << 20
_WORKER = "alsct_gui.placement.runs.worker"
_KEEPER = "alsct_gui.placement.runs.keeper"


def main(arguments: list[str]) -> int:
    """Work off the queue of the runs folder ``arguments[0]``, apart from whoever started it."""
    runs = Path(arguments[0])
    lock = KeeperLock(runs)
    if not lock.take():
        return 0  # another keeper sees to it
    if os.fork():  # the lock goes with the child; whoever waits for us may go on
        os._exit(0)
    os.setsid()
    while True:
        lock.sign()
        Keeper(runs).work_off()
        lock.free()
        # A run that was submitted while our name still stood in the lock counts on us.
        left = any(not view.state.ended for view in RunsReader(runs).poll())
        if not left or not lock.take():
            return 0


def start_keeper(runs: Path) -> None:
    """Start a keeper that outlives this process; one too many ends by itself. Takes 0.1 s.

    Raises
    ------
    ResourceError
        The process cannot be started.
    """
    path = runs / "keeper.log"
    try:
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.unlink()
        with path.open("ab") as log:
            subprocess.run(  # noqa: S603 (this program's own module)
                module_command(_KEEPER, str(runs)), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd="/", env=module_environment(), start_new_session=True, check=True,
            )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ResourceError(
            f"the process that works off the queue cannot be started ({error})", where=str(path),
            fix="Read this log, and start the runs again",
        ) from error  # fmt: skip


def keeper_alive(runs: Path) -> bool:
    """Say whether the keeper that signed the lock still lives."""
    try:
        mark = mark_from_plain(json.loads((runs / "keeper.lock").read_bytes()))
    except (OSError, ValueError):
        return False
    return mark is not None and is_alive(mark)


class KeeperLock:
    """The lock that makes the keeper one; its file says which process that is."""

    def __init__(self, runs: Path) -> None:
        runs.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(runs / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o644)

    def take(self) -> bool:
        """Take the lock; false when another keeper has it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def sign(self) -> None:
        """Write down which process has it."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(own_mark().to_plain()).encode(), 0)

    def free(self) -> None:
        """Take the name out, and then free the lock; in this order nobody counts on us."""
        os.ftruncate(self._fd, 0)
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Free the lock for good."""
        self.free()
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class _Own:
    """A worker that is a child of this process."""

    run_id: str
    attempts_before: int
    """Attempts of the run before this worker's."""
    process: subprocess.Popen[bytes]


class Keeper:
    """Works off one queue, one run at a time.

    Parameters
    ----------
    runs
        The runs folder.
    heard_s
        How long a worker may go on after a cancel before it is killed.
    """

    def __init__(self, runs: Path, heard_s: float = HEARD_S) -> None:
        self._runs = runs
        self._heard_s = heard_s
        self._reader = RunsReader(runs)
        self._own: _Own | None = None
        self._unheard_since: dict[str, float] = {}

    def work_off(self) -> None:
        """Return when no run is queued or running."""
        while self._step():
            time.sleep(_TICK_S)

    def _step(self) -> bool:
        """Do what is to be done now; false when nothing is left."""
        views = self._reader.poll()
        active = [view for view in views if not view.state.ended]
        if self._own is not None:
            self._attend_own(self._own, active)
        elif running := [view for view in active if view.state is RunState.RUNNING]:
            for view in running:
                self._attend(view)
        elif active:
            self._begin(min(active, key=lambda view: view.position or 0))
        return bool(active) or self._own is not None

    def _begin(self, view: RunView) -> None:
        folder = RunFolder(self._runs, view.id)
        if folder.cancel_asked:
            self._append(folder, "cancelled")
            return
        with folder.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (this program's own module)
                module_command(_WORKER, str(folder.path)), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd="/", env=module_environment(), start_new_session=True,
            )  # fmt: skip
        self._own = _Own(view.id, view.attempt, process)
        say(f"{view.id}: worker {process.pid}")

    def _attend_own(self, own: _Own, active: list[RunView]) -> None:
        """Look after a worker that this keeper has started."""
        if not _has_ended(own.process):
            if self._overdue(next((view for view in active if view.id == own.run_id), None)):
                os.killpg(own.process.pid, signal.SIGKILL)
            return
        code = _reap(own.process)
        self._own = None
        say(f"{own.run_id}: worker {own.process.pid} ended with {code}")
        if code != BUSY:
            self._close(own.run_id, own.attempts_before, code)

    def _attend(self, view: RunView) -> None:
        """Look after a worker that an earlier keeper has started."""
        if view.worker is None or not is_alive(view.worker):
            self._close(view.id, view.attempt - 1, None)
        elif self._overdue(view):
            kill_group(view.worker)

    def _overdue(self, view: RunView | None) -> bool:
        """Whether a run goes on too long after it was cancelled."""
        if view is None or not view.cancelling:
            return False
        since = self._unheard_since.setdefault(view.id, time.monotonic())
        overdue = time.monotonic() - since > self._heard_s
        if overdue:
            say(f"{view.id}: the worker does not hear the cancel and is killed")
        return overdue

    def _close(self, run_id: str, attempts_before: int, code: int | None) -> None:
        """Say how a run ended whose worker is gone, if the worker has not."""
        folder = RunFolder(self._runs, run_id)
        if not folder.exists():
            return  # somebody has removed it
        view = read_view(folder)
        again = view.state is RunState.QUEUED and view.attempt != attempts_before
        if view.state.ended or again:
            return
        where = str(view.request.scan) if view.request else str(folder.path)
        if folder.cancel_asked:
            if view.request is not None:
                discard_partial(view.request.output)
            self._append(folder, "cancelled", killed=True)
        elif view.state is RunState.RUNNING:
            self._append(
                folder, "lost", exit_code=code, where=where,
                what="The worker ended without a word (killed, or out of memory)",
                fix="Start it again: it continues where it stopped",
            )  # fmt: skip
        else:
            self._append(
                folder, "failed", where=str(folder.log), fix="Read this log, and start it again",
                what=f"the worker could not begin (it ended with code {code})",
            )  # fmt: skip

    def _append(self, folder: RunFolder, kind: str, **data: object) -> None:
        self._unheard_since.pop(folder.id, None)
        with suppress(RunBusyError):  # somebody else is about to say what becomes of it
            with folder.open_log() as log:
                log.append(kind, **data)
            say(f"{folder.id}: {kind}")


def say(text: str) -> None:
    """Write a line into the keeper's log."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}", flush=True)  # noqa: T201


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended; it is not reaped, so its number stays its own."""
    flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
    return os.waitid(os.P_PID, process.pid, flags) is not None


def _reap(process: subprocess.Popen[bytes]) -> int:
    """End what a child that has ended left of its group, and return its exit code."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
