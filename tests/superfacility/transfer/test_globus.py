"""Globus through the real library: what happens when all is well."""

from __future__ import annotations

import pytest

from alsct_gui.superfacility.errors import NeedsPersonError, RefusedError
from alsct_gui.superfacility.transfer.base import (
    Transfer,
    TransferItem,
    TransferRequest,
    TransferState,
    key_digest,
)
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_request import make_label, transfer_document
from tests.superfacility.transfer.conftest import Place, browser

ODD = {
    "plain.h5": b"1",
    "with space 'single' \"double\".h5": b"22",
    "line\nbreak/tab\t.h5": b"333",
    "$(touch hacked); `id` & | > x": b"4444",
    "-rf *": b"55555",
    "späte Größe µ 日本 🧪.h5": b"666666",
    "…/.hidden/..odd..": b"7777777",
}


def test_the_adapter_is_a_transfer(service: GlobusTransfer) -> None:
    assert isinstance(service, Transfer)
    assert service.capabilities.verifies_itself
    assert not service.capabilities.reads_back


def test_files_travel_at_a_rate_and_arrive_whole(place: Place, service: GlobusTransfer) -> None:
    files = {"a/one.h5": b"x" * 5000, "two.h5": b"y" * 5000}
    request = place.request(files)
    task = service.submit(request, place.recorded.append)
    begun = service.status(task)
    assert begun.state is TransferState.QUEUED
    place.clock.advance(2.0)
    half = service.status(task)
    assert half.state is TransferState.ACTIVE
    assert (half.bytes_done, half.bytes_total, half.files_total) == (2000, 10_000, 2)
    assert half.rate_bytes_per_s == pytest.approx(1000.0)
    assert half.link == f"https://app.globus.org/activity/{task}"
    place.clock.advance(20.0)
    end = service.status(task)
    assert end.state is TransferState.SUCCEEDED
    assert (end.bytes_done, end.files_done, end.faults) == (10_000, 2, 0)
    assert end.completed is not None
    assert end.started is not None
    assert end.completed > end.started
    assert place.arrived() == files
    assert all(
        proof.proves(item)
        for proof, item in zip(service.verify(request.target, request.items), request.items,
                               strict=True)
    )  # fmt: skip


def test_the_submission_is_recorded_before_anything_is_set_in_motion(
    place: Place, service: GlobusTransfer
) -> None:
    def record(submission: str) -> None:
        assert submission
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.submit(place.request({"a": b"1"}), record)
    assert place.globus.mover.tasks == {}


def test_a_submission_that_was_recorded_is_carried_out_once(
    place: Place, service: GlobusTransfer
) -> None:
    request = place.request({"a": b"123"})
    first = service.submit(request, place.recorded.append)
    again = TransferRequest(
        request.key, request.source, request.target, request.items, request.proposal,
        request.label, submission=place.recorded[0],
    )  # fmt: skip
    another = place.service()  # a new process after a crash
    assert another.submit(again, place.recorded.append) == first
    another.close()
    assert len(place.recorded) == 1
    place.clock.advance(10)
    assert service.status(first).state is TransferState.SUCCEEDED
    assert place.moved() == [1]


def test_what_is_there_already_is_not_moved(place: Place, service: GlobusTransfer) -> None:
    request = place.request({"a": b"123", "b": b"456"})
    (place.target / "a").write_bytes(b"123")
    task = service.submit(request, place.recorded.append)
    place.clock.advance(10)
    status = service.status(task)
    assert (status.state, status.files_done) == (TransferState.SUCCEEDED, 2)
    assert place.moved() == [1]


def test_odd_names_travel_unharmed(place: Place, service: GlobusTransfer) -> None:
    request = place.request(ODD)
    task = service.submit(request, place.recorded.append)
    place.clock.advance(10)
    assert service.status(task).state is TransferState.SUCCEEDED
    assert place.arrived() == ODD
    found = service.verify(request.target, request.items)
    assert [proof.size_bytes for proof in found] == [len(data) for data in ODD.values()]


HOSTILE = [
    "../x", "a/../../x", "/etc/passwd", "", "a//b", "a/./b", ".", "a/", "nul\0", "x" * 300,
    "\ud800", "/".join(["a" * 200] * 30),
]  # fmt: skip


def test_hostile_paths_are_refused(place: Place, service: GlobusTransfer) -> None:
    request = place.request({"a": b"1"})
    for path in HOSTILE:
        for item in (TransferItem("a", path), TransferItem(path, "a")):
            bad = TransferRequest("k", request.source, request.target, (item,))
            with pytest.raises(RefusedError, match="path is not usable"):
                service.submit(bad, place.recorded.append)
        with pytest.raises(RefusedError, match="path is not usable"):
            service.verify(request.target, [TransferItem("a", path)])
    assert place.recorded == []


def test_what_is_no_collection_is_refused(place: Place, service: GlobusTransfer) -> None:
    request = place.request({"a": b"1"})
    for target in ("not a uuid", "", "../x", f"{request.target}:/a/../b"):
        bad = TransferRequest("k", request.source, target, request.items)
        with pytest.raises(RefusedError):
            service.submit(bad, place.recorded.append)
    assert place.globus.mover.tasks == {}


def test_two_files_never_get_one_name(place: Place, service: GlobusTransfer) -> None:
    request = place.request({"a": b"1", "b": b"2"})
    items = (TransferItem("a", "x"), TransferItem("b", "x"))
    bad = TransferRequest("k", request.source, request.target, items)
    with pytest.raises(RefusedError, match="one name"):
        service.submit(bad, place.recorded.append)


def test_a_place_may_be_a_folder_of_a_collection(place: Place, service: GlobusTransfer) -> None:
    request = place.request({"deep/a": b"1"})
    inner = TransferRequest(
        "k", request.source + ":/deep", request.target + ":/cfs/als", (TransferItem("a", "b"),)
    )  # fmt: skip
    task = service.submit(inner, place.recorded.append)
    place.clock.advance(5)
    assert service.status(task).state is TransferState.SUCCEEDED
    assert place.arrived() == {"cfs/als/b": b"1"}
    assert service.verify(inner.target, inner.items)[0].size_bytes == 1


def test_verify_tells_what_is_missing_short_or_a_folder(
    place: Place, service: GlobusTransfer
) -> None:
    (place.target / "there").write_bytes(b"12")
    (place.target / "folder").mkdir()
    target = place.request({"x": b"1"}).target
    items = [
        TransferItem("s", name, 2) for name in ("there", "missing", "folder", "no/such/folder")
    ]
    found = service.verify(target, items)
    assert [proof.there for proof in found] == [True, False, False, False]
    assert [p.proves(i) for p, i in zip(found, items, strict=True)] == [True, False, False, False]
    longer = TransferItem("s", "there", 3)
    assert not service.verify(target, [longer])[0].proves(longer)


def test_three_move_and_the_fourth_waits(place: Place, service: GlobusTransfer) -> None:
    tasks = [
        service.submit(place.request({f"f{n}": b"x" * 2000}, key=f"k{n}"), place.recorded.append)
        for n in range(4)
    ]
    assert service.count_active() == 4
    place.clock.advance(1)
    states = [service.status(task).state for task in tasks]
    assert states == [TransferState.ACTIVE] * 3 + [TransferState.QUEUED]
    place.clock.advance(5)
    assert service.count_active() == 1


def test_cancel_ends_it_and_is_told_as_that(place: Place, service: GlobusTransfer) -> None:
    task = service.submit(place.request({"a": b"x" * 9000}), place.recorded.append)
    place.clock.advance(1)
    service.cancel(task)
    status = service.status(task)
    assert status.state is TransferState.CANCELLED
    assert status.sentence == "It was cancelled"
    service.cancel(task)
    assert service.status(task).state is TransferState.CANCELLED


def test_a_task_that_is_not_known_is_unknown(place: Place, service: GlobusTransfer) -> None:
    assert service.status("0" * 36).state is TransferState.UNKNOWN


def test_a_person_logs_in_with_one_click(place: Place) -> None:
    person = place.person(browser)
    request = place.request({"a": b"1"})
    assert person.login_required()
    with pytest.raises(NeedsPersonError, match="login is needed"):
        person.submit(request, place.recorded.append)
    person.login()
    assert not person.login_required()
    task = person.submit(request, place.recorded.append)
    person.close()
    later = place.person()  # another start of the program: the tokens were kept
    place.clock.advance(5)
    assert later.status(task).state is TransferState.SUCCEEDED
    later.close()


def test_a_person_without_a_browser_copies_a_code(place: Place) -> None:
    import requests

    def copy_code(url: str) -> str:
        with requests.Session() as session:
            return str(session.get(url, timeout=10).json()["code"]) + "\n"

    person = place.person(ask_code=copy_code)
    person.login()
    assert not person.login_required()
    person.close()


def test_nobody_logging_in_ends_in_time(place: Place) -> None:
    from dataclasses import replace

    from tests.superfacility.transfer.conftest import QUICK

    person = place.person(lambda url: None, patience=replace(QUICK, login_s=0.2))
    with pytest.raises(NeedsPersonError, match="logged in"):
        person.login()
    person.close()


def test_a_login_that_is_refused_is_told(place: Place) -> None:
    import urllib.parse

    import requests

    def refuse(url: str) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        with requests.Session() as session:
            session.get(query["redirect_uri"] + "/?error=access_denied", timeout=10)

    person = place.person(refuse)
    with pytest.raises(NeedsPersonError, match="access_denied"):
        person.login()
    person.close()


def test_labels_are_short_and_harmless(place: Place) -> None:
    request = place.request({"a": b"1"}, label="x<script>$(id)\n" * 40)
    label = make_label(request)
    assert len(label) <= 128
    assert label.endswith(f"alsct-{key_digest(request.key)}")
    assert not set(label) & set("<>$()\n")
    assert transfer_document(request, "s")["label"] == label
