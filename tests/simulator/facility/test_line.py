"""The fault desk and the line: each fault as a client sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from alsct_gui.model.errors import UsageError
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.control import control_server
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName, fault_from_plain
from alsct_gui.simulator.facility.http import Reply, Request, Server


class Counter:
    """A service that counts what it carried out."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, request: Request) -> Reply:
        self.done += 1
        return Reply({"path": request.path, "query": dict(request.query), "json": request.json()})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(clock: ManualClock) -> FaultDesk:
    return FaultDesk(clock)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def server(desk: FaultDesk, counter: Counter) -> Iterator[Server]:
    with Server("count", counter, desk) as running:
        yield running


def ask(server: Server, path: str = "/x", timeout_s: float = 5.0) -> requests.Response:
    with requests.Session() as session:
        return session.post(server.url + path, json={"a": "ü\n"}, timeout=timeout_s)


def test_a_request_arrives_as_it_was_sent(server: Server) -> None:
    answer = ask(server, "/a%20b/%24(c)?q=%C3%BC&empty=").json()
    assert answer == {
        "path": "/a b/$(c)", "query": {"q": "ü", "empty": ""}, "json": {"a": "ü\n"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "carried_out"),
    [
        (FaultName.RESET_BEFORE, 0),
        (FaultName.RESET_AFTER, 1),
        (FaultName.TRUNCATED, 1),
    ],
)
def test_a_fault_of_the_line_strikes_as_often_as_it_says(
    server: Server, desk: FaultDesk, counter: Counter, name: FaultName, carried_out: int
) -> None:
    desk.put(Fault(name, "count POST *", count=1))
    with pytest.raises(requests.RequestException):
        ask(server)
    assert counter.done == carried_out
    assert ask(server).status_code == 200
    assert desk.struck(name) == 1
    assert desk.faults() == {}


def test_garbled_is_an_answer_that_cannot_be_parsed(
    server: Server, desk: FaultDesk, counter: Counter
) -> None:
    desk.put(Fault(FaultName.GARBLED, count=1))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ask(server).json()
    assert counter.done == 1


@pytest.mark.parametrize(
    "name", [FaultName.UNAUTHORIZED, FaultName.TOO_MANY, FaultName.UNAVAILABLE]
)
def test_a_status_is_answered_in_place_of_the_service(
    server: Server, desk: FaultDesk, counter: Counter, name: FaultName
) -> None:
    number = desk.put(Fault(name, value=7))
    answer = ask(server)
    assert answer.status_code == int(name.value)
    assert answer.headers.get("Retry-After") == (None if name.value == "401" else "7")
    assert counter.done == 0
    desk.take(number)
    assert ask(server).status_code == 200


def test_refused_closes_the_port_and_opens_the_same_one_again(
    server: Server, desk: FaultDesk
) -> None:
    port = server.port
    desk.put(Fault(FaultName.REFUSED, "count"))
    with pytest.raises(requests.ConnectionError, match="refused"):
        ask(server)
    desk.clear()
    assert ask(server).status_code == 200
    assert server.port == port


@pytest.mark.parametrize(("name", "done"), [(FaultName.STALL, 0), (FaultName.STALL_AFTER, 1)])
def test_a_stalled_request_waits_until_the_fault_is_off(
    server: Server, desk: FaultDesk, counter: Counter, name: FaultName, done: int
) -> None:
    number = desk.put(Fault(name))
    with pytest.raises(requests.ReadTimeout):
        ask(server, timeout_s=0.1)
    assert counter.done == done
    desk.take(number)
    assert ask(server).status_code == 200


def test_closing_ends_what_is_stalled(desk: FaultDesk, counter: Counter) -> None:
    desk.put(Fault(FaultName.STALL))
    with Server("count", counter, desk) as server:
        failed: list[Exception] = []

        def call() -> None:
            try:
                ask(server)
            except requests.RequestException as error:
                failed.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        while desk.struck(FaultName.STALL) == 0:
            desk.wait_changed(0.05)
    caller.join()
    assert len(failed) == 1


def test_a_window_begins_and_ends_by_the_clock(
    server: Server, desk: FaultDesk, clock: ManualClock
) -> None:
    start = clock()
    desk.put(Fault(FaultName.UNAVAILABLE, start_s=start + 10, end_s=start + 20))
    seen = []
    for _ in range(3):
        seen.append(ask(server).status_code)
        clock.advance(10)
    assert seen == [200, 503, 200]


def test_a_window_of_refusal_is_seen_on_refresh(
    server: Server, desk: FaultDesk, clock: ManualClock
) -> None:
    desk.put(Fault(FaultName.REFUSED, "count", start_s=clock() + 10, end_s=clock() + 20))
    assert ask(server).status_code == 200
    clock.advance(10)
    server.refresh()
    with pytest.raises(requests.ConnectionError):
        ask(server)
    clock.advance(10)
    server.refresh()
    assert ask(server).status_code == 200


def test_where_tells_the_service_the_method_and_the_path(server: Server, desk: FaultDesk) -> None:
    desk.put(Fault(FaultName.NOT_FOUND, "count GET *"))
    desk.put(Fault(FaultName.NOT_FOUND, "other *"))
    assert ask(server).status_code == 200


def test_faults_are_switched_through_the_control_port(server: Server, desk: FaultDesk) -> None:
    with control_server(desk) as control, requests.Session() as session:
        faults = control.url + "/faults"
        put = session.post(faults, json={"name": "503", "where": "count *"}, timeout=5)
        assert put.status_code == 201
        assert ask(server).status_code == 503
        listed = session.get(faults, timeout=5).json()["faults"]
        assert [(row["number"], row["name"]) for row in listed] == [(put.json()["number"], "503")]
        assert session.delete(f"{faults}/{put.json()['number']}", timeout=5).status_code == 200
        assert ask(server).status_code == 200
        wrong = session.post(faults, json={"name": "bad luck"}, timeout=5)
        assert wrong.status_code == 400
        assert "reset-before" in wrong.json()["error"]
        session.post(faults, json={"name": "404"}, timeout=5)
        session.delete(faults, timeout=5)
        assert desk.faults() == {}


@pytest.mark.parametrize(
    "data",
    [{}, {"name": "nonsense"}, {"name": "404", "count": "3"}, {"name": "404", "colour": 1}],
)
def test_what_is_no_fault_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no fault"):
        fault_from_plain(data)


def test_a_fault_survives_as_plain_data() -> None:
    fault = Fault(FaultName.QUOTA, "transfer *", 3, 1.0, 2.0, 5.0)
    assert fault_from_plain(fault.to_plain()) == fault
