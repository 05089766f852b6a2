"""Every fault of the facility, at every goal that it can touch: nothing is lost, all is paid.

A fault is on while goals begin and for some minutes after; then it is taken off, nobody does
anything, and everything that is wanted has to come to be. Goals begin in three acts, since
each is made from the one before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from alsct_gui.model.placement import StateKind
from alsct_gui.model.policy import Product
from alsct_gui.placement.invariants import check
from alsct_gui.simulator.facility.faults import FaultName as F
from alsct_gui.simulator.facility.outages import CFS, PERLMUTTER
from alsct_gui.wiring.outside import placed
from tests.wiring.conftest import Stage
from tests.wiring.loopback import Life, put

pytestmark = pytest.mark.long

ACTS = ("raw", "there", "back", "table")
"""Raw at NERSC with its record and row; the reconstruction, a table of it and access there; the
reconstruction brought back; the table, too."""
WISHES = {
    "raw": ("raw", "record", "row"), "there": ("there", "access", "table there"),
    "back": ("back",),
    "table": ("table back",),
}  # fmt: skip
TURNS = {F.STALL: 3, F.STALL_AFTER: 3}
"""Turns with the fault on; where each call waits for its end, fewer do."""
LINE = (
    F.REFUSED, F.RESET_BEFORE, F.RESET_AFTER, F.STALL, F.STALL_AFTER, F.TRUNCATED, F.GARBLED,
    F.UNAUTHORIZED, F.FORBIDDEN, F.NOT_FOUND, F.TOO_MANY, F.SERVER_ERROR, F.BAD_GATEWAY,
    F.UNAVAILABLE,
)  # fmt: skip
LOST = (F.RESET_AFTER, F.STALL_AFTER, F.TRUNCATED, F.GARBLED)
"""Done, and the answer does not come."""
TASKS = (
    F.CONSENT_REQUIRED, F.PAUSED, F.PERMISSION_DENIED, F.QUOTA, F.DISK_FULL, F.BAD_CHECKSUM,
    F.CREDENTIALS_EXPIRED, F.STUCK,
)  # fmt: skip
JOBS = (F.NODE_FAIL, F.TIMEOUT, F.HELD, F.JOB_NOT_FOUND, F.NO_OUTPUT)


def _cases() -> list[tuple[str, F, str, int | None]]:
    cases: list[tuple[str, F, str, int | None]] = []
    for act in ACTS:
        cases += [(act, fault, "*", None) for fault in LINE]
        cases += [(act, fault, "* POST *", 1) for fault in LOST]
        for machine in (PERLMUTTER, CFS, "globus"):
            cases += [(act, F.OUTAGE, machine, None)]
        cases += [(act, F.PLANNED_OUTAGE, PERLMUTTER, None)]
    for act in ("raw", "back", "table"):
        cases += [(act, fault, "*", None) for fault in TASKS]
    cases += [("there", fault, "*", None) for fault in JOBS]
    cases += [("there", fault, "*", 1) for fault in (F.NODE_FAIL, F.TIMEOUT, F.NO_OUTPUT)]
    return cases


CASES = _cases()


def restrict(stage: Stage, acts: tuple[str, ...]) -> None:
    stage.place.restrict({name for act in acts for name in WISHES[act]})


@pytest.mark.parametrize(
    ("act", "fault", "where", "count"), CASES,
    ids=[f"{a}-{f}-{w.replace('*', 'all').replace(' ', '_')}-{c}" for a, f, w, c in CASES],
)  # fmt: skip
def test_a_fault_costs_time_and_nothing_else(
    act: str, fault: F, where: str, count: int | None, stage: Stage, table: Path
) -> None:
    stage.place.add_table(table)
    whole = stage.place.policy
    before = ACTS[: ACTS.index(act)]
    life = stage.begin()
    if before:
        restrict(stage, before)
        life = stage.begin()
        stage.play(life)
        assert life.open_goals() == []
    stage.place.policy = whole
    restrict(stage, ACTS[: ACTS.index(act) + 1])
    put(stage.desk, fault, where, count=count)
    life = stage.begin()
    stage.play(life, TURNS.get(fault, 5))
    for record in life.observed.goals.values():
        if record.state.kind not in (StateKind.MET, StateKind.MOVING):
            assert record.state.waits_for or record.state.cause, record.key
    stage.desk.clear()
    stage.play(life, 80)
    assert life.open_goals() == []
    nothing_lost(stage, life, act)


def nothing_lost(stage: Stage, life: Life, act: str) -> None:
    policy = placed(stage.place.policy, stage.place.profile)
    assert check(life.ledger, policy, now_s=stage.clock()) == ()
    held = [rule for found in stage.globus.collections.values() for rule in found.rules.values()]
    if act != "raw":
        assert len(held) == 1, "access is given once"
        evidence = life.record(Product.RECONSTRUCTION, "recon").evidence
        assert evidence is not None
        assert evidence.slices == 80
    assert len(stage.scicat.datasets) == 1
    running = [job for job in stage.sfapi.slurm.jobs() if job.state == "RUNNING"]
    assert running == []
    copy = stage.place.tree.cfs / "raw" / stage.place.raw.relative_to(stage.place.tree.raw)
    assert copy.read_bytes() == stage.place.raw.read_bytes()
