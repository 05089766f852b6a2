"""A queue that really runs the scripts it is given, as local processes; time is a clock's."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from alsct_gui.simulator.facility.faults import FaultDesk, FaultName

USER = "alsuser"
"""Owner of all jobs."""
ZONE = ZoneInfo("America/Los_Angeles")
"""In which squeue and sacct tell times."""

FINAL = ("COMPLETED", "FAILED", "CANCELLED", "NODE_FAIL", "TIMEOUT")
_FIRST_ID = 31_000_001
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


@dataclass
class Job:
    """One job of the queue."""

    id: str
    """Number of the job."""
    options: dict[str, str]
    """Of its `#SBATCH` lines."""
    script: str
    """The script as it was when it was submitted."""
    arguments: tuple[str, ...]
    """Of the script."""
    submitted_s: float
    """When, by the clock."""
    state: str = "PENDING"
    """Slurm's word."""
    reason: str = "Priority"
    """Why it waits."""
    exit_code: int = 0
    """Of the script."""
    started_s: float | None = None
    """When, by the clock."""
    ended_s: float | None = None
    """When, by the clock."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    """What runs it."""

    @property
    def name(self) -> str:
        """Name of the job."""
        return self.options.get("job-name", "sbatch")


class SbatchError(Exception):
    """What sbatch says when it refuses."""


class Slurm:
    """The queue.

    Parameters
    ----------
    folder
        For what the stand-in itself needs.
    desk
        Faults; places are ``sfapi job NAME``.
    queue_wait_s
        How long a job waits, by the desk's clock.
    """

    def __init__(self, folder: Path, desk: FaultDesk, *, queue_wait_s: float = 0.0) -> None:
        self.queue_wait_s = queue_wait_s
        self._folder, self._desk = folder, desk
        self._lock = threading.RLock()
        self._ids = itertools.count(_FIRST_ID)
        self._jobs: dict[str, Job] = {}
        self._shims = folder / "node-bin"
        self._shims.mkdir(parents=True, exist_ok=True)
        for name, text in _SHIMS.items():
            shim = self._shims / name
            shim.write_text(f"#!/bin/bash\n{text}")
            shim.chmod(0o755)

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
            if job.state not in FINAL:
                self._stop(job, "CANCELLED", signal.SIGTERM)
            return True

    def wait(self, id_: str, timeout_s: float = 60.0) -> str:
        """Wait until the script of a job has ended; returns the state."""
        job = self.job(id_)
        if job is not None and job.process is not None:
            job.process.wait(timeout_s)
        after = self.job(id_)
        return "" if after is None else after.state

    def close(self) -> None:
        """Kill what still runs."""
        with self._lock:
            for job in self._jobs.values():
                self._turn(job, starting=False)
                if job.state not in FINAL:
                    self._stop(job, "CANCELLED", signal.SIGKILL)

    def _turn(self, job: Job, *, starting: bool = True) -> None:
        """Bring a job to where it is by now."""
        place = f"sfapi job {job.name}"
        if job.state == "PENDING":
            if starting and self._may_start(job, place):
                self._start(job, place)
            return
        if job.state != "RUNNING" or job.process is None:
            return
        down = self._desk.on(FaultName.OUTAGE, "sfapi")
        over = self._desk.clock() - (job.started_s or 0.0) > _seconds(job.options["time"])
        code = job.process.poll()
        if code is not None:
            job.exit_code = code if code >= 0 else 128 - code
            job.state = "COMPLETED" if code == 0 else "FAILED"
            job.ended_s = self._desk.clock()
        elif down or self._desk.strike((FaultName.NODE_FAIL,), place):
            self._stop(job, "NODE_FAIL", signal.SIGKILL)
        elif over or self._desk.strike((FaultName.TIMEOUT,), place):
            self._stop(job, "TIMEOUT", signal.SIGTERM)

    def _may_start(self, job: Job, place: str) -> bool:
        if self._desk.on(FaultName.HELD, place):
            job.reason = "JobHeldUser"
        elif machine_is_down(self._desk):
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
                job.state, job.ended_s = state, job.started_s
                return
        spooled = self._folder / f"slurm-script-{job.id}"  # Slurm runs a copy, too
        spooled.write_text(job.script, encoding="utf-8")
        log = Path(
            job.options.get("output", str(self._folder / "slurm-%j.out"))
            .replace("%j", job.id)
            .replace("%x", job.name)
        )
        environment = {
            **os.environ,
            "PATH": f"{self._shims}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "SLURM_JOB_ID": job.id, "SLURM_JOBID": job.id, "SLURM_JOB_NAME": job.name,
            "SLURM_JOB_USER": USER, "SLURM_NNODES": job.options.get("nodes", "1"),
            "SLURM_CPUS_PER_TASK": job.options.get("cpus-per-task", "1"),
            "SLURM_JOB_NODELIST": "nid001001", "SLURM_CLUSTER_NAME": "perlmutter",
        }  # fmt: skip
        with log.open("ab") as output:
            job.process = subprocess.Popen(  # noqa: S603 - running the script is what it is for
                ["bash", str(spooled), *job.arguments],  # noqa: S607 - as Slurm finds it
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=environment, cwd=self._folder, start_new_session=True,
            )  # fmt: skip
        job.state = "RUNNING"

    def _stop(self, job: Job, state: str, how: signal.Signals) -> None:
        """End a job; what does not end in good order is killed, as Slurm does."""
        if job.process is not None:
            for signal_ in (how, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(job.process.pid, signal_)
                try:
                    job.process.wait(5.0)
                except subprocess.TimeoutExpired:
                    continue
            # Children that outlive the script go with the node.
            with suppress(ProcessLookupError):
                os.killpg(job.process.pid, signal.SIGKILL)
        job.state, job.ended_s = state, self._desk.clock()


def machine_is_down(desk: FaultDesk) -> bool:
    """Whether an outage is on now, announced or not."""
    return any(desk.on(name, "sfapi") for name in (FaultName.OUTAGE, FaultName.PLANNED_OUTAGE))


def sbatch_options(script: str) -> dict[str, str]:
    """Read the `#SBATCH` lines as sbatch does.

    Raises
    ------
    SbatchError
        There is no interpreter, a line is not in the first column, or something is missing.
    """
    lines = script.splitlines()
    if not lines or not lines[0].startswith("#!"):
        raise SbatchError("sbatch: error: This does not look like a batch script.")
    options: dict[str, str] = {}
    for line in lines[1:]:
        if line.strip() and not line.startswith("#"):
            break  # sbatch reads no further than the first command
        found = re.fullmatch(r"#SBATCH\s+--([a-z-]+)(?:=(.*))?", line)
        if found is not None:
            options[found[1]] = found[2] or ""
    for needed in ("time", "account", "qos", "constraint"):
        if needed not in options:
            raise SbatchError(f"sbatch: error: No {needed} is specified.")
    if options["account"].startswith("no-such"):
        raise SbatchError("sbatch: error: Invalid account or account/partition combination")
    return options


def squeue_row(job: Job) -> dict[str, str]:
    """Tell a job as squeue does."""
    return {
        "jobid": job.id, "name": job.name, "user": USER, "state": job.state,
        "reason": job.reason, "nodelist(reason)": f"({job.reason})",
        "account": job.options["account"], "qos": job.options["qos"],
        "start_time": slurm_time(job.started_s), "time": _elapsed(job),
        "time_limit": job.options["time"],
        "submit_time": slurm_time(job.submitted_s), "st": job.state[:2],
    }  # fmt: skip


def sacct_row(job: Job) -> dict[str, str]:
    """Tell a job as sacct does."""
    by = " by 1234" if job.state == "CANCELLED" else ""
    return {
        "jobid": job.id, "jobname": job.name, "user": USER, "state": job.state + by,
        "exitcode": f"{job.exit_code}:0", "account": job.options["account"],
        "qos": job.options["qos"], "start": slurm_time(job.started_s),
        "end": slurm_time(job.ended_s), "elapsed": _elapsed(job),
        "submit": slurm_time(job.submitted_s), "reason": "None",
    }  # fmt: skip


def is_of_today(job: Job, now_s: float) -> bool:
    """Whether sacct lists it unasked: jobs of this day alone, by the machine's midnight."""
    last_s = job.ended_s if job.ended_s is not None else now_s
    return datetime.fromtimestamp(last_s, ZONE).date() >= datetime.fromtimestamp(now_s, ZONE).date()


def slurm_time(at_s: float | None) -> str:
    """Tell a time as Slurm does."""
    if at_s is None:
        return "N/A"
    return datetime.fromtimestamp(at_s, ZONE).strftime("%Y-%m-%dT%H:%M:%S")


def _elapsed(job: Job) -> str:
    if job.started_s is None or job.ended_s is None:
        return "0:00"
    minutes, seconds = divmod(int(job.ended_s - job.started_s), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _seconds(text: str) -> float:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return float(hours * 3600 + minutes * 60 + seconds)
