"""Probes against the stand-in, and the chain that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.health.breaker import Limits
from alsct_gui.superfacility.health.chain import Chain
from alsct_gui.superfacility.health.model import Health, LinkName, Reading
from alsct_gui.superfacility.health.nersc import RESOURCES, NerscProbe, NerscStatus
from alsct_gui.superfacility.health.probes import (
    SimpleProbe,
    clock_probe,
    disk_probe,
    folder_probe,
    host_probe,
    key_probe,
    offset_s,
    page_probe,
    permission_probe,
    proposal_probe,
    sign_probe,
    writing_probe,
)

HOUR_S = 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(clock: ManualClock) -> FaultDesk:
    return FaultDesk(clock)


@pytest.fixture
def service(tmp_path: Path, desk: FaultDesk) -> Iterator[SuperfacilityStandIn]:
    with SuperfacilityStandIn(tmp_path / "nersc", desk) as stand_in:
        yield stand_in


@pytest.fixture
def status(service: SuperfacilityStandIn) -> Iterator[NerscStatus]:
    made = NerscStatus(Access(service.api_url, service.token_url, answer_s=5))
    yield made
    made.close()


def test_nersc_tells_how_it_is_without_a_key(
    status: NerscStatus, service: SuperfacilityStandIn, desk: FaultDesk, clock: ManualClock
) -> None:
    chain = Chain([NerscProbe(status, name, clock) for name in RESOURCES], clock=clock)
    assert {chain.health()[name] for name in RESOURCES} == {Health.UNKNOWN}
    chain.look()
    assert {chain.health()[name] for name in RESOURCES} == {Health.UP}
    assert service.tokens.given == 0
    start = clock()
    desk.put(Fault(FaultName.PLANNED_OUTAGE, start_s=start + 2 * HOUR_S, end_s=start + 8 * HOUR_S))
    service.status["spin"] = "degraded"
    clock.advance(61)
    chain.look()
    found = {item.link.name: item for item in chain.links()}
    assert found[LinkName.PERLMUTTER].reading.why == "Scheduled Maintenance is announced"
    assert found[LinkName.PERLMUTTER].since == start + 61
    assert found[LinkName.SPIN].reading.health is Health.DEGRADED
    assert found[LinkName.CFS].reading.health is Health.UP
    assert chain.allows(LinkName.PERLMUTTER)
    clock.advance(2 * HOUR_S)
    chain.look()
    perlmutter = next(i for i in chain.links() if i.link.name is LinkName.PERLMUTTER)
    assert perlmutter.reading.health is Health.DOWN
    assert perlmutter.reading.until == start + 8 * HOUR_S
    assert not chain.allows(LinkName.PERLMUTTER)
    clock.advance(6 * HOUR_S)
    chain.look()
    assert chain.health()[LinkName.PERLMUTTER] is Health.UP


@pytest.mark.parametrize(
    "fault", [FaultName.UNAVAILABLE, FaultName.GARBLED, FaultName.RESET_BEFORE, FaultName.REFUSED]
)
def test_a_silent_api_says_nothing_of_the_machine(
    status: NerscStatus, desk: FaultDesk, clock: ManualClock, fault: FaultName
) -> None:
    desk.put(Fault(fault))
    reading = NerscProbe(status, LinkName.PERLMUTTER, clock).look()
    assert reading.health is Health.UNKNOWN
    assert reading.why
    desk.clear()
    assert NerscProbe(status, LinkName.PERLMUTTER, clock).look().health is Health.UP


def test_a_link_that_stays_down_is_asked_more_rarely(clock: ManualClock) -> None:
    looks: list[float] = []

    def measure() -> Reading:
        looks.append(clock())
        return Reading(Health.DOWN, "gone")

    chain = Chain([SimpleProbe(LinkName.SPIN, measure)], every_s=10, clock=clock)
    for _ in range(60):
        chain.look()
        clock.advance(10)
    gaps = [late - early for early, late in pairwise(looks)]
    assert gaps == sorted(gaps)
    assert len(looks) < 12
    chain.tell(LinkName.SPIN, Reading(Health.UP))
    assert chain.allows(LinkName.SPIN)
    clock.advance(10)
    chain.look()
    assert looks[-1] == clock()


FAILED = Reading(Health.DOWN, "no answer")


def of(chain: Chain, name: LinkName) -> Reading:
    return next(item.reading for item in chain.links() if item.link.name is name)


def test_work_opens_a_breaker_without_waiting_for_a_probe(clock: ManualClock) -> None:
    looks: list[float] = []

    def measure() -> Reading:
        looks.append(clock())
        return Reading(Health.UNKNOWN, "nobody tells")

    chain = Chain([SimpleProbe(LinkName.GLOBUS, measure)], clock=clock)
    chain.look()
    for n_failures in (1, 2):
        chain.tell(LinkName.GLOBUS, FAILED)
        assert of(chain, LinkName.GLOBUS) == Reading(Health.DEGRADED, "no answer"), n_failures
        assert chain.allows(LinkName.GLOBUS)
    chain.tell(LinkName.GLOBUS, FAILED)
    assert of(chain, LinkName.GLOBUS) == FAILED
    assert not chain.allows(LinkName.GLOBUS)
    clock.advance(61)
    chain.look()
    assert looks[-1] == clock()
    assert of(chain, LinkName.GLOBUS) == FAILED, "a look that tells nothing changes nothing"


def test_failures_of_work_count_in_a_row(clock: ManualClock) -> None:
    chain = Chain([], clock=clock)
    for _ in range(5):
        chain.tell(LinkName.SCICAT, FAILED)
        chain.tell(LinkName.SCICAT, FAILED)
        chain.worked(LinkName.SCICAT)
    assert of(chain, LinkName.SCICAT).health is Health.UP
    assert chain.allows(LinkName.SCICAT)


def test_a_link_that_nobody_looks_at_is_tried_again_by_work(clock: ManualClock) -> None:
    chain = Chain([], limits=Limits(3, 30.0, 100.0), clock=clock)
    for _ in range(3):
        chain.tell(LinkName.SCICAT, FAILED)
    for wait_s in (30, 60, 100, 100):
        clock.advance(wait_s - 1)
        chain.look()
        assert of(chain, LinkName.SCICAT).health is Health.DOWN
        clock.advance(1)
        chain.look()
        assert of(chain, LinkName.SCICAT).health is Health.UNKNOWN
        for _ in range(4):  # several pieces of work try at once
            chain.tell(LinkName.SCICAT, FAILED)
        assert of(chain, LinkName.SCICAT).health is Health.DOWN
    clock.advance(100)
    chain.look()
    chain.worked(LinkName.SCICAT)
    assert of(chain, LinkName.SCICAT).health is Health.UP


def test_what_a_probe_found_down_is_not_well_because_work_went_through(clock: ManualClock) -> None:
    chain = Chain([SimpleProbe(LinkName.CFS, lambda: FAILED)], clock=clock)
    chain.look()
    chain.worked(LinkName.CFS)
    assert of(chain, LinkName.CFS) == FAILED


def test_a_mistake_in_a_probe_stops_no_other(clock: ManualClock) -> None:
    def broken() -> Reading:
        raise ZeroDivisionError("by zero")

    chain = Chain(
        [SimpleProbe(LinkName.CFS, broken), SimpleProbe(LinkName.SPIN, lambda: FAILED)],
        clock=clock,
    )
    chain.look()
    assert "ZeroDivisionError" in of(chain, LinkName.CFS).why
    assert of(chain, LinkName.SPIN) == FAILED


def test_probes_measure(
    service: SuperfacilityStandIn, desk: FaultDesk, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"{service.api_url}/status/perlmutter"
    assert host_probe(LinkName.NETWORK, "127.0.0.1", service.server.port).look() == Reading("up")  # type: ignore[arg-type]
    assert page_probe(LinkName.ORCHESTRATOR, url).look().health is Health.UP
    assert page_probe(LinkName.ORCHESTRATOR, url + "x").look().health is Health.DEGRADED
    desk.put(Fault(FaultName.UNAVAILABLE))
    assert page_probe(LinkName.ORCHESTRATOR, url).look().health is Health.DOWN
    desk.clear()
    desk.put(Fault(FaultName.REFUSED))
    assert page_probe(LinkName.ORCHESTRATOR, url).look().health is Health.DOWN
    gone = host_probe(LinkName.ACQUISITION, "127.0.0.1", service.server.port).look()
    assert gone.health is Health.DOWN
    assert clock_probe(url).look().health is Health.UNKNOWN
    desk.clear()
    assert clock_probe(url).look().health is Health.UP
    assert clock_probe(url, clock=lambda: 0.0).look().health is Health.DOWN
    assert offset_s("Thu, 01 Jan 1970 00:00:10 GMT", 0.0) == -10
    assert offset_s("no date", 0.0) is None
    with pytest.raises(ValueError, match="address"):
        page_probe(LinkName.SPIN, "file:///etc/passwd")


def test_probes_of_this_machine(tmp_path: Path, clock: ManualClock) -> None:
    assert disk_probe(tmp_path, 1, 0).look().health is Health.UP
    assert disk_probe(tmp_path, 1 << 60).look().health is Health.DOWN
    assert disk_probe(tmp_path / "none", 1).look().health is Health.UNKNOWN
    assert writing_probe(tmp_path).look().health is Health.UP
    assert writing_probe(tmp_path / "none").look().health is Health.DOWN
    scan = tmp_path / "BLS-00564_name" / "a.h5"
    form = r"_?[A-Za-z]+-\d{5}_.+"
    assert folder_probe(lambda: scan, tmp_path, form).look().health is Health.UP
    assert folder_probe(lambda: tmp_path / "x" / "a", tmp_path, form).look().why.startswith("The f")
    assert folder_probe(lambda: None, tmp_path, form).look().health is Health.UNKNOWN
    assert proposal_probe(lambda: ("a", "b")).look().health is Health.DOWN
    assert permission_probe(lambda: ()).look().health is Health.UP
    assert "'x'" in permission_probe(lambda: ("x", "y")).look().why
    last = sign_probe(LinkName.STREAM, lambda: clock() - 5, 10, "The stream", clock)
    assert last.look().health is Health.UP

    class Expired:
        def key_expires(self) -> float | None:
            raise NeedsPersonError("the key has expired", fix="Make a new one")

    assert key_probe(Expired()).look() == Reading(
        Health.DEGRADED, "the key has expired", "Make a new one"
    )
