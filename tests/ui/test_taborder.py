"""Whoever has no mouse gets everywhere, and whoever has no eyes hears where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.session import Level, Mode, Notice
from alsct_gui.ui.taborder import Box, reading_order, takes_tab
from tests.ui.conftest import until
from tests.ui.programs import opened, small_scan, window

Drive = Callable[..., Any]
LONGEST = 200


@pytest.mark.parametrize(
    ("boxes", "order"),
    [
        ((), []),
        ((Box(90, 2, 20), Box(10, 0, 30)), [1, 0]),
        ((Box(0, 40, 20), Box(50, 0, 20), Box(0, 4, 20)), [2, 1, 0]),
        ((Box(0, 0, 20), Box(0, 10, 20), Box(50, 10, 20)), [0, 1, 2]),
        ((Box(0, 0, 0), Box(0, 0, 0)), [0, 1]),
    ],
)
def test_rows_are_read_from_left_to_right(boxes: tuple[Box, ...], order: list[int]) -> None:
    assert reading_order(boxes) == order


def own(part: QWidget) -> bool:
    """Not of a list that falls down, which says what its field says, nor of napari's parts."""
    at: QWidget | None = part
    while at is not None:
        if at.windowType() == Qt.WindowType.Popup or type(at).__module__.startswith("napari"):
            return False
        at = at.parentWidget()
    return True


def spoken(part: QWidget, buddies: set[QWidget]) -> str:
    text = part.text() if isinstance(part, QAbstractButton) else ""
    return part.accessibleName() or text or ("its label" if part in buddies else "")


def test_everything_that_takes_keys_has_a_name(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> list[str]:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            await until(lambda: program.session.preview is not None, "the slice")
            # Buttons of notices and covers have words once there is something to say.
            program.session.notice(
                Notice(Level.ERROR, "It failed.", "details", "Retry", lambda: None)
            )
            whole = program.window
            buddies = {words.buddy() for words in whole.findChildren(QLabel) if words.buddy()}
            parts = [p for p in whole.findChildren(QWidget) if takes_tab(p) and own(p)]
            assert len(parts) > 60
            assert program.stage.host.canvas.accessibleName()
            nameless = [p for p in parts if not spoken(p, buddies)]
            silent = [p for p in nameless if not isinstance(p, QAbstractButton) or p.isVisible()
                      or not p.icon().isNull()]  # fmt: skip
            return [f"{type(p).__name__} in {type(p.parent()).__name__}: {p.toolTip()}"
                    for p in silent]  # fmt: skip

    found = drive(main())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("forward", [True, False])
def test_tab_goes_through_the_window_as_one_reads_it(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path, forward: bool
) -> None:
    scan = small_scan(tmp_path / "raw")
    key = Qt.Key.Key_Tab if forward else Qt.Key.Key_Backtab

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            await until(lambda: program.session.preview is not None, "the slice")
            await until(lambda: program.stage.is_quiet, "quiet")
            program.book.trigger("look.histogram")
            program.session.notice(Notice(Level.ERROR, "It failed.", "details"))
            whole = program.window
            panels = (
                whole.topbar, whole.left, whole.stage, whole.side, whole.drawer, whole.status,
            )  # fmt: skip
            whole.activateWindow()
            start = program.parts.scans.scans.filter
            start.setFocus()
            await until(start.hasFocus, "the focus")
            seen: list[QWidget] = []
            while start not in seen:
                assert len(seen) < LONGEST, "round and round without the filter"
                focus = QApplication.focusWidget()
                QTest.keyClick(focus, key)
                await until(lambda focus=focus: QApplication.focusWidget() is not focus, "a step")
                seen.append(QApplication.focusWidget())
            assert program.stage.host.canvas in seen
            assert program.session.mode is Mode.PROJECTIONS
            expected = [
                p for panel in panels for p in panel.findChildren(QWidget)
                if takes_tab(p) and p.isVisible() and p.isEnabled()
            ]  # fmt: skip
            assert set(seen) == set(expected)
            visits = [next(k for k, p in enumerate(panels) if p.isAncestorOf(s)) for s in seen]
            rounds = visits if forward else visits[::-1]
            at = rounds.index(0)
            assert rounds[at:] + rounds[:at] == sorted(rounds)
            assert set(rounds) == set(range(len(panels)))

    drive(main())
