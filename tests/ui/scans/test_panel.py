"""The list in a real window: typing filters, clicks select, nothing jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.scans.entries import Entry
from alsct_gui.ui.scans.panel import ScanList, nothing_yet
from alsct_gui.ui.scans.rows import ENTRY_ROLE
from alsct_gui.ui.session import Session
from alsct_gui.ui.theme.style import apply_theme
from alsct_gui.ui.widgets.marks import State

START = datetime(2026, 3, 2, tzinfo=UTC)


def _entry(number: int, **more: Any) -> Entry:
    facts: dict[str, Any] = {
        "title": f"sample {number}", "moment": START + timedelta(minutes=number),
        "state": State.MET, "words": "1313 projections", "size_bytes": 10**9,
    }  # fmt: skip
    return Entry(Path(f"/data/raw/{number}.h5"), **{**facts, **more})


@pytest.fixture
def scans(app: Any) -> Iterator[ScanList]:
    apply_theme(app, "dark")
    session = Session(Settings(), Recipe())
    opened: list[str] = []
    empty = nothing_yet("/data/raw", lambda: opened.append("open"), lambda: opened.append("sim"))
    panel = ScanList(session, "Scans", empty, lambda: opened.append("open"))
    panel.opened = opened  # type: ignore[attr-defined]
    panel.resize(300, 640)
    panel.show()
    app.processEvents()
    yield panel
    panel.close()
    panel.deleteLater()
    app.processEvents()


def _click(panel: ScanList, row: int) -> None:
    rect = panel.view.visualRect(panel.shown.index(row, 0))
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_an_empty_list_says_how_scans_come_and_offers_the_simulator(scans: ScanList) -> None:
    assert scans.empty.isVisible()
    assert "/data/raw" in scans.empty.words.text()
    scans.put(_entry(1))
    assert scans.view.isVisible()
    assert not scans.empty.isVisible()


def test_a_click_selects_and_the_newest_is_on_top(scans: ScanList) -> None:
    scans.entries.put_many([_entry(k) for k in range(20)])
    _click(scans, 0)
    assert scans._session.selected == Path("/data/raw/19.h5")
    scans.step(1)
    assert scans._session.selected == Path("/data/raw/18.h5")


def test_typing_leaves_the_rows_that_hold_every_word(scans: ScanList) -> None:
    scans.entries.put_many([_entry(k, proposal="BLS-00564" if k % 2 else "") for k in range(40)])
    QTest.keyClicks(scans.filter, "bls 3")
    shown = [scans.shown.index(k, 0).data(ENTRY_ROLE) for k in range(scans.shown.rowCount())]
    assert shown
    assert all("3" in entry.haystack and entry.proposal for entry in shown)
    QTest.keyClick(scans.filter, Qt.Key.Key_Return)
    assert scans._session.selected == shown[0].path
    QTest.keyClicks(scans.filter, "zzz")
    assert not scans.view.isVisible()
    scans.filter.clear()
    assert scans.shown.rowCount() == 40


def test_a_change_keeps_the_row_selected_and_in_place(scans: ScanList, app: Any) -> None:
    scans.entries.put_many([_entry(k) for k in range(200)])
    _click(scans, 3)
    path = scans._session.selected
    assert path is not None
    scans.put(_entry(196, words="flats saturated", state=State.BLOCKED))
    app.processEvents()
    assert scans._session.selected == path
    assert scans.view.currentIndex().data(ENTRY_ROLE).words == "flats saturated"


def test_new_rows_announce_themselves_and_what_is_read_stays(scans: ScanList, app: Any) -> None:
    scans.entries.put_many([_entry(k) for k in range(200)])
    app.processEvents()
    scans.view.verticalScrollBar().setValue(1440)
    app.processEvents()
    at_top = scans.view.indexAt(QPoint(20, 4)).data(ENTRY_ROLE).path
    for k in (300, 301):
        scans.put(_entry(k), announce=True)
    app.processEvents()
    assert scans.view.indexAt(QPoint(20, 4)).data(ENTRY_ROLE).path == at_top
    assert scans._news.isVisible()
    assert scans._news.text() == "↑ 2 new rows"
    QTest.mouseClick(scans._news, Qt.MouseButton.LeftButton)
    app.processEvents()
    assert scans.view.verticalScrollBar().value() == 0
    assert not scans._news.isVisible()


def test_a_thumbnail_is_painted(scans: ScanList, app: Any) -> None:
    scans.put(_entry(1))
    scans.put_picture(Path("/data/raw/1.h5"), np.full((42, 56), 200, np.uint8))
    app.processEvents()
    rect = scans.view.visualRect(scans.shown.index(0, 0))
    picture = scans.view.viewport().grab().toImage()
    assert picture.pixelColor(rect.left() + 36, rect.center().y()).red() == 200


def test_states_differ_in_shape_not_in_colour_alone(scans: ScanList, app: Any) -> None:
    shapes = set()
    scans.resize(scans.width(), 100 + 72 * len(State))
    for k, state in enumerate(State):
        scans.put(_entry(k, state=state, share=0.5 if state is State.MOVING else None))
    app.processEvents()
    image = scans.view.viewport().grab().toImage()
    for k, state in enumerate(State):
        row = len(State) - 1 - k
        rect = scans.view.visualRect(scans.shown.index(row, 0))
        box = (rect.left() + 75, rect.top() + 29, 14, 14)
        pattern = tuple(
            image.pixelColor(box[0] + x, box[1] + y).lightness() > 90
            for y in range(box[3])
            for x in range(box[2])
        )
        assert any(pattern), state
        shapes.add(pattern)
    assert len(shapes) == len(State)


def test_thousands_of_rows_are_laid_out_alike(scans: ScanList, app: Any) -> None:
    scans.entries.put_many([_entry(k) for k in range(5000)])
    app.processEvents()
    assert scans.shown.rowCount() == 5000
    scans.view.scrollToBottom()
    app.processEvents()
    assert scans.view.indexAt(QPoint(20, scans.view.viewport().height() - 4)).row() == 4999
