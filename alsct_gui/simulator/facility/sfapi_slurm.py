"""A queue that really runs the scripts it is given, as local processes; time is a clock's.

The jobs outlive the process that plays the facility, as they would outlive Slurm's daemon.
Which of them lives is told by a lock that its processes hold, and how it ended by a file.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.faults import FaultDesk, FaultName
from alsct_gui.simulator.facility.memory import Kept
from alsct_gui.simulator.facility.outages import PERLMUTTER, outage_of
from alsct_gui.simulator.facility.sfapi_jobs import USER, Job, limit_s, sbatch_options

_FIRST_ID = 31_000_001
_KILLED = 137
"""Exit code of a script that left none: killed, as a shell tells it."""
_SHIMS = {
    # What a compute node has and this machine has not: each passes its words on.
    "srun": 'while [[ "$1" == --* ]]; do shift; done\nexec "$@"\n',
    "shifter": 'while [[ "$1" == --* ]]; do shift; done\nexec "$@"\n',
    "podman-hpc": (
        "shift\n"
        'while [[ "$1" == --* ]]; do [[ "$1" == --volume ]] && shift; shift; done\n'
        'shift\nexec "$@"\n'
    ),
}
# Runs the script and leaves its exit code in the file that is the first word, its own number
# in the one that is the second. Signals are for the script, as with Slurm's batch step.
_STEP = (
    'trap : TERM INT\nend=$1\necho $$ >"$2"\nshift 2\n"$@" &\nwork=$!\nwait "$work"\ncode=$?\n'
    'while [ "$code" -gt 128 ] && kill -0 "$work" 2>/dev/null; do wait "$work"; code=$?; done\n'
    'echo "$code" >"$end.new" && mv "$end.new" "$end"\nexit "$code"\n'
)


class Slurm:
    """The queue.

    Parameters
    ----------
    folder
        For what the stand-in itself needs; jobs that are known there are taken up.
    desk
        Faults; places are ``sfapi job NAME``.
    queue_wait_s
        How long a job waits, by the desk's clock.
    """

    def __init__(self, folder: Path, desk: FaultDesk, *, queue_wait_s: float = 0.0) -> None:
        self.queue_wait_s = queue_wait_s
        self._folder, self._desk = folder, desk
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        make_shims(folder / "node-bin")
        self._kept = Kept(folder / "jobs.json", self._plain)
        for row in (self._kept.recall() or {"jobs": []})["jobs"]:
            self._jobs[row["id"]] = Job(**{**row, "arguments": tuple(row["arguments"])})
        self._ids = itertools.count(_FIRST_ID + len(self._jobs))

    def submit(self, script: str, arguments: Sequence[str]) -> Job:
        """Take a job in.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        options = sbatch_options(script)
        with self._lock:
            job = Job(
                str(next(self._ids)), options, script, tuple(arguments), self._desk.clock()
            )  # fmt: skip
            self._jobs[job.id] = job
            self._kept.keep()
            self._turn(job)
            return job

    def jobs(self) -> list[Job]:
        """All jobs as they stand now, in the order in which they came."""
        with self._lock:
            for job in self._jobs.values():
                self._turn(job)
            return list(self._jobs.values())

    def job(self, id_: str) -> Job | None:
        """One job as it stands now."""
        return next((job for job in self.jobs() if job.id == id_), None)

    def cancel(self, id_: str) -> bool:
        """End a job as scancel does; says whether there is one."""
        with self._lock:
            job = self._jobs.get(id_)
            if job is None:
                return False
            self._turn(job)
            if not job.is_over:
                self._stop(job, "CANCELLED", signal.SIGTERM)
            return True

    def test(self, script: str) -> None:
        """Look at a script as ``sbatch --test-only`` does.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        sbatch_options(script)

    def wait(self, id_: str, timeout_s: float = 60.0) -> str:
        """Wait until the script of a job has ended; returns the state."""
        self.job(id_)
        child = self._children.get(id_)
        if child is not None:
            child.wait(timeout_s)
        after = self.job(id_)
        return "" if after is None else after.state

    def close(self) -> None:
        """Kill what still runs."""
        with self._lock:
            for job in self._jobs.values():
                self._turn(job, starting=False)
                if not job.is_over:
                    self._stop(job, "CANCELLED", signal.SIGKILL)

    def _plain(self) -> dict[str, Any]:
        with self._lock:
            return {"jobs": [asdict(job) for job in self._jobs.values()]}

    def _turn(self, job: Job, *, starting: bool = True) -> None:
        """Bring a job to where it is by now."""
        place = f"sfapi job {job.name}"
        if job.state == "PENDING":
            if starting and self._may_start(job, place):
                self._start(job, place)
            return
        if job.state != "RUNNING":
            return
        code = self._code(job)
        over = self._desk.clock() - (job.started_s or 0.0) > limit_s(job)
        down = outage_of(self._desk, PERLMUTTER, (FaultName.OUTAGE,))
        if code is not None:
            job.exit_code = code
            self._end(job, "COMPLETED" if code == 0 else "FAILED")
        elif down or self._desk.strike((FaultName.NODE_FAIL,), place):
            self._stop(job, "NODE_FAIL", signal.SIGKILL)
        elif over or self._desk.strike((FaultName.TIMEOUT,), place):
            self._stop(job, "TIMEOUT", signal.SIGTERM)

    def _may_start(self, job: Job, place: str) -> bool:
        if self._desk.on(FaultName.HELD, place):
            job.reason = "JobHeldUser"
        elif outage_of(self._desk, PERLMUTTER):
            job.reason = "ReqNodeNotAvail, Reserved for maintenance"
        elif self._desk.clock() < job.submitted_s + self.queue_wait_s:
            job.reason = "Priority"
        else:
            return True
        return False

    def _start(self, job: Job, place: str) -> None:
        job.started_s, job.reason = self._desk.clock(), "None"
        for fault, state in (
            (FaultName.NODE_FAIL, "NODE_FAIL"), (FaultName.TIMEOUT, "TIMEOUT"),
            (FaultName.NO_OUTPUT, "COMPLETED"),
        ):  # fmt: skip
            if self._desk.strike((fault,), place):
                self._end(job, state)
                return
        # It is written down as running first: a kill in between leaves a job that was lost.
        job.state = "RUNNING"
        self._kept.keep()
        spooled = self._folder / f"slurm-script-{job.id}"  # Slurm runs a copy, too
        spooled.write_text(job.script, encoding="utf-8")
        lock = os.open(self._path(job, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with log_path(job, self._folder).open("ab") as output:
                self._children[job.id] = subprocess.Popen(  # noqa: S603 - running the script is what it is for
                    ["bash", "-c", _STEP, "step", str(self._path(job, "end")),  # noqa: S607
                     str(self._path(job, "pid")), "bash", str(spooled), *job.arguments],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    env=job_environment(job, self._folder), cwd=self._folder,
                    start_new_session=True, pass_fds=(lock,),
                )  # fmt: skip
        finally:
            os.close(lock)

    def _code(self, job: Job) -> int | None:
        """Exit code of a job's script; None while it runs."""
        child = self._children.get(job.id)
        if child is not None:
            child.poll()  # so that no process is left unreaped
        held = self._is_held(job)  # asked first: it may end between the two questions
        code = self._number(job, "end")
        if code is not None:
            self._signal(job, signal.SIGKILL)  # what outlives the script goes with the node
            return code
        return None if held else _KILLED

    def _is_held(self, job: Job) -> bool:
        """Whether a process of a job lives: it holds the lock."""
        try:
            lock = os.open(self._path(job, "lock"), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _stop(self, job: Job, state: str, how: signal.Signals) -> None:
        """End a job; what does not end in good order is killed, as Slurm does."""
        for signal_ in (how, signal.SIGKILL):
            self._signal(job, signal_)
            self._wait_ended(job, 5.0)
        child = self._children.get(job.id)
        if child is not None:
            child.wait(5.0)
        self._end(job, state)

    def _signal(self, job: Job, how: signal.Signals) -> None:
        """Send a signal to a job's group; while its lock is held the number is still its own."""
        pid = self._number(job, "pid")
        if pid is not None and pid > 1 and self._is_held(job):
            with suppress(ProcessLookupError):
                os.killpg(pid, how)

    def _number(self, job: Job, suffix: str) -> int | None:
        """What the step has left in a file; None when nothing."""
        try:
            return int(self._path(job, suffix).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _wait_ended(self, job: Job, timeout_s: float) -> None:
        pause = threading.Event()
        for _ in range(int(timeout_s / 0.02)):
            if not self._is_held(job):
                return
            pause.wait(0.02)

    def _end(self, job: Job, state: str) -> None:
        job.state, job.ended_s = state, self._desk.clock()
        self._kept.keep()

    def _path(self, job: Job, suffix: str) -> Path:
        return self._folder / f"job-{job.id}.{suffix}"


def make_shims(folder: Path) -> None:
    """Write what a compute node has and this machine has not into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _SHIMS.items():
        shim = folder / name
        shim.write_text(f"#!/bin/bash\n{text}")
        shim.chmod(0o755)


def log_path(job: Job, folder: Path) -> Path:
    """Return the file that a job prints into."""
    name = job.options.get("output", str(folder / "slurm-%j.out"))
    return Path(name.replace("%j", job.id).replace("%x", job.name))


def job_environment(job: Job, folder: Path) -> dict[str, str]:
    """Return the variables that a job is started with."""
    return {
        **os.environ,
        "PATH": f"{folder / 'node-bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        # The program that jobs run is this machine's own, and so is its compiled code.
        "SCRATCH": "",
        "SLURM_JOB_ID": job.id, "SLURM_JOBID": job.id, "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_USER": USER, "SLURM_NNODES": job.options.get("nodes", "1"),
        "SLURM_CPUS_PER_TASK": job.options.get("cpus-per-task", "1"),
        "SLURM_JOB_NODELIST": "nid001001", "SLURM_CLUSTER_NAME": "perlmutter",
    }  # fmt: skip
