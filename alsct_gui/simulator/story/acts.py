"""The story: scans arrive, NERSC fails, work goes on here, NERSC returns, the debt is paid.

Everything is real but the beamline and NERSC: an agent in its own process, the real client
libraries, files that are copied, reconstructions that are made.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from alsct_gui.files.check import SETTLED_S
from alsct_gui.model.errors import ResourceError
from alsct_gui.model.placement import Health, LinkState, Observed, StateKind
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.diff import diff
from alsct_gui.placement.fold import advance
from alsct_gui.placement.invariants import Violation, check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.placement.wanted import Wanted
from alsct_gui.simulator.acquisition import Acquisition, PlannedScan, planned_scans
from alsct_gui.simulator.facility.serve import FacilityProcess
from alsct_gui.simulator.facility.world import Pace
from alsct_gui.simulator.story.history import History, history_of

ACT_S = 240.0
"""Longest time that an act may take."""
PACE = Pace(rate_bytes_per_s=300e3, queue_wait_s=0.5, rest_s=1.0)
"""How quick the facility is: a scan travels for two seconds."""
RESOURCES = ("perlmutter", "community_filesystem")
"""What fails."""
_AWAY = {name: Health(name, LinkState.DOWN) for name in ("perlmutter", "cfs")}
"""The links that are down with it."""
_LOOK_S = 0.1
_END_S = 30.0
_LOG_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Act:
    """A part of the story."""

    title: str
    """In a few words."""
    began_s: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What NERSC was owed when it was most."""

    scans: int
    """Scans of which something was owed."""
    goals: int
    """Copies, reconstructions, records."""
    size_bytes: int
    """Of the raw files that were owed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the story came to."""

    acts: tuple[Act, ...]
    """In their order."""
    history: History
    """What the ledger tells."""
    policy: Policy
    """What was wanted."""
    debt: Debt
    """At the end of the outage."""
    paid_s: float
    """From the return of NERSC until nothing was owed."""
    owed: tuple[str, ...]
    """Goals that were still owed at the end."""
    violations: tuple[Violation, ...]
    """What must not be."""

    @property
    def ok(self) -> bool:
        """Whether all is where it should be, and nothing was lost."""
        return not self.owed and not self.violations


@dataclass
class Story:
    """The story; `play` it once."""

    folder: Path
    """For the ledger, the policy and the profile; made."""
    before: int = 2
    """Scans that are taken before NERSC fails."""
    during: int = 3
    """Scans that are taken while it is away."""
    threads: int = 0
    """Processor threads of a reconstruction here; 0 for all."""
    settled: bool = False
    """Whether files count as closed for a while; else they are taken in ten seconds later."""
    say: Callable[[str], None] = lambda _: None
    """Is told how it goes, a sentence at a time."""
    _acts: list[Act] = field(default_factory=list)
    _agent: subprocess.Popen[bytes] | None = None
    _seen: Observed = field(default_factory=Observed)

    def play(self) -> Outcome:
        """Play it; everything that it started has ended then.

        Raises
        ------
        ResourceError
            An act does not come to its end.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # Jobs work in paths of a closed alphabet alone, which ours need not be.
        root = Path(tempfile.mkdtemp(prefix="alsct-story-"))
        try:
            with FacilityProcess(root / "facility", PACE) as facility:
                for name in ("profile.yaml", "policy.yaml"):
                    shutil.copyfile(facility.tree.root / name, self.folder / name)
                with Ledger(self.folder / "ledger.sqlite") as ledger:
                    return self._play(facility, ledger, root)
        finally:
            self._end_agent()
            shutil.rmtree(root, ignore_errors=True)

    def _play(self, facility: FacilityProcess, ledger: Ledger, root: Path) -> Outcome:
        policy = load_policy(self.folder / "policy.yaml")
        self._agent = self._start_agent(facility, root / "runs")
        scans = planned_scans(self.before + self.during, hostile_every=3)
        self._act(f"{_scans(self.before)} are taken and go where they belong")
        self._take(facility, scans[: self.before])
        self._until(ledger, lambda: self._all_met(policy, self.before), "all is where it belongs")

        self._act("Perlmutter and the file system at NERSC fail")
        faults = [facility.desk.put("outage", where=name) for name in RESOURCES]
        self._act(f"{_scans(self.during)} are taken all the same, and reconstructed here")
        self._take(facility, scans[self.before :])
        whole = self.before + self.during
        self._until(ledger, lambda: self._rests(policy, whole), "they are reconstructed")
        debt = self._debt(policy)

        self._act("NERSC returns, and the debt is paid without anybody")
        for number in faults:
            facility.desk.take(number)
        self._until(ledger, lambda: self._all_met(policy, whole), "the debt is paid")
        ended_s = time.time()
        paid_s = ended_s - self._acts[-1].began_s
        self._act("Nothing is owed")
        self._end_agent()
        violations = check(ledger, policy, now_s=time.time())
        history = history_of(ledger.tail(0), ended_s)
        return Outcome(
            tuple(self._acts), history, policy, debt, paid_s,
            tuple(self._owed(policy)), violations,
        )  # fmt: skip

    def _take(self, facility: FacilityProcess, scans: tuple[PlannedScan, ...]) -> None:
        """Take scans, and hand each over when it is whole."""

        def hand_over(path: Path) -> None:
            if self.settled:
                closed_s = time.time() - 2 * SETTLED_S
                os.utime(path, (closed_s, closed_s))
            with Ledger(self.folder / "ledger.sqlite") as ledger:
                ask_admit(ledger, path)

        with Acquisition(facility.tree.raw, scans, told=hand_over) as taking:
            done = taking.wait(ACT_S)
        if taking.error is not None:
            raise taking.error
        if not done:
            raise ResourceError("the scans are not taken in time", where=str(facility.tree.raw))

    def _act(self, title: str) -> None:
        self._acts.append(Act(title, time.time()))
        self.say(title)

    def _until(self, ledger: Ledger, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds of what the ledger knows."""
        pause, until_s = threading.Event(), time.monotonic() + ACT_S
        while True:
            for item in ledger.tail(self._seen.seq):
                advance(self._seen, item)
            if condition():
                return
            if self._agent is None or self._agent.poll() is not None:
                raise ResourceError("the agent has ended by itself", where=self._log_words())
            if time.monotonic() > until_s:
                raise ResourceError(
                    f"it is waited in vain until {what}", where=self._log_words(),
                    fix="See alsct agent status --ledger with the ledger of the story",
                )  # fmt: skip
            pause.wait(_LOOK_S)

    def _owed(self, policy: Policy) -> list[str]:
        """Goals that are wanted and not met."""
        steps = diff(policy, self._seen, {}, time.time())
        return [key for step in steps for key in step.keys]

    def _all_met(self, policy: Policy, scans: int) -> bool:
        seen = self._seen
        return len(seen.scans) == scans and not seen.arrivals and not self._owed(policy)

    def _rests(self, policy: Policy, scans: int) -> bool:
        """Whether all is done that can be done without what has failed."""
        seen = self._seen
        steps = diff(policy, seen, _AWAY, time.time())
        waits = all(step.state.kind is StateKind.WAITING for step in steps)
        return len(seen.scans) == scans and not seen.arrivals and waits

    def _debt(self, policy: Policy) -> Debt:
        """What is owed to the sites outside now."""
        outside = {site.name for site in policy.sites if site.outside}
        places = {place.name for place in policy.places if place.site in outside}
        wanted = Wanted(policy)
        scans, goals, size_bytes = set(), 0, 0
        for part, scan in self._seen.scans.items():
            for aim in wanted.plan(scan).every:
                record = self._seen.goals.get(part + aim.suffix)
                is_met = record is not None and record.state.kind is StateKind.MET
                if aim.place.name in places and not is_met:
                    scans.add(part)
                    goals += 1
                    size_bytes += scan.size_bytes if aim.product is Product.RAW else 0
        return Debt(len(scans), goals, size_bytes)

    def _start_agent(self, facility: FacilityProcess, runs: Path) -> subprocess.Popen[bytes]:
        card, folder = facility.card, self.folder
        words = [str(folder / "ledger.sqlite"), card.policy, card.profile, str(runs)]
        with (folder / "agent.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (this program's own module)
                module_command("alsct_gui.wiring.serve", *words, str(self.threads)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**module_environment(), **card.environment},
            )  # fmt: skip

    def _end_agent(self) -> None:
        agent, self._agent = self._agent, None
        if agent is None:
            return
        agent.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            agent.wait(_END_S)
        agent.kill()
        agent.wait()

    def _log_words(self) -> str:
        """Last words of the agent."""
        path = self.folder / "agent.log"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return f"{path}: {text[-_LOG_CHARS:]}"


def _scans(count: int) -> str:
    return "1 scan" if count == 1 else f"{count} scans"
