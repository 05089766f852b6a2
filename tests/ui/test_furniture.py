"""Settings, tour, review and dialogs in the whole window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.preferences import Preferences
from alsct_gui.ui.session import Level, Notice
from tests.ui.conftest import until
from tests.ui.programs import small_scan, window

Drive = Callable[..., Any]


def test_settings_hold_at_once(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.book.trigger("file.settings")
            page = next(part for part in program.parts.all if isinstance(part, Preferences))
            assert page.isVisible()
            page.threads.setValue(2)
            page.output.field.setText("/mine")
            page.output.field.editingFinished.emit()
            assert program.session.settings.threads == 2
            assert program.session.settings.output_folder == "/mine"
            page.theme.setCurrentIndex(page.theme.findData("light"))
            page.theme.activated.emit(page.theme.currentIndex())
            assert program.session.settings.theme == "light"

    drive(main())


def test_the_tour_goes_to_its_end_by_keyboard(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            tour = program.parts.tour
            tour.begin()
            shown = []
            for _ in range(len(tour._steps)):
                assert program.window.rect().contains(tour.geometry())
                shown.append(tour._title.text())
                QTest.keyClick(tour, Qt.Key.Key_Right)
            assert not tour.isVisible()
            assert len(set(shown)) == len(tour._steps) == 5
            await until(lambda: program.session.situation.has_scan, "the simulated scan")

    drive(main())


def test_the_tour_is_offered_once(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    told: list[Notice] = []

    async def main() -> None:
        async with window(app, desk, tmp_path, tour_done=False) as program:
            program.session.noticed.connect(told.append)
            program.parts.tour.offer()
            program.parts.tour.offer()

    drive(main())
    assert sum(notice.key == "tour" and notice.level is Level.INFO for notice in told) <= 1


def test_a_folder_under_review_is_listed_apart(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "old")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.parts.workspaces.review(tmp_path / "old")
            room = program.parts.scans
            await until(lambda: room.reviewed.entries.entry(scan) is not None, "the old scan")
            assert room.scans.entries.entry(scan) is None
            assert room.reviewed.isVisible()
            assert not room.scans.isVisible()

    drive(main())


def test_dialogs_block_nothing(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.book.trigger("file.open")
            dialog = program.window.findChild(QFileDialog)
            assert dialog is not None
            dialog.filesSelected.emit([str(scan)])
            dialog.close()
            await until(lambda: program.session.situation.has_scan, "the chosen scan")

    drive(main())
