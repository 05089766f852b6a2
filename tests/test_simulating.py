"""The facility that comes with `alsct-gui --simulate`, and the switches of its fault desk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alsct_gui.app import facility_of, services_for
from alsct_gui.settings import Settings
from alsct_gui.simulating import DeskSwitches, Simulated, simulated_facility
from alsct_gui.simulator.facility.desk import Desk
from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import Pace, World

QUICK = Pace(rate_bytes_per_s=None, queue_wait_s=0.0, rest_s=0.0)


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("facility") / "root", QUICK) as running:
        yield running


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_every_fault_can_be_switched_on_and_off(world: World) -> None:
    switches = DeskSwitches(Desk(world.card.control))
    assert switches.reason == ""
    names = [choice.name for choice in switches.choices]
    assert sorted(names) == sorted(FaultName)
    assert {choice.group for choice in switches.choices} == {
        "Machine", "Line", "Transfers", "Jobs",
    }  # fmt: skip
    assert switches.on() == frozenset()
    switches.switch("node-fail", on=True)
    switches.switch("node-fail", on=True)
    switches.switch("planned-outage", on=True)
    assert switches.on() == {"node-fail", "planned-outage"}
    faults = {fault.name: fault for fault in world.desk.faults().values()}
    assert len(faults) == 2
    assert faults[FaultName.NODE_FAIL].where == "sfapi job *"
    planned = faults[FaultName.PLANNED_OUTAGE]
    assert planned.start_s is not None
    assert planned.end_s == planned.start_s + 600
    switches.switch("node-fail", on=False)
    assert switches.on() == {"planned-outage"}
    switches.clear()
    assert world.desk.faults() == {}


def test_without_a_facility_the_switches_say_so() -> None:
    switches = DeskSwitches(None, "no room for it.")
    switches.switch("outage", on=True)
    switches.clear()
    assert switches.on() == frozenset()
    assert switches.reason == "no room for it."
    assert len(switches.choices) == len(FaultName)


def test_a_facility_that_runs_is_used_and_left_running(world: World) -> None:
    with simulated_facility(world.tree.root) as found:
        assert found.card == world.card
        assert os.environ.items() >= world.card.environment.items()
        facility = facility_of(Settings(), found.card.profile, found)
        assert facility.ledger == world.tree.root / "ledger.sqlite"
        assert facility.policy is not None
        assert facility.policy.name == "simulated"
        assert facility.configured
        assert facility.faults is not None
        assert facility.faults.reason == ""
    assert Desk(world.card.control).faults() == {}


def test_a_facility_is_started_and_ended(tmp_path: Path) -> None:
    root = tmp_path / "facility"
    settings = Settings(runs_folder=str(tmp_path / "runs"))
    with simulated_facility(root) as found:
        assert found.card is not None, found.trouble
        assert found.card.pid != os.getpid()
        with services_for(settings, simulated=found) as services:
            assert services.profile.name == "simulated"
            assert services.raw_folder == found.tree.raw
            assert found.scans.is_relative_to(found.tree.raw)
    assert not Tree(root).card.exists()


def test_one_that_does_not_start_is_said_so(tmp_path: Path) -> None:
    root = tmp_path / "a folder with spaces"
    with simulated_facility(root) as found:
        assert found.card is None
        assert found.switches.reason == found.trouble != ""
        facility = facility_of(Settings(ledger=str(tmp_path / "l")), "", found)
        assert facility.ledger == tmp_path / "l"
    assert Simulated(Tree(root), None).switches.reason == "No facility runs."
