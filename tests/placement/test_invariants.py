"""The checker finds each thing that must not be, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from alsct_gui.model.placement import (
    MET,
    MOVING,
    Evidence,
    GoalKey,
    StateKind,
    StepState,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import Product
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.goals.reading import read_file
from alsct_gui.placement.invariants import SILENT_S, check
from alsct_gui.placement.ledger import Ledger
from tests.placement.placing import START_S, Facility, folder_policy, raw_file


@pytest.fixture
def facility(tmp_path: Path) -> Facility:
    """One scan, everywhere, and nothing wrong."""
    facility = Facility(tmp_path, folder_policy(tmp_path))
    with facility.ledger() as ledger:
        ask_admit(ledger, raw_file(tmp_path, "a.h5"))
        facility.turns(facility.agent(ledger))
    return facility


@pytest.fixture
def ledger(facility: Facility) -> Iterator[Ledger]:
    with facility.ledger() as opened:
        yield opened


def part_of(ledger: Ledger) -> str:
    (part,) = ledger.observed().scans
    return part


def key(ledger: Ledger, place: str, product: Product = Product.RAW) -> str:
    return GoalKey(part_of(ledger), product, place).text


def rules(facility: Facility, ledger: Ledger, **more: bool) -> list[str]:
    return [item.rule for item in check(ledger, facility.policy, now_s=facility.watch(), **more)]


def test_nothing_is_found_where_nothing_is_wrong(facility: Facility, ledger: Ledger) -> None:
    assert rules(facility, ledger) == []
    assert rules(facility, ledger, read_files=False) == []


def _met_nowhere(ledger: Ledger) -> list[Event]:
    evidence = lean(Evidence("x", START_S, 1, "0" * 64))
    return [event(EventKind.MET, keys=[key(ledger, "cfs")], evidence=evidence)]


def _met_rotten(ledger: Ledger) -> list[Event]:
    evidence = lean(Evidence("x", START_S, 4, "0" * 64))
    return [event(EventKind.MET, keys=[key(ledger, "cfs")], evidence=evidence)]


def _no_slices(ledger: Ledger) -> list[Event]:
    goal = key(ledger, "made", Product.RECONSTRUCTION)
    return [event(EventKind.MET, keys=[goal], evidence=lean(Evidence("x", START_S)))]


def _nothing_seen(ledger: Ledger) -> list[Event]:
    goal = GoalKey(part_of(ledger), Product.ANALYSIS, "made", "0" * 12).text
    return [event(EventKind.MET, keys=[goal], evidence=lean(Evidence("x", START_S)))]


def _one_copy(ledger: Ledger) -> list[Event]:
    scan = ledger.observed().scans[part_of(ledger)]
    copies = (f"cfs {scan.sha256}", f"tape {'0' * 64}", f"cfs {scan.sha256}")
    evidence = lean(Evidence("x", START_S, copies=copies))
    return [event(EventKind.MET, keys=[key(ledger, "raw", Product.PRUNED)], evidence=evidence)]


def _met_by_word(ledger: Ledger) -> list[Event]:
    goal = key(ledger, "scicat", Product.METADATA)
    return [event(EventKind.STATE, keys=[goal], state=lean(MET))]


def _two_at_once(ledger: Ledger) -> list[Event]:
    lost = event(EventKind.LOST, keys=[key(ledger, "cfs")], state=lean(waiting("its turn")))
    works = [event(EventKind.INTENT, work=w, keys=[key(ledger, "cfs")]) for w in ("v", "w")]
    return [lost, *works]


def _done_twice(ledger: Ledger) -> list[Event]:
    return [event(EventKind.INTENT, work="v", keys=[key(ledger, "cfs")])]


def _two_ids(ledger: Ledger) -> list[Event]:
    lost = event(EventKind.LOST, keys=[key(ledger, "cfs")], state=lean(waiting("its turn")))
    ids = [event(EventKind.OUTSIDE, work="v", id=name) for name in ("1", "1", "2")]
    return [lost, event(EventKind.INTENT, work="v", keys=[key(ledger, "cfs")]), *ids]


def _no_intent(ledger: Ledger) -> list[Event]:
    return [event(EventKind.OUTSIDE, work="v", id="1")]


def _one_for_two(ledger: Ledger) -> list[Event]:
    told = []
    for work, place in (("v", "cfs"), ("w", "tape")):
        goal = key(ledger, place)
        told += [
            event(EventKind.LOST, keys=[goal], state=lean(waiting("its turn"))),
            event(EventKind.INTENT, work=work, keys=[goal]),
            event(EventKind.OUTSIDE, work=work, id="31000001"),
        ]
    return told


def _mute(ledger: Ledger) -> list[Event]:
    state = lean(StepState(StateKind.WAITING))
    return [event(EventKind.LOST, keys=[key(ledger, "cfs")], state=state)]


def _moves_nowhere(ledger: Ledger) -> list[Event]:
    return [event(EventKind.LOST, keys=[key(ledger, "cfs")], state=lean(MOVING))]


def _forbidden(ledger: Ledger) -> list[Event]:
    scan = lean(ledger.observed().scans[part_of(ledger)])
    return [event(EventKind.SCAN, scan={**scan, "export_controlled": True})]


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        (_met_nowhere, "met-without-evidence"),
        (_met_rotten, "met-without-evidence"),
        (_no_slices, "met-without-evidence"),
        (_nothing_seen, "met-without-evidence"),
        (_one_copy, "met-without-evidence"),
        (_met_by_word, "met-without-evidence"),
        (_two_at_once, "two-at-once"),
        (_done_twice, "done-twice"),
        (_two_ids, "two-ids"),
        (_no_intent, "no-intent"),
        (_one_for_two, "one-for-two"),
        (_mute, "silent"),
        (_moves_nowhere, "silent"),
        (_forbidden, "forbidden-placement"),
    ],
)
def test_what_the_history_must_not_hold_is_found(
    told: Callable[[Ledger], list[Event]], rule: str, facility: Facility, ledger: Ledger
) -> None:
    ledger.append(told(ledger))
    assert set(rules(facility, ledger)) == {rule}


def test_a_goal_that_nobody_speaks_of_is_found(tmp_path: Path) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path))
    path = raw_file(tmp_path, "a.h5")
    with facility.ledger() as ledger:
        found = facility.examine(path, facility.watch).scan
        assert found is not None
        seen = read_file(path, facility.watch)
        assert seen is not None
        raw = GoalKey(scan_part(found.id), Product.RAW, "raw").text
        ledger.append([event(EventKind.SCAN, scan=lean(found)),
                       event(EventKind.MET, keys=[raw], evidence=lean(seen))])  # fmt: skip
        assert rules(facility, ledger) == [], "it is new"
        facility.watch.advance(SILENT_S + 1)
        assert rules(facility, ledger) == ["silent", "silent"]


def test_what_the_folders_must_not_hold_is_found(facility: Facility, ledger: Ledger) -> None:
    path = facility.root / "raw" / "BLS-00001_a" / "a.h5"
    (path.parent / "unknown.h5").write_bytes(b"x")
    assert rules(facility, ledger) == ["not-in-the-ledger"]
    (path.parent / "unknown.h5").unlink()
    path.write_bytes(b"b.h5")  # as long as before
    assert rules(facility, ledger, read_files=False) == []
    assert rules(facility, ledger) == ["raw-changed"]
    path.unlink()
    assert rules(facility, ledger) == ["raw-lost"]


def test_products_that_are_not_as_they_were_seen_are_found(
    facility: Facility, ledger: Ledger
) -> None:
    goal = key(ledger, "made", Product.RECONSTRUCTION)
    stack = facility.root / "made" / "recA"

    def met(where: Path, slices: int) -> None:
        evidence = lean(Evidence(str(where), START_S, slices=slices))
        ledger.append([event(EventKind.MET, keys=[goal], evidence=evidence)])

    def found() -> list[str]:
        # that it is not wanted by this policy is of no concern here
        return [rule for rule in rules(facility, ledger) if rule.startswith("product")]

    met(facility.root / "elsewhere" / "recA", 2)
    assert found() == ["product-elsewhere"]
    met(stack, 2)
    assert found() == ["product-lost"]
    stack.mkdir(parents=True)
    assert found() == ["product-unreadable"]
    for number in range(3):
        tifffile.imwrite(stack / f"{number}.tif", np.zeros((4, 4), np.float32))
    assert found() == ["product-short"]
    met(stack, 3)
    assert found() == []


def test_damage_of_the_ledger_comes_first(facility: Facility, ledger: Ledger) -> None:
    ledger._db.execute("DROP TRIGGER events_are_kept")
    ledger._db.execute("DELETE FROM events WHERE seq = 3")
    assert rules(facility, ledger) == ["ledger-integrity"]
