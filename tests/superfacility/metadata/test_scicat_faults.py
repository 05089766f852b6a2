"""SciCat through the real client: each fault at each call, and one record after it. No leaks."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace

import pytest

from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, OutsideError
from alsct_gui.superfacility.metadata.base import Record, differences
from tests.superfacility.metadata.conftest import CANARY, Catalogue

DOWN = [
    FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.STALL,
    FaultName.STALL_AFTER, FaultName.TRUNCATED, FaultName.GARBLED, FaultName.TOO_MANY,
    FaultName.SERVER_ERROR, FaultName.BAD_GATEWAY, FaultName.UNAVAILABLE,
]  # fmt: skip
PERSON = [FaultName.UNAUTHORIZED, FaultName.FORBIDDEN]
CALLS = ["POST */auth/login", "GET */datasets/*", "POST */datasets", "POST */origdatablocks"]


def one_record(catalogue: Catalogue, record: Record) -> None:
    service = catalogue.service
    assert list(service.datasets) == [record.pid]
    assert len(service.blocks) == 1
    assert service.datasets[record.pid]["size"] == record.files[0].size_bytes


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", [*DOWN, *PERSON])
def test_a_fault_while_a_record_is_made_leads_to_one_record(
    catalogue: Catalogue, record: Record, name: FaultName, call: str
) -> None:
    scicat = catalogue.make()
    where = "scicat" if name is FaultName.REFUSED else f"scicat {call}"
    number = catalogue.desk.put(Fault(name, where))
    with pytest.raises(NeedsPersonError if name in PERSON else LinkDownError) as failure:
        scicat.upsert(record)
    assert failure.value.where
    assert failure.value.fix
    catalogue.desk.take(number)
    assert differences(record, scicat.upsert(record)) == ()
    one_record(catalogue, record)


@pytest.mark.parametrize("name", [FaultName.RESET_AFTER, FaultName.TRUNCATED, FaultName.STALL])
def test_a_fault_while_a_record_is_mended_leads_to_a_whole_one(
    catalogue: Catalogue, record: Record, name: FaultName
) -> None:
    scicat = catalogue.make(api="v4")
    scicat.upsert(record)
    moved = replace(record, folder="/elsewhere")
    number = catalogue.desk.put(Fault(name, "scicat PATCH *"))
    with pytest.raises(LinkDownError):
        scicat.upsert(moved)
    catalogue.desk.take(number)
    assert scicat.upsert(moved).folder == "/elsewhere"
    one_record(catalogue, record)


def test_what_passes_by_itself_is_tried_again_by_whoever_asks(
    catalogue: Catalogue, record: Record
) -> None:
    """Every call in turn loses its answer once; whoever comes again goes on where it was."""
    scicat = catalogue.make()
    catalogue.desk.put(Fault(FaultName.RESET_AFTER, "scicat *", count=6))
    for _ in range(20):
        try:
            stored = scicat.upsert(record)
            break
        except LinkDownError:
            continue
    assert differences(record, stored) == ()
    assert catalogue.desk.struck(FaultName.RESET_AFTER) == 6
    one_record(catalogue, record)


def test_a_record_that_came_late_is_not_made_twice(catalogue: Catalogue, record: Record) -> None:
    """The first attempt is carried out between our look and our second attempt."""
    first, second = catalogue.make(), catalogue.make()
    look = second._stored
    first.upsert(record)
    answers = iter([None])
    second._stored = lambda pid: next(answers, None) or look(pid)  # type: ignore[method-assign]
    assert differences(record, second.upsert(record)) == ()
    one_record(catalogue, record)


def test_a_call_ends_in_time_whatever_drips(catalogue: Catalogue, record: Record) -> None:
    import threading

    scicat = catalogue.make(call_s=0.1)
    server, release = catalogue.service.server, threading.Event()
    plain = server._handle

    def slow(request: object) -> object:
        release.wait(10)
        return plain(request)  # type: ignore[arg-type]

    server._handle = slow  # type: ignore[assignment]
    with pytest.raises(LinkDownError, match="no answer within"):
        scicat.read(record.pid)
    release.set()
    server._handle = plain
    for thread in threading.enumerate():
        if thread.name.startswith("call-"):
            thread.join()


def test_nothing_secret_is_told(
    catalogue: Catalogue, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither password nor token in logs at DEBUG, errors and their causes, or records."""
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for name in [*DOWN, *PERSON, FaultName.NOT_FOUND]:
        for call in CALLS if name not in (FaultName.STALL, FaultName.STALL_AFTER) else CALLS[:1]:
            scicat = catalogue.make()
            where = "scicat" if name is FaultName.REFUSED else f"scicat {call}"
            number = catalogue.desk.put(Fault(name, where))
            try:
                scicat.upsert(record)
            except OutsideError as error:
                told += traceback.format_exception(error)
                told += [repr(error), error.sentence]
            catalogue.desk.take(number)
            told += [repr(scicat._session), repr(scicat._session.access)]
            catalogue.service.revoke()
            stored = catalogue.make().upsert(record)
            told += [repr(stored), scicat.address(record.pid)]
    catalogue.credentials.put("scicat", f"{CANARY}-wrong")
    with pytest.raises(NeedsPersonError) as failure:
        catalogue.make().upsert(record)
    told += traceback.format_exception(failure.value)
    told += [caplog.text, repr(catalogue.service.datasets), repr(catalogue.service.blocks)]
    told += [catalogue.service._path.read_text()]  # type: ignore[union-attr]
    text = "\n".join(told)
    assert "SciCat API call" in caplog.text  # the library does log
    assert len(catalogue.service.issued) > len(DOWN)
    for secret in (CANARY, *catalogue.service.issued):
        assert secret not in text
