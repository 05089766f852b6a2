"""Pieces of the board by themselves: what is chosen, the model, the strip, rich text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QAbstractItemModelTester

from alsct_gui.model.placement import Arrival, blocked, waiting
from alsct_gui.model.policy import Product
from alsct_gui.ui.board.choosing import Chosen, by_column, by_suffix, chosen_of, on_board
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.links import Chip
from alsct_gui.ui.board.markup import mark, mark_of, scans_in, target, timeline_markup
from alsct_gui.ui.board.model import BoardModel
from alsct_gui.ui.board.plots import curves
from alsct_gui.ui.board.richtext import RichText
from alsct_gui.ui.board.rows import Board
from alsct_gui.ui.board.strip import named
from alsct_gui.ui.board.throughput import Sample
from alsct_gui.ui.board.timeline import Entry, OutsideId
from alsct_gui.ui.session import OnBoard
from alsct_gui.ui.theme.tokens import DARK
from alsct_gui.ui.widgets.marks import State
from tests.ui.board.making import CFS, HERE, NOW_S, REC, Made, in_outage, key, night_policy, part


def board() -> Board:
    made = in_outage(3)
    made.scan(5, export_controlled=True)
    made.goal(2, Product.RAW, CFS, blocked("no right", "Ask"))
    made.goal(1, Product.METADATA, "scicat", waiting("you"), held=True)
    made.work("w", made.goal(0, Product.RECONSTRUCTION, REC))
    made.observed.arrivals["/data/raw/a.h5"] = Arrival("/data/raw/a.h5", waiting("a look"))
    return made.board()


def choose(found: Board, *places: tuple[str, int]) -> Chosen:
    rows = {row.id: number for number, row in enumerate(found.rows)}
    return chosen_of(found.rows, found.columns, [(rows[name], column) for name, column in places])


def test_what_is_chosen_decides_what_can_be_asked() -> None:
    found = board()
    cell = choose(found, (part(2), 3))
    assert [record.key for record in cell.open] == [key(2, Product.RAW, CFS)]
    assert cell.moving == cell.held == ()
    whole = choose(found, (part(1), 0))
    assert len(whole.cells) == len(found.columns)
    assert {r.key for r in whole.open} == {
        key(1, Product.RECONSTRUCTION, REC), key(1, Product.METADATA, "scicat"),
    }  # fmt: skip
    assert [r.key for r in whole.held] == [key(1, Product.METADATA, "scicat")]
    both = choose(found, (part(2), 3), (part(0), 4), (part(0), 0))
    assert both.scans == (part(2), part(0))
    assert [r.work for r in both.moving] == ["w"]
    assert on_board(both) == OnBoard(scans=2, goals=2, moving=1, unwantable=2)


def test_nothing_is_asked_of_what_is_forbidden_or_no_scan() -> None:
    found = board()
    assert choose(found, (part(5), 3)).wantable == ()
    arrival = choose(found, ("/data/raw/a.h5", 0))
    assert arrival.scans == arrival.open == arrival.wantable == ()
    assert on_board(arrival) == OnBoard(arrivals=1)
    assert on_board(chosen_of(found.rows, found.columns, [])) == OnBoard()


def test_wishes_are_gathered_by_place_and_recipe() -> None:
    made = Made()
    for number in range(3):
        made.scan(number)
    found = made.board()
    chosen = choose(found, *[(part(number), 2) for number in range(3)])
    assert by_column(chosen.wantable) == {
        (Product.RECONSTRUCTION, HERE, ""): (part(2), part(1), part(0))
    }
    for number in range(2):
        made.goal(number, Product.RECONSTRUCTION, HERE, waiting("its turn"))
    chosen = choose(made.board(), *[(part(number), 2) for number in range(3)])
    ((suffix, scans),) = by_suffix(chosen.unwantable).items()
    assert suffix.suffix == key(0, Product.RECONSTRUCTION, HERE)[32:]
    assert scans == (part(1), part(0))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.lists(st.integers(0, 12), unique=True), min_size=1, max_size=8))
def test_the_model_comes_to_any_rows_from_any_others(app: Any, steps: list[list[int]]) -> None:
    made = in_outage(13)
    whole = made.board()
    model = BoardModel(Names(night_policy()))
    tester = QAbstractItemModelTester(model)
    model.take(whole, ())
    for wanted in steps:
        rows = tuple(row for k, row in enumerate(whole.rows) if k in wanted)
        model.take(whole, rows)
        assert model.rows == rows
        assert model.rowCount() == len(rows)
    # Another order has it laid out anew, and is right all the same.
    model.take(whole, tuple(reversed(whole.rows)))
    assert model.rows == tuple(reversed(whole.rows))
    tester.deleteLater()
    model.deleteLater()


def test_selected_rows_stay_selected_while_others_come_and_go(app: Any) -> None:
    whole = in_outage(6).board()
    model = BoardModel(Names(night_policy()))
    model.take(whole, whole.rows[1:4])
    changed: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, _: changed.append((first.row(), last.row())))
    model.take(whole, whole.rows)
    assert changed == []
    other = tuple(replace(row, title="x") if k in (1, 2, 5) else row
                  for k, row in enumerate(whole.rows))  # fmt: skip
    model.take(whole, other)
    assert changed == [(1, 2), (5, 5)]
    model.deleteLater()


def chip(state: State, name: str = "globus") -> Chip:
    return Chip(name, name, name, state, "")


@pytest.mark.parametrize(
    ("room_px", "shown"),
    [(400, (True, True, True, True)), (170, (False, True, True, True)),
     (140, (False, True, True, False)), (110, (False, False, True, False)),
     (20, (False, False, False, False))],
)  # fmt: skip
def test_what_is_wrong_keeps_its_name_longest(room_px: int, shown: tuple[bool, ...]) -> None:
    chips = [chip(State.MET), chip(State.BLOCKED), chip(State.FAILED), chip(State.UNKNOWN)]
    assert named(chips, [20, 20, 20, 20], room_px) == shown


def test_addresses_of_rich_text_come_back() -> None:
    assert mark_of(mark(State.MOVING, 0.634)) == (State.MOVING, 0.63)
    assert mark_of(mark(State.NOT_WANTED)) == (State.NOT_WANTED, None)
    assert mark_of("mark:nothing") is mark_of("http://x") is None
    assert scans_in("do:show/%2Fa%2Cb,c") == ("/a,b", "c")
    assert scans_in("do:copy/x") == ()
    assert target("do:log/a%20b", "do:log/") == "a b"


def test_hostile_words_stay_words_in_rich_text() -> None:
    entry = Entry(NOW_S, "<img src='x'>", "a\n<script>", State.MET,
                  (OutsideId("Job", "\"><b>1", "https://x/?a=\"b\""),))  # fmt: skip
    text = timeline_markup([entry], NOW_S, DARK)
    assert "<script>" not in text
    assert "<img src='x'>" not in text
    assert '"><b>1' not in text
    document = QTextDocument()
    document.setHtml(text)
    assert "<img src='x'>" in document.toPlainText()


def test_rich_text_reads_nothing_from_outside(app: Any) -> None:
    shown = RichText("x", lambda _: None)
    kind = int(QTextDocument.ResourceType.ImageResource.value)
    for address in ("file:///etc/passwd", "http://127.0.0.1:1/x", "mark:nothing"):
        assert shown.loadResource(kind, QUrl(address)).isEmpty()  # type: ignore[attr-defined]
    assert not shown.loadResource(kind, QUrl("mark:met")).isNull()  # type: ignore[attr-defined]
    shown.deleteLater()


def test_curves_are_of_the_last_hours_and_of_one_kind() -> None:
    samples = [
        Sample(NOW_S - 5 * 3600, "globus", 1e9, 0.0), Sample(NOW_S - 3600, "globus", 2e8, 0.0),
        Sample(NOW_S, "globus", 0.0, 0.0), Sample(NOW_S, "slurm", 0.0, 12.0),
        Sample(NOW_S + 60, "globus", 5e8, 0.0),
    ]  # fmt: skip
    (copied,) = curves(samples, NOW_S, slices=False)
    assert copied.lane == "globus"
    np.testing.assert_allclose(copied.hours, [-1, 0])
    np.testing.assert_allclose(copied.values, [200, 0])
    (made,) = curves(samples, NOW_S, slices=True)
    assert (made.lane, made.values.tolist()) == ("slurm", [12.0])
