"""The agent and the chain: what is down is left alone, what work meets is told, notes are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.placement import Health, LinkState, StateKind
from alsct_gui.model.policy import Product, Wish
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.outlook import FORECAST_NOTE, Outlook
from alsct_gui.placement.services import Means
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.health.chain import Chain
from alsct_gui.superfacility.health.forecast import Forecast
from alsct_gui.superfacility.health.model import Health as Found
from alsct_gui.superfacility.health.model import LinkName, Reading
from alsct_gui.superfacility.health.probes import SimpleProbe
from alsct_gui.superfacility.transfer.base import TransferState
from tests.placement.placing import Facility, away, folder_policy, raw_file


@pytest.fixture
def facility(tmp_path: Path) -> Facility:
    policy = folder_policy(tmp_path)
    return Facility(tmp_path, replace(policy, wishes=(Wish("raw", Product.RAW, ("cfs",)),)))


@pytest.fixture
def ledger(facility: Facility) -> Iterator[Ledger]:
    with facility.ledger() as opened:
        yield opened


def agent_with(facility: Facility, ledger: Ledger, outlook: Outlook) -> Agent:
    means = Means(facility.policy, facility.watch, facility.queue, {"copies": facility.copier})
    services = Services(
        facility.policy, means.goals, facility.examine, outlook.health, facility.watch,
        outlook.met, outlook.notes,
    )  # fmt: skip
    return Agent(ledger, services)


def outlook_of(facility: Facility, *probes: SimpleProbe) -> Outlook:
    return Outlook(Chain(probes, clock=facility.watch), clock=facility.watch)


def stands(agent: Agent, facility: Facility) -> str:
    (record,) = [r for r in agent.observed.goals.values() if "/cfs/" in r.key]
    return record.state.waits_for if record.state.kind is StateKind.WAITING else record.state.kind


def test_what_a_probe_finds_reaches_the_ledger_and_stops_the_work(
    facility: Facility, ledger: Ledger
) -> None:
    found = [Reading(Found.DOWN, "it is faulting", "Wait", until=facility.watch() + 900)]
    outlook = outlook_of(facility, SimpleProbe(LinkName.GLOBUS, lambda: found[-1]))
    assert "globus" not in outlook.health(), "nobody has looked yet"
    agent = agent_with(facility, ledger, outlook)
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    outlook.look()
    facility.turns(agent, 5)
    assert stands(agent, facility) == "globus"
    assert agent.observed.links["globus"] == Health(
        "globus", LinkState.DOWN, agent.observed.links["globus"].since_s, "it is faulting",
        "Nothing is copied to NERSC or back; the debt is kept", "Wait", found[0].until,
    )  # fmt: skip
    told = ledger.last_seq()
    facility.turns(agent, 20)
    assert ledger.last_seq() == told, "nothing has changed"
    found.append(Reading(Found.UP))
    facility.watch.advance(3600)
    outlook.look()
    facility.turns(agent, 5)
    assert stands(agent, facility) == StateKind.MET


def test_what_work_meets_opens_the_breaker_at_once(facility: Facility, ledger: Ledger) -> None:
    outlook = outlook_of(facility)
    agent = agent_with(facility, ledger, outlook)
    for number in range(3):
        ask_admit(ledger, raw_file(facility.root, f"{number}.h5"))
    facility.copier.faults = [away() for _ in range(99)]
    states = []
    for _ in range(10):
        facility.turns(agent, 1)
        states.append(agent.observed.links["globus"].state)
    assert states[:2] == [LinkState.UNKNOWN, LinkState.DEGRADED]
    assert states[-1] is LinkState.DOWN
    asked = 99 - len(facility.copier.faults)
    facility.turns(agent, 20)
    assert 99 - len(facility.copier.faults) == asked, "nobody asks a link that is down"
    waits = {r.state.waits_for for r in agent.observed.goals.values() if "/cfs/" in r.key}
    assert waits == {"globus"}
    facility.copier.faults.clear()
    outlook.look()  # left alone for long enough, so work may try
    facility.turns(agent, 20)
    assert agent.observed.links["globus"].state is LinkState.UP
    assert {r.state.kind for r in agent.observed.goals.values()} == {StateKind.MET}
    moved = [item for task in facility.copier.submissions() for item in task["items"]]  # type: ignore[attr-defined]
    assert len(moved) == 3, "each file once"


def test_a_refusal_is_an_answer_of_the_link(facility: Facility) -> None:
    outlook = outlook_of(facility)
    for _ in range(5):
        outlook.met("globus", NeedsPersonError("log in"))
        outlook.met("no-such-link", away())
    assert outlook.health()["globus"].state is LinkState.UNKNOWN


def test_the_forecast_is_asked_once_a_minute_and_noted_once(
    facility: Facility, ledger: Ledger
) -> None:
    asked: list[float] = []

    def forecast() -> Forecast:
        asked.append(facility.watch())
        return Forecast("perlmutter", 60.0 * len(asked), (), facility.watch())

    outlook = Outlook(Chain([], clock=facility.watch), forecast, clock=facility.watch)
    agent = agent_with(facility, ledger, outlook)
    agent.turn()
    assert ledger.notes() == {}
    for _ in range(4):
        outlook.look()
        agent.turn()
        facility.watch.advance(30)
    assert len(asked) == 2
    assert ledger.notes()[FORECAST_NOTE]["wait_s"] == 120.0


def test_what_moves_is_noted_by_lane(facility: Facility, ledger: Ledger) -> None:
    outlook = outlook_of(facility)
    agent = agent_with(facility, ledger, outlook)
    ask_admit(ledger, raw_file(facility.root, "a.h5", b"x" * 6000))
    facility.copier.stays = TransferState.ACTIVE
    facility.turns(agent, 2)
    facility.copier.stays = None
    facility.turns(agent, 4)
    samples = ledger.notes()["throughput"]["samples"]
    assert {sample["lane"] for sample in samples} == {"copies"}
    moved = sum(sample["bytes_per_s"] * 60 for sample in samples)
    assert moved == pytest.approx(6000)
    assert samples[-1]["bytes_per_s"] == 0.0, "and then nothing"
    facility.turns(agent, 5)
    assert ledger.notes()["throughput"]["samples"] == samples
    again = agent_with(facility, ledger, outlook)
    facility.turns(again, 3)
    assert ledger.notes()["throughput"]["samples"] == samples, "it is kept over a restart"


def test_the_thread_looks_and_ends(facility: Facility) -> None:
    looked = threading.Event()

    def measure() -> Reading:
        looked.set()
        return Reading(Found.UP)

    with outlook_of(facility, SimpleProbe(LinkName.CFS, measure)) as outlook:
        assert looked.wait(30)
    assert outlook.health()["cfs"].state is LinkState.UP
    assert "alsct-health" not in {thread.name for thread in threading.enumerate()}
