"""Globus through the real library: each fault, and that all is whole and once after it."""

from __future__ import annotations

import logging
import re
import threading
import traceback
from dataclasses import replace

import pytest

from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    OutsideError,
    RefusedError,
)
from alsct_gui.superfacility.transfer.base import (
    Advice,
    Reason,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
    advise,
)
from alsct_gui.superfacility.transfer.globus import STALL_S, GlobusTransfer
from tests.superfacility.transfer.conftest import CANARY, QUICK, Place, browser

FILES = {"a": b"x" * 3000, "b c": b"y" * 3000}
LINE = [
    FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.STALL,
    FaultName.STALL_AFTER, FaultName.TRUNCATED, FaultName.GARBLED, FaultName.TOO_MANY,
    FaultName.SERVER_ERROR, FaultName.BAD_GATEWAY, FaultName.UNAVAILABLE,
]  # fmt: skip
STATUS = {
    FaultName.UNAUTHORIZED: NeedsPersonError, FaultName.FORBIDDEN: RefusedError,
    FaultName.NOT_FOUND: RefusedError,
}  # fmt: skip
SLOW = (FaultName.STALL, FaultName.STALL_AFTER)


def hasty(place: Place, name: FaultName) -> GlobusTransfer:
    """An account that does not try again, and soon gives up what never comes."""
    http_s = 0.2 if name in SLOW else 10.0
    return place.service(replace(QUICK, http_s=http_s, call_s=20.0, retries=0))


def persist(place: Place, transfer: GlobusTransfer, request: TransferRequest) -> str:
    """Submit as the reconciler does: with what was recorded, until it is accepted."""
    known = place.recorded[0] if place.recorded else None
    return transfer.submit(replace(request, submission=known), place.recorded.append)


def finish(place: Place, transfer: GlobusTransfer, task: str) -> TransferStatus:
    """Let it run to its end."""
    for _ in range(20):
        status = transfer.status(task)
        if status.state.is_final:
            return status
        place.clock.advance(5)
    raise AssertionError(f"it does not end: {status}")


def whole_and_once(place: Place) -> None:
    assert place.arrived() == FILES
    assert place.moved() == [1, 1]
    assert len(place.globus.mover.tasks) == 1


@pytest.mark.parametrize("path", ["GET */submission_id", "POST */transfer"])
def test_a_fault_while_submitting_leads_to_one_transfer(
    place: Place, service: GlobusTransfer, path: str
) -> None:
    service.count_active()  # which leaves a token for the others
    for name in (*LINE, *STATUS):
        place.reset()
        transfer = hasty(place, name)
        request = place.request(FILES)
        where = "transfer" if name is FaultName.REFUSED else f"transfer {path}"
        number = place.desk.put(Fault(name, where))
        with pytest.raises(STATUS.get(name, LinkDownError)) as failure:
            persist(place, transfer, request)
        assert failure.value.where
        place.desk.take(number)
        transfer.close()
        task = persist(place, service, request)
        assert finish(place, service, task).state is TransferState.SUCCEEDED, name
        whole_and_once(place)


def test_a_fault_while_asking_changes_nothing(place: Place, service: GlobusTransfer) -> None:
    for name in LINE:
        place.reset()
        transfer = hasty(place, name)
        task = persist(place, service, place.request(FILES))
        place.clock.advance(1)
        where = "transfer" if name is FaultName.REFUSED else "transfer GET */task/*"
        number = place.desk.put(Fault(name, where))
        with pytest.raises(LinkDownError):
            transfer.status(task)
        place.desk.take(number)
        transfer.close()
        assert finish(place, service, task).state is TransferState.SUCCEEDED, name
        whole_and_once(place)


def test_what_passes_by_itself_is_not_even_noticed(place: Place, service: GlobusTransfer) -> None:
    for name in (FaultName.RESET_AFTER, FaultName.UNAVAILABLE, FaultName.UNAUTHORIZED):
        place.desk.put(Fault(name, "transfer *", count=1))
        task = persist(place, service, place.request(FILES))
    finish(place, service, task)
    whole_and_once(place)


def test_how_long_to_wait_is_told(place: Place) -> None:
    transfer = hasty(place, FaultName.TOO_MANY)
    place.desk.put(Fault(FaultName.TOO_MANY, "transfer *", value=17))
    with pytest.raises(LinkDownError) as failure:
        transfer.count_active()
    assert failure.value.retry_after_s == 17
    transfer.close()


def test_an_answer_that_drips_is_given_up(place: Place) -> None:
    """Each read ends in time, the whole never does: only a bound on the call helps."""
    patience = replace(QUICK, http_s=0.5, call_s=0.8, retries=0)
    transfer = place.service(patience)
    transfer.count_active()
    server = place.globus.transfer_server
    plain = server._handle
    release = threading.Event()

    def slow(request: object) -> object:
        release.wait(0.4)
        return plain(request)  # type: ignore[arg-type]

    server._handle = slow  # type: ignore[assignment]
    transfer._patience = replace(patience, call_s=0.1)
    with pytest.raises(LinkDownError, match=r"no answer within 0.1 s"):
        transfer.count_active()
    release.set()
    server._handle = plain
    transfer._patience = patience
    assert transfer.count_active() == 0
    transfer.close()
    for thread in threading.enumerate():
        if thread.name.startswith("call-"):
            thread.join()


ATTEMPT = {
    FaultName.PERMISSION_DENIED: (Reason.PERMISSION, "may not be read or written"),
    FaultName.QUOTA: (Reason.QUOTA, "quota at the target is used up"),
    FaultName.DISK_FULL: (Reason.DISK_FULL, "disk at the target is full"),
}


@pytest.mark.parametrize("name", ATTEMPT)
def test_a_target_that_cannot_be_written_is_put_to_the_operator(
    place: Place, service: GlobusTransfer, name: FaultName
) -> None:
    task = persist(place, service, place.request(FILES))
    number = place.desk.put(Fault(name, "task *"))
    place.clock.advance(5)
    status = service.status(task)
    reason, words = ATTEMPT[name]
    assert (status.state, status.reason) == (TransferState.STALLED, reason)
    assert words in status.cause
    assert status.fix
    assert status.faults > 0
    assert advise(status, 1) is Advice.ASK
    assert any(row["is_error"] for row in service.events(task))
    place.desk.take(number)
    assert finish(place, service, task).state is TransferState.SUCCEEDED
    whole_and_once(place)


def test_bad_bytes_are_sent_again(place: Place, service: GlobusTransfer) -> None:
    task = persist(place, service, place.request(FILES))
    place.desk.put(Fault(FaultName.BAD_CHECKSUM, "task *", count=1))
    place.clock.advance(4)
    status = service.status(task)
    assert (status.state, status.reason) == (TransferState.ACTIVE, Reason.CHECKSUM)
    end = finish(place, service, task)
    assert (end.state, end.faults) == (TransferState.SUCCEEDED, 1)
    whole_and_once(place)


def test_a_source_that_changed_since_it_was_recorded_is_not_passed_on_as_good(
    place: Place, service: GlobusTransfer
) -> None:
    request = place.request(FILES)
    (place.source / "a").write_bytes(b"z" * 3000)
    status = finish(place, service, persist(place, service, request))
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.SOURCE_CHANGED)
    assert advise(status, 1) is Advice.ASK


def test_a_source_that_vanished_is_said(place: Place, service: GlobusTransfer) -> None:
    task = persist(place, service, place.request(FILES))
    (place.source / "a").unlink()
    place.clock.advance(5)
    status = service.status(task)
    assert (status.state, status.reason) == (TransferState.STALLED, Reason.SOURCE_GONE)
    (place.source / "a").write_bytes(FILES["a"])
    finish(place, service, task)
    whole_and_once(place)


def test_paused_and_resumed(place: Place, service: GlobusTransfer) -> None:
    task = persist(place, service, place.request(FILES))
    number = place.desk.put(Fault(FaultName.PAUSED, "task nersc *"))
    place.clock.advance(STALL_S * 2)
    status = service.status(task)
    assert (status.state, status.reason) == (TransferState.PAUSED, Reason.PAUSED)
    assert status.cause == "Paused by the manager of the collection"
    assert advise(status, 1) is Advice.WAIT
    place.desk.take(number)
    assert finish(place, service, task).state is TransferState.SUCCEEDED
    whole_and_once(place)


def test_expired_credentials_wait_for_a_person(place: Place, service: GlobusTransfer) -> None:
    task = persist(place, service, place.request(FILES))
    number = place.desk.put(Fault(FaultName.CREDENTIALS_EXPIRED, "task *"))
    status = service.status(task)
    assert (status.state, status.reason) == (TransferState.NEEDS_PERSON, Reason.LOGIN)
    assert status.fix
    assert advise(status, 1) is Advice.ASK
    place.desk.take(number)
    assert finish(place, service, task).state is TransferState.SUCCEEDED


def test_a_task_that_does_not_move_is_stalled_by_the_clock(
    place: Place, service: GlobusTransfer
) -> None:
    task = persist(place, service, place.request(FILES))
    place.clock.advance(1)
    assert service.status(task).state is TransferState.ACTIVE
    number = place.desk.put(Fault(FaultName.STUCK, "task *"))
    place.clock.advance(STALL_S - 1)
    assert service.status(task).state is TransferState.ACTIVE
    place.clock.advance(2)
    status = service.status(task)
    assert (status.state, status.reason) == (TransferState.STALLED, Reason.STILL)
    assert "15 min" in status.cause
    assert advise(status, 1) is Advice.RETRY
    assert advise(status, 3) is Advice.ASK
    place.desk.take(number)
    # Half of a file is seen as moving again, and the whole arrives once.
    assert service.status(task).state is TransferState.STALLED
    assert finish(place, service, task).state is TransferState.SUCCEEDED
    whole_and_once(place)


def test_a_person_gives_a_consent_with_one_click(place: Place) -> None:
    person = place.person(browser)
    person.login()
    place.globus.collections[collection_id("nersc")].data_access = True
    request = place.request(FILES)
    with pytest.raises(NeedsPersonError, match="consent") as failure:
        persist(place, person, request)
    person.login(failure.value.scopes)  # type: ignore[attr-defined]
    finish(place, person, persist(place, person, request))
    whole_and_once(place)
    person.close()


def test_a_service_account_gives_a_consent_by_itself(place: Place, service: GlobusTransfer) -> None:
    place.globus.collections[collection_id("nersc")].data_access = True
    finish(place, service, persist(place, service, place.request(FILES)))
    whole_and_once(place)


def test_a_consent_that_is_asked_for_again_and_again_ends(
    place: Place, service: GlobusTransfer
) -> None:
    place.desk.put(Fault(FaultName.CONSENT_REQUIRED, "consent nersc"))
    with pytest.raises(NeedsPersonError, match="consent"):
        persist(place, service, place.request(FILES))
    place.desk.clear()
    finish(place, service, persist(place, service, place.request(FILES)))
    whole_and_once(place)


def test_a_login_that_was_revoked_needs_a_person(place: Place) -> None:
    person = place.person(browser)
    person.login()
    task = persist(place, person, place.request(FILES))
    place.globus.auth.revoke_all()
    with pytest.raises(NeedsPersonError, match="no longer accepts"):
        person.status(task)
    person.login()
    assert finish(place, person, task).state is TransferState.SUCCEEDED
    person.close()


def test_a_service_account_renews_its_token_by_itself(
    place: Place, service: GlobusTransfer
) -> None:
    task = persist(place, service, place.request(FILES))
    place.globus.auth.revoke_all()
    assert finish(place, service, task).state is TransferState.SUCCEEDED


def test_a_wrong_secret_needs_a_person(place: Place, service: GlobusTransfer) -> None:
    place.globus.auth.clients.clear()
    with pytest.raises(NeedsPersonError, match="no longer accepts"):
        service.count_active()


def test_auth_out_of_order_is_a_link_that_is_down(place: Place, service: GlobusTransfer) -> None:
    for name in LINE:
        transfer = hasty(place, name)
        number = place.desk.put(Fault(name, "auth" if name is FaultName.REFUSED else "auth *"))
        with pytest.raises(LinkDownError):
            transfer.count_active()
        place.desk.take(number)
        transfer.close()
    assert service.count_active() == 0


def test_verify_never_takes_a_fault_for_evidence(place: Place, service: GlobusTransfer) -> None:
    (place.target / "a").write_bytes(b"1")
    (place.target / "b").write_bytes(b"1")
    items = [TransferItem("a", "a", 1), TransferItem("b", "b", 1)]
    service.count_active()
    for name in LINE:
        transfer = hasty(place, name)
        where = "transfer" if name is FaultName.REFUSED else "transfer GET */operation/*"
        number = place.desk.put(Fault(name, where))
        for asked in (items, items[:1]):
            with pytest.raises(LinkDownError):
                transfer.verify(collection_id("nersc"), asked)
        place.desk.take(number)
        transfer.close()
        assert all(proof.there for proof in service.verify(collection_id("nersc"), items))


def test_nothing_secret_is_said(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs nor errors hold the secret of the account or a token, with every fault."""
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        haste = replace(QUICK, http_s=10.0, call_s=20.0, retries=0)
        for transfer in (place.service(haste), place.person(browser, patience=haste)):
            transfer.login()
            for name in (name for name in (*LINE, *STATUS) if name not in SLOW):
                for server in ("transfer", "auth"):
                    line = name is FaultName.REFUSED
                    number = place.desk.put(Fault(name, server if line else f"{server} *"))
                    place.globus.auth.tokens.clear()
                    try:
                        transfer.count_active()
                        transfer.login()
                    except OutsideError as error:
                        said.append("".join(traceback.format_exception(error)))
                        said.append(error.sentence)
                    place.desk.take(number)
            transfer.close()
    auth = place.globus.auth
    secrets = {CANARY, *auth.issued}
    text = "\n".join(said) + caplog.text
    assert len(said) > 20
    assert len(secrets) > 10
    assert not [secret for secret in secrets if secret in text]
    assert not re.search(r"(access_token|refresh_token|code_verifier)\W+[\w-]{20}", text)
