"""A reconstruction at NERSC beside one here: how long, what stands in the way, one click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.placement import MET, LinkState, scan_part, waiting
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import EventKind
from alsct_gui.placement.feed import FeedState, Snapshot
from alsct_gui.recon.desk.answers import Look
from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.board.view import BoardView, view_of
from alsct_gui.ui.reconstruct.nerscwords import (
    BOTH,
    Offer,
    Times,
    offer_of,
    times_words,
    volume_place,
)
from alsct_gui.ui.session import Notice
from tests.ui.board.making import CFS, NOW_S, REC, Made, night_policy, part
from tests.ui.board.windows import board_window, written
from tests.ui.conftest import until
from tests.ui.programs import opened, small_scan

RECIPE = load_recipe("standard-8.3.2")
LOOK = Look(
    "/data/raw/a.h5", "scan", True, (), n_angles=1313, n_rows=2160, n_columns=2560,
    size_bytes=8_500_000_000,
)  # fmt: skip
PATH = Path("/data/raw/a.h5")


def known() -> Made:
    """One scan whose raw file is still here alone; NERSC is up, its queue waits 5 min."""
    made = Made()
    made.scan(1)
    for name in ("globus", "cfs", "perlmutter"):
        made.link(name)
    made.notes = {
        "nersc-forecast": {"machine": "perlmutter", "wait_s": 300, "asked_s": NOW_S,
                           "outages": []},
        "throughput": {"samples": [{"time_s": NOW_S - 60, "lane": "globus", "bytes_per_s": 5e7,
                                    "slices_per_s": 0}]},
    }  # fmt: skip
    return made


def view(made: Made) -> BoardView:
    snapshot = Snapshot(
        FeedState.OPEN, observed=made.observed, progress=made.progress, notes=made.notes, agent=1,
        time_s=NOW_S,
    )  # fmt: skip
    return view_of(made.maker(), snapshot, NOW_S)


def offer(made: Made, path: Path = PATH, here_s: float | None = 340.0, number: int = 1) -> Offer:
    shown = view(made)
    row: Row | None = next((r for r in shown.board.rows if r.id == part(number)), None)
    return offer_of(made.policy, shown, LOOK, row, RECIPE, here_s, path)


def test_both_times_stand_side_by_side() -> None:
    found = offer(known())
    # The run: 60 s to start, 17 s to stage, 48 s of sinograms, 94 s of voxels.
    assert found.line == "Here 6 min · NERSC about 12 min: waits 5, runs 4, copies 3"
    assert (found.text, found.both, found.refusal, found.caution) == (
        "Reconstruct at NERSC", False, "", "",
    )  # fmt: skip
    assert "No outage is announced." in found.tip
    made = known()
    made.goal(1, Product.RAW, CFS)
    assert offer(made).line == "Here 6 min · NERSC about 9 min: waits 5, runs 4"


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (Times(300.0, 180.0, 170.0), "Here 6 min · NERSC about 11 min: waits 5, runs 3, copies 3"),
        (Times(None, 180.0, 0.0), "Here 6 min · NERSC: waits not known, runs 3"),
        (Times(300.0, 180.0, None), "Here 6 min · NERSC: waits 5, runs 3, copies not known"),
        (Times(7200.0, 180.0, 0.0), "Here 6 min · NERSC about 2 h 5 min: waits 2 h, runs 3"),
    ],
)
def test_what_is_not_known_is_said(times: Times, words: str) -> None:
    assert times_words(times, 340.0, "NERSC") == words


def test_an_outage_offers_both_at_once() -> None:
    made = known()
    made.link("perlmutter", LinkState.DOWN, why="maintenance", until_s=NOW_S + 4 * 3600)
    found = offer(made)
    assert found.both
    assert found.text == BOTH
    assert found.caution.startswith("Perlmutter is down since ")
    assert ": maintenance; said to be back at " in found.caution
    assert found.caution.endswith("in 4 h.")


def test_an_outage_that_is_announced_is_spoken_of() -> None:
    made = known()
    made.notes["nersc-forecast"]["outages"] = [
        {"start_s": NOW_S + 3600, "end_s": NOW_S + 7200, "what": "network", "planned": True},
        {"start_s": NOW_S + 9e5, "end_s": NOW_S + 1e6, "what": "monthly", "planned": True},
    ]
    found = offer(made)
    assert not found.both
    assert "in 60 min: network." in found.caution
    assert "monthly" in found.tip
    made.notes["nersc-forecast"]["outages"][0]["start_s"] = NOW_S - 60
    assert offer(made).both


def test_what_was_asked_for_is_not_asked_again() -> None:
    made = known()
    goal = made.goal(1, Product.RECONSTRUCTION, REC, waiting("its turn"))
    assert offer(made).refusal == "Asked for at NERSC already: see the board"
    made.work("w", goal, done=540, total=2160)
    assert offer(made).refusal.startswith("Under way at NERSC: 540 of 2160 slices")
    made.goal(1, Product.RECONSTRUCTION, REC, MET)
    assert offer(made).refusal == "It is at NERSC already, by this recipe"
    shown = view(made)
    other = replace(RECIPE, rings=())
    row = shown.board.rows[0]
    assert offer_of(made.policy, shown, LOOK, row, other, 1.0, PATH).refusal == ""


def test_what_must_not_go_there_cannot_be_asked_for() -> None:
    made = known()
    made.scan(1, export_controlled=True)
    assert "export-controlled scans stay here" in offer(made).refusal
    assert offer(known(), Path("/home/me/a.h5"), number=9).refusal == (
        "Only scans that lie in /data/raw go there"
    )
    assert offer(known(), number=9).refusal == ""
    policy = replace(night_policy(), wishes=())
    assert volume_place(policy) is None
    assert offer_of(policy, None, LOOK, None, RECIPE, None, PATH).refusal
    assert offer_of(night_policy(), None, LOOK, None, RECIPE, None, PATH).refusal == (
        "The ledger is being read"
    )


def asked(program: Any) -> list[dict[str, Any]]:
    events = written(program, lambda ledger: ledger.tail(0))
    return [dict(item.data) for item in events if item.kind == EventKind.ASKED]


def test_a_scan_is_handed_over_and_wanted_there_by_one_click(
    app: Any, desk: Desk, drive: Callable[..., Any], tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    policy = night_policy()
    raw = replace(policy.places[0], root=str(tmp_path / "raw"))
    policy = replace(policy, places=(raw, *policy.places[1:]))
    notices: list[Notice] = []

    async def main() -> None:
        made = Made(policy)
        made.link("perlmutter")
        async with board_window(app, desk, tmp_path, made, policy=policy, shown=False) as program:
            program.session.noticed.connect(notices.append)
            await opened(program, scan)
            plan = program.parts.reconstruct.plan
            await until(lambda: plan.plan is not None, "the plan", 300)
            box = program.parts.nersc
            await until(lambda: box.run.isEnabled(), "the offer")
            assert box.line.text().startswith("Here under a minute · NERSC: waits not known")
            box.run.click()
            await until(lambda: len(asked(program)) == 2, "what was asked")
            first, second = asked(program)
            assert (first["what"], first["path"]) == ("admit", str(scan))
            with open_scan(scan) as read:
                name = scan_part(quick_identity(read))
            assert (second["what"], second["scans"]) == ("want", [name])
            assert second["suffix"].startswith(f"/reconstruction/{REC}/")
            assert second["recipe"]["name"] == RECIPE.name
            await until(lambda: notices, "the notice")
            assert notices[-1].sentence.endswith("is reconstructed at NERSC by itself.")
            assert program.session.runs == ()

    drive(main())


def test_while_nersc_is_away_it_is_made_here_too(
    app: Any, desk: Desk, drive: Callable[..., Any], tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    policy = night_policy()
    raw = replace(policy.places[0], root=str(tmp_path / "raw"))
    policy = replace(policy, places=(raw, *policy.places[1:]))

    async def main() -> None:
        made = Made(policy)
        made.link("perlmutter", LinkState.DOWN, why="maintenance")
        async with board_window(app, desk, tmp_path, made, policy=policy, shown=False) as program:
            await opened(program, scan)
            box = program.parts.nersc
            await until(lambda: program.parts.reconstruct.plan.plan is not None, "plan", 300)
            await until(lambda: box.run.text() == BOTH, "the offer")
            assert "Perlmutter is down" in box.caution.text()
            program.book.trigger("run.nersc")
            await until(lambda: program.session.runs, "the run here")
            await until(lambda: len(asked(program)) == 2, "the wish there")
            await until(lambda: program.session.runs[0].state.ended, "its end", 180)

    drive(main())


def test_it_is_not_offered_where_no_facility_is(
    app: Any, desk: Desk, drive: Callable[..., Any], tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with board_window(
            app, desk, tmp_path, None, shown=False, agent=False, facility={"configured": False}
        ) as program:
            await opened(program, scan)
            box = program.parts.nersc
            assert not box.isVisible()
            said: list[Notice] = []
            program.session.noticed.connect(said.append)
            program.book.trigger("run.nersc")
            assert said[0].sentence == "No facility is set up here."

    drive(main())
