"""Jobs of the stand-in: what is known of one, how sbatch reads it, how squeue and sacct tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

USER = "alsuser"
"""Owner of all jobs."""
ZONE = ZoneInfo("America/Los_Angeles")
"""In which squeue and sacct tell times."""
WAITING = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED")
"""States of jobs that squeue lists."""


class SbatchError(Exception):
    """What sbatch says when it refuses."""


@dataclass
class Job:
    """One job."""

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

    @property
    def name(self) -> str:
        """Name of the job."""
        return self.options.get("job-name", "sbatch")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state not in WAITING


class Queue(Protocol):
    """What takes jobs in and runs them; safe to use from several threads."""

    queue_wait_s: float
    """How long a job waits, by the clock."""

    def submit(self, script: str, arguments: Sequence[str]) -> Job:
        """Take a job in.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        ...

    def jobs(self) -> list[Job]:
        """All jobs as they stand now, in the order in which they came."""
        ...

    def cancel(self, id_: str) -> bool:
        """End a job as scancel does; says whether there is one."""
        ...

    def test(self, script: str) -> None:
        """Look at a script as ``sbatch --test-only`` does.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        ...

    def wait(self, id_: str, timeout_s: float = 60.0) -> str:
        """Wait until the script of a job has ended; returns the state."""
        ...

    def close(self) -> None:
        """Kill what still runs."""
        ...


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


def limit_s(job: Job) -> float:
    """Return a job's time limit, ``HH:MM:SS`` in its options."""
    hours, minutes, seconds = (int(part) for part in job.options["time"].split(":"))
    return float(hours * 3600 + minutes * 60 + seconds)


def _elapsed(job: Job) -> str:
    if job.started_s is None or job.ended_s is None:
        return "0:00"
    minutes, seconds = divmod(int(job.ended_s - job.started_s), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
