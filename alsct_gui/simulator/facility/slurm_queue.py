"""A queue whose jobs a real Slurm runs: sbatch, squeue, scancel and scontrol."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.faults import FaultDesk, FaultName
from alsct_gui.simulator.facility.memory import Kept
from alsct_gui.simulator.facility.outages import PERLMUTTER, outage_of
from alsct_gui.simulator.facility.sfapi_jobs import Job, SbatchError, sbatch_options
from alsct_gui.simulator.facility.sfapi_slurm import make_shims
from alsct_gui.simulator.facility.slurm_cluster import NODE, SlurmCluster

_FIELDS = ("JobID", "State", "Reason", "SubmitTime", "StartTime", "EndTime", "exit_code")
_WIDTH = 40
_NOTHING = "#!/bin/bash\n"
"""Script of a job that is COMPLETED and has written nothing."""


class SlurmQueue:
    """A `Queue` on a cluster.

    Parameters
    ----------
    cluster
        Slurm, running.
    folder
        For scripts and logs; made.
    desk
        Faults. An outage takes the node down, a hold is Slurm's own; places are as of
        `sfapi_slurm.Slurm`.
    queue_wait_s
        How long a job waits, in whole seconds.
    """

    def __init__(
        self, cluster: SlurmCluster, folder: Path, desk: FaultDesk, *, queue_wait_s: float = 0.0
    ) -> None:
        self.queue_wait_s = queue_wait_s
        self._cluster, self._folder, self._desk = cluster, folder.resolve(), desk
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._ended: dict[str, str] = {}
        """States of jobs that a fault ended, which Slurm calls cancelled."""
        self._node = "?"
        make_shims(self._folder / "node-bin")
        (self._folder / "node-bin" / "srun").unlink()  # the real one is there
        self._kept = Kept(self._folder / "jobs.json", self._plain)
        known = self._kept.recall() or {"jobs": [], "ended": {}}
        for row in known["jobs"]:
            self._jobs[row["id"]] = Job(**{**row, "arguments": tuple(row["arguments"])})
        self._ended.update(known["ended"])

    def submit(self, script: str, arguments: Sequence[str]) -> Job:
        """Take a job in.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        options = sbatch_options(script)
        place = f"sfapi job {options.get('job-name', 'sbatch')}"
        with self._lock:
            self._set_node()
            more = [f"--begin=now+{self.queue_wait_s:.0f}"] if self.queue_wait_s >= 1 else []
            more += ["--hold"] if self._desk.on(FaultName.HELD, place) else []
            told = script
            if self._desk.strike((FaultName.NO_OUTPUT,), place):
                lines = [line for line in script.splitlines() if line.startswith("#SBATCH")]
                told = _NOTHING + "\n".join(lines) + "\n"
            spooled = self._folder / "submitted.sh"
            spooled.write_text(told, encoding="utf-8")
            path = f"{self._folder / 'node-bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}"
            done = self._cluster.run(
                "sbatch", "--parsable", *more, str(spooled), *arguments,
                cwd=self._folder, path=path,
            )  # fmt: skip
            if done.returncode != 0:
                raise SbatchError(done.stderr.strip())
            job = Job(done.stdout.strip(), options, script, tuple(arguments), self._desk.clock())
            self._jobs[job.id] = job
            self._kept.keep()
            return job

    def jobs(self) -> list[Job]:
        """All jobs as they stand now, in the order in which they came."""
        with self._lock:
            self._set_node()
            rows = self._rows()
            for job in self._jobs.values():
                if job.id in rows:
                    self._take(job, rows[job.id])
                    self._strike(job)
            return [replace(job, state=self._ended.get(job.id, job.state))
                    for job in self._jobs.values()]  # fmt: skip

    def job(self, id_: str) -> Job | None:
        """One job as it stands now."""
        return next((job for job in self.jobs() if job.id == id_), None)

    def cancel(self, id_: str) -> bool:
        """End a job as scancel does; says whether there is one."""
        if id_ not in self._jobs:
            return False
        self._cluster.run("scancel", "--full", id_)
        return True

    def test(self, script: str) -> None:
        """Look at a script as ``sbatch --test-only`` does.

        Raises
        ------
        SbatchError
            The script is refused.
        """
        sbatch_options(script)
        with self._lock:
            spooled = self._folder / "tested.sh"
            spooled.write_text(script, encoding="utf-8")
            done = self._cluster.run("sbatch", "--test-only", str(spooled))
        if done.returncode != 0:
            raise SbatchError(done.stderr.strip())

    def wait(self, id_: str, timeout_s: float = 60.0) -> str:
        """Wait until the script of a job has ended; returns the state."""
        pause = threading.Event()
        for _ in range(int(timeout_s / 0.1)):
            job = self.job(id_)
            if job is None or job.is_over:
                return "" if job is None else job.state
            pause.wait(0.1)
        return ""

    def close(self) -> None:
        """Cancel what still runs."""
        for job in self.jobs():
            if not job.is_over:
                self.cancel(job.id)

    def _rows(self) -> dict[str, dict[str, str]]:
        """What squeue tells of all jobs, ended ones included."""
        form = ",".join(f"{name}:{_WIDTH}" for name in _FIELDS)
        said = self._cluster.run("squeue", "-h", "--states=all", "-O", form).stdout
        rows = {}
        for line in said.splitlines():
            cells = [line[n * _WIDTH : (n + 1) * _WIDTH].strip() for n in range(len(_FIELDS))]
            rows[cells[0]] = dict(zip(_FIELDS, cells, strict=True))
        return rows

    def _take(self, job: Job, row: dict[str, str]) -> None:
        job.state, job.reason = row["State"], row["Reason"]
        begun = job.state != "PENDING"
        job.started_s = _time_s(row["StartTime"]) if begun else None
        job.ended_s = _time_s(row["EndTime"]) if job.is_over else None
        status = int(row["exit_code"])
        job.exit_code = status >> 8 or (128 + (status & 127) if status & 127 else 0)

    def _strike(self, job: Job) -> None:
        """Let the desk's faults strike a job."""
        place = f"sfapi job {job.name}"
        if job.state == "PENDING":
            held, on = job.reason == "JobHeldUser", self._desk.on(FaultName.HELD, place)
            if held is not (on is not None):
                self._cluster.run("scontrol", "release" if held else "hold", job.id)
        if job.state != "RUNNING" or job.id in self._ended:
            return
        fault = self._desk.strike((FaultName.NODE_FAIL, FaultName.TIMEOUT), place)
        if fault is not None:
            # Slurm's own limit is looked at twice a minute, and a node has other jobs, too.
            self._ended[job.id] = (
                "NODE_FAIL" if fault.name is FaultName.NODE_FAIL else "TIMEOUT"
            )  # fmt: skip
            self._kept.keep()
            self.cancel(job.id)

    def _plain(self) -> dict[str, Any]:
        with self._lock:
            return {"jobs": [asdict(job) for job in self._jobs.values()], "ended": self._ended}

    def _set_node(self) -> None:
        """Take the node down, drain it or bring it back, as the desk says."""
        if outage_of(self._desk, PERLMUTTER, (FaultName.OUTAGE,)):
            wanted = "down"
        else:
            wanted = "drain" if outage_of(self._desk, PERLMUTTER) else ""
        if wanted == self._node:
            return
        words = [f"state={wanted or 'resume'}", *(["reason=outage"] if wanted else [])]
        self._cluster.run("scontrol", "update", f"nodename={NODE}", *words)
        self._node = wanted


def _time_s(text: str) -> float | None:
    """Read a time of squeue, which is this machine's; None for none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
