"""Goals of access: a real agent opens real files and a collection on loopback, and ends it."""

from __future__ import annotations

import grp
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from alsct_gui.model.placement import (
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
)
from alsct_gui.model.policy import Lane, Place, Policy, Product, Site, Wish
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.goals.access import AccessGoals
from alsct_gui.placement.goals.base import BlockedError, Goals, Intent, World
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means
from alsct_gui.placement.works import Hook, no_hook
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.globus import Globus, collection_id
from alsct_gui.superfacility.access.base import AccessGate
from alsct_gui.superfacility.access.globus import GlobusGate, GlobusRules
from alsct_gui.superfacility.access.posix import NOT_OF_PROPOSALS, PosixGate, PosixRules
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.proposals import ProposalGroups
from alsct_gui.superfacility.scripts import HereScripts
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience, service_account
from tests.placement.placing import START_S, FolderCopier, Watch, examine_bytes, raw_file

GROUP = "12345678-1234-4234-8234-123456789abc"
SERVICE = "11111111-2222-4333-8444-555555555555"
CANARY = "canary-secret-8f2b"
FOLDER = "BLS-00001_a"  # which `examine_bytes` takes for the proposal
BOUNDARIES = ("observed", "intent", "acted", "recorded", "polled", "seen", "ended")


class Killed(BaseException):
    """Stands for the end of the process at a boundary."""


def unix_group() -> str:
    """A group that this process may give files to."""
    ours = {os.getegid(), *os.getgroups()}
    found = [
        entry.gr_name
        for entry in grp.getgrall()
        if (os.geteuid() == 0 or entry.gr_gid in ours)
        and re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", entry.gr_name)
        and entry.gr_name not in NOT_OF_PROPOSALS
    ]
    if not found:
        pytest.skip("this account is of no group but everybody's")
    return found[-1]


def policy_of(root: Path) -> Policy:
    (root / "cfs").mkdir()
    return Policy(
        "access",
        (Site("here", outside=False), Site("nersc")),
        (Lane("here", 4, 1, poll_s=0.0), Lane("copies", 2, 10, poll_s=0.0)),
        (
            Place("raw", "here", "here", str(root / "raw")),
            Place("cfs", "nersc", "copies", str(root / "cfs"), ("globus",)),
        ),
        "raw",
        (
            Wish("raw there", Product.RAW, ("cfs",)),
            Wish("read", Product.ACCESS, ("cfs",), requires_proposal=True),
        ),
    )


@dataclass
class Facility:
    """Two folders, one of them a collection, and gates to it."""

    root: Path
    policy: Policy
    globus: Globus
    desk: FaultDesk
    gates: Sequence[AccessGate]
    group: str
    watch: Watch = field(default_factory=Watch)
    lasts_days: float | None = None

    def agent(self, ledger: Ledger, hook: Hook = no_hook) -> Agent:
        means = Means(
            self.policy, self.watch, RunQueue(self.root / "runs"),
            {"copies": FolderCopier(self.root / "copier")},
            makers={(Product.ACCESS, "copies"): lambda world, key: self.goals(world)},
        )  # fmt: skip
        services = Services(self.policy, means.goals, examine_bytes, dict, self.watch)
        return Agent(ledger, services, hook)

    def goals(self, world: World) -> Goals:
        return AccessGoals(world, "cfs", self.gates, lasts_days=self.lasts_days)

    def ledger(self) -> Ledger:
        return Ledger(self.root / "ledger.sqlite", clock=self.watch)

    @property
    def rules(self) -> list[str]:
        return [
            rule["path"] for rule in self.globus.collections[collection_id("cfs")].rules.values()
        ]

    def mode(self, name: str) -> str:
        found = (self.root / "cfs" / FOLDER / name).stat()
        return f"{stat.S_IMODE(found.st_mode):o}"


@pytest.fixture
def facility(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Facility]:
    desk = FaultDesk(ManualClock())
    policy, group = policy_of(tmp_path), unix_group()
    secrets = FileCredentials(tmp_path / "secrets")
    patience = Patience(http_s=5.0, call_s=20.0, login_s=8.0, retries=0, backoff_s=0.0)
    with Globus({"cfs": tmp_path / "cfs"}, desk) as globus:
        globus.add_client(SERVICE, CANARY)
        for name, value in globus.environment.items():
            monkeypatch.setenv(name, value)
        transfer = GlobusTransfer(
            lambda: service_account(SERVICE, CANARY, secrets, patience), patience=patience
        )
        known = {FOLDER: group, "BLS-00002_b": group}
        posix = PosixRules(str(tmp_path / "cfs"), ProposalGroups(table=known), "group")
        ids = ProposalGroups(table=dict.fromkeys(known, GROUP))
        gates = (
            PosixGate(HereScripts(), posix),
            GlobusGate(transfer, GlobusRules(collection_id("cfs"), ids)),
        )
        yield Facility(tmp_path, policy, globus, desk, gates, group)
        desk.clear()
        transfer.close()


def state_of(agent: Agent) -> GoalRecord:
    (record,) = (r for key, r in agent.observed.goals.items() if "/access/" in key)
    return record


def run_to_the_end(facility: Facility, hook: Hook = no_hook, turns: int = 12) -> GoalRecord:
    with facility.ledger() as ledger:
        agent = facility.agent(ledger, hook)
        for _ in range(turns):
            try:
                agent.turn()
            except Killed:
                agent = facility.agent(ledger)
            facility.watch.advance(60.0)
        return state_of(agent)


def admitted(facility: Facility, name: str = "a $(x) 'é\".h5") -> str:
    with facility.ledger() as ledger:
        ask_admit(ledger, raw_file(facility.root, name))
    return name


def world_of(facility: Facility, *scans: ScanFacts) -> World:
    observed = Observed(scans={scan.id[:32]: scan for scan in scans})
    return World(facility.policy, observed, facility.watch)


def facts(facility: Facility, path: str, proposal: str = FOLDER, number: int = 1) -> ScanFacts:
    """A scan whose copy is there already."""
    copy = facility.root / "cfs" / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"x")
    return ScanFacts(
        f"{number:064x}"[::-1], str(facility.root / "raw" / path), 1, "0" * 64, proposal,
        admitted_s=START_S,
    )  # fmt: skip


def key_of(scan: ScanFacts) -> str:
    return GoalKey(scan.id[:32], Product.ACCESS, "cfs").text


def act(goals: Goals, *keys: str) -> str:
    return goals.act(Intent("w", keys, START_S), lambda _: None)


def test_a_scan_is_opened_to_its_people_once_it_is_there(facility: Facility) -> None:
    name = admitted(facility)
    record = run_to_the_end(facility)
    assert record.state.kind is StateKind.MET
    assert record.evidence is not None
    assert f"file system: {facility.group} by group; Globus: {GROUP} r by rule " in (
        record.evidence.record
    )
    assert record.evidence.where.endswith(name)
    assert facility.mode(name) == "640"
    assert facility.mode("") == "2750"
    assert facility.rules == [f"/{FOLDER}/"]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kill_at_any_boundary_leads_to_the_same(facility: Facility, boundary: str) -> None:
    name, killed = admitted(facility), []

    def hook(where: str) -> None:
        # The copy has the same boundaries; the second is that of access.
        killed.append(where)
        if killed.count(boundary) == 2:
            raise Killed

    assert run_to_the_end(facility, hook).state.kind is StateKind.MET
    assert killed.count(boundary) >= 2
    assert facility.mode(name) == "640"
    assert facility.rules == [f"/{FOLDER}/"]


@pytest.mark.parametrize(
    "name", [FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.TRUNCATED,
             FaultName.TOO_MANY, FaultName.SERVER_ERROR, FaultName.UNAUTHORIZED,
             FaultName.FORBIDDEN]
)  # fmt: skip
def test_a_fault_is_told_and_leads_to_one_rule_when_it_is_over(
    facility: Facility, name: FaultName
) -> None:
    admitted(facility)
    number = facility.desk.put(
        Fault(name, "transfer" if name is FaultName.REFUSED else "transfer * */access*")
    )
    state = run_to_the_end(facility, turns=6).state
    assert state.kind in (StateKind.RETRY, StateKind.BLOCKED)
    assert state.cause
    facility.desk.take(number)
    facility.watch.advance(4000.0)
    assert run_to_the_end(facility).state.kind is StateKind.MET
    assert facility.rules == [f"/{FOLDER}/"]


@pytest.mark.parametrize("proposal", ["", "None", "BLS-99999"])
def test_a_missing_or_wrong_proposal_opens_nothing_and_asks(
    facility: Facility, proposal: str
) -> None:
    scan = facts(facility, f"{FOLDER}/a.h5", proposal)
    goals = facility.goals(world_of(facility, scan))
    for ask in (lambda: act(goals, key_of(scan)), lambda: goals.observe([key_of(scan)])):
        with pytest.raises(NeedsPersonError):
            ask()
    assert facility.rules == []
    assert facility.mode("a.h5") != "640"


@pytest.mark.parametrize("below", ["", "deep/"])
def test_a_folder_of_two_proposals_is_opened_to_neither(facility: Facility, below: str) -> None:
    """Nor one that holds another's below it: rules and groups reach all the way down."""
    ours = facts(facility, f"{FOLDER}/a.h5")
    theirs = facts(facility, f"{FOLDER}/{below}b.h5", "BLS-00002_b", 2)
    goals = facility.goals(world_of(facility, ours, theirs))
    for scan in (ours, theirs):
        with pytest.raises(BlockedError, match="more than one proposal"):
            act(goals, key_of(scan))
    assert facility.rules == []


def test_a_right_that_somebody_took_away_is_no_evidence(facility: Facility) -> None:
    scan = facts(facility, f"{FOLDER}/a.h5")
    goals, key = facility.goals(world_of(facility, scan)), key_of(scan)
    assert goals.observe([key]) == {}
    act(goals, key)
    assert key in goals.observe([key])
    (facility.root / "cfs" / FOLDER / "a.h5").chmod(0o600)
    assert goals.observe([key]) == {}
    act(goals, key)
    facility.globus.collections[collection_id("cfs")].rules.clear()
    assert goals.observe([key]) == {}
    act(goals, key)
    assert key in goals.observe([key])
    goals.cancel("w")
    assert key in goals.observe([key])


def test_access_ends_by_the_calendar_and_is_taken_away(facility: Facility) -> None:
    """A rule stays as long as the newest scan of its folder; then the audit finds it."""
    facility.lasts_days = 30.0
    name = admitted(facility)
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)
        for _ in range(8):
            agent.turn()
            facility.watch.advance(60.0)
        assert state_of(agent).state.kind is StateKind.MET
        assert facility.rules == [f"/{FOLDER}/"]
        facility.watch.advance(29 * 86400.0)
        agent.turn()
        assert facility.rules == [f"/{FOLDER}/"]
        facility.watch.advance(8 * 86400.0)
        for _ in range(6):
            agent.turn()
            facility.watch.advance(120.0)
        record = state_of(agent)
    assert facility.rules == []
    assert facility.mode(name) == "600"
    assert record.state.kind is StateKind.MET
    assert record.evidence is not None
    assert record.evidence.record.startswith("ended 20")


def test_a_newer_scan_of_the_folder_keeps_it_open(facility: Facility) -> None:
    facility.lasts_days = 30.0
    old = facts(facility, f"{FOLDER}/a.h5")
    new = replace(facts(facility, f"{FOLDER}/b.h5", number=2), admitted_s=START_S + 20 * 86400.0)
    goals = facility.goals(world_of(facility, old, new))
    facility.watch.advance(40 * 86400.0)
    act(goals, key_of(old), key_of(new))
    assert len(goals.observe([key_of(old), key_of(new)])) == 2
    assert facility.rules == [f"/{FOLDER}/"]
    facility.watch.advance(11 * 86400.0)
    assert goals.observe([key_of(old)]) == {}
    act(goals, key_of(old))
    assert goals.observe([key_of(old)])
    assert facility.rules == []


def test_scans_beside_the_folders_do_not_hinder_and_are_opened_to_nobody(
    facility: Facility,
) -> None:
    ours = facts(facility, f"{FOLDER}/a.h5")
    beside = facts(facility, f"{FOLDER}-other/b.h5", "BLS-00002_b", 2)
    loose = facts(facility, "c.h5", "BLS-00002_b", 3)
    goals = facility.goals(world_of(facility, ours, beside, loose))
    act(goals, key_of(ours))
    assert goals.observe([key_of(ours)])
    assert facility.rules == [f"/{FOLDER}/"]
    with pytest.raises(NeedsPersonError, match="no folder of its proposal"):
        act(goals, key_of(loose))
    assert facility.rules == [f"/{FOLDER}/"]


def test_a_place_without_a_gate_says_so(facility: Facility) -> None:
    with pytest.raises(BlockedError, match="nobody gives access"):
        AccessGoals(world_of(facility), "cfs", ())
