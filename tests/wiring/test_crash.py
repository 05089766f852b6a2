"""The crash matrix of goals outside: agents killed and stopped, services killed, at every boundary.

As in `tests/placement/test_crash.py`, but with the real clients over loopback. Each case takes
up the beamline where everything is done that the goals in question are made from, so that all
boundaries are theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import StateKind
from alsct_gui.placement.invariants import check
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus
from alsct_gui.simulator.facility.papers import Addresses
from alsct_gui.simulator.facility.scicat import ScicatStandIn
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.simulator.facility.sfapi_jobs import Queue
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.wiring.outside import placed
from tests.wiring.crash_child import STOPPED
from tests.wiring.loopback import Loopback, services_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
LIFE_S = 5000.0
ACTS = {
    "raw": ("raw",), "there": ("raw", "there"), "back": ("raw", "there", "back"),
    "record": ("record",), "access": ("raw", "access"), "row": ("row",),
    "table there": ("raw", "there", "table there"),
    "table back": ("raw", "there", "table there", "table back"),
}  # fmt: skip
"""Wishes of each act; the last is the one whose boundaries are looked at."""
BEFORE = {
    "there": "raw", "back": "there", "access": "raw", "table there": "there",
    "table back": "table there",
}  # fmt: skip
"""The act after which each begins; the others begin with a scan that is handed over."""
_WORK = ("observed", "intent", "acted", "recorded", "polled", "seen", "ended")
_TRANSFER = ("observed", "intent", "submission", "acted", "recorded", "polled", "seen", "ended")
BOUNDARIES = {
    "raw": ("admitted", *_TRANSFER, "audited"), "there": (*_WORK, "prepared"),
    "back": (*_TRANSFER, "listed", "renamed"), "record": _WORK, "access": _WORK, "row": _WORK,
    "table there": (*_WORK, "prepared"),
    # The second way that is made is between the names of a table's two files.
    "table back": (*_TRANSFER, "listed", "summed", "way:2", "renamed"),
}  # fmt: skip
TRANSFERS = {"raw": 1, "there": 1, "access": 1, "back": 2, "table there": 1, "table back": 2}
"""Transfers that there have to be in the end."""
NEXT = {
    "admitted": "observed", "observed": "observed", "intent": "acted", "submission": "acted",
    "acted": "acted", "recorded": "polled", "polled": "polled", "seen": "seen",
    "prepared": "acted", "listed": "acted", "summed": "polled", "way:2": "seen",
}  # fmt: skip
"""Where the agent that comes after one that was killed is killed, too."""
JOBS = {"there": 1, "back": 1, "table there": 2, "table back": 2}
"""Jobs that there have to be in the end."""
LONG = ("raw", "there", "back", "table back")


def _kills() -> Iterator[tuple[str, tuple[str, ...]]]:
    for act, boundaries in BOUNDARIES.items():
        for boundary in boundaries:
            yield act, (boundary,)
            if act in LONG and boundary in NEXT:
                yield act, (boundary, NEXT[boundary])


KILLS = list(_kills())
STOPS = [(act, boundary) for act in LONG for boundary in BOUNDARIES[act]]


class Beamline:
    """The beamline of one case: its services, which can be killed, and agents' lives."""

    def __init__(self, root: Path, agents: subprocess.Popen[str]) -> None:
        self.root, self._agents = root, agents
        self.clock = ManualClock()
        self.desk = FaultDesk(self.clock)
        self._stack = ExitStack()
        self._queues: list[Queue] = []
        self.start(again=(root / "memory/ports.json").exists())

    def start(self, *, again: bool) -> None:
        services = services_of(self.root, self.clock, self.desk, again=again)
        parts: tuple[Globus, SuperfacilityStandIn, ScicatStandIn]
        parts = self._stack.enter_context(services)
        self.globus, self.sfapi, self.scicat = parts
        self._queues.append(self.sfapi.slurm)
        self.place = Loopback(self.root, self.clock, self.desk, self.addresses)

    def kill_services(self) -> None:
        """Kill them and start them again: what they have said is what they know."""
        self._stack.close()
        self.start(again=True)

    def stop(self) -> None:
        self._stack.close()
        for queue in self._queues:
            queue.close()

    @property
    def addresses(self) -> Addresses:
        sfapi, scicat = self.sfapi, self.scicat
        return Addresses(SERVICE_ACCOUNT, sfapi.api_url, sfapi.token_url, scicat.url)

    def begin(self, act: str, boundary: str = "", how: signal.Signals = signal.SIGKILL) -> str:
        """Let an agent live; returns what its parent says first."""
        self.let_time_pass()
        case: dict[str, Any] = {
            "root": str(self.root), "wishes": ACTS[act], "boundary": boundary, "how": int(how),
            "now_s": self.clock(), "addresses": asdict(self.addresses),
            "environment": self.globus.environment,
        }  # fmt: skip
        return self._say(json.dumps(case))

    def let_time_pass(self) -> None:
        """Jobs end in their time, and then more than an hour passes."""
        for queue in self._queues:
            for job in queue.jobs():
                queue.wait(job.id)
        self.clock.advance(LIFE_S)

    def go_on(self) -> str:
        return self._say("continue")

    def _say(self, line: str) -> str:
        assert self._agents.stdin is not None
        assert self._agents.stdout is not None
        self._agents.stdin.write(line + "\n")
        self._agents.stdin.flush()
        return self._agents.stdout.readline().strip()

    def everything_is_there_once(self, act: str) -> None:
        self.place.restrict(ACTS[act])
        self.let_time_pass()
        policy = placed(self.place.policy, self.place.profile)
        with self.place.ledger() as ledger:
            assert check(ledger, policy, now_s=self.clock()) == ()
            states = {record.state.kind for record in ledger.observed().goals.values()}
        assert states <= {StateKind.MET, StateKind.NOT_WANTED}
        assert set(self.globus.mover.written.values()) <= {1}, "each file was moved once"
        assert len(self.globus.mover.tasks) == TRANSFERS.get(act, 0)
        names = [job.name for job in self.sfapi.slurm.jobs()]
        assert len(names) == len(set(names)) == JOBS.get(act, 0)
        if act == "record":
            assert len(self.scicat.datasets) == 1
        if act == "access":
            held = [r for c in self.globus.collections.values() for r in c.rules.values()]
            assert len(held) == 1
        if act == "back":
            (product,) = (self.place.tree.scratch / self.place.raw.parent.name).iterdir()
            assert product.suffix == ".zarr"
        if act == "table back":
            made = (self.place.tree.scratch / self.place.raw.parent.name).iterdir()
            assert sorted(file.suffix for file in made) == [".csv", ".json"]


@pytest.fixture(scope="module")
def agents() -> Iterator[subprocess.Popen[str]]:
    """The process that agents are forked from; it has imported what they need."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.wiring.crash_child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        yield process


Prepare = Callable[[str], Beamline]


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, scan: Path, template: Path,
    table: Path, agents: subprocess.Popen[str],
) -> Callable[[str], Path]:  # fmt: skip
    """The folder of the beamline, as it is before an act; always the same path."""
    kept = tmp_path_factory.mktemp("kept")
    root = tmp_path_factory.mktemp("beamline")

    def restore(act: str) -> Path:
        before = BEFORE.get(act, "")
        picture = kept / (before or "begin")
        if not picture.exists():
            make(before, picture)
        shutil.rmtree(root)
        shutil.copytree(picture, root)
        return root

    def make(after: str, picture: Path) -> None:
        if not after:
            shutil.rmtree(root)
            root.mkdir()
            beamline = Beamline(root, agents)
            beamline.place.fill(scan, template)
            beamline.place.add_table(table)
        else:
            beamline = Beamline(restore(after), agents)
            assert beamline.begin(after) == "0"
        beamline.stop()
        shutil.copytree(root, picture)

    return restore


@pytest.fixture
def on(
    prepared: Callable[[str], Path], agents: subprocess.Popen[str]
) -> Iterator[Callable[[str], Beamline]]:
    made: list[Beamline] = []

    def begin(act: str) -> Beamline:
        made.append(Beamline(prepared(act), agents))
        return made[-1]

    yield begin
    for beamline in made:
        beamline.stop()


@pytest.mark.parametrize(("act", "kills"), KILLS, ids=[f"{a}-{'-'.join(k)}" for a, k in KILLS])
def test_killed_agents_lose_and_double_nothing(
    act: str, kills: tuple[str, ...], on: Prepare
) -> None:
    beamline = on(act)
    for boundary in kills:
        assert beamline.begin(act, boundary) == str(int(signal.SIGKILL))
    assert beamline.begin(act) == "0"
    beamline.everything_is_there_once(act)


@pytest.mark.parametrize(("act", "boundary"), STOPS)
def test_a_stopped_agent_is_still_the_only_one_and_goes_on(
    act: str, boundary: str, on: Prepare
) -> None:
    beamline = on(act)
    assert beamline.begin(act, boundary, signal.SIGSTOP) == STOPPED
    with pytest.raises(UsageError, match="another agent"):
        AgentLock(beamline.place.ledger_path)
    beamline.let_time_pass()
    beamline.globus.mover.advance()
    assert beamline.go_on() == "0"
    beamline.everything_is_there_once(act)


@pytest.mark.parametrize(("act", "boundary"), STOPS)
def test_services_that_are_killed_and_come_back_lose_nothing(
    act: str, boundary: str, on: Prepare
) -> None:
    beamline = on(act)
    assert beamline.begin(act, boundary, signal.SIGSTOP) == STOPPED
    beamline.kill_services()
    assert beamline.go_on() == "0"
    beamline.everything_is_there_once(act)
