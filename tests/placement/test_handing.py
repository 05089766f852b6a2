"""Leases, and scans that are handed over to an orchestrator, with agents on a real ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import ScanFacts, StateKind
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import (
    FLOWS,
    ask_admit,
    ask_hand_over,
    ask_owner,
    ask_take_back,
)
from alsct_gui.placement.events import EventKind, event
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.handing import AGAIN_S, PERSON_S, POLL_S
from alsct_gui.placement.invariants import check
from alsct_gui.placement.ledger import Ledger, LedgerMovedError
from alsct_gui.placement.services import Means
from alsct_gui.superfacility.errors import LinkDownError, NotThereError
from alsct_gui.superfacility.orchestrator.base import Deployment, FlowRun, FlowState, Orchestrator
from tests.placement.placing import Facility, folder_policy, raw_file

DEPLOYMENT = "file_flow/file"


@dataclass
class Flows:
    """An orchestrator in memory that keeps its runs by their keys."""

    runs_by_id: dict[str, FlowRun] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def deployments(self) -> tuple[Deployment, ...]:
        return (Deployment("1", DEPLOYMENT),)

    def runs(self, limit: int = 50) -> tuple[FlowRun, ...]:
        return tuple(self.runs_by_id.values())[:limit]

    def hand_over(
        self, deployment: str, parameters: Mapping[str, Any], key: str, title: str = ""
    ) -> FlowRun:
        known = next((run for run in self.runs_by_id.values() if run.key == key), None)
        if known is None:
            number = str(len(self.runs_by_id) + 1)
            known = FlowRun(number, title, FlowState.SCHEDULED, "It waits", key=key,
                            deployment=deployment, parameters=parameters)  # fmt: skip
            self.runs_by_id[number] = known
        self._fault()
        return known

    def run(self, id: str) -> FlowRun:  # noqa: A002
        self._fault()
        if id not in self.runs_by_id:
            raise NotThereError("no such run")
        return self.runs_by_id[id]

    def cancel(self, id: str) -> None:  # noqa: A002
        self.cancelled.append(id)
        self.turns_to(FlowState.CANCELLED, id)

    def turns_to(self, state: FlowState, id: str = "1") -> None:  # noqa: A002
        self.runs_by_id[id] = replace(self.runs_by_id[id], state=state, sentence=state.value)

    def _fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


@pytest.fixture
def facility(tmp_path: Path) -> Facility:
    return Facility(tmp_path, folder_policy(tmp_path))


@pytest.fixture
def ledger(facility: Facility) -> Iterator[Ledger]:
    with facility.ledger() as opened:
        yield opened


@pytest.fixture
def flows() -> Flows:
    return Flows()


def parameters(deployment: str, scan: ScanFacts) -> Mapping[str, Any]:
    if deployment != DEPLOYMENT:
        raise BlockedError(f"the profile does not know the flow {deployment}", fix="Name it")
    return {"file_path": scan.path}


def agent_of(facility: Facility, ledger: Ledger, flows: Flows | None, owner: str = "") -> Agent:
    means = Means(facility.policy, facility.watch, facility.queue, {"copies": facility.copier})
    services = Services(
        facility.policy, means.goals, facility.examine, lambda: facility.health, facility.watch,
        orchestrator=(lambda: flows) if flows is not None else None, flow_parameters=parameters,
    )  # fmt: skip
    return Agent(ledger, services, owner=owner)


def admitted(facility: Facility, ledger: Ledger, *names: str) -> list[str]:
    """Admit scans without anything being begun for them."""
    for name in names or ("a.h5",):
        ask_admit(ledger, raw_file(facility.root, name))
    facility.health = {}
    agent = agent_of(facility, ledger, None)
    agent._book.catch_up()
    agent._admit()
    return list(agent.observed.scans)


def kinds(agent: Agent) -> set[StateKind]:
    return {record.state.kind for record in agent.observed.goals.values()}


def test_it_fulfils_the_protocol(flows: Flows) -> None:
    assert isinstance(flows, Orchestrator)


def test_a_scan_that_is_handed_over_is_begun_once_and_left_alone(
    facility: Facility, ledger: Ledger, flows: Flows
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], DEPLOYMENT)
    facility.turns(agent_of(facility, ledger, flows), 3)
    agent = agent_of(facility, ledger, flows)  # as after a crash
    facility.turns(agent, 5)
    assert [run.key != "" for run in flows.runs_by_id.values()] == [True]
    assert flows.runs_by_id["1"].parameters["file_path"].endswith("a.h5")
    assert facility.copier.submissions() == []
    waits = {r.state.waits_for for r in agent.observed.goals.values()
             if r.state.kind is StateKind.WAITING}  # fmt: skip
    assert waits == {f"{FLOWS}{DEPLOYMENT}"}
    told = [item for item in ledger.tail(0) if item.kind == EventKind.STATE]
    assert len(told) == 2, "said once for each of two places, not at every turn"


def test_when_the_run_has_ended_the_agent_sees_for_itself(
    facility: Facility, ledger: Ledger, flows: Flows
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], DEPLOYMENT)
    agent = agent_of(facility, ledger, flows)
    facility.turns(agent, 2)
    flows.turns_to(FlowState.COMPLETED)  # and has copied nothing
    facility.turns(agent, 6)
    assert agent.observed.leases == {}
    assert agent.observed.flows[part].final
    assert kinds(agent) == {StateKind.MET}
    assert check(ledger, facility.policy, now_s=facility.watch()) == ()


def test_a_scan_that_is_taken_back_has_its_run_ended_there(
    facility: Facility, ledger: Ledger, flows: Flows
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], DEPLOYMENT)
    agent = agent_of(facility, ledger, flows)
    facility.turns(agent, 2)
    ask_take_back(ledger, [part])
    facility.turns(agent, 6)
    assert flows.cancelled == ["1"]
    assert agent.observed.flows[part].state == FlowState.CANCELLED
    assert kinds(agent) == {StateKind.MET}
    ask_hand_over(ledger, [part], DEPLOYMENT)  # again: another run
    facility.turns(agent, 2)
    assert len(flows.runs_by_id) == 2


def test_an_answer_that_is_lost_leads_to_one_run(
    facility: Facility, ledger: Ledger, flows: Flows
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], DEPLOYMENT)
    flows.faults = [LinkDownError("no answer"), LinkDownError("no answer")]
    agent = agent_of(facility, ledger, flows)
    facility.turns(agent, 1)
    assert agent.observed.flows[part].sentence == "no answer"
    facility.watch.advance(max(AGAIN_S, POLL_S))
    facility.turns(agent, 4)
    assert len(flows.runs_by_id) == 1
    assert agent.observed.flows[part].run == "1"


@pytest.mark.parametrize("known", [True, False])
def test_what_a_person_has_to_do_is_said(
    facility: Facility, ledger: Ledger, flows: Flows, known: bool
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], "nobody/nothing")
    agent = agent_of(facility, ledger, flows if known else None)
    facility.turns(agent, 2)
    flow = agent.observed.flows[part]
    assert (flow.state, flow.run) == ("blocked", "")
    assert flow.fix
    facility.watch.advance(PERSON_S)
    facility.turns(agent, 1)
    told = [item for item in ledger.tail(0) if item.kind == EventKind.FLOW]
    assert len(told) == 1


def test_two_owners_never_work_for_one_scan(facility: Facility, ledger: Ledger) -> None:
    first, second = admitted(facility, ledger, "a.h5", "b.h5")
    watch = facility.watch
    ask_owner(ledger, [first], "prefect/one", watch() + 100.0, clock=watch)
    with pytest.raises(UsageError, match="prefect/one works for it"):
        ask_owner(ledger, [first, second], "prefect/two", clock=watch)
    ask_owner(ledger, [first], "prefect/one", watch() + 1e6, clock=watch)  # longer
    mine = agent_of(facility, ledger, None, owner="prefect/one")
    ours = agent_of(facility, ledger, None)
    for _ in range(6):
        ours.turn()
        mine.turn()
        watch.advance(60.0)
    by_scan = {first: 0, second: 0}
    for item in ledger.tail(0):
        for part in by_scan if item.kind == EventKind.INTENT else ():
            by_scan[part] += any(key.startswith(part) for key in item.keys)
    ours._book.catch_up()
    assert kinds(ours) == {StateKind.MET}
    assert by_scan == {first: 2, second: 2}
    sources = [source for plain in facility.copier.submissions() for source, _ in plain["items"]]  # type: ignore[attr-defined]
    assert sorted(Path(source).name for source in sources) == ["a.h5", "a.h5", "b.h5", "b.h5"]


def test_a_lease_ends_by_itself_and_work_under_way_keeps_others_off(
    facility: Facility, ledger: Ledger
) -> None:
    (part,) = admitted(facility, ledger)
    watch = facility.watch
    ask_owner(ledger, [part], "prefect/one", watch() + 100.0, clock=watch)
    ours = agent_of(facility, ledger, None)
    ours.turn()
    assert not ours.observed.works
    watch.advance(101.0)
    ours.turn()
    assert ours.observed.works
    with pytest.raises(UsageError, match="work for it is under way"):
        ask_owner(ledger, [part], "prefect/one", clock=watch)


def test_a_scan_that_is_taken_while_it_is_looked_at_is_not_begun(
    facility: Facility, ledger: Ledger
) -> None:
    (part,) = admitted(facility, ledger)

    def take(boundary: str) -> None:
        if boundary == "observed":
            with facility.ledger() as other:
                ask_owner(other, [part], "prefect/one", clock=facility.watch)

    agent = facility.agent(ledger, take)
    agent.turn()
    assert not agent.observed.works
    assert facility.copier.submissions() == []


def test_what_was_decided_on_old_knowledge_is_not_written(ledger: Ledger) -> None:
    seq = ledger.append([event(EventKind.AGENT, what="started")])[0].seq
    ledger.append([event(EventKind.AGENT, what="stopped")])
    with pytest.raises(LedgerMovedError):
        ledger.append([event(EventKind.AGENT, what="late")], after=seq)
    assert ledger.last_seq() == seq + 1


def test_leases_and_flows_are_in_the_snapshot(
    facility: Facility, ledger: Ledger, flows: Flows
) -> None:
    (part,) = admitted(facility, ledger)
    ask_hand_over(ledger, [part], DEPLOYMENT)
    agent = agent_of(facility, ledger, flows)
    facility.turns(agent, 2)
    ledger.keep_snapshot(agent.observed)
    assert ledger.problems() == ()
    assert ledger.observed() == agent.observed


@pytest.mark.parametrize("name", ["no-slash", "/x", "x/", "a/b\n"])
def test_what_is_no_deployment_is_refused(facility: Facility, ledger: Ledger, name: str) -> None:
    (part,) = admitted(facility, ledger)
    with pytest.raises(UsageError):
        ask_hand_over(ledger, [part], name)
