"""Small parts of the window: status strip, log, tour, palette, settings, heart beat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from alsct_gui.app import folder_here
from alsct_gui.model.errors import InputError
from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.palette import Palette
from alsct_gui.ui.actions.sheet import ShortcutSheet
from alsct_gui.ui.actions.table import ACTIONS
from alsct_gui.ui.logbook import Logbook
from alsct_gui.ui.loop import Heartbeat
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.statusbar import StatusBar
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme, style_sheet
from alsct_gui.ui.theme.tokens import THEMES, Tokens
from alsct_gui.ui.tour import beside
from alsct_gui.ui.widgets.parts import Reading
from tests.ui.conftest import until

Drive = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def session(app: Any) -> Session:
    apply_theme(app, "dark")
    return Session(Settings(), Recipe())


@pytest.fixture
def owner(app: Any) -> Iterator[QWidget]:
    widget = QWidget()
    widget.resize(1000, 700)
    widget.show()
    widget.activateWindow()
    # The window of the test before may lose the keyboard only now, which closes what popped up.
    assert QTest.qWaitForWindowActive(widget)
    yield widget
    widget.close()
    widget.deleteLater()
    app.processEvents()


def test_the_strip_says_what_goes_on_and_what_is_wrong(session: Session, owner: QWidget) -> None:
    strip = StatusBar(session)
    strip.setParent(owner)
    assert strip.words == "Ready"
    session.busy("preview", "Reconstructing row 900")
    assert strip.words == "Reconstructing row 900"
    error = InputError("the file ends early", where="foam.h5", fix="Copy it again")
    session.report("Reading a frame", error)
    assert strip.words == "Reading a frame: foam.h5: the file ends early. Copy it again."
    session.notice(Notice(Level.INFO, "Something lesser"))
    assert "ends early" in strip.words
    strip._copy.click()
    assert "InputError" in QApplication.clipboard().text()
    strip.clear()
    session.busy("preview", "")
    assert strip.words == "Ready"


def test_a_notice_with_an_action_does_it_and_goes(session: Session, owner: QWidget) -> None:
    strip = StatusBar(session)
    strip.setParent(owner)
    done: list[str] = []
    session.notice(
        Notice(Level.DONE, "Ready.", action_text="Show it", action=lambda: done.append("x"))
    )
    strip._act.click()
    assert done == ["x"]
    assert strip.words == "Ready"


def test_the_log_keeps_everything_and_copies_details(session: Session, owner: QWidget) -> None:
    log = Logbook(session)
    log.setParent(owner)
    for k in range(3):
        session.notice(Notice(Level.WARNING, f"sentence {k}", f"details {k}"))
    log.copy()
    assert QApplication.clipboard().text().count("details") == 3
    assert log.rows.count() == 3
    log.close()


def test_failed_tasks_are_told_and_cancelled_ones_are_not(session: Session, drive: Drive) -> None:
    told: list[tuple[str, Exception]] = []

    async def fails() -> None:
        raise InputError("no such thing")

    async def waits() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append((name, error)))
        tasks.start(fails(), "Failing")
        first = tasks.start(waits(), "Waiting")
        tasks.start(waits(), "Waiting again", instead_of=first)
        await until(lambda: tasks.names == ("Waiting again",), "the others have ended")
        await tasks.close()
        assert tasks.names == ()

    drive(main())
    assert [name for name, _ in told] == ["Failing"]


def test_the_palette_finds_and_gives_a_command(session: Session, owner: QWidget, app: Any) -> None:
    book = ActionBook(ACTIONS, session, owner)
    given: list[str] = []
    book.bind("help.tour", lambda: given.append("tour"))
    palette = Palette(book, owner)
    palette.ask()
    app.processEvents()
    QTest.keyClicks(palette.field, "take tour")
    assert palette.rows.currentItem().text() == "Take the tour"
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert given == ["tour"]
    assert not palette.isVisible()
    palette.ask()
    QTest.keyClicks(palette.field, "undo")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()  # what cannot be done now is not done
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_sheet_opens_and_any_key_closes_it(owner: QWidget, session: Session, app: Any) -> None:
    sheet = ShortcutSheet(ACTIONS, owner)
    sheet.present()
    app.processEvents()
    assert sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_A)
    assert not sheet.isVisible()


def test_commands_follow_the_situation(session: Session, owner: QWidget) -> None:
    book = ActionBook(ACTIONS, session, owner)
    assert not book["edit.undo"].isEnabled()
    session.set_setting("rings", [{"method": "sorting"}])
    assert book["edit.undo"].isEnabled()
    session.undo()
    assert not book["edit.undo"].isEnabled()
    assert book["edit.redo"].isEnabled()
    assert session.recipe == Recipe()


@pytest.mark.parametrize("tokens", THEMES.values(), ids=lambda tokens: tokens.name)
def test_words_can_be_read_on_every_ground(tokens: Tokens) -> None:
    def luminance(color: str) -> float:
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(front: str, back: str) -> float:
        high, low = sorted((luminance(front), luminance(back)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for back in (tokens.window, tokens.panel, tokens.raised, tokens.hover):
        assert contrast(tokens.text, back) >= 7
    for back in (tokens.window, tokens.panel, tokens.raised):
        assert contrast(tokens.faint, back) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for name in ("met", "moving", "waiting", "blocked", "failed", "unknown"):
        assert contrast(getattr(tokens, name), tokens.panel) >= 3, name
    assert "@" not in style_sheet(tokens)


def test_a_card_stays_within_the_window() -> None:
    room = QRect(0, 0, 1366, 768)
    for target in (QRect(0, 40, 300, 700), QRect(1020, 40, 346, 700), QRect(0, 0, 1366, 36)):
        at = beside(target, (340, 180), room)
        assert room.contains(QRect(at.x(), at.y(), 340, 180))


def test_the_heart_beat_feels_a_blocked_loop(app: Any, drive: Drive) -> None:
    async def main() -> Heartbeat:
        beat = Heartbeat(5)
        beat.start()
        loop = asyncio.get_running_loop()
        end_s = loop.time() + 0.05
        while loop.time() < end_s:  # the loop is blocked on purpose
            pass
        await until(lambda: beat.worst_ms > 0, "a beat after the block")
        beat.stop()
        return beat

    beat = drive(main())
    assert beat.worst_ms >= 40
    assert beat.percentile_ms(99) <= beat.worst_ms


def test_a_reading_that_changes_has_nothing_laid_out_anew(owner: QWidget) -> None:
    row, reading = QHBoxLayout(owner), Reading()
    row.addWidget(reading)
    asked = _LayoutRequests(owner)
    reading.set_text("of 2160 · 1.52 mm")
    while asked.counted():
        pass  # it is dressed first
    reading.set_text("of 2160 · 97 µm")
    assert asked.counted() == 0
    reading.set_text("of 2160 · 1.52 mm, the last one")
    assert asked.counted() == 1
    assert reading.width() >= reading.sizeHint().width()
    reading.clear()
    asked.counted()
    assert reading.width() == 0


class _LayoutRequests(QObject):
    """Counts how often a widget is asked to lay out its parts anew."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._count = 0
        widget.installEventFilter(self)

    def counted(self) -> int:
        """Let the loop turn once; return how often it was asked meanwhile."""
        self._count = 0
        QApplication.processEvents()
        return self._count

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        self._count += event.type() == QEvent.Type.LayoutRequest
        return super().eventFilter(watched, event)


def test_settings_are_saved_where_they_were_loaded(session: Session, tmp_path: Path) -> None:
    told: list[Settings] = []
    session.settings_changed.connect(told.append)
    session.remember(theme="light")
    session.remember(theme="light")
    assert [item.theme for item in told] == ["light"]


def test_a_folder_counts_only_when_it_is_there(tmp_path: Path) -> None:
    assert folder_here(str(tmp_path)) == tmp_path
    assert folder_here(str(tmp_path / "gone")) is None
    assert folder_here("") is None
