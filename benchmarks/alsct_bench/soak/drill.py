"""Catching up: scans pile up while NERSC is away for hours; then it comes back.

On a simulated clock, with the real reconciler and the real globus-sdk. A file of a few
kilobytes stands for a scan, and moves in the time that a scan would take.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alsct_bench.soak.account import open_goals
from alsct_gui.model.placement import Health, LinkState, ScanFacts
from alsct_gui.model.policy import Lane, Patience, Place, Policy, Product, Site, Wish
from alsct_gui.placement.admission import Admission
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.goals.reading import read_file
from alsct_gui.placement.invariants import Violation, check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus, collection_id
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience as GlobusPatience
from alsct_gui.superfacility.transfer.globus_login import service_account

SCAN_BYTES = 8.5e9
"""Size of a scan that a file stands for."""
TASK_BYTES_PER_S = 500e6
"""Speed of one Globus task that is assumed; three move at a time."""
PROPOSALS = 12
"""Proposals that the scans belong to."""
_FILE_BYTES = 4096
_TURN_S = 30.0
_HOUR_S = 3600.0
_SECRET = "of the drill"  # noqa: S105 (known to the stand-in alone)


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill came to."""

    scans: int
    """Scans that were owed at the end of the outage."""
    tasks: int
    """Globus tasks that carried them."""
    hours: float
    """Simulated time from the end of the outage until nothing was owed."""
    least_hours: float
    """What the lines would take without a gap."""
    violations: tuple[Violation, ...]
    """What must not be."""


def drill(folder: Path, scans: int = 500, outage_h: float = 12.0) -> Drill:
    """Let scans pile up over an outage, and catch up."""
    for part in ("raw", "cfs"):
        (folder / part).mkdir(parents=True)
    clock = ManualClock()
    end_s = clock() + outage_h * _HOUR_S
    rate = _FILE_BYTES * TASK_BYTES_PER_S / SCAN_BYTES
    policy = _policy(folder)

    def health() -> Mapping[str, Health]:
        if clock() >= end_s:
            return {"globus": Health("globus", LinkState.UP)}
        return {"globus": Health("globus", LinkState.DOWN, why="NERSC is away", until_s=end_s)}

    folders = {"raw": folder / "raw", "cfs": folder / "cfs"}
    with (
        Globus(folders, FaultDesk(clock), rate_bytes_per_s=rate) as service,
        _pointed_at(service.environment),
        Ledger(folder / "ledger.sqlite", clock=clock) as ledger,
    ):
        service.add_client(SERVICE_ACCOUNT, _SECRET)
        transfer = _transfer(folder, clock)
        try:
            addresses = {name: collection_id(name) for name in folders}
            queue = RunQueue(folder / "runs")
            means = Means(policy, clock, queue, {"globus": transfer}, addresses)
            agent = Agent(ledger, Services(policy, means.goals, _examine, health, clock))
            for number in range(scans):
                ask_admit(ledger, _file(folder / "raw", number))
                agent.turn()
                clock.advance((end_s - clock()) / (scans - number))
            owed = len(open_goals(ledger, policy, clock()))
            began_s = clock()
            while open_goals(ledger, policy, clock()) and clock() < began_s + 100 * _HOUR_S:
                agent.turn()
                clock.advance(_TURN_S)
            left = open_goals(ledger, policy, clock())
            found = check(ledger, policy, now_s=clock())
            found += tuple(Violation("backlog", key, "is still owed") for key in left)
            hours = (clock() - began_s) / _HOUR_S
        finally:
            transfer.close()
        least_h = owed * SCAN_BYTES / (3 * TASK_BYTES_PER_S) / _HOUR_S
        return Drill(owed, len(service.mover.tasks), hours, least_h, found)


def _policy(folder: Path) -> Policy:
    return Policy(
        "drill",
        sites=(Site("here", outside=False), Site("nersc")),
        lanes=(Lane("here", 4), Lane("globus", 3, 500, 5_000_000_000_000, poll_s=10.0)),
        places=(
            Place("raw", "here", "here", str(folder / "raw")),
            Place("cfs", "nersc", "globus", str(folder / "cfs"), ("globus",)),
        ),
        admitted="raw",
        wishes=(Wish("raw at NERSC", Product.RAW, ("cfs",)),),
        patience=Patience(),
    )


def _transfer(folder: Path, clock: Clock) -> GlobusTransfer:
    credentials, patience = FileCredentials(folder / "tokens"), GlobusPatience()
    return GlobusTransfer(
        lambda: service_account(SERVICE_ACCOUNT, _SECRET, credentials, patience), clock=clock
    )


def _file(raw: Path, number: int) -> Path:
    folder = raw / f"BLS-{number % PROPOSALS:05d}_someone"
    folder.mkdir(exist_ok=True)
    path = folder / f"scan {number}.h5"
    path.write_bytes(number.to_bytes(8, "little") * (_FILE_BYTES // 8))
    return path


def _examine(path: Path, clock: Clock) -> Admission:
    """Any file is a scan here: what is tried is the catching up."""
    seen = read_file(path, clock)
    if seen is None or seen.size_bytes is None:
        raise RuntimeError(f"{path} is not there")
    identity = hashlib.sha256(b"scan" + path.read_bytes()).hexdigest()
    proposal = path.parent.name.partition("_")[0]
    facts = ScanFacts(identity, str(path), seen.size_bytes, seen.sha256, proposal)
    return Admission(facts, seen)


@contextmanager
def _pointed_at(variables: Mapping[str, str]) -> Iterator[None]:
    """Have globus-sdk read these variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
