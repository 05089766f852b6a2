"""What is owed and how long it takes to pay, catching up, forecasts: in words, no window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alsct_gui.model.placement import LinkState, blocked, waiting
from alsct_gui.model.policy import Product
from alsct_gui.ui.board.catchup import catch_up
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.debt import Debt, debt_line, debts, person_line, time_words
from alsct_gui.ui.board.forecast import (
    Outage,
    calendar,
    forecast_of,
    next_outage,
    outage_words,
)
from alsct_gui.ui.board.throughput import (
    LATE_S,
    Sample,
    bytes_per_s,
    lanes_of,
    samples_of,
    slices_per_s,
)
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, left_words
from tests.ui.board.making import CFS, NOW_S, REC, Made, in_outage, night_policy

NAMES = Names(night_policy())
GLOBUS = Sample(NOW_S - 60, "globus", 250e6, 0.0)
SLURM = Sample(NOW_S - 60, "slurm", 0.0, 12.0)


def line(made: Made, *samples: Sample) -> str:
    board = made.board()
    return debt_line(debts(board, NAMES, samples, NOW_S), board, NOW_S)


def test_the_line_of_an_outage_says_what_and_when() -> None:
    made = in_outage(37)
    for number in range(37):
        made.goal(number, Product.RAW, CFS, waiting("globus"))
    made.link("globus", LinkState.DOWN)
    # 370 GB at 250 MB/s are 25 min; 37 volumes of 2160 slices at 12 a second nearly 2 h.
    assert line(made, GLOBUS, SLURM) == (
        "37 scans owed to NERSC, 370 GB, about 2 h after Globus and Perlmutter return."
    )
    made.link("globus")
    assert line(made, GLOBUS, SLURM) == (
        "37 scans owed to NERSC, 370 GB, about 2 h after Perlmutter returns (said to be "
        f"{clock_words(NOW_S + 4 * 3600, NOW_S)})."
    )


def test_what_was_not_measured_is_not_guessed() -> None:
    made = in_outage(2)
    assert line(made).startswith(
        "2 scans owed to NERSC, 2 reconstructions, once Perlmutter returns"
    )
    made.link("perlmutter")
    assert line(made) == "2 scans owed to NERSC, 2 reconstructions, no speed measured yet."
    for number in range(2):
        made.goal(number, Product.RAW, CFS, waiting("its turn"))
    assert line(made, GLOBUS) == "2 scans owed to NERSC, 20.0 GB, about 1 min to copy."
    old = replace(GLOBUS, time_s=NOW_S - 2 * LATE_S)
    assert line(made, old) == "2 scans owed to NERSC, 20.0 GB, no speed measured yet."


def test_what_moves_tells_the_speed_and_counts_no_more() -> None:
    made = Made()
    made.scan(1)
    goal = made.goal(1, Product.RAW, CFS)
    made.work("w", goal, done=4_000_000_000, total=10_000_000_000)
    maker = made.maker()
    board = made.board(maker)
    (debt,) = debts(board, NAMES, (), NOW_S)
    assert debt.size_bytes == 6_000_000_000
    assert debt.copy_s == pytest.approx(150)
    assert debt.moving == 1


def test_nothing_owed_is_said_too() -> None:
    made = Made()
    assert line(made) == ""
    made = in_outage(1)
    made.goal(0, Product.RECONSTRUCTION, REC)
    assert line(made) == "1 scan, where it belongs."
    made.scan(1, export_controlled=True)
    assert line(made) == "2 scans, each where it belongs."


def test_who_is_held_or_blocked_is_not_promised() -> None:
    made = in_outage(2)
    for number in range(2):
        made.goal(number, Product.RECONSTRUCTION, REC, waiting("you"), held=True)
    assert line(made) == "2 scans owed to NERSC, 2 reconstructions, held back."
    for number in range(2):
        made.goal(number, Product.RECONSTRUCTION, REC, blocked("no key", "Make a new one"))
    assert line(made) == "2 scans owed to NERSC, 2 reconstructions, all of them blocked."
    assert person_line(made.board()) == "2 scans need you"
    assert person_line(in_outage(1).board()) == ""


@pytest.mark.parametrize(
    ("debt", "words"),
    [
        (Debt("n", "N", 1, copies=1, copy_s=14400.0), "about 4 h"),
        (Debt("n", "N", 1, copies=1, copy_s=60.0, volumes=1, make_s=7200.0), "about 2 h"),
        (Debt("n", "N", 1), "no speed measured yet"),
        (Debt("n", "N", 1, links=("cfs",)), "once Community file system returns"),
    ],
)
def test_the_time_of_a_debt(debt: Debt, words: str) -> None:
    assert time_words(debt, NOW_S) == words


def test_catching_up_names_what_moves_and_what_waits_for_a_person() -> None:
    made = in_outage(30)
    made.link("perlmutter")
    for number in range(5):
        made.goal(number, Product.RECONSTRUCTION, REC, blocked("no right", "Ask for it"))
    made.goal(5, Product.METADATA, "scicat", blocked("no such proposal", "Name it"))
    works = [f"w{number}" for number in range(10, 13)]
    for number, work in zip(range(10, 13), works, strict=True):
        made.work(work, made.goal(number, Product.RECONSTRUCTION, REC), done=1080, total=2160)
    board = made.board()
    view = catch_up(board, debts(board, NAMES, (SLURM,), NOW_S), NAMES, NOW_S)
    (owed,) = view.owed
    assert owed.title == "NERSC: 30 scans"
    assert owed.words.startswith("About 90 min · 30 reconstructions · 3 moving · 6 blocked")
    (moving,) = view.moving
    assert moving.title == "slurm: 3 runs"
    assert moving.words == "3 scans · 32.4 slices/s · 2 min left"
    assert moving.share == 0.5
    assert [line.title for line in view.troubles] == [
        "5 scans: no right", "1 scan: no such proposal",
    ]  # fmt: skip
    assert view.troubles[0].words == "Ask for it."
    assert len(view.troubles[0].scans) == 5
    assert view.further == 0
    assert all(line.state is State.BLOCKED for line in view.troubles)


def test_samples_that_make_no_sense_are_left_out() -> None:
    rows: list[Any] = [
        {"time_s": 2.0, "lane": "globus", "bytes_per_s": 5.0, "slices_per_s": 0},
        {"time_s": 1.0, "lane": "slurm", "slices_per_s": 3},
        {"time_s": float("nan"), "lane": "globus"}, {"time_s": -1, "lane": "globus"},
        {"lane": 5}, "x", None, {"time_s": True, "lane": "globus"},
        {"time_s": 1.0, "lane": "globus", "bytes_per_s": "fast"},
    ]  # fmt: skip
    expected = (Sample(1.0, "slurm", 0.0, 3.0), Sample(2.0, "globus", 5.0, 0.0))
    assert samples_of(rows) == samples_of({"samples": rows}) == expected
    assert samples_of(None) == samples_of({"x": 1}) == ()
    assert lanes_of(expected) == ("globus", "slurm")
    assert bytes_per_s(expected, "globus", 3.0) == 5.0
    assert bytes_per_s(expected, "slurm", 3.0) is None
    assert slices_per_s(expected, "slurm", 1.0 + LATE_S) == 3.0
    assert slices_per_s(expected, "slurm", 2.0 + LATE_S) is None


def test_a_forecast_is_read_with_care() -> None:
    on = {"start_s": NOW_S - 3600, "end_s": NOW_S + 3600, "what": "a  power\nfailure"}
    planned = {
        "start_s": NOW_S + 86400, "end_s": NOW_S + 90000, "what": "maintenance", "planned": True,
    }  # fmt: skip
    note = {
        "machine": "perlmutter", "wait_s": 300, "asked_s": NOW_S,
        "outages": [planned, on, 5, {}, {"start_s": "soon"}],
    }  # fmt: skip
    found = forecast_of(note)
    assert found is not None
    assert (found.machine, found.wait_s, found.asked_s) == ("perlmutter", 300.0, NOW_S)
    assert [outage.what for outage in found.outages] == ["a power failure", "maintenance"]
    lines = calendar(found.outages, NOW_S)
    assert lines[0].startswith("Now, until ")
    assert lines[0].endswith("(60 min left): a power failure")
    assert lines[1].endswith(", in 24 h: maintenance")
    assert next_outage(found.outages, NOW_S, 60.0) == found.outages[0]
    assert next_outage(found.outages, NOW_S + 4000, 60.0) is None
    assert next_outage(found.outages, NOW_S + 4000, 1e6) == found.outages[1]
    assert calendar(found.outages, NOW_S + 1e6) == ()
    assert forecast_of(None) is forecast_of("x") is None
    empty = forecast_of({"wait_s": "long", "outages": "none"})
    assert empty is not None
    assert (empty.wait_s, empty.outages) == (None, ())


def test_an_outage_without_times_is_said() -> None:
    assert outage_words(Outage(None, None, "", False), NOW_S) == "Now, end not known: an outage"
    assert outage_words(Outage(NOW_S + 60, None, "x.", True), NOW_S).endswith(", in 1 min: x")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under a second"), (45, "45 s"), (240, "4 min"), (1500, "25 min"), (5400, "90 min"),
     (7200, "2 h"), (12_600, "3.5 h"), (30_000, "8 h"), (200_000, "2 d")],
)  # fmt: skip
def test_time_left_is_no_finer_than_anybody_can_know(seconds: float, words: str) -> None:
    assert left_words(seconds) == words


def test_clock_times_of_other_days_name_the_day() -> None:
    assert len(clock_words(NOW_S, NOW_S)) == 5
    assert len(clock_words(NOW_S - 400 * 86400, NOW_S)) == 16
    assert clock_words(1e20, NOW_S) == "at an unknown time"
