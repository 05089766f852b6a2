"""The board in a whole window, on real ledgers: clicked, typed and looked at as a person does."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog, QMessageBox, QPushButton

from alsct_gui.model.placement import LinkState, StateKind, StepState, blocked, failed, waiting
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import EventKind, event, lean
from alsct_gui.placement.feed import FeedState
from alsct_gui.placement.ledger import SCHEMA_VERSION, Ledger
from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.board.rows import Filter
from alsct_gui.ui.program import Program
from alsct_gui.ui.session import Notice
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.marks import State
from tests.ui.board.making import (
    CFS,
    HERE,
    POROSITY,
    REC,
    RECIPE,
    Made,
    analysing_policy,
    in_outage,
    key,
    part,
)
from tests.ui.board.windows import board_window, written
from tests.ui.conftest import until
from tests.ui.programs import small_scan

pytestmark = pytest.mark.long

Drive = Callable[..., Any]
MOVING = StepState(StateKind.MOVING)


def night(now_s: float | None = None) -> Made:
    """Six scans with a little of everything."""
    made = Made(now_s=now_s or time.time())
    for number in range(6):
        made.scan(number)
        for product, place in (
            (Product.RAW, CFS), (Product.RECONSTRUCTION, REC), (Product.METADATA, "scicat"),
            (Product.ACCESS, CFS),
        ):  # fmt: skip
            made.goal(number, product, place)
    made.work("w", made.goal(5, Product.RAW, CFS, MOVING), done=63, total=100)
    made.goal(4, Product.RECONSTRUCTION, REC, waiting("perlmutter", "maintenance"))
    made.goal(3, Product.ACCESS, CFS, blocked("no right", "Ask for it"))
    made.goal(2, Product.METADATA, "scicat", failed("reset", "", made.now_s + 600))
    made.scan(1, export_controlled=True)
    for product, place in ((Product.RAW, CFS), (Product.RECONSTRUCTION, REC),
                           (Product.METADATA, "scicat"), (Product.ACCESS, CFS)):  # fmt: skip
        del made.observed.goals[key(1, product, place)]
    made.goal(0, Product.METADATA, "scicat", waiting("you", "held back"), held=True)
    made.link("globus")
    made.link("perlmutter", LinkState.DOWN, why="maintenance", until_s=made.now_s + 3600)
    return made


def cell_rect(program: Program, number: int, column: int) -> QRect:
    page = program.parts.board.page
    index = page.model.index(page.model.row_of(part(number)), column)
    page.view.scrollTo(index)
    return page.view.visualRect(index)


def click_cell(program: Program, number: int, column: int, *, more: bool = False) -> None:
    keys = Qt.KeyboardModifier.ControlModifier if more else Qt.KeyboardModifier.NoModifier
    rect = cell_rect(program, number, column)
    QTest.mouseClick(
        program.parts.board.page.view.viewport(), Qt.MouseButton.LeftButton, keys, rect.center()
    )


def colors_in(image: QImage, rect: QRect) -> set[str]:
    """Colours of a mark's pixels."""
    box = QRect(rect.left() + 8, rect.center().y() - 7, 14, 14)
    return {
        image.pixelColor(x, y).name()
        for x in range(box.left(), box.right() + 1)
        for y in range(box.top(), box.bottom() + 1)
    }


def told(program: Program) -> list[Notice]:
    notices: list[Notice] = []
    program.session.noticed.connect(notices.append)
    return notices


def asked(program: Program) -> list[dict[str, Any]]:
    """What persons have asked of the agent, in order."""
    events = written(program, lambda ledger: ledger.tail(0))
    return [dict(item.data) for item in events if item.kind == EventKind.ASKED]


def test_every_state_is_seen_by_its_shape_and_colour(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            rects = {
                "met": cell_rect(program, 5, 1), "moving": cell_rect(program, 5, 3),
                "waiting": cell_rect(program, 4, 4), "blocked": cell_rect(program, 3, 6),
                "failed": cell_rect(program, 2, 5), "faint": cell_rect(program, 1, 3),
                "disabled": cell_rect(program, 5, 2),
            }  # fmt: skip
            image = page.view.viewport().grab().toImage()
            now, shapes = tokens(), set()
            for name, rect in rects.items():
                assert getattr(now, name) in colors_in(image, rect), name
                shapes.add(
                    tuple(
                        image.pixelColor(rect.left() + 8 + x, rect.center().y() - 7 + y).lightness()
                        > 90
                        for y in range(14)
                        for x in range(14)
                    )
                )
            assert len(shapes) == len(rects), "two states look alike"
            assert "1 scan needs you" in page.person.text()

    drive(main())


def test_what_the_agent_writes_is_on_the_board_and_rows_stay(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    resets: list[int] = []

    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            page.model.modelReset.connect(lambda: resets.append(1))
            click_cell(program, 4, 4)
            with Ledger(program.services.facility.ledger) as ledger:
                goal = key(4, Product.RECONSTRUCTION, REC)
                state = lean(blocked("a node is away", "Look at it"))
                ledger.append([event(EventKind.FAILED, keys=[goal], state=state)])
            await until(lambda: page.chips[Filter.BLOCKED].text() == "Blocked 2", "the change")
            assert page.current is not None
            assert page.current.id == part(4)
            assert page.chosen.cells[0][2].state is State.BLOCKED

    drive(main())
    assert resets == [], "the board was laid out anew"


def test_new_rows_do_not_move_what_one_reads(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, in_outage(60, time.time())) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 60, "the rows")
            page.view.verticalScrollBar().setValue(500)
            top = page.model.rows[page.view.rowAt(1)].id
            more = Made(now_s=time.time())
            more.scan(77)
            with Ledger(program.services.facility.ledger) as ledger:
                ledger.append(more._events())
            await until(lambda: len(page.model.rows) == 61, "the new row")
            assert page.model.rows[page.view.rowAt(1)].id == top
            assert page.view._news.isVisible()
            assert page.view._news.text() == "↑ 1 new row"
            QTest.mouseClick(page.view._news, Qt.MouseButton.LeftButton)
            assert page.view.verticalScrollBar().value() == 0
            assert not page.view._news.isVisible()

    drive(main())


def test_filters_by_click_and_by_typing(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            page.chips[Filter.OWED].click()
            assert {row.id for row in page.model.rows} == {part(n) for n in (0, 2, 3, 4, 5)}
            page.chips[Filter.MOVING].click()
            assert [row.id for row in page.model.rows] == [part(5)]
            page.chips[Filter.ALL].click()
            QTest.keyClicks(page.typed, "foam 3.h5")
            assert [row.id for row in page.model.rows] == [part(3)]
            QTest.keyClick(page.typed, Qt.Key.Key_Return)
            assert page.current is not None
            QTest.keyClicks(page.typed, "zzz")
            assert page.nothing.isVisible()
            page.nothing.findChild(QPushButton).click()
            assert len(page.model.rows) == 6
            page.person.click()
            assert [row.id for row in page.model.rows] == [part(3)]

    drive(main())


def test_a_row_selects_its_scan_and_the_selection_its_row(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    made = night()
    made.observed.scans[part(2)] = replace(made.observed.scans[part(2)], path=str(scan))

    async def main() -> None:
        async with board_window(app, desk, tmp_path, made) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            click_cell(program, 2, 0)
            await until(lambda: program.session.selected == scan, "the selection")
            click_cell(program, 4, 0)
            await until(lambda: page._selecting.done(), "a look for the file")  # type: ignore[union-attr]
            assert program.session.selected == scan, "a file that is not here was selected"
            program.book.trigger("workspace.scans")
            program.session.select(None)
            program.parts.scans.open_path(scan)
            assert page.current is not None
            assert page.current.id == part(2)

    drive(main())


def test_the_timeline_tells_ids_to_copy_and_pages_to_open(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    made = night()
    task = "0f4f2f1e-6a52-11ee-8c0a-6b1e5a2b3c4d"
    made.observed.works["w"] = replace(made.observed.works["w"], outside_id=task)

    async def main() -> None:
        async with board_window(app, desk, tmp_path, made) as program:
            timeline = program.parts.board.timeline
            await until(lambda: len(program.parts.board.page.model.rows) == 6, "the rows")
            assert timeline.nothing.isVisible()
            click_cell(program, 5, 3)
            await until(lambda: timeline.entries, "the story")
            text = timeline.text.toPlainText()
            assert "Under way: 63 B of 100 B" in text
            assert "Raw file at NERSC CFS under way" in text
            assert task in text
            html = timeline.text.toHtml()
            assert f"https://app.globus.org/activity/{task}" in html
            timeline._follow(f"do:copy/{task}")
            assert QGuiApplication.clipboard().text() == task
            timeline.copy.click()
            assert task in QGuiApplication.clipboard().text()
            assert made.observed.scans[part(5)].sha256 in QGuiApplication.clipboard().text()
            state = lean(failed("the disk is full", "Free some"))
            with Ledger(program.services.facility.ledger) as ledger:
                goal = key(5, Product.RAW, CFS)
                ledger.append([event(EventKind.FAILED, keys=[goal], state=state)])
            await until(lambda: "the disk is full" in timeline.text.toPlainText(), "what is new")

    drive(main())


def test_what_is_asked_stands_in_the_ledger_and_can_be_undone(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page, book, notices = program.parts.board.page, program.book, told(program)
            await until(lambda: len(page.model.rows) == 6, "the rows")
            assert not page.buttons["board.hold"].isEnabled()
            click_cell(program, 4, 4)
            click_cell(program, 3, 6, more=True)
            two = [key(4, Product.RECONSTRUCTION, REC), key(3, Product.ACCESS, CFS)]
            page.buttons["board.hold"].click()
            await until(lambda: notices, "that it is held")
            assert notices[-1].sentence == "Held: 2 goals of 2 scans."
            assert asked(program)[-1] == {"what": "hold", "keys": two}
            assert notices[-1].action is not None
            notices[-1].action()
            await until(lambda: len(notices) == 2, "that it is undone")
            assert asked(program)[-1] == {"what": "release", "keys": two}
            book.trigger("board.retry")
            await until(lambda: len(notices) == 3, "that it is tried again")
            assert asked(program)[-1] == {"what": "retry", "keys": two}
            book.trigger("board.prioritise")
            await until(lambda: len(notices) == 4, "that they go first")
            assert asked(program)[-1] == {
                "what": "priority", "scans": [part(4), part(3)], "priority": 10,
            }  # fmt: skip

    drive(main())


def test_stopping_to_watch_and_cancelling_there_are_two_things(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page, notices = program.parts.board.page, told(program)
            await until(lambda: len(page.model.rows) == 6, "the rows")
            click_cell(program, 5, 3)
            goal = key(5, Product.RAW, CFS)
            page.buttons["board.cancel"].click()
            (box,) = [w for w in app.topLevelWidgets() if isinstance(w, QMessageBox)]
            assert "Raw file at NERSC CFS" in box.informativeText()
            buttons = {b.text(): b for b in box.findChildren(QPushButton)}
            buttons["Let it run"].click()
            assert all(item["what"] != "cancel" for item in asked(program))
            page.buttons["board.stop"].click()
            await until(lambda: notices, "that it is not watched")
            assert "what runs there goes on" in notices[-1].sentence
            assert asked(program)[-1] == {"what": "hold", "keys": [goal]}
            await until(lambda: page.chosen.cells[0][2].held, "the hold on the board")
            page.buttons["board.cancel"].click()
            (box,) = [w for w in app.topLevelWidgets() if isinstance(w, QMessageBox)
                      and w.isVisible()]  # fmt: skip
            {b.text(): b for b in box.findChildren(QPushButton)}["Cancel there"].click()
            await until(lambda: asked(program)[-1]["what"] == "cancel", "the cancel")
            assert asked(program)[-1]["keys"] == [goal]
            await until(lambda: page.chosen.cells[0][2].cancelling, "the cancel on the board")

    drive(main())


def test_an_analysis_is_asked_for_of_a_selection(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        made = Made(analysing_policy(), time.time())
        for number in range(3):
            made.scan(number)
        async with board_window(app, desk, tmp_path, made) as program:
            page, book, notices = program.parts.board.page, program.book, told(program)
            await until(lambda: len(page.model.rows) == 3, "the rows")
            view = program.session.board
            assert view is not None
            columns = view.board.columns
            there = next(n for n, c in enumerate(columns, 1) if c.kind[1:] == (REC, "porosity"))
            click_cell(program, 1, there)
            click_cell(program, 2, there, more=True)
            book.trigger("board.want")
            await until(lambda: notices, "the wish")
            assert notices[-1].sentence == "Wanted of 2 scans: porosity at Perlmutter."
            wish = asked(program)[-1]
            suffix = f"/analysis/{REC}/{POROSITY.mark}"
            assert (wish["suffix"], sorted(wish["scans"])) == (suffix, sorted((part(1), part(2))))
            assert set(wish["recipes"]) == {POROSITY.mark, RECIPE}

    drive(main())


def test_wishes_of_a_selection(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page, book, notices = program.parts.board.page, program.book, told(program)
            await until(lambda: len(page.model.rows) == 6, "the rows")
            click_cell(program, 5, 2)
            click_cell(program, 4, 2, more=True)
            book.trigger("board.want")
            await until(lambda: notices, "the wish")
            assert notices[-1].sentence == (
                "Wanted of 2 scans: reconstruction at Workstation by standard-8.3.2."
            )
            wish = asked(program)[-1]
            assert (wish["what"], wish["scans"]) == ("want", [part(5), part(4)])
            assert wish["suffix"] == key(5, Product.RECONSTRUCTION, HERE)[32:]
            click_cell(program, 3, 6)
            book.trigger("board.unwant")
            await until(lambda: len(notices) == 2, "the wish taken back")
            assert asked(program)[-1] == {
                "what": "unwant", "scans": [part(3)], "suffix": f"/access/{CFS}/-",
            }  # fmt: skip
            await until(lambda: page.chosen.cells[0][2].state is State.NOT_WANTED, "the board")
            notices[-1].action()  # type: ignore[misc]
            await until(lambda: asked(program)[-1]["what"] == "want", "the wish again")
            click_cell(program, 1, 3)
            assert not book["board.want"].isEnabled(), "what is forbidden can be wanted"

    drive(main())


def test_a_proposal_is_set_for_a_selection(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page, notices = program.parts.board.page, told(program)
            await until(lambda: len(page.model.rows) == 6, "the rows")
            click_cell(program, 3, 0)
            program.book.trigger("board.proposal")
            dialog = program.window.findChild(QInputDialog)
            assert dialog is not None
            dialog.setTextValue(" ALS-00009 ")
            dialog.accept()
            await until(lambda: notices, "the proposal")
            assert asked(program)[-1]["proposal"] == "ALS-00009"
            await until(
                lambda: page.current is not None and page.current.proposal == "ALS-00009", "the row"
            )
            notices[-1].action()  # type: ignore[misc]
            await until(lambda: asked(program)[-1]["proposal"] == "BLS-00564", "the undoing")

    drive(main())


def test_nothing_is_asked_of_what_is_out_of_sight(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            await until(lambda: len(program.parts.board.page.model.rows) == 6, "the rows")
            click_cell(program, 4, 4)
            assert program.book["board.hold"].isEnabled()
            program.book.trigger("workspace.scans")
            assert not program.book["board.hold"].isEnabled()
            assert program.window.side.current == "reconstruct"
            program.book.trigger("workspace.board")
            assert program.book["board.hold"].isEnabled()
            assert program.window.side.current == "timeline"

    drive(main())


def test_the_chain_is_in_sight_everywhere_and_a_click_tells_more(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night(), shown=False) as program:
            strip, panel = program.window.status.chain, program.parts.board.chain
            await until(lambda: len(strip.chips) == 3, "the chain")
            assert strip.isVisible()
            assert [chip.state for chip in strip.chips] == [State.MET, State.MET, State.FAILED]
            image = strip.grab().toImage()
            place = strip.place_of("perlmutter")
            seen = {
                image.pixelColor(x, y).name()
                for x in range(place.left(), place.left() + 14)
                for y in range(5, 19)
            }
            assert tokens().failed in seen
            QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=place.center() + QPoint(-20, 0))
            assert panel.isVisible()
            assert panel.chosen is not None
            assert panel.chosen.key == "perlmutter"
            text = panel.text.toPlainText()
            assert "Reconstructions run here alone" in text
            assert "in 60 min" in text
            panel.copy.click()
            assert "Perlmutter is down" in QGuiApplication.clipboard().text()
            strip.setFocus()
            QTest.keyClick(strip, Qt.Key.Key_Left)
            QTest.keyClick(strip, Qt.Key.Key_Return)
            assert panel.chosen.key == "globus"
            assert program.window.status.owed.text() == "5 owed"
            program.window.status.owed.click()
            assert program.parts.board.page.isVisible()

    drive(main())


def test_without_an_agent_it_is_said_and_can_be_started(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    started: list[int] = []
    service = {"start_agent": lambda: started.append(1)}

    async def main() -> None:
        async with board_window(
            app, desk, tmp_path, night(), agent=False, facility=service, start_agent=True
        ) as program:
            strip, panel = program.window.status.chain, program.parts.board.chain
            await until(lambda: started, "the start of the agent")
            await until(lambda: strip.chips, "the chain")
            assert strip.chips[0].state is State.FAILED
            assert {chip.state for chip in strip.chips[1:]} == {State.UNKNOWN}
            program.parts.board._show_link("agent")
            assert panel.act.text() == "Start the agent"
            panel.act.click()
            await until(lambda: len(started) == 2, "the second start")

    drive(main())
    assert len(started) == 2, "it was started over and over"


def test_where_no_facility_is_nothing_is_started(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    started: list[int] = []
    service = {"start_agent": lambda: started.append(1), "configured": False}

    async def main() -> None:
        async with board_window(
            app, desk, tmp_path, None, agent=False, facility=service, start_agent=True
        ) as program:
            page = program.parts.board.page
            assert page.empty.isVisible()
            assert not page.bar.isVisible()
            assert "No facility is set up here" in _texts(page.empty)
            assert not program.window.status.chain.isVisible()

    drive(main())
    assert started == []


def test_an_empty_board_says_how_scans_get_in(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with board_window(app, desk, tmp_path, None) as program:
            page, notices = program.parts.board.page, told(program)
            await until(lambda: "No scan on the board yet" in _texts(page.empty), "the words")
            program.parts.scans.open_path(scan)
            await until(lambda: program.session.situation.has_scan, "the scan")
            _button(page.empty, "Hand over the selected scan").click()
            await until(lambda: len(page.model.rows) == 1, "the file on the board")
            assert notices[-1].sentence.startswith("Handed over: ")
            assert asked(program)[-1]["path"] == str(scan)
            assert page.model.rows[0].cells[0].state is State.WAITING

    drive(main())


@pytest.mark.parametrize("later", [True, False])
def test_a_ledger_that_cannot_be_read_is_an_error_with_a_way_out(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path, later: bool
) -> None:
    path = tmp_path / "ledger.sqlite"
    if later:
        night().write(path)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    else:
        path.write_bytes(b"nothing of ours" * 99)

    async def main() -> None:
        async with board_window(app, desk, tmp_path, None, agent=False) as program:
            page = program.parts.board.page
            state = FeedState.LATER if later else FeedState.UNREADABLE
            await until(lambda: program.session.board.snapshot.state is state, "the state")  # type: ignore[union-attr]
            assert str(path) in _texts(page.empty)
            assert _button(page.empty, "Settings").isVisible()

    drive(main())


def test_what_was_known_stays_when_the_ledger_is_gone_bad(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night()) as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            assert not page.banner.isVisible()
            with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
                db.execute("VACUUM INTO ?", (str(tmp_path / "other"),))
            with closing(sqlite3.connect(tmp_path / "other")) as db:
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
            (tmp_path / "other").replace(tmp_path / "ledger.sqlite")
            for end in ("-wal", "-shm"):
                (tmp_path / f"ledger.sqlite{end}").unlink(missing_ok=True)
            await until(lambda: page.banner.isVisible(), "the banner")
            assert "Use the newer program. What was known last is shown." in page.banner.text()
            assert len(page.model.rows) == 6

    drive(main())


def test_catching_up_shows_what_is_owed_and_leads_to_it(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    made = night()
    made.notes = {
        "throughput": {"samples": [
            {"time_s": made.now_s - 600 + 20 * k, "lane": "globus", "bytes_per_s": 1e8 + k,
             "slices_per_s": 0.0} for k in range(20)
        ]}
    }  # fmt: skip

    async def main() -> None:
        async with board_window(app, desk, tmp_path, made) as program:
            panel, page = program.parts.board.catch_up, program.parts.board.page
            await until(lambda: panel.plots and panel.plots[0].shown, "the plot")
            text = panel.text.toPlainText()
            assert "NERSC: 5 scans" in text
            assert "globus: 1 copy" in text
            assert "1 scan: no right" in text
            (curve,) = panel.plots[0].shown
            assert (curve.lane, curve.values.size) == ("globus", 20)
            assert not panel.plots[1].isVisible()
            panel._follow(f"do:show/{part(3)}")
            assert [row.id for row in page.chosen.rows] == [part(3)]

    drive(main())


def test_a_hostile_name_stays_words(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    made = night()
    name = "/data/raw/<img src=file:///etc/passwd><b>$(x)\n\u202e.h5"
    made.observed.scans[part(3)] = replace(
        made.observed.scans[part(3)], path=name, metadata={"sample": "<h1>big</h1>"}
    )
    made.goal(3, Product.ACCESS, CFS, blocked("<a href='do:log/x'>no</a>", "<b>Ask</b>"))

    async def main() -> None:
        async with board_window(app, desk, tmp_path, made) as program:
            board = program.parts.board
            await until(lambda: len(board.page.model.rows) == 6, "the rows")
            click_cell(program, 3, 0)
            await until(lambda: board.timeline.entries, "the story")
            assert "<a href='do:log/x'>no</a>" in board.timeline.text.toPlainText()
            assert "<a href='do:log/x'>no</a>" in board.catch_up.text.toPlainText()
            assert board.page.model.rows[2].title == "<h1>big</h1>"
            program.window.grab()

    drive(main())


def test_both_themes_and_the_keyboard(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, night(), theme="light") as program:
            page = program.parts.board.page
            await until(lambda: len(page.model.rows) == 6, "the rows")
            page.choose(part(5))
            page.view.setFocus()
            for _ in range(3):
                QTest.keyClick(page.view, Qt.Key.Key_Right)
            assert page.current_column == 2
            QTest.keyClick(page.view, Qt.Key.Key_Down)
            assert page.current is not None
            assert page.current.id == part(4)
            rect = cell_rect(program, 5, 3)
            image = page.view.viewport().grab().toImage()
            assert tokens().moving in colors_in(image, rect)
            program.switch_theme()
            image = page.view.viewport().grab().toImage()
            assert tokens().name == "dark"
            assert tokens().moving in colors_in(image, rect)

    drive(main())


def _texts(widget: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(part.text() for part in widget.findChildren(QLabel))


def _button(widget: Any, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)
