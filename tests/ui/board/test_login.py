"""The login to Globus: begun with a click at its link, given up with another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from alsct_gui.model.errors import CancelledError
from alsct_gui.recon.desk.client import Desk
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.ui.board.links import LOG_IN
from tests.ui.board.making import in_outage
from tests.ui.board.windows import board_window
from tests.ui.conftest import until

Drive = Callable[..., Any]


class Browser:
    """A login that ends as a person at a browser ends it."""

    def __init__(self) -> None:
        self.begun = 0
        self.done = threading.Event()
        self.error: Exception | None = None

    def log_in(self, given_up: threading.Event) -> None:
        self.begun += 1
        while not self.done.wait(0.02):
            if given_up.is_set():
                raise CancelledError("the login was given up")
        if self.error is not None:
            raise self.error


def test_one_click_at_the_link_begins_it_and_the_end_is_told(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    browser = Browser()

    async def main() -> None:
        facility = {"log_in": browser.log_in}
        async with board_window(app, desk, tmp_path, in_outage(1), facility=facility) as program:
            said: list[str] = []
            program.session.noticed.connect(lambda notice: said.append(notice.sentence))
            program.parts.board._show_link("globus")
            chain = program.parts.board.chain
            assert chain.act.text() == LOG_IN
            QTest.mouseClick(chain.act, Qt.MouseButton.LeftButton)
            await until(lambda: browser.begun == 1, "the login")
            assert "Finish it there" in said[-1]
            browser.done.set()
            await until(lambda: "You are logged in" in said[-1], "the end")
            browser.done.clear()
            program.book.trigger("board.login")
            await until(lambda: browser.begun == 2, "another login")
            browser.error = NeedsPersonError("it was refused", where="Globus", fix="Begin again")
            browser.done.set()
            await until(lambda: "it was refused" in said[-1], "the reason")

    drive(main())


def test_a_window_that_closes_gives_it_up(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    browser = Browser()

    async def main() -> None:
        facility = {"log_in": browser.log_in}
        async with board_window(app, desk, tmp_path, in_outage(1), facility=facility) as program:
            program.book.trigger("board.login")
            await until(lambda: browser.begun == 1, "the login")

    drive(main())
    assert not any("log_in" in thread.name for thread in threading.enumerate())


def test_where_the_beamline_logs_in_by_itself_it_says_so(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with board_window(app, desk, tmp_path, in_outage(1)) as program:
            said: list[str] = []
            program.session.noticed.connect(lambda notice: said.append(notice.sentence))
            program.parts.board._show_link("globus")
            assert not program.parts.board.chain.act.isVisible()
            program.book.trigger("board.login")
            assert "by itself" in said[-1]

    drive(main())
