"""The whole facility: its papers, its memory, its faults by command, and the real clients."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from alsct_gui.files.profiles import load_profile
from alsct_gui.model.errors import InputError, RemoteError, UsageError
from alsct_gui.placement.policy import load_policy
from alsct_gui.simulator.facility.desk import Desk, read_card
from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.simulator.facility.kinds import KIND, KINDS
from alsct_gui.simulator.facility.outages import CFS as CFS_RESOURCE
from alsct_gui.simulator.facility.serve import FacilityProcess
from alsct_gui.simulator.facility.world import Pace, World
from alsct_gui.superfacility.compute.base import JobStatus
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import OutsideError
from alsct_gui.superfacility.transfer.base import Reason, TransferItem, TransferState
from tests.cli.conftest import Alsct, alsct  # noqa: F401 (a fixture)
from tests.simulator.facility.clients import CFS, Clients, clients_of, wait_until

QUICK = Pace(rate_bytes_per_s=None, queue_wait_s=0.0, rest_s=0.0)
LINE = (
    FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.STALL,
    FaultName.STALL_AFTER, FaultName.TRUNCATED, FaultName.GARBLED, FaultName.UNAUTHORIZED,
    FaultName.FORBIDDEN, FaultName.TOO_MANY, FaultName.SERVER_ERROR, FaultName.BAD_GATEWAY,
    FaultName.UNAVAILABLE,
)  # fmt: skip


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("facility") / "root", QUICK) as running:
        yield running


@pytest.fixture
def clients(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    with clients_of(world.tree.root, monkeypatch.setenv) as made:
        yield made


@pytest.fixture
def hasty(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients for services that do not answer."""
    with clients_of(world.tree.root, monkeypatch.setenv, 1.5) as made:
        yield made


def test_its_papers_are_good_and_its_secrets_private(world: World) -> None:
    profile, policy = load_profile(world.tree.profile), load_policy(world.tree.policy)
    assert Path(profile.folders.raw) == world.tree.raw
    for collection in profile.collections:
        assert Path(collection.root).is_dir()
        assert collection.uuid in world.globus.collections
    roots = [Path(place.root) for place in policy.places if place.root]
    assert len(roots) >= 3
    assert all(root.is_dir() and root.is_relative_to(world.tree.root) for root in roots)
    for path in world.tree.credentials.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(world.tree.credentials.stat().st_mode) == 0o700
    lines = (world.tree.root / "environment").read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == read_card(world.tree.card).environment


def test_one_facility_in_a_folder_and_none_where_jobs_cannot_work(
    world: World, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="another facility runs there"), World(world.tree.root):
        pass
    with pytest.raises(UsageError, match="cannot work in this folder"):
        World(tmp_path / "a b")


def test_the_card_goes_with_the_facility(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with World(root, QUICK) as world:
        desk = Desk(read_card(world.tree.card).control)
        assert desk.status()["faults"] == []
    with pytest.raises(InputError, match="no facility runs there"):
        read_card(world.tree.card)
    with pytest.raises(RemoteError, match="does not answer"):
        desk.status()


def test_every_fault_has_words_and_only_this_machine_has_desks() -> None:
    assert set(KIND) == set(FaultName)
    assert len(KINDS) == len(KIND)
    with pytest.raises(UsageError, match="on this machine alone"):
        Desk("http://192.0.2.1:80")


def test_faults_by_command(world: World, alsct: Alsct) -> None:  # noqa: F811
    at = ("--at", world.tree.root)
    assert alsct("facility", "put", "planned-outage", "--in-s", 60, "--for-s", 30, *at).code == 0
    assert alsct("facility", "put", "503", "--count", 2, "--value", 7, *at, "--json").data == {
        "number": 2
    }
    first, second = alsct("facility", "faults", "--json", *at).data["faults"]
    assert (first["name"], first["where"]) == ("planned-outage", "perlmutter")
    assert first["end_s"] - first["start_s"] == pytest.approx(30)
    assert (second["count"], second["value"], second["where"]) == (2, 7, "*")
    assert alsct("facility", "clear", 1, *at).code == 0
    assert [f.name for f in world.desk.faults().values()] == [FaultName.UNAVAILABLE]
    assert alsct("facility", "clear", *at).code == 0
    assert alsct("facility", "faults", *at).out == "no faults\n"
    wrong = alsct("facility", "put", "flood", *at)
    assert wrong.code == UsageError.exit_code
    assert "Name one of refused" in wrong.err
    known = alsct("facility", "faults", "--known", "--json").data["known"]
    assert [row["name"] for row in known] == [str(kind.name) for kind in KINDS]
    facts = alsct("facility", "status", "--json", *at).data
    assert facts["root"] == str(world.tree.root)
    assert "process" in alsct("facility", "status", *at).out


def put(alsct: Alsct, world: World, name: FaultName, *words: object) -> None:  # noqa: F811
    assert alsct("facility", "put", name, "--at", world.tree.root, *words).code == 0


def test_every_fault_of_the_line_strikes_both_services(
    world: World, hasty: Clients, alsct: Alsct  # noqa: F811
) -> None:  # fmt: skip
    clients = hasty
    (world.tree.cfs / "raw/a.h5").write_bytes(b"raw")
    item = (TransferItem("a.h5", "a.h5"),)
    calls = (lambda: clients.globus.verify(CFS, item), lambda: clients.nersc.status("31000001"))
    for name in LINE:
        for call in calls:
            call()
        put(alsct, world, name)
        for call in calls:
            with pytest.raises(OutsideError):
                call()
        if name is not FaultName.REFUSED:
            assert world.desk.struck(name) >= 2, name
        world.desk.clear()
    put(alsct, world, FaultName.NOT_FOUND, "--where", "sfapi GET */compute/*")
    with pytest.raises(OutsideError):
        calls[1]()


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        (FaultName.PAUSED, TransferState.PAUSED, Reason.PAUSED),
        (FaultName.PERMISSION_DENIED, TransferState.STALLED, Reason.PERMISSION),
        (FaultName.QUOTA, TransferState.STALLED, Reason.QUOTA),
        (FaultName.DISK_FULL, TransferState.STALLED, Reason.DISK_FULL),
        (FaultName.BAD_CHECKSUM, TransferState.ACTIVE, Reason.CHECKSUM),
        (FaultName.CREDENTIALS_EXPIRED, TransferState.NEEDS_PERSON, Reason.LOGIN),
        (FaultName.STUCK, TransferState.ACTIVE, Reason.NONE),
        (FaultName.OUTAGE, TransferState.ACTIVE, Reason.UNREACHABLE),
    ],
)
def test_every_fault_of_transfers_strikes_and_passes(
    world: World, clients: Clients, alsct: Alsct, name: FaultName, state: TransferState,  # noqa: F811
    reason: Reason,
) -> None:  # fmt: skip
    words = ("--where", "community_filesystem") if name is FaultName.OUTAGE else ()
    put(alsct, world, name, *words)
    task = clients.transfer("BLS-1/a b.h5", b"raw" * 1000)
    wait_until(
        lambda: (
            (clients.globus.status(task).state, clients.globus.status(task).reason)
            == (state, reason)
        ),
        f"{name} shows",
    )
    assert alsct("facility", "clear", "--at", world.tree.root).code == 0
    wait_until(
        lambda: clients.globus.status(task).state is TransferState.SUCCEEDED, f"{name} is over"
    )
    assert (world.tree.cfs / "raw/BLS-1/a b.h5").read_bytes() == b"raw" * 1000


def test_a_consent_is_asked_for_and_given(
    world: World, clients: Clients, alsct: Alsct  # noqa: F811
) -> None:  # fmt: skip
    put(alsct, world, FaultName.CONSENT_REQUIRED, "--count", 1)
    task = clients.transfer("a.h5", b"raw")
    assert world.desk.struck(FaultName.CONSENT_REQUIRED) == 1
    wait_until(lambda: clients.globus.status(task).state is TransferState.SUCCEEDED, "it is there")


def test_every_fault_of_jobs_strikes_and_passes(
    world: World, clients: Clients, alsct: Alsct  # noqa: F811
) -> None:  # fmt: skip
    nersc = clients.nersc

    def ended(id_: str) -> JobStatus:
        wait_until(lambda: nersc.status(id_).is_final, f"job {id_} has ended")
        return nersc.status(id_)

    for number, (name, state) in enumerate([
        (FaultName.NODE_FAIL, JobState.NODE_FAIL), (FaultName.TIMEOUT, JobState.TIMEOUT),
        (FaultName.NO_OUTPUT, JobState.COMPLETED),
    ]):  # fmt: skip
        put(alsct, world, name, "--count", 1)
        job = clients.job(f"k{number}")
        assert ended(nersc.submit(job)).state is state
        assert nersc.progress(job.name) is None
        assert world.desk.struck(name) == 1
    put(alsct, world, FaultName.HELD)
    held = nersc.submit(clients.job("held"))
    wait_until(lambda: nersc.status(held).reason == "JobHeldUser", "it is held")
    world.desk.clear()
    assert ended(held).state is JobState.COMPLETED
    put(alsct, world, FaultName.JOB_NOT_FOUND, "--where", "sfapi submit", "--count", 1)
    lost = nersc.submit(clients.job("lost"))
    assert ended(lost).state is JobState.COMPLETED
    put(alsct, world, FaultName.JOB_NOT_FOUND, "--where", "sfapi jobs")
    assert nersc.status(lost).state is JobState.COMPLETED
    assert world.desk.struck(FaultName.JOB_NOT_FOUND) >= 2
    world.desk.clear()
    for name in (FaultName.OUTAGE, FaultName.PLANNED_OUTAGE):
        put(alsct, world, name)
        with pytest.raises(OutsideError):
            nersc.submit(clients.job(f"in {name}"))
        world.desk.clear()
    assert ended(nersc.submit(clients.job("after"))).state is JobState.COMPLETED


def test_a_planned_outage_begins_and_ends_by_the_clock(world: World, clients: Clients) -> None:
    desk = Desk(world.card.control)
    desk.put(FaultName.REFUSED, where="sfapi", in_s=0.3, for_s=0.5)
    clients.nersc.status("31000001")

    def is_up() -> bool:
        try:
            clients.nersc.status("31000001")
        except OutsideError:
            return False
        return True

    wait_until(lambda: not is_up(), "it is away")
    wait_until(is_up, "it is back")


def test_a_faster_clock_ends_faults_and_moves_files_sooner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path / "root", Pace(speed=500.0, rate_bytes_per_s=100.0)) as world:
        desk = Desk(world.card.control)
        desk.put(FaultName.STUCK, for_s=60.0)
        with clients_of(world.tree.root, monkeypatch.setenv) as clients:
            task = clients.transfer("a.h5", bytes(10_000))
            state = TransferState.SUCCEEDED
            wait_until(lambda: clients.globus.status(task).state is state, "it has moved")
        assert world.facts()["speed"] == 500.0


def test_what_lies_on_the_file_system_is_out_of_reach_with_it(
    world: World, clients: Clients
) -> None:
    (world.tree.cfs / "raw/a.txt").write_text("raw")
    path = f"{world.tree.cfs}/raw/a.txt"
    assert clients.nersc._read_text(path) == "raw"
    world.desk.put(Fault(FaultName.OUTAGE, CFS_RESOURCE))
    with pytest.raises(OutsideError, match="Input/output error"):
        clients.nersc._read_text(path)
    assert clients.nersc._read_text(f"{world.tree.jobs}/none") is None
    world.desk.clear()
    assert clients.nersc._read_text(path) == "raw"


def test_a_facility_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    facility = FacilityProcess(root, Pace(rate_bytes_per_s=2e5, queue_wait_s=0.0))
    before = facility.start()
    try:
        with clients_of(root, monkeypatch.setenv) as clients:
            scan = facility.tree.cfs / "raw" / "scan.h5"
            gate = scan.with_suffix(".gate")
            gate.touch()
            job = clients.job("work", str(scan))
            id_ = clients.nersc.submit(job)
            wait_until(lambda: clients.nersc.status(id_).state is JobState.RUNNING, "it runs")
            task = clients.transfer("big.h5", bytes(600_000))
            facility.kill()
            with pytest.raises(OutsideError):
                clients.nersc.status(id_)
            assert facility.start().ports == before.ports
            assert clients.nersc.status(id_).state is JobState.RUNNING
            assert clients.nersc.submit(job) == id_
            gate.unlink()
            wait_until(lambda: clients.nersc.status(id_).is_final, "the job has ended")
            assert clients.nersc.status(id_).state is JobState.COMPLETED
            assert clients.nersc.progress(job.name) is not None
            wait_until(
                lambda: clients.globus.status(task).state is TransferState.SUCCEEDED, "all is there"
            )
            assert (facility.tree.cfs / "raw/big.h5").read_bytes() == bytes(600_000)
    finally:
        facility.stop()
