"""Real agents on real ledgers and folders, with a clock that is moved by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import Asked, GoalKey, StateKind
from alsct_gui.model.policy import Policy, Product, Wish
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.asking import (
    ask_admit,
    ask_of_goals,
    ask_priority,
    ask_retry_arrival,
    ask_unwant,
    ask_want,
)
from alsct_gui.placement.auditing import AT_ONCE, WHILE_BUSY
from alsct_gui.placement.events import EventKind
from alsct_gui.placement.goals.pruning import QUARANTINE
from alsct_gui.placement.invariants import check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import AgentLock, agent_pid
from alsct_gui.superfacility.errors import NeedsPersonError, RefusedError
from alsct_gui.superfacility.transfer.base import TransferState
from tests.placement.placing import (
    Facility,
    away,
    down,
    folder_policy,
    pruning,
    raw_file,
)

HOSTILE = "a 'b' \"c\" $(touch x) \n é 🜚.h5"


@pytest.fixture
def facility(tmp_path: Path) -> Facility:
    return Facility(tmp_path, folder_policy(tmp_path))


@pytest.fixture
def ledger(facility: Facility) -> Iterator[Ledger]:
    with facility.ledger() as opened:
        yield opened


def states(agent: Agent) -> Counter[StateKind]:
    return Counter(record.state.kind for record in agent.observed.goals.values())


def key_at(agent: Agent, place: str, product: Product = Product.RAW) -> str:
    (part,) = agent.observed.scans
    return GoalKey(part, product, place).text


def replace_policy(facility: Facility, policy: Policy) -> Facility:
    """The same facility under another policy."""
    other = Facility(facility.root, policy, facility.watch)
    other.copier = facility.copier
    return other


def nothing_wrong(facility: Facility, ledger: Ledger) -> bool:
    return check(ledger, facility.policy, now_s=facility.watch()) == ()


def test_a_scan_gets_to_where_it_is_wanted(facility: Facility, ledger: Ledger) -> None:
    path = raw_file(facility.root, HOSTILE)
    ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert states(agent) == {StateKind.MET: 3}
    for place in ("cfs", "tape"):
        assert (facility.root / place / "BLS-00001_a" / HOSTILE).read_bytes() == path.read_bytes()
    assert agent.observed == facility.agent(ledger).observed
    assert nothing_wrong(facility, ledger)
    assert not agent.turn(), "nothing is left to do"
    (part,) = agent.observed.scans
    assert len(ledger.timeline(part)) == ledger.last_seq() - 1  # all but the handing over


def test_many_scans_of_a_proposal_share_a_transfer(facility: Facility, ledger: Ledger) -> None:
    for number in range(23):
        ask_admit(ledger, raw_file(facility.root, f"{number}.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 30)
    assert states(agent) == {StateKind.MET: 69}
    sizes = sorted(len(task["items"]) for task in facility.copier.submissions())  # type: ignore[arg-type]
    assert sizes == [3, 3, 10, 10, 10, 10]
    assert nothing_wrong(facility, ledger)


def test_what_is_there_already_is_not_copied_again(facility: Facility, ledger: Ledger) -> None:
    path = raw_file(facility.root, "a.h5")
    for place in ("cfs", "tape"):
        copy = facility.root / place / "BLS-00001_a" / "a.h5"
        copy.parent.mkdir(parents=True)
        copy.write_bytes(path.read_bytes())
    ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert states(agent) == {StateKind.MET: 3}
    assert facility.copier.submissions() == []


def test_a_path_or_a_content_seen_twice_is_one_scan(facility: Facility, ledger: Ledger) -> None:
    first = raw_file(facility.root, "a.h5", b"same")
    second = raw_file(facility.root, "b.h5", b"same")
    for path in (first, second, first):
        ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert [scan.path for scan in agent.observed.scans.values()] == [str(first)]
    assert agent.observed.arrivals == {}


def test_an_outage_is_waited_for_by_name_and_the_debt_is_paid(
    facility: Facility, ledger: Ledger
) -> None:
    facility.health = down("globus")
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 50)
    waiting = [record.state for record in agent.observed.goals.values()]
    assert sorted(state.waits_for for state in waiting) == ["", "globus", "globus"]
    events_before = ledger.last_seq()
    facility.turns(agent, 50)
    assert ledger.last_seq() == events_before, "only transitions are kept"
    assert facility.copier.submissions() == []
    facility.health = {}
    facility.turns(agent)
    assert states(agent) == {StateKind.MET: 3}
    assert nothing_wrong(facility, ledger)


def test_an_outage_that_nobody_announced_is_survived_by_trying_again(
    facility: Facility, ledger: Ledger
) -> None:
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.copier.faults = [away() for _ in range(9)]
    facility.turns(agent, 60)
    assert states(agent) == {StateKind.MET: 3}
    assert len(facility.copier.submissions()) == 2, "one for each place"
    assert nothing_wrong(facility, ledger)


def test_what_is_said_to_be_done_and_is_not_counts_as_failed(
    facility: Facility, ledger: Ledger
) -> None:
    facility.copier.silent = True
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 2)
    record = agent.observed.goals[key_at(agent, "cfs")]
    assert (record.state.kind, record.attempts) == (StateKind.RETRY, 1)
    assert "not there" in record.state.cause
    facility.turns(agent, 30)
    record = agent.observed.goals[key_at(agent, "cfs")]
    assert record.state.kind is StateKind.BLOCKED
    assert record.attempts >= 3
    assert nothing_wrong(facility, ledger)
    facility.copier.silent = False
    facility.turns(agent, 30)  # nobody helps
    assert states(agent) == {StateKind.MET: 3}


def test_the_ledger_tells_how_the_links_are_and_only_their_changes(
    facility: Facility, ledger: Ledger
) -> None:
    agent = facility.agent(ledger)
    for health in ({}, down("globus"), down("globus"), {}, down("globus", "hpss")):
        facility.health = health
        agent.turn()
    told = [item for item in ledger.tail(0) if item.kind == EventKind.LINK]
    assert [item.data["health"]["link"] for item in told] == ["globus", "hpss"]
    ledger.keep_snapshot(agent.observed)
    assert ledger.observed().links == dict(down("globus", "hpss"))


@pytest.mark.parametrize("error", [NeedsPersonError, RefusedError])
def test_a_refusal_calls_a_person_and_is_tried_again(
    error: type[NeedsPersonError], facility: Facility, ledger: Ledger
) -> None:
    facility.copier.faults = [error("log in", fix="Log in with your token")]
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 2)
    (stuck,) = [r for r in agent.observed.goals.values() if r.state.kind is StateKind.BLOCKED]
    assert stuck.state.fix == "Log in with your token"
    ask_of_goals(ledger, "retry", [stuck.key])
    facility.turns(agent, 5)
    assert states(agent) == {StateKind.MET: 3}


def test_a_mistake_of_the_program_stops_one_goal_only(facility: Facility, ledger: Ledger) -> None:
    facility.copier.faults = [ZeroDivisionError("by zero")]
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    agent.turn()
    causes = [record.state.cause for record in agent.observed.goals.values()]
    assert any("a mistake in the program" in cause for cause in causes)
    facility.turns(agent, 10)
    assert states(agent) == {StateKind.MET: 3}
    assert len(facility.copier.submissions()) == 2


def test_a_transfer_that_waits_for_a_login_is_blocked_and_goes_on(
    facility: Facility, ledger: Ledger
) -> None:
    facility.copier.stays = TransferState.NEEDS_PERSON
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 5)
    (record,) = [r for r in agent.observed.goals.values() if r.work]
    assert record.state.kind is StateKind.BLOCKED
    facility.copier.stays = TransferState.ACTIVE
    facility.turns(agent, 1)
    assert agent.observed.goals[record.key].state.kind is StateKind.MOVING
    assert list(ledger.progress().values()) == [(1, 2)]
    facility.copier.stays = None
    facility.turns(agent, 5)
    assert states(agent) == {StateKind.MET: 3}
    assert ledger.progress() == {}
    assert len(facility.copier.submissions()) == 2


def test_cancel_and_retry(facility: Facility, ledger: Ledger) -> None:
    facility.copier.stays = TransferState.ACTIVE
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 2)
    (record,) = [r for r in agent.observed.goals.values() if r.work]
    ask_of_goals(ledger, "cancel", [record.key])
    facility.turns(agent, 3)
    cancelled = agent.observed.goals[record.key]
    assert cancelled.state.waits_for == "you"
    assert (
        facility.copier.submissions()[0]["cancelled"]
        or (facility.copier.submissions()[1]["cancelled"])
    )
    facility.copier.stays = None
    facility.turns(agent, 10)
    assert agent.observed.goals[record.key].state.kind is StateKind.WAITING
    ask_of_goals(ledger, "retry", [record.key])
    facility.turns(agent, 5)
    assert states(agent) == {StateKind.MET: 3}
    assert nothing_wrong(facility, ledger)


def test_hold_and_release(facility: Facility, ledger: Ledger) -> None:
    facility.health = down("globus")
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 2)
    key = key_at(agent, "cfs")
    ask_of_goals(ledger, "hold", [key])
    facility.health = {}
    facility.turns(agent, 10)
    assert states(agent) == {StateKind.MET: 2, StateKind.WAITING: 1}
    ask_of_goals(ledger, "release", [key])
    facility.turns(agent, 5)
    assert states(agent) == {StateKind.MET: 3}


def test_priority_of_a_person_comes_first(facility: Facility, ledger: Ledger) -> None:
    facility.health = down("globus", "hpss")
    for number in range(25):
        ask_admit(ledger, raw_file(facility.root, f"{number}.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 2)
    last = next(p for p, s in agent.observed.scans.items() if s.path.endswith("/24.h5"))
    ask_priority(ledger, [last], 100)
    facility.health = {}
    facility.turns(agent, 2)
    first = facility.copier.submissions()[0]
    assert ["BLS-00001_a/24.h5"] * 2 in first["items"]  # type: ignore[operator]


def test_an_export_controlled_scan_stays(facility: Facility, ledger: Ledger) -> None:
    ask_admit(ledger, raw_file(facility.root, "a.h5"), export_controlled=True)
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert list(agent.observed.goals) == [key_at(agent, "raw")]
    assert facility.copier.submissions() == []
    assert nothing_wrong(facility, ledger)


def test_a_copy_that_vanishes_is_found_out_and_made_again(
    facility: Facility, ledger: Ledger
) -> None:
    path = raw_file(facility.root, "a.h5")
    ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    copy = facility.root / "cfs" / "BLS-00001_a" / "a.h5"
    copy.write_bytes(b"rotten")
    facility.watch.advance(8 * 86400)
    facility.turns(agent, 10)
    assert copy.read_bytes() == path.read_bytes()
    kinds = Counter(item.kind for item in ledger.tail(0))
    assert kinds[EventKind.LOST] == 1
    assert kinds[EventKind.AUDITED] == 2
    assert nothing_wrong(facility, ledger)


def test_what_is_owed_goes_before_looking_again(facility: Facility, ledger: Ledger) -> None:
    for number in range(5):
        ask_admit(ledger, raw_file(facility.root, f"{number}.h5"))
    agent = facility.agent(ledger)
    facility.turns(agent, 30)
    facility.watch.advance(8 * 86400)

    def looked_again() -> int:
        seq = ledger.last_seq()
        agent.turn()
        return Counter(item.kind for item in ledger.tail(seq))[EventKind.AUDITED]

    assert looked_again() == AT_ONCE
    ask_admit(ledger, raw_file(facility.root, "another.h5"))
    assert looked_again() == WHILE_BUSY
    assert nothing_wrong(facility, ledger)


def test_a_raw_file_that_changes_calls_a_person_and_is_a_violation(
    facility: Facility, ledger: Ledger
) -> None:
    path = raw_file(facility.root, "a.h5")
    ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    path.write_bytes(b"another")
    assert [v.rule for v in check(ledger, facility.policy, now_s=0.0)] == ["raw-changed"]
    facility.watch.advance(8 * 86400)
    facility.turns(agent, 4)
    state = agent.observed.goals[key_at(agent, "raw")].state
    assert state.kind is StateKind.BLOCKED
    assert "not what was admitted" in state.cause
    assert "Bring it back" in state.fix


def test_a_raw_file_is_pruned_after_its_quarantine_only(tmp_path: Path) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path, **pruning(1.0, 2.0)))
    path = raw_file(tmp_path, "a.h5")
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
        agent = facility.agent(ledger)
        facility.turns(agent)
        assert path.exists(), "it is not old enough"
        facility.watch.advance(86400)
        facility.turns(agent, 5)
        aside = tmp_path / "raw" / QUARANTINE / "BLS-00001_a" / "a.h5"
        assert not path.exists()
        assert aside.exists()
        state = agent.observed.goals[key_at(agent, "raw", Product.PRUNED)].state
        assert state.waits_for == "the end of its quarantine"
        assert nothing_wrong(facility, ledger)
        facility.watch.advance(2 * 86400)
        facility.turns(agent, 5)
        assert not aside.exists()
        evidence = agent.observed.goals[key_at(agent, "raw", Product.PRUNED)].evidence
        assert evidence is not None
        assert {text.split()[0] for text in evidence.copies} == {"cfs", "tape"}
        assert states(agent) == {StateKind.MET: 3, StateKind.NOT_WANTED: 1}
        assert nothing_wrong(facility, ledger)


@pytest.mark.parametrize("spoil", ["gone", "rotten"])
def test_a_copy_that_is_lost_during_quarantine_brings_the_file_back(
    spoil: str, tmp_path: Path
) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path, **pruning(0.0, 1.0)))
    path = raw_file(tmp_path, "a.h5")
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
        agent = facility.agent(ledger)
        facility.turns(agent)
        assert not path.exists()
        copy = tmp_path / "tape" / "BLS-00001_a" / "a.h5"
        copy.unlink() if spoil == "gone" else copy.write_bytes(b"rotten")
        facility.watch.advance(86400)
        facility.turns(agent, 2)
        assert path.read_bytes() == b"a.h5"
        assert nothing_wrong(facility, ledger)


def test_a_file_that_is_no_scan_is_told_and_looked_at_when_asked(
    facility: Facility, ledger: Ledger
) -> None:
    from alsct_gui.model.placement import blocked
    from alsct_gui.placement.admission import Admission

    path = raw_file(facility.root, "a.h5")
    good = facility.examine
    facility.examine = lambda path, clock: Admission(state=blocked("it is damaged", "Copy it"))
    ask_admit(ledger, path)
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert agent.observed.arrivals[str(path)].state.cause == "it is damaged"
    facility.examine = good
    agent = facility.agent(ledger)
    facility.turns(agent)
    assert agent.observed.scans == {}, "nobody has asked"
    ask_retry_arrival(ledger, path)
    facility.turns(agent)
    assert states(agent) == {StateKind.MET: 3}


def test_a_person_wants_more_and_less_than_the_policy(facility: Facility, ledger: Ledger) -> None:
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    agent = facility.agent(ledger)
    agent.turn()
    (part,) = agent.observed.scans
    ask_unwant(ledger, [part], Product.RAW, "tape")
    facility.turns(agent)
    assert agent.observed.goals[key_at(agent, "tape")].state.kind is not StateKind.MET
    assert not (facility.root / "tape").exists()
    ask_want(ledger, [part], Product.RAW, "tape")
    facility.turns(agent)
    assert states(agent) == {StateKind.MET: 3}
    ledger.keep_snapshot(agent.observed)
    assert ledger.observed().asked == {part: Asked(frozenset({"/raw/tape/-"}))}
    assert len([e for e in ledger.timeline(part) if e.kind == EventKind.ASKED]) == 2
    assert nothing_wrong(facility, ledger)


def test_a_ban_is_stronger_than_a_person(facility: Facility, ledger: Ledger) -> None:
    ask_admit(ledger, raw_file(facility.root, "a.h5"), export_controlled=True)
    agent = facility.agent(ledger)
    agent.turn()
    ask_want(ledger, list(agent.observed.scans), Product.RAW, "cfs")
    facility.turns(agent)
    state = agent.observed.goals[key_at(agent, "cfs")].state
    assert (state.kind, state.cause) == (StateKind.NOT_WANTED, "forbidden: controlled")
    assert facility.copier.submissions() == []
    assert nothing_wrong(facility, ledger)


def test_a_place_that_is_gone_from_the_policy_stops_nothing_else(
    facility: Facility, ledger: Ledger
) -> None:
    facility.copier.stays = TransferState.ACTIVE
    ask_admit(ledger, raw_file(facility.root, "a.h5"))
    facility.turns(facility.agent(ledger), 2)
    (work,) = ledger.observed().works.values()
    gone = GoalKey.parse(work.keys[0]).place
    places = tuple(place for place in facility.policy.places if place.name != gone)
    left = "tape" if gone == "cfs" else "cfs"
    policy = replace(facility.policy, places=places, wishes=(Wish("one", Product.RAW, (left,)),))
    other = replace_policy(facility, policy)
    other.copier.stays = None
    agent = other.agent(ledger)
    other.turns(agent)
    assert agent.observed.goals[key_at(agent, left)].state.kind is StateKind.MET
    stuck = agent.observed.goals[key_at(agent, gone)].state
    assert (stuck.kind, stuck.cause) == (StateKind.BLOCKED, f"the policy has no place {gone}")


@pytest.mark.parametrize(
    ("product", "place", "recipe"),
    [(Product.PRUNED, "cfs", None), (Product.RAW, "../cfs", None), (Product.RAW, "cfs", Recipe()),
     (Product.RECONSTRUCTION, "made", None)],
)  # fmt: skip
def test_what_cannot_be_wanted_is_refused(
    product: Product, place: str, recipe: Recipe | None, ledger: Ledger
) -> None:
    with pytest.raises(UsageError):
        ask_want(ledger, [], product, place, recipe)


def test_scans_that_nobody_knows_cannot_be_wanted(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="no scan"):
        ask_want(ledger, ["0" * 32], Product.RAW, "cfs")
    assert ledger.last_seq() == 0


@pytest.mark.parametrize("key", ["", "a/b", "../raw/cfs/-", "0" * 32 + "/raw/cfs/-"])
def test_what_is_no_goal_is_refused(key: str, ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="agent status"):
        ask_of_goals(ledger, "hold", [key])


def test_there_is_one_agent(facility: Facility) -> None:
    assert agent_pid(facility.ledger_path) is None
    with AgentLock(facility.ledger_path):
        assert agent_pid(facility.ledger_path) is not None
        with pytest.raises(UsageError, match="another agent"):
            AgentLock(facility.ledger_path)
    assert agent_pid(facility.ledger_path) is None
