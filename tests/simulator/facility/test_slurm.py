"""The same jobs, run by a real Slurm where Debian's packages are installed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alsct_gui.model.errors import ResourceError
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.serve import FacilityProcess
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.simulator.facility.slurm_cluster import SlurmCluster, slurm_is_installed
from alsct_gui.simulator.facility.slurm_queue import SlurmQueue
from alsct_gui.simulator.facility.world import Pace
from alsct_gui.superfacility.compute.base import JobRequest, Resources, outcome
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import RefusedError
from tests.simulator.facility.clients import WORK, clients_of, wait_until
from tests.simulator.facility.test_names import KNOWN, TELL, names

pytestmark = pytest.mark.skipif(
    not slurm_is_installed(), reason="Slurm is not installed (installers/slurm-packages.txt)"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    with SlurmCluster(tmp_path_factory.mktemp("slurm")) as running:
        yield running


@pytest.fixture
def desk() -> FaultDesk:
    return FaultDesk()


@pytest.fixture
def service(
    cluster: SlurmCluster, desk: FaultDesk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SuperfacilityStandIn]:
    root = tmp_path_factory.mktemp("nersc").resolve()
    queue = SlurmQueue(cluster, root / "spool", desk)
    with SuperfacilityStandIn(root, desk, queue=queue) as running:
        yield running
        desk.clear()
        queue.jobs()


@pytest.fixture
def nersc(service: SuperfacilityStandIn) -> Iterator[Nersc]:
    key = service.tokens.write_key(service.root / "key.pem")
    access = Access(service.api_url, service.token_url, key, answer_s=20, submit_s=20)
    site = Site(
        f"{service.root}/jobs", mounts=(str(service.root),),
        program=(sys.executable, "-c", WORK),
    )  # fmt: skip
    made = Nersc(access, site, pause=lambda: None)
    yield made
    made.close()


def job(service: SuperfacilityStandIn, key: str, name: str = "scan.h5") -> JobRequest:
    resources = Resources("realtime", "als", "cpu", time_s=900, cpus=1)
    return JobRequest(key, f"{service.root}/raw/{name}", f"{service.root}/rec {name}", resources)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(names, min_size=5, max_size=20))
@example(list(KNOWN))
def test_names_go_through_sbatch_and_srun_unharmed(
    service: SuperfacilityStandIn, nersc: Nersc, told: list[str]
) -> None:
    """One job bears many names, in a container's place as it is started at NERSC."""
    site = replace(nersc._site, program=(sys.executable, "-c", TELL))
    own = Nersc(nersc._access, site, pause=lambda: None)
    try:
        asked = replace(job(service, "\0".join(told), f"{told[0]}.h5"), options=tuple(told))
        id_ = own.submit(asked)
        assert own.submit(asked) == id_
        assert service.slurm.wait(id_) == "COMPLETED", own.log(id_, asked.name)
        assert outcome(own.status(id_), own.progress(asked.name)).verdict == "done"
    finally:
        own.close()
    written = Path(site.folder) / f"{asked.name}.progress.told"
    words = [os.fsdecode(bytes(word)) for word in json.loads(written.read_text())]
    assert words[-len(told) - 2 :] == [*told, "--", asked.scan]
    assert not list(service.root.rglob("pwned"))


def test_a_job_is_held_released_and_cancelled(
    service: SuperfacilityStandIn, nersc: Nersc, desk: FaultDesk
) -> None:
    gate = service.root / "raw" / "scan.gate"
    gate.parent.mkdir()
    gate.touch()
    desk.put(Fault(FaultName.HELD, "sfapi job *"))
    id_ = nersc.submit(job(service, "held"))
    status = nersc.status(id_)
    assert (status.state, status.reason) == (JobState.PENDING, "JobHeldUser")
    desk.clear()
    wait_until(lambda: nersc.status(id_).state is JobState.RUNNING, "it runs")
    nersc.cancel(id_)
    wait_until(lambda: nersc.status(id_).is_final, "it has ended")
    assert nersc.status(id_).state is JobState.CANCELLED


def test_an_outage_takes_the_node_with_its_job_and_it_comes_back(
    service: SuperfacilityStandIn, nersc: Nersc, desk: FaultDesk
) -> None:
    gate = service.root / "raw" / "scan.gate"
    gate.parent.mkdir()
    gate.touch()
    id_ = nersc.submit(job(service, "lost"))
    wait_until(lambda: nersc.status(id_).state is JobState.RUNNING, "it runs")
    desk.put(Fault(FaultName.OUTAGE))
    assert service.slurm.wait(id_) == "NODE_FAIL"
    gate.unlink()
    desk.clear()
    assert nersc.status(id_).state is JobState.NODE_FAIL
    again = nersc.submit(job(service, "again"))
    assert service.slurm.wait(again) == "COMPLETED"


def test_faults_of_jobs_and_what_slurm_refuses(
    service: SuperfacilityStandIn, nersc: Nersc, desk: FaultDesk
) -> None:
    desk.put(Fault(FaultName.NO_OUTPUT, "sfapi job *", 1))
    asked = job(service, "empty")
    id_ = nersc.submit(asked)
    assert service.slurm.wait(id_) == "COMPLETED"
    assert outcome(nersc.status(id_), nersc.progress(asked.name)).verdict != "done"
    for name in (FaultName.NODE_FAIL, FaultName.TIMEOUT):
        gate = service.root / "raw" / "scan.gate"
        gate.parent.mkdir(exist_ok=True)
        gate.touch()
        desk.put(Fault(name, "sfapi job *", 1))
        id_ = nersc.submit(job(service, f"ends by {name}"))
        assert service.slurm.wait(id_) == name.value.upper().replace("-", "_")
    wrong = job(service, "wrong")
    wrong = replace(wrong, resources=replace(wrong.resources, constraint="no-such-node"))
    with pytest.raises(RefusedError, match="Invalid feature specification"):
        nersc.submit(wrong)
    assert nersc.wait_s(job(service, "how long")) is not None


def test_a_facility_with_slurm_goes_on_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    facility = FacilityProcess(root, Pace(queue_wait_s=0.0, slurm=True))
    facility.start()
    try:
        gate = facility.tree.cfs / "raw" / "scan.gate"
        gate.touch()
        with clients_of(root, monkeypatch.setenv) as clients:
            asked = clients.job("work", str(gate.with_suffix(".h5")))
            id_ = clients.nersc.submit(asked)
            wait_until(lambda: clients.nersc.status(id_).state is JobState.RUNNING, "it runs")
            facility.kill()
            facility.start()
            assert clients.nersc.submit(asked) == id_
            assert clients.nersc.status(id_).state is JobState.RUNNING
            gate.unlink()
            wait_until(lambda: clients.nersc.status(id_).is_final, "it has ended")
            assert clients.nersc.status(id_).state is JobState.COMPLETED
    finally:
        facility.stop()
    assert not words_of(tmp_path)


def test_nothing_of_it_is_left_and_its_folder_may_be_of_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20)
    with SlurmCluster(folder) as running:
        sockets = (folder / "sockets").readlink()
        assert (sockets / "munge.socket").is_socket()
        assert running.run("srun", "printf", "it runs").stdout == "it runs"
        assert running.run("sinfo", "-h", "-o", "%T").stdout.strip() == "idle"
        assert running.run("sacct").stderr.strip() == "Slurm accounting storage is disabled"
    assert not sockets.exists()
    assert not words_of(tmp_path)


def test_sockets_that_would_be_of_a_long_path_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with pytest.raises(ResourceError, match="too long"), SlurmCluster(tmp_path / "slurm"):
        pass
    assert not list(temporary.iterdir())


def words_of(folder: Path) -> list[str]:
    """Command lines of the processes that were started with something in a folder."""
    found = psutil.process_iter(["cmdline"])
    words = [" ".join(process.info["cmdline"] or ()) for process in found]
    return [text for text in words if str(folder) in text]
