"""The whole facility in one process: every stand-in, their folders, and what points at them.

::

    ROOT/facility.json      how to reach it, while it runs
    ROOT/profile.yaml       a beamline's profile that names its folders and services
    ROOT/policy.yaml        what is wanted of its scans
    ROOT/environment        variables for the client libraries, as NAME=value
    ROOT/credentials/       keys and secrets, for their owner alone
    ROOT/memory/            what the stand-ins remember when they are killed
    ROOT/spot832, data832, nersc    the sites

A facility that is started again in the same folder has the same ports, keys and tasks, so
whoever talked to it goes on as if it had only been away.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.model.errors import UsageError
from alsct_gui.simulator.facility.clock import Clock, FastClock
from alsct_gui.simulator.facility.control import control_server
from alsct_gui.simulator.facility.desk import Card
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus, collection_id
from alsct_gui.simulator.facility.papers import Addresses, write_papers
from alsct_gui.simulator.facility.scicat import INGESTOR, ScicatStandIn
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.simulator.facility.sfapi_jobs import Queue
from alsct_gui.simulator.facility.slurm_cluster import SlurmCluster
from alsct_gui.simulator.facility.slurm_queue import SlurmQueue
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.superfacility.compute.base import SAFE_PATH
from alsct_gui.superfacility.credentials import (
    GLOBUS_SECRET,
    SCICAT_SECRET,
    SECRETS_VARIABLE,
    FileCredentials,
)

SERVICE_ACCOUNT = "a15c7000-0832-4000-8000-000000000832"
"""Client id of the beamline's service account at the stand-in for Globus."""
_BEAT_S = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick a simulated facility is."""

    speed: float = 1.0
    """How many seconds of its clock pass in one."""
    rate_bytes_per_s: float | None = 20e6
    """Speed of each transfer, by its clock; None is as fast as it goes."""
    queue_wait_s: float = 1.0
    """How long jobs wait, by its clock."""
    rest_s: float = 2.0
    """How long a transfer rests after a failed attempt, by its clock."""
    slurm: bool = False
    """Whether a real Slurm runs the jobs; else they are local processes."""


class World:
    """The facility; use it as a context.

    Parameters
    ----------
    root
        Its folder.
    pace
        How quick it is.

    Raises
    ------
    UsageError
        The folder cannot be one of jobs, or another facility runs there.
    """

    def __init__(self, root: Path, pace: Pace | None = None) -> None:
        self.tree, self.pace = Tree(root.resolve()), pace or Pace()
        if SAFE_PATH.fullmatch(str(self.tree.root)) is None:
            raise UsageError(
                "jobs cannot work in this folder", where=str(self.tree.root),
                fix="Take a path of letters, digits, '_', '-' and '.'",
            )  # fmt: skip
        speed = self.pace.speed
        self.clock: Clock = time.time if speed == 1.0 else FastClock(time.time(), speed)
        self.desk = FaultDesk(self.clock)
        self._stack = ExitStack()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        """Make the folders, start everything, write the card."""
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything; jobs that run are killed."""
        self._stack.close()

    @property
    def card(self) -> Card:
        """How others reach it."""
        ports = {
            "transfer": self.globus.transfer_server.port, "auth": self.globus.auth_server.port,
            "sfapi": self.sfapi.server.port, "scicat": self.scicat.server.port,
            "control": self._control.port,
        }  # fmt: skip
        return Card(
            os.getpid(), self._control.url, self._environment(), str(self.tree.profile),
            str(self.tree.policy), ports,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """Variables with which an agent talks to it, and finds its secrets."""
        return {**self.globus.environment, SECRETS_VARIABLE: str(self.tree.credentials)}

    def facts(self) -> dict[str, Any]:
        """Tell how it is, as plain data."""
        tasks = Counter(task.status for task in list(self.globus.mover.tasks.values()))
        jobs = Counter(job.state for job in self.sfapi.slurm.jobs())
        return {
            **asdict(self.card), "root": str(self.tree.root), "now_s": self.clock(),
            "speed": self.pace.speed, "transfers": dict(tasks), "jobs": dict(jobs),
            "faults": [{"number": n, **f.to_plain()} for n, f in self.desk.faults().items()],
        }  # fmt: skip

    def beat(self) -> None:
        """Bring everything to what the clock shows, as if somebody had looked."""
        for server in self._servers:
            server.refresh()
        self.globus.mover.advance()
        self.sfapi.slurm.jobs()

    def _start(self, stack: ExitStack) -> None:
        tree, pace = self.tree, self.pace
        tree.make()
        self._lock(stack)
        ports = self._ports()
        secret = _secret(tree.credentials / "globus-secret")
        scicat_password = _secret(tree.credentials / "scicat-password")
        self.globus = Globus(
            tree.collections, self.desk, rate_bytes_per_s=pace.rate_bytes_per_s, rest_s=pace.rest_s,
            resources=tree.resources, memory=tree.memory / "globus.json",
            ports=(ports.get("transfer", 0), ports.get("auth", 0)),
        )  # fmt: skip
        self.globus.add_client(SERVICE_ACCOUNT, secret)
        self.sfapi = SuperfacilityStandIn(
            tree.nersc, self.desk, queue_wait_s=pace.queue_wait_s, queue=self._queue(stack),
            collections={collection_id(name): path for name, path in tree.collections.items()},
            cfs=tree.cfs, key_file=tree.key, memory=tree.memory / "sfapi.json",
            port=ports.get("sfapi", 0),
        )  # fmt: skip
        self.scicat = ScicatStandIn(
            self.desk, users=(replace(INGESTOR, password=scicat_password),),
            memory=tree.memory / "scicat.json", port=ports.get("scicat", 0),
        )  # fmt: skip
        self._control = control_server(self.desk, self.facts, port=ports.get("control", 0))
        self._servers = (
            self.globus.transfer_server, self.globus.auth_server, self.sfapi.server,
            self.scicat.server,
        )  # fmt: skip
        if not tree.key.exists():
            self.sfapi.tokens.write_key(tree.key)
        for part in (self.globus, self.sfapi, self.scicat, self._control):
            stack.enter_context(part)
        ticker = threading.Thread(target=self._tick, name="facility-clock")
        ticker.start()
        stack.callback(ticker.join)
        stack.callback(self._stop.set)
        stack.callback(self.desk.clear)
        kept = FileCredentials(tree.credentials)
        kept.put(GLOBUS_SECRET, secret)
        kept.put(SCICAT_SECRET, scicat_password)
        write_papers(tree, Addresses(
            SERVICE_ACCOUNT, self.sfapi.api_url, self.sfapi.token_url, self.scicat.url
        ))  # fmt: skip
        _write(tree.memory / "ports.json", json.dumps(dict(self.card.ports)))
        _write(tree.root / "environment", "".join(
            f"{name}={value}\n" for name, value in self.card.environment.items()
        ))  # fmt: skip
        stack.callback(tree.card.unlink, missing_ok=True)
        _write(tree.card, json.dumps(asdict(self.card)))

    def _queue(self, stack: ExitStack) -> Queue | None:
        """What runs the jobs; None for local processes."""
        if not self.pace.slurm:
            return None
        cluster = stack.enter_context(SlurmCluster(self.tree.root / "slurm"))
        wait_s = self.pace.queue_wait_s
        return SlurmQueue(cluster, self.tree.nersc / ".slurm", self.desk, queue_wait_s=wait_s)

    def _lock(self, stack: ExitStack) -> None:
        """Be the only one in this folder; ends with the process."""
        lock = os.open(self.tree.memory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        stack.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                "another facility runs there", where=str(self.tree.root),
                fix="See alsct facility status",
            ) from error  # fmt: skip

    def _ports(self) -> dict[str, int]:
        """Ports that it had before."""
        path = self.tree.memory / "ports.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _tick(self) -> None:
        while not self._stop.wait(_BEAT_S):
            self.beat()


def _secret(path: Path) -> str:
    """Return the secret in a file, which is made for the owner alone."""
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii")


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
