"""Goals of records: a real agent, the real client, SciCat on loopback; one record each."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import certifi
import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
)
from alsct_gui.model.policy import Lane, Patience, Place, Policy, Product, Site, Wish
from alsct_gui.placement.admission import Admission
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.events import EventKind, event, lean
from alsct_gui.placement.goals.base import BlockedError, Clock, Intent, World
from alsct_gui.placement.goals.base import Goals as GoalsProtocol
from alsct_gui.placement.goals.records import NotMadeError, RecordGoals, RecordSettings
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import check_policy, recipe_hash
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means
from alsct_gui.placement.wanted import Wanted
from alsct_gui.placement.works import Hook, no_hook
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.scicat import INGESTOR, ScicatStandIn
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.metadata.build import RecordRules
from alsct_gui.superfacility.metadata.products import FolderProducts
from alsct_gui.superfacility.metadata.scicat import Scicat
from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess
from alsct_gui.superfacility.proposals import ProposalGroups
from tests.placement.conftest import KNOWN
from tests.placement.crashing import examine_opened
from tests.placement.placing import START_S, Watch

HASH = recipe_hash(KNOWN)
SETTINGS = RecordSettings(
    RecordRules("p", "b@example.org", ProposalGroups(r"BLS-\d{5}", r"\g<0>"), ("832",)),
    readers={"made": FolderProducts()},
)
BOUNDARIES = ("observed", "intent", "acted", "recorded", "polled", "seen", "ended")


class Killed(BaseException):
    """Stands for the end of the process at a boundary."""


def policy_of(root: Path, **changes: object) -> Policy:
    words: dict[str, object] = {
        "name": "records",
        "sites": (Site("here", outside=False), Site("nersc")),
        "lanes": (Lane("here", 4, 1, poll_s=0.0), Lane("services", 4, 1, poll_s=0.0)),
        "places": (
            Place("raw", "here", "here", str(root / "raw")),
            Place("made", "here", "here", str(root / "made")),
            Place("scicat", "nersc", "services", links=("scicat",)),
        ),
        "admitted": "raw",
        "wishes": (Wish("a record", Product.METADATA, ("scicat",)),),
        "patience": Patience(30.0, 2.0, 600.0, 3),
    }
    return Policy(**{**words, **changes})  # type: ignore[arg-type]


@dataclass
class Facility:
    """Folders, SciCat, a clock; agents come and go."""

    root: Path
    policy: Policy
    service: ScicatStandIn
    desk: FaultDesk
    scicat: Scicat
    watch: Watch
    proposal: str = "BLS-00564"

    def agent(self, ledger: Ledger, hook: Hook = no_hook) -> Agent:
        def make(world: World, key: GoalKey) -> GoalsProtocol:
            return RecordGoals(world, self.scicat, SETTINGS)

        means = Means(
            self.policy, self.watch, RunQueue(self.root / "runs"),
            makers={(Product.METADATA, "services"): make},
        )  # fmt: skip
        services = Services(self.policy, means.goals, self.examine, dict, self.watch)
        return Agent(ledger, services, hook)

    def examine(self, path: Path, clock: Clock) -> Admission:
        """A scan of this proposal, whatever its file says."""
        found = examine_opened(path, clock)
        assert found.scan is not None
        return replace(found, scan=replace(found.scan, proposal=self.proposal))

    def ledger(self) -> Ledger:
        return Ledger(self.root / "ledger.sqlite", clock=self.watch)

    def admit(self, scan: Path) -> Path:
        path = self.root / "raw" / "BLS-00564_a" / scan.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(scan, path)
        return path


@pytest.fixture
def facility(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Facility]:
    text = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----\n"
    (tmp_path / "one.pem").write_text(text[text.index("-----BEGIN") : text.index(end) + len(end)])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
    desk = FaultDesk(ManualClock())
    credentials = FileCredentials(tmp_path / "secrets")
    credentials.put("scicat", INGESTOR.password)
    with ScicatStandIn(desk, memory=tmp_path / "scicat.json") as service:
        access = ScicatAccess(service.url, INGESTOR.name, answer_s=1.0)
        policy = policy_of(tmp_path)
        yield Facility(tmp_path, policy, service, desk, Scicat(access, credentials), Watch())
        desk.clear()


@pytest.fixture
def world(facility: Facility, scan: Path) -> World:
    path = facility.admit(scan)
    with open_scan(path) as opened:
        identity = quick_identity(opened)
    facts = ScanFacts(identity, str(path), path.stat().st_size, "ab" * 32, "BLS-00564")
    return World(facility.policy, Observed(scans={identity[:32]: facts}), facility.watch)


def goals_of(facility: Facility, world: World) -> RecordGoals:
    return RecordGoals(world, facility.scicat, SETTINGS)


def key_of(world: World, recipe: str = "-") -> str:
    (part,) = world.observed.scans
    return GoalKey(part, Product.METADATA, "scicat", recipe).text


def act(goals: RecordGoals, key: str, work: str = "w") -> str:
    return goals.act(Intent(work, (key,), START_S), lambda _: None)


def reconstruct(facility: Facility, world: World) -> Path:
    """Make a reconstruction, and let the ledger know it."""
    (scan,) = world.observed.scans.values()
    output = facility.root / "made" / "rec a.zarr"
    output.parent.mkdir(exist_ok=True)
    with open_scan(Path(scan.path)) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    key = GoalKey(scan.id[:32], Product.RECONSTRUCTION, "made", HASH).text
    evidence = Evidence(str(output), START_S, slices=80)
    world.observed.goals[key] = GoalRecord(key, MET, START_S, evidence)
    return output


def state_of(agent: Agent) -> GoalRecord:
    (record,) = (r for key, r in agent.observed.goals.items() if "/metadata/" in key)
    return record


def run_to_the_end(facility: Facility, hook: Hook = no_hook, turns: int = 12) -> GoalRecord:
    """Let agents work, a new one after each kill, a minute apart."""
    with facility.ledger() as ledger:
        agent = facility.agent(ledger, hook)
        for _ in range(turns):
            try:
                agent.turn()
            except Killed:
                agent = facility.agent(ledger)
            facility.watch.advance(60.0)
        return state_of(agent)


def one_record(facility: Facility) -> None:
    assert len(facility.service.datasets) == len(facility.service.blocks) == 1


def test_a_scan_gets_its_record(facility: Facility, scan: Path) -> None:
    path = facility.admit(scan)
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
    record = run_to_the_end(facility)
    assert record.state.kind is StateKind.MET
    assert record.evidence is not None
    pid, mark = record.evidence.record.split()
    assert pid in facility.service.datasets
    assert len(mark) == 16
    assert "%2F" in record.evidence.where
    one_record(facility)
    plain = facility.service.datasets[pid]
    assert (plain["sourceFolder"], plain["isPublished"]) == (str(path.parent), False)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kill_at_any_boundary_leads_to_one_record(
    facility: Facility, scan: Path, boundary: str
) -> None:
    with facility.ledger() as ledger:
        ask_admit(ledger, facility.admit(scan))
    killed = []

    def hook(where: str) -> None:
        if where == boundary and not killed:
            killed.append(where)
            raise Killed

    assert run_to_the_end(facility, hook).state.kind is StateKind.MET
    assert killed
    one_record(facility)


@pytest.mark.parametrize(
    "name", [FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.TRUNCATED,
             FaultName.STALL_AFTER, FaultName.UNAUTHORIZED, FaultName.FORBIDDEN,
             FaultName.TOO_MANY, FaultName.SERVER_ERROR, FaultName.UNAVAILABLE]
)  # fmt: skip
def test_a_fault_is_told_and_leads_to_one_record_when_it_is_over(
    facility: Facility, scan: Path, name: FaultName
) -> None:
    with facility.ledger() as ledger:
        ask_admit(ledger, facility.admit(scan))
        where = "scicat" if name is FaultName.REFUSED else "scicat POST *"
        number = facility.desk.put(Fault(name, where))
        agent = facility.agent(ledger)
        for _ in range(2):
            agent.turn()
        state = state_of(agent).state
        by_person = name in (FaultName.UNAUTHORIZED, FaultName.FORBIDDEN)
        assert state.kind is (StateKind.BLOCKED if by_person else StateKind.RETRY)
        assert "SciCat" in state.cause
        facility.desk.take(number)
    facility.watch.advance(4000.0)
    assert run_to_the_end(facility).state.kind is StateKind.MET
    one_record(facility)


def test_nothing_secret_comes_into_the_ledger_or_the_log(
    facility: Facility, scan: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with facility.ledger() as ledger:
        ask_admit(ledger, facility.admit(scan))
        for name in (FaultName.GARBLED, FaultName.FORBIDDEN, FaultName.SERVER_ERROR):
            number = facility.desk.put(Fault(name, "scicat POST *"))
            facility.agent(ledger).turn()
            facility.desk.take(number)
            facility.watch.advance(4000.0)
    assert run_to_the_end(facility).state.kind is StateKind.MET
    told = b"".join(path.read_bytes() for path in facility.root.glob("ledger*"))
    told += caplog.text.encode()
    assert b"SciCat" in told
    for secret in (INGESTOR.password, *facility.service.issued):
        assert secret.encode() not in told


@pytest.mark.parametrize("proposal", ["", "None", "wrong"])
def test_a_missing_or_wrong_proposal_is_put_to_a_person(
    facility: Facility, scan: Path, proposal: str
) -> None:
    facility.proposal = proposal
    with facility.ledger() as ledger:
        ask_admit(ledger, facility.admit(scan))
    record = run_to_the_end(facility, turns=3)
    assert record.state.kind is StateKind.BLOCKED
    assert "proposal" in record.state.cause
    assert record.state.fix
    assert facility.service.datasets == {}


def test_a_record_that_somebody_took_away_is_made_again(facility: Facility, world: World) -> None:
    goals, key = goals_of(facility, world), key_of(world)
    act(goals, key)
    assert key in goals.observe([key])
    facility.service.datasets.clear()
    facility.service.blocks.clear()
    assert goals.observe([key]) == {}
    act(goals, key)
    assert key in goals.observe([key])
    one_record(facility)


def test_a_record_that_says_otherwise_is_no_evidence(facility: Facility, world: World) -> None:
    goals, key = goals_of(facility, world), key_of(world)
    assert goals.poll(act(goals, key)) == MET
    goals.cancel("w")
    (plain,) = facility.service.datasets.values()
    plain["sourceFolder"] = "/elsewhere"
    assert goals.observe([key]) == {}
    act(goals, key, "again")
    assert goals.observe([key])
    plain["ownerGroup"] = "BLS-00001"
    assert goals.observe([key]) == {}
    with pytest.raises(NeedsPersonError, match="BLS-00001"):
        act(goals, key, "again")


def test_a_file_that_has_gone_keeps_its_record(facility: Facility, world: World) -> None:
    """As after pruning: the ledger knows enough to look again, not enough to make one."""
    goals, key = goals_of(facility, world), key_of(world)
    act(goals, key)
    Path(world.scan(key).path).unlink()
    assert goals.observe([key])
    (block,) = facility.service.blocks.values()
    block["dataFileList"][0]["chk"] = "00" * 32
    assert goals.observe([key]) == {}
    with pytest.raises(BlockedError, match="cannot be read here"):
        act(goals, key)


def test_another_file_of_that_name_is_not_told_as_the_scan(
    facility: Facility, world: World
) -> None:
    goals, key = goals_of(facility, world), key_of(world)
    path = Path(world.scan(key).path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BlockedError, match="not what was admitted"):
        act(goals, key)
    path.rename(path.with_suffix(".other"))
    path.symlink_to(path.with_suffix(".other"))
    with pytest.raises(BlockedError, match="not what was admitted"):
        act(goals, key)
    assert facility.service.datasets == {}


def test_a_reconstruction_gets_a_record_of_its_own(facility: Facility, world: World) -> None:
    goals, raw, derived = goals_of(facility, world), key_of(world), key_of(world, HASH)
    assert goals.observe([raw, derived]) == {}
    with pytest.raises(NotMadeError):
        act(goals, derived)
    act(goals, raw)  # which does not wait for the other
    output = reconstruct(facility, world)
    act(goals, derived)
    act(goals, derived)
    found = goals.observe([raw, derived])
    assert set(found) == {raw, derived}
    kinds = {plain["type"]: plain for plain in facility.service.datasets.values()}
    assert set(kinds) == {"raw", "derived"}
    made = kinds["derived"]
    assert made["inputDatasets"] == [kinds["raw"]["pid"]]
    assert made["jobParameters"]["recipe"]["center"]["center_px"] == 31.2
    assert any(text.startswith("alsct-gui ") for text in made["usedSoftware"])
    assert (made["sourceFolder"], made["isPublished"]) == (str(output), False)
    (block,) = facility.service.blocks_of(made["pid"])
    assert {row["path"] for row in block["dataFileList"]} >= {"zarr.json", "0/zarr.json"}
    assert made["jobParameters"]["input_sha256"] == read_provenance(output).input_sha256
    # The product goes, its record stays; the place where nobody reads calls somebody.
    shutil.rmtree(output)
    world.observed.goals.clear()
    assert derived in goals.observe([derived])
    key = GoalKey(key_of(world)[:32], Product.RECONSTRUCTION, "raw", HASH).text
    evidence = Evidence("/elsewhere", START_S, slices=80)
    world.observed.goals[key] = GoalRecord(key, MET, START_S, evidence)
    with pytest.raises(NeedsPersonError, match="cannot be read from here"):
        act(goals, derived)


def test_a_place_that_is_none_is_refused_at_once(facility: Facility, world: World) -> None:
    for name in ("nowhere", "scicat"):
        with pytest.raises(BlockedError, match="no place with a folder"):
            RecordGoals(world, facility.scicat, replace(SETTINGS, raw_place=name))
    elsewhere = RecordGoals(world, facility.scicat, replace(SETTINGS, raw_place="made"))
    act(elsewhere, key_of(world))
    (plain,) = facility.service.datasets.values()
    assert plain["sourceFolder"] == str(facility.root / "made" / "BLS-00564_a")


def test_the_record_of_a_reconstruction_waits_for_it(tmp_path: Path) -> None:
    wishes = (
        Wish("made", Product.RECONSTRUCTION, ("made",), recipe="r", need="any"),
        Wish("its record", Product.METADATA, ("scicat",), recipe="r"),
        Wish("a record", Product.METADATA, ("scicat",)),
    )
    policy = policy_of(tmp_path, wishes=wishes, recipes={"r": HASH})
    check_policy(policy)
    plan = Wanted(policy).plan(ScanFacts("0" * 64, "/raw/a", 1, "0" * 64))
    needs = {aim.suffix: (aim.needs, aim.needs_one) for aim in plan.every}
    made = f"/reconstruction/made/{HASH}"
    assert needs[f"/metadata/scicat/{HASH}"] == (("/raw/raw/-", made), ())
    assert needs["/metadata/scicat/-"] == (("/raw/raw/-",), ())


def test_a_record_of_a_reconstruction_wanted_anywhere_is_there_once_one_is(
    facility: Facility, scan: Path
) -> None:
    """While none is, it waits, however long: it is neither tried nor blocked."""
    there = Place("there", "nersc", "nowhere", links=("nersc",))
    wishes = (
        Wish("made", Product.RECONSTRUCTION, ("there", "made"), recipe="r", need="any"),
        Wish("its record", Product.METADATA, ("scicat",), recipe="r"),
    )
    policy = policy_of(
        facility.root, wishes=wishes, recipes={"r": HASH},
        places=(*facility.policy.places, there), lanes=(*facility.policy.lanes, Lane("nowhere")),
    )  # fmt: skip
    facility.policy = policy
    path = facility.admit(scan)
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
    record = run_to_the_end(facility, turns=20)
    assert (record.state.kind, record.attempts) == (StateKind.WAITING, 0)
    assert record.state.waits_for == "a reconstruction"
    assert facility.service.datasets == {}
    with facility.ledger() as ledger:
        (part,) = ledger.observed().scans
        key = GoalKey(part, Product.RECONSTRUCTION, "made", HASH).text
        output = facility.root / "made" / "rec a.zarr"
        output.parent.mkdir(exist_ok=True)
        with open_scan(path) as opened:
            run_job(prepare_job(opened, KNOWN), output)
        evidence = lean(Evidence(str(output), facility.watch(), slices=80))
        ledger.append([event(EventKind.MET, keys=[key], evidence=evidence)])
    assert run_to_the_end(facility, turns=3).state.kind is StateKind.MET
    (plain,) = facility.service.datasets.values()
    assert plain["sourceFolder"] == str(output)
