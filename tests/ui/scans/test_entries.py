"""Rows of the list: what they say of what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.beamline.looks import Summary
from alsct_gui.beamline.sightings import Sighting
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.scan import People
from alsct_gui.recon.desk.answers import Look
from alsct_gui.ui.scans.entries import (
    Entry,
    entry_of_look,
    entry_of_sighting,
    facts_line,
    lost,
    matches,
    newest_first,
    opening,
)
from alsct_gui.ui.widgets.marks import State

PATH = Path("/data/raw/20260302_140212_fibre.h5")
ARRIVING = Sighting(
    path=PATH, state="arriving", kind="scan", sentence="Being written.", size_bytes=9_000_000_000,
    modified_s=1e9, frames_done=812, frames_expected=1313,
    summary=Summary("fibre 93N", "BLS-00564", "2026-03-02T14:02:12-08:00"),
)  # fmt: skip
SATURATED = Finding("flats-saturated", Severity.WARNING, "The flats are saturated.", "Use less.")


def test_an_arriving_scan_says_how_far_it_is() -> None:
    entry = entry_of_sighting(ARRIVING)
    assert entry.state is State.MOVING
    assert entry.words == "arriving 812/1313"
    assert entry.share == pytest.approx(812 / 1313)
    assert entry.title == "fibre 93N"
    assert entry.moment is not None
    assert entry.moment.astimezone(UTC) == datetime(2026, 3, 2, 22, 2, 12, tzinfo=UTC)
    assert facts_line(entry) == "BLS-00564 · 9.0 GB"


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"state": "complete", "frames_done": 1313}, State.MET, "1313 projections"),
        ({"state": "complete", "frames_done": 1, "kind": "volume"}, State.MET, "1 slice"),
        ({"state": "complete", "findings": (SATURATED,)}, State.BLOCKED, "flats saturated"),
        ({"state": "broken"}, State.FAILED, "stopped at 812/1313"),
        ({"state": "broken", "frames_done": None}, State.FAILED, "broken"),
        ({"state": "gone"}, State.UNKNOWN, "no longer there"),
        ({"frames_expected": None}, State.MOVING, "arriving"),
    ],
)
def test_each_state_has_its_mark_and_words(change: dict, state: State, words: str) -> None:
    entry = entry_of_sighting(replace(ARRIVING, **change))
    assert (entry.state, entry.words) == (state, words)


def test_findings_stand_in_the_tip_with_what_to_do() -> None:
    entry = entry_of_sighting(replace(ARRIVING, findings=(SATURATED,)))
    assert "flats-saturated: The flats are saturated. Use less." in entry.tip
    assert str(PATH) in entry.tip


def test_a_close_look_renews_a_row_and_keeps_what_is_under_way() -> None:
    look = Look(
        str(PATH), "scan", True, (), n_angles=1313, size_bytes=5, people=People(sample="foam")
    )
    fresh = entry_of_look(look, opening(PATH))
    assert (fresh.state, fresh.words, fresh.title) == (State.MET, "1313 projections", "foam")
    assert entry_of_look(look, entry_of_sighting(ARRIVING)).state is State.MOVING
    bad = Finding("not-a-scan", Severity.ERROR, "It is no scan.")
    broken = entry_of_look(replace(look, ok=False, findings=(bad,)), None)
    assert (broken.state, broken.words) == (State.FAILED, "not a scan")


@pytest.mark.parametrize(
    ("sample", "title"),
    [("", "fibre"), ("20260302_140212_fibre", "fibre"), ("fibre 93N", "fibre 93N")],
)
def test_a_title_leaves_out_date_and_time(sample: str, title: str) -> None:
    naming = r"(?P<date>\d{8})_(?P<time>\d{6})_(?P<title>.*)\.h5"
    summary = replace(ARRIVING.summary, sample=sample)
    assert entry_of_sighting(replace(ARRIVING, summary=summary), naming).title == title


def test_what_cannot_be_opened_says_why() -> None:
    entry = lost(opening(PATH), "It is gone.")
    assert entry.state is State.FAILED
    assert "It is gone." in entry.tip


@given(st.text(max_size=30), st.text(max_size=12))
def test_the_filter_takes_any_text(title: str, typed: str) -> None:
    entry = Entry(PATH, title=title)
    assert matches(entry, "")
    assert matches(entry, title)
    assert isinstance(matches(entry, typed), bool)


def test_newest_come_first_and_unknown_times_last() -> None:
    old = Entry(Path("/a"), moment=datetime(2020, 1, 1, tzinfo=UTC))
    new = Entry(Path("/b"), moment=datetime(2026, 1, 1, tzinfo=UTC))
    never = Entry(Path("/c"))
    assert sorted([never, old, new], key=newest_first) == [new, old, never]


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01", "99999-01-01"])
def test_a_time_that_is_none_falls_back_on_the_files(text: str) -> None:
    summary = replace(ARRIVING.summary, start_time=text)
    entry = entry_of_sighting(replace(ARRIVING, summary=summary))
    assert entry.moment == datetime.fromtimestamp(1e9, tz=UTC)
