"""Spans over time from events, and the picture and words made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from alsct_gui.model.placement import (
    Evidence,
    GoalKey,
    Health,
    LinkState,
    ScanFacts,
    StateKind,
    blocked,
    failed,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import Event, EventKind, lean
from alsct_gui.placement.invariants import Violation
from alsct_gui.placement.policy import load_policy
from alsct_gui.simulator.story.acts import Act, Debt, Outcome
from alsct_gui.simulator.story.chart import draw_history
from alsct_gui.simulator.story.history import History, Span, history_of
from alsct_gui.simulator.story.report import headline, names_of, report_text, write_report

IDENTITY = "ab" * 32
PART = scan_part(IDENTITY)
RAW = GoalKey(PART, Product.RAW, "nersc-cfs").text
MADE = GoalKey(PART, Product.RECONSTRUCTION, "nersc-recon", "r").text
SCAN = ScanFacts(IDENTITY, "/raw/BLS-1_a/20260203_040506_a | b\n`c`.h5", 1000, "cd" * 32, "BLS-1",
                 admitted_s=1.0)  # fmt: skip


def events() -> list[Event]:
    """A scan that waits for NERSC, then goes there; its reconstruction fails and is blocked."""
    down = Health("perlmutter", LinkState.DOWN, 2.0)
    up = Health("perlmutter", LinkState.UP, 6.0)
    proof = Evidence("x:/a", 9.0, 1000, "cd" * 32)
    rows = [
        (0, EventKind.ASKED, {"what": "admit", "path": SCAN.path}),
        (1, EventKind.SCAN, {"scan": lean(SCAN), "path": SCAN.path}),
        (2, EventKind.LINK, {"health": lean(down)}),
        (2, EventKind.STATE, {"keys": [RAW, MADE], "state": lean(waiting("perlmutter"))}),
        (6, EventKind.LINK, {"health": lean(up)}),
        (7, EventKind.INTENT, {"work": "w", "keys": [RAW]}),
        (9, EventKind.MET, {"keys": [RAW], "evidence": lean(proof)}),
        (9, EventKind.ENDED, {"work": "w", "how": "done"}),
        (10, EventKind.FAILED, {"keys": [MADE], "state": lean(failed("it broke"))}),
        (11, EventKind.FAILED, {"keys": [MADE], "state": lean(blocked("it broke", "Look"))}),
    ]
    return [Event(kind, data, float(at), seq) for seq, (at, kind, data) in enumerate(rows, 1)]


def test_spans_follow_one_another_without_a_gap() -> None:
    told = history_of(events(), 12.0)
    (scan,) = told.scans
    assert (told.began_s, told.ended_s, scan.handed_s) == (0.0, 12.0, 0.0)
    raw, made = scan.goals
    assert raw.spans == (
        Span(StateKind.WAITING, 2, 7), Span(StateKind.MOVING, 7, 9), Span(StateKind.MET, 9, 12),
    )  # fmt: skip
    assert raw.met_s == 9.0
    assert raw.evidence is not None
    assert raw.evidence.sha256 == SCAN.sha256
    assert [span.state for span in made.spans] == ["waiting", "retry", "blocked"]
    assert (made.met_s, made.evidence) == (None, None)
    assert told.down("perlmutter") == (Span(LinkState.DOWN, 2, 6),)
    assert told.down("globus") == ()


def test_nothing_is_told_of_an_empty_ledger() -> None:
    assert history_of([], 5.0) == History(5.0, 5.0, (), {})


def test_the_picture_shows_the_outage_and_how_it_stood(tmp_path: Path) -> None:
    names = {("raw", "nersc-cfs", False): "raw", ("reconstruction", "nersc-recon", False): "made"}
    path = draw_history(
        history_of(events(), 12.0), names, "perlmutter", tmp_path / "p.png", title="A title"
    )
    with Image.open(path) as sheet:
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(1 << 20)}
        middle = sheet.height // 2
        row = [sheet.convert("RGB").getpixel((x, middle)) for x in range(sheet.width)]
    assert {(112, 196, 150), (66, 128, 190), (196, 84, 72), (150, 110, 50)} <= colours
    assert (74, 34, 30) in row
    assert 500 < row.index((74, 34, 30)) < 800


def outcome(*violations: Violation, owed: tuple[str, ...] = ()) -> Outcome:
    return Outcome(
        (Act("A scan is taken", 0.0), Act("NERSC returns", 6.0)), history_of(events(), 12.0),
        load_policy(), Debt(1, 2, 1000), 5.0, owed, violations,
    )  # fmt: skip


def test_the_report_names_evidence_and_stays_whole_with_any_name(tmp_path: Path) -> None:
    text = report_text(outcome())
    assert "| raw file, NERSC CFS | 0:09 | 1000 bytes, SHA-256 `cdcdcdcdcdcdcdcd…` |" in text
    assert "| volume, Perlmutter | not there | none |" in text
    assert "## 20260203\\_040506\\_a \\| b \\`c\\`.h5" in text
    assert "0 violations" in headline(outcome())
    paths = write_report(outcome(), tmp_path)
    plain = json.loads(paths["data"].read_text())
    assert plain["ok"] is True
    assert plain["scans"][0]["path"] == SCAN.path
    assert plain["scans"][0]["goals"][0]["spans"][-1] == ["met", 9.0, 12.0]
    assert plain["outages"] == [{"from_s": 2.0, "until_s": 6.0}]


@pytest.mark.parametrize("bad", [{"owed": (RAW,)}, {}])
def test_what_must_not_be_is_said(bad: dict[str, tuple[str, ...]]) -> None:
    told = outcome(*([] if bad else [Violation("raw-lost", "/raw/a", "is gone")]), **bad)
    assert not told.ok
    assert "1 violations" in headline(told)
    text = report_text(told)
    assert ("still owed" if bad else "raw-lost") in text
    assert "Nothing of it" not in text


def test_every_wish_of_a_policy_has_its_name() -> None:
    names = names_of(load_policy())
    assert names["reconstruction", "nersc-recon", False] == "volume, Perlmutter"
    assert next(iter(names)) == ("raw", "nersc-cfs", False)
    assert len(set(names.values())) == len(names)
