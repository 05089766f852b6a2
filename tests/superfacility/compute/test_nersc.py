"""The real client against the stand-in, through every path."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.simulator.facility.sfapi_slurm import Job
from alsct_gui.superfacility.compute.base import Compute, outcome
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    OutsideError,
    RefusedError,
)
from tests.superfacility.compute.conftest import LONG, Facility

JOBS = "sfapi * /api/v1.2/compute/jobs/*"
SUBMIT = "sfapi POST /api/v1.2/compute/jobs/*"
LONG_PROGRAM = (sys.executable, "-c", LONG)


def test_a_job_runs_and_its_slices_are_told(facility: Facility) -> None:
    nersc, job = facility.make(), facility.job(recipe={"name": "$(x)"}, slices=4)
    assert isinstance(nersc, Compute)
    assert nersc.find(job.name) is None
    assert nersc.progress(job.name) is None
    id_ = nersc.submit(job)
    assert facility.service.slurm.wait(id_) == "COMPLETED"
    status, progress = nersc.status(id_), nersc.progress(job.name)
    assert (status.state, status.name, status.exit_code) == (JobState.COMPLETED, job.name, 0)
    assert progress is not None
    assert outcome(status, progress, job.slices).verdict == "done"
    assert (Path(job.output) / "scan").read_text() == job.scan
    assert "made" in nersc.log(id_, job.name)
    assert (facility.root / "jobs" / f"{job.name}.end").read_text() == "0\n"


def test_asked_again_it_is_one_job_also_by_another_process(facility: Facility) -> None:
    job = facility.job()
    first = facility.make().submit(job)
    assert facility.make().submit(job) == first
    facility.service.slurm.wait(first)
    assert facility.make().submit(job) == first
    assert facility.names == [job.name]
    other = facility.job(attempt=2)
    assert facility.make().submit(other) != first
    assert facility.names == [job.name, other.name]


def test_yesterdays_job_is_found_by_its_claim(facility: Facility) -> None:
    job = facility.job()
    first = facility.make().submit(job)
    facility.service.slurm.wait(first)
    facility.clock.advance(86400)
    assert facility.make().submit(job) == first
    assert len(facility.names) == 1


def test_a_job_waits_runs_and_is_cancelled_there(facility: Facility) -> None:
    nersc, job = facility.make(program=LONG_PROGRAM), facility.job()
    facility.service.slurm.queue_wait_s = 600
    assert nersc.wait_s(job) == 600
    id_ = nersc.submit(job)
    waiting = nersc.status(id_)
    assert (waiting.state, waiting.reason) == (JobState.PENDING, "Priority")
    assert waiting.cause == "Others are before it"
    facility.clock.advance(601)
    assert nersc.status(id_).state is JobState.RUNNING
    nersc.cancel(id_)
    ended = nersc.status(id_)
    assert ended.state is JobState.CANCELLED, "sacct says CANCELLED by 1234"
    nersc.cancel(id_)
    assert outcome(ended, None).verdict == "failed"


def test_a_held_job_says_what_to_do(facility: Facility) -> None:
    nersc = facility.make()
    facility.fault(FaultName.HELD)
    status = nersc.status(nersc.submit(facility.job()))
    assert status.is_held
    assert "scontrol release" in status.fix


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (FaultName.NODE_FAIL, JobState.NODE_FAIL), (FaultName.TIMEOUT, JobState.TIMEOUT),
        (FaultName.NO_OUTPUT, JobState.COMPLETED),
    ],
)  # fmt: skip
def test_ends_that_the_client_misses(facility: Facility, fault: FaultName, state: JobState) -> None:
    nersc, job = facility.make(), facility.job(slices=4)
    facility.fault(fault, "sfapi job *", 1)
    status = nersc.status(nersc.submit(job))
    assert status.state is state
    assert status.is_final
    verdict = outcome(status, nersc.progress(job.name), job.slices)
    assert verdict.verdict == ("no-output" if state is JobState.COMPLETED else "failed")
    assert verdict.fix


def test_a_node_breaks_down_in_the_middle(facility: Facility) -> None:
    nersc = facility.make(program=LONG_PROGRAM)
    id_ = nersc.submit(facility.job())
    assert nersc.status(id_).state is JobState.RUNNING
    facility.fault(FaultName.NODE_FAIL, "sfapi job *", 1)
    assert nersc.status(id_).state is JobState.NODE_FAIL


def test_the_limit_ends_a_job_by_the_clock(facility: Facility) -> None:
    nersc = facility.make(program=LONG_PROGRAM)
    id_ = nersc.submit(facility.job())
    facility.clock.advance(901)
    assert nersc.status(id_).state is JobState.TIMEOUT
    assert "longer time" in nersc.status(id_).fix


@pytest.mark.parametrize(
    "fault",
    [FaultName.RESET_AFTER, FaultName.TRUNCATED, FaultName.GARBLED],
)
def test_a_lost_answer_never_doubles(facility: Facility, fault: FaultName) -> None:
    nersc, job = facility.make(), facility.job()
    facility.fault(fault, SUBMIT, 1)
    id_ = nersc.submit(job)
    assert facility.names == [job.name]
    assert nersc.submit(job) == id_
    assert facility.names == [job.name]


def test_an_answer_that_stalls_never_doubles(facility: Facility) -> None:
    nersc, job = facility.make(submit_s=1.0), facility.job()
    facility.fault(FaultName.STALL_AFTER, SUBMIT)
    id_ = nersc.submit(job)
    assert facility.names == [job.name]
    facility.desk.clear()
    assert nersc.submit(job) == id_
    assert facility.names == [job.name]


def test_found_later_when_everything_is_lost_at_once(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    nersc, job = facility.make(), facility.job()
    submit = facility.service.slurm.submit

    def submit_and_break_down(script: str, arguments: Sequence[str]) -> Job:
        taken = submit(script, arguments)
        facility.fault(FaultName.UNAVAILABLE)
        return taken

    monkeypatch.setattr(facility.service.slurm, "submit", submit_and_break_down)
    facility.fault(FaultName.RESET_AFTER, SUBMIT, 1)
    with pytest.raises(LinkDownError):
        nersc.submit(job)
    with pytest.raises(LinkDownError):
        nersc.submit(job)
    assert facility.names == [job.name], "while nobody can look, nothing is submitted"
    facility.desk.clear()
    assert nersc.submit(job) == facility.service.slurm.jobs()[0].id
    assert facility.names == [job.name]


@pytest.mark.parametrize(
    "fault", [FaultName.RESET_BEFORE, FaultName.BAD_GATEWAY, FaultName.UNAVAILABLE,
              FaultName.SERVER_ERROR, FaultName.TOO_MANY],
)  # fmt: skip
def test_what_was_not_accepted_is_said_and_tried_by_the_caller(
    facility: Facility, fault: FaultName
) -> None:
    nersc, job = facility.make(), facility.job()
    facility.fault(fault, SUBMIT, 1)
    with pytest.raises(LinkDownError):
        nersc.submit(job)
    assert facility.names == []
    nersc.submit(job)
    assert facility.names == [job.name]


def test_job_not_found_though_it_runs(facility: Facility) -> None:
    nersc, job = facility.make(program=LONG_PROGRAM), facility.job()
    facility.fault(FaultName.JOB_NOT_FOUND, "sfapi submit", 1)
    id_ = nersc.submit(job)
    assert facility.names == [job.name]
    facility.fault(FaultName.JOB_NOT_FOUND, "sfapi jobs")
    assert nersc.status(id_).state is JobState.RUNNING, "found in its owner's list"
    stranger = nersc.status("99")
    assert (stranger.state, stranger.listed, stranger.is_final) == (JobState.UNKNOWN, False, False)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (FaultName.RESET_BEFORE, LinkDownError), (FaultName.RESET_AFTER, LinkDownError),
        (FaultName.TRUNCATED, LinkDownError), (FaultName.GARBLED, LinkDownError),
        (FaultName.SERVER_ERROR, LinkDownError), (FaultName.BAD_GATEWAY, LinkDownError),
        (FaultName.UNAVAILABLE, LinkDownError), (FaultName.TOO_MANY, LinkDownError),
        (FaultName.FORBIDDEN, NeedsPersonError),
    ],
)  # fmt: skip
def test_a_poll_says_what_is_wrong_and_the_next_is_well(
    facility: Facility, fault: FaultName, kind: type[OutsideError]
) -> None:
    nersc = facility.make()
    id_ = nersc.submit(facility.job())
    facility.fault(fault, JOBS, 1)
    with pytest.raises(kind) as said:
        nersc.status(id_)
    assert said.value.where
    assert said.value.fix
    assert nersc.status(id_).id == id_


def test_a_poll_that_stalls_ends_and_the_next_is_well(facility: Facility) -> None:
    nersc = facility.make(answer_s=0.5)
    id_ = facility.make().submit(facility.job())
    facility.fault(FaultName.STALL, JOBS)
    with pytest.raises(LinkDownError, match="in time"):
        nersc.status(id_)
    facility.desk.clear()
    facility.service.slurm.wait(id_)
    assert facility.make().status(id_).is_final


def test_nobody_listens(facility: Facility) -> None:
    nersc = facility.make()
    facility.fault(FaultName.REFUSED, "sfapi")
    with pytest.raises(LinkDownError, match="reached"):
        nersc.submit(facility.job())
    facility.desk.clear()
    nersc.submit(facility.job())
    assert len(facility.names) == 1


@pytest.mark.parametrize("fault", [FaultName.OUTAGE, FaultName.PLANNED_OUTAGE])
def test_an_outage_is_told_and_nothing_is_submitted(facility: Facility, fault: FaultName) -> None:
    nersc, job = facility.make(), facility.job()
    facility.fault(fault)
    with pytest.raises(LinkDownError):
        nersc.submit(job)
    assert facility.names == []
    facility.desk.clear()
    nersc.submit(job)
    assert facility.names == [job.name]


def test_a_token_withdrawn_before_its_time_is_renewed(facility: Facility) -> None:
    nersc = facility.make()
    id_ = nersc.submit(facility.job())
    facility.service.tokens.revoke()
    assert nersc.status(id_).id == id_
    facility.fault(FaultName.UNAUTHORIZED, JOBS)
    with pytest.raises(NeedsPersonError, match="new one"):
        nersc.status(id_)


def test_a_token_service_with_too_much_to_do_says_nothing_of_the_key(facility: Facility) -> None:
    nersc = facility.make()
    facility.fault(FaultName.TOO_MANY, "sfapi POST /c2id/token", 1)
    with pytest.raises(LinkDownError, match="not understood"):
        nersc.status("31000001")
    assert nersc.status("31000001").state is JobState.UNKNOWN


def test_the_key_expires_and_a_new_one_is_taken_up(facility: Facility) -> None:
    nersc = facility.make()
    assert nersc.key_expires() == pytest.approx(facility.clock() + 48 * 3600)
    facility.clock.advance(48 * 3600 + 1)
    with pytest.raises(NeedsPersonError) as said:
        nersc.submit(facility.job())
    assert "invalid_client" in said.value.what
    assert said.value.link.startswith("https://iris")
    facility.service.tokens.expires_s += 48 * 3600
    facility.service.tokens.write_key(facility.access.key_path or Path())
    nersc.submit(facility.job())
    assert len(facility.names) == 1


@pytest.mark.parametrize("kind", ["nonsense", "elliptic", "locked", "public"])
def test_a_key_file_without_a_private_rsa_key_is_said_before_anything_is_asked(
    facility: Facility, kind: str
) -> None:
    pem = serialization.Encoding.PEM
    form, open_form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    wrong = {
        "nonsense": lambda: b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "elliptic": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
            pem, form, open_form
        ),
        "locked": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
            pem, form, serialization.BestAvailableEncryption(b"word")
        ),
        "public": lambda: rsa.generate_private_key(65537, 2048).public_key().public_bytes(
            pem, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    }  # fmt: skip
    assert facility.access.key_path is not None
    facility.access.key_path.write_text(f"abcdefghij123\n{wrong[kind]().decode()}")
    with pytest.raises(NeedsPersonError, match="no private RSA key") as said:
        facility.make().status("31000001")
    assert said.value.where == str(facility.access.key_path)
    assert facility.service.tokens.given == 0


def test_what_slurm_refuses_is_said_in_its_words(facility: Facility) -> None:
    from dataclasses import replace

    job = facility.job()
    job = replace(job, resources=replace(job.resources, account="no-such-account"))
    with pytest.raises(RefusedError, match="Invalid account"):
        facility.make().submit(job)
    assert facility.names == []


def test_a_folder_that_cannot_be_written_is_said(facility: Facility) -> None:
    (facility.root / "jobs").write_text("a file where the folder should be")
    with pytest.raises(RefusedError, match="Not a directory"):
        facility.make().submit(facility.job())


@pytest.mark.parametrize("id_", ["", "12;x", "../1", "1/2", "12.batch", "１"])
def test_ids_that_lead_elsewhere_are_refused(facility: Facility, id_: str) -> None:
    with pytest.raises(RefusedError):
        facility.make().status(id_)
    assert facility.service.server.served == 0


def test_many_threads_share_one_connection_and_close_is_clean(facility: Facility) -> None:
    nersc = facility.make()
    id_ = nersc.submit(facility.job())
    seen: list[JobState] = []
    threads = [
        threading.Thread(target=lambda: seen.append(nersc.status(id_).state)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    nersc.close()
    nersc.close()
    assert not [t for t in threading.enumerate() if t.name == "alsct-sfapi"]
    with pytest.raises(OutsideError):
        nersc.status(id_)


def test_closing_ends_a_call_that_waits(facility: Facility) -> None:
    nersc = facility.make(answer_s=60.0)
    facility.fault(FaultName.STALL, "sfapi GET /api/v1.2/account/")
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            nersc.submit(facility.job())
        except BaseException as error:  # noqa: BLE001 - handed to the test
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not facility.desk.struck(FaultName.STALL):
        facility.desk.wait_changed(0.1)
    nersc.close()
    thread.join(20)
    assert not thread.is_alive()
    assert isinstance(ended[0], OutsideError)
