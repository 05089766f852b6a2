"""The soak: its plan, a short one to its end, an account that can fail, a drill."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alsct_bench.soak.account import own_account, sha256_of
from alsct_bench.soak.drill import PROPOSALS, drill
from alsct_bench.soak.plan import FULL, KILLS, QUICK, SHORT, MoveKind, Size, plan
from alsct_bench.soak.play import Soak, processes
from alsct_gui.model.policy import Lane, Place, Policy, Site
from alsct_gui.placement.ledger import Ledger
from alsct_gui.simulator.acquisition import planned_scans, take_scan, tiny_scan


@pytest.mark.parametrize("size", [QUICK, SHORT, FULL])
def test_the_plan_is_the_same_for_a_seed_and_holds_what_it_says(size: Size) -> None:
    moves = plan(5, size)
    assert moves == plan(5, size)
    assert moves != plan(6, size)
    kinds = Counter(move.kind for move in moves)
    assert kinds[MoveKind.SCAN] == size.scans
    assert kinds[MoveKind.FAULT] == size.windows
    assert size.kills <= sum(KILLS.get(move.kind, 0) for move in moves) <= size.kills + 1
    assert all((move.window is not None) == (move.kind is MoveKind.FAULT) for move in moves)


def test_the_full_soak_is_that_of_the_issue_and_touches_every_service() -> None:
    assert (FULL.scans, FULL.kills, FULL.windows) == (800, 200, 150)
    windows = [move.window for move in plan(1, FULL) if move.window is not None]
    places = {window.where.split()[0] for window in windows}
    assert places >= {"transfer", "auth", "sfapi", "scicat", "task", "perlmutter"}
    assert len({window.name for window in windows}) >= 20
    assert {move.kind for move in plan(1, FULL)} == set(MoveKind)


def test_nothing_is_lost_in_a_short_soak_and_nothing_is_left_alive(tmp_path: Path) -> None:
    result = Soak(tmp_path, 3, QUICK).play()
    assert result.violations == ()
    assert result.backlog == 0
    assert result.counts["scans"] == QUICK.scans
    assert result.counts["kills"] >= QUICK.kills
    assert result.counts["goals"] >= 5 * QUICK.scans
    assert not [words for _, words in processes() if str(tmp_path).encode() in words]


def test_the_account_finds_what_the_ledger_does_not_say(tmp_path: Path) -> None:
    """Nothing was done here at all, and a stranger lies at one of the places."""
    places = tuple(
        Place(name, site, "lane", str(tmp_path / name))
        for name, site in (("nersc-cfs", "nersc"), ("mirror", "here"))
    )
    policy = Policy("p", (Site("nersc"), Site("here")), (Lane("lane"),), places, "mirror")
    raw = tmp_path / "raw"
    paths = [take_scan(scan, raw) for scan in planned_scans(2, spec=tiny_scan())]
    sums = {paths[0]: "0" * 64, paths[1]: sha256_of(paths[1])}
    for name in ("mirror/stranger.h5", f"nersc-cfs/{paths[1].relative_to(raw)}"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        found = Counter(v.rule for v in own_account(ledger, policy, raw, sums, {paths[1]}))
    assert found == {
        "one-row": 2, "raw-changed": 1, "copy": 3, "stranger": 1, "forbidden-placement": 1,
    }  # fmt: skip


def test_a_debt_is_paid_in_few_tasks(tmp_path: Path) -> None:
    done = drill(tmp_path / "drill", scans=30, outage_h=2.0)
    assert done.violations == ()
    assert (done.scans, done.tasks) == (30, PROPOSALS)
    assert done.least_hours <= done.hours
