"""Keys go where the focus is: no command of the window takes them from a field or a button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.focuskeys import keeps
from alsct_gui.ui.session import Mode
from tests.ui.conftest import until
from tests.ui.programs import opened, small_scan, window

Drive = Callable[..., Any]
K, M = Qt.Key, Qt.KeyboardModifier


def _key(key: Qt.Key, text: str = "", modifiers: Qt.KeyboardModifier = M.NoModifier) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers, text)


@pytest.mark.parametrize(
    ("kind", "kept", "free"),
    [
        (QPushButton, (K.Key_Space, K.Key_Return, K.Key_Right), (K.Key_F, K.Key_Home)),
        (QSlider, (K.Key_Left, K.Key_Home, K.Key_PageUp), (K.Key_Space, K.Key_F)),
        (QListWidget, (K.Key_Down, K.Key_Return, K.Key_Space), (K.Key_F,)),
        (QComboBox, (K.Key_Down, K.Key_Space), (K.Key_F,)),
        (QLineEdit, (K.Key_Left, K.Key_Return, K.Key_Space), (K.Key_F6,)),
        (QSpinBox, (K.Key_Up, K.Key_End), (K.Key_F6,)),
        (QLabel, (), (K.Key_Space, K.Key_Left, K.Key_F)),
    ],
)
def test_what_a_widget_keeps(
    app: Any, kind: type[QWidget], kept: tuple[Qt.Key, ...], free: tuple[Qt.Key, ...]
) -> None:
    widget = kind()
    assert all(keeps(widget, _key(key)) for key in kept)
    assert not any(keeps(widget, _key(key)) for key in free)
    assert not keeps(widget, _key(K.Key_Return, "\r", M.ControlModifier))
    widget.deleteLater()


def test_what_is_typed_is_no_command(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            await until(lambda: program.stage.picture is not None, "the picture")
            single = [a for a in program.book.table if len(a.shortcut) == 1 and a.shortcut != "{"]
            given: list[str] = []
            for info in program.book.table:
                action = program.book[info.key]
                signal = action.toggled if info.checkable else action.triggered
                signal.connect(lambda *_, key=info.key: given.append(key))
            program.window.activateWindow()
            fields = [
                part for part in program.window.findChildren(QWidget)
                if isinstance(part, QLineEdit | QSpinBox) and part.isVisible() and part.isEnabled()
                and part.focusPolicy() & Qt.FocusPolicy.TabFocus
            ]  # fmt: skip
            assert len(fields) >= 3
            for field in fields:
                field.setFocus()
                await until(lambda field=field: field.hasFocus(), "the focus")
                for info in single:
                    QTest.keyClicks(field, info.shortcut.lower())
                QTest.keyClick(field, Qt.Key.Key_Space)
            assert given == []
            assert program.session.mode is Mode.PROJECTIONS
            program.stage.host.canvas.setFocus()
            QTest.keyClick(program.stage.host.canvas, "2")
            assert given == ["view.sinogram"]

    drive(main())


def test_space_presses_the_button_that_has_the_focus(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            await until(lambda: program.stage.picture is not None, "the picture")
            program.window.activateWindow()
            pressed: list[QPushButton] = []
            buttons = [
                part for part in program.window.findChildren(QPushButton)
                if part.isVisible() and part.isEnabled() and not part.text().endswith("…")
                and part.text() != "Reconstruct here"
            ]  # fmt: skip
            assert buttons
            for button in buttons:
                button.clicked.connect(lambda _=False, button=button: pressed.append(button))
                button.setFocus()
                await until(lambda button=button: button.hasFocus(), "the focus")
                QTest.keyClick(button, Qt.Key.Key_Space)
            assert pressed == buttons

    drive(main())


def test_arrows_move_the_slider_that_has_the_focus(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            slider = program.stage.mode_of(Mode.PROJECTIONS).bar.findChild(QSlider)
            await until(lambda: slider.isVisible() and slider.isEnabled(), "the slider")
            program.window.activateWindow()
            slider.setFocus()
            await until(slider.hasFocus, "the focus")
            before = slider.value()
            QTest.keyClick(slider, Qt.Key.Key_PageUp)
            assert slider.value() == before + slider.pageStep()
            QTest.keyClick(slider, Qt.Key.Key_Left)
            assert slider.value() == before + slider.pageStep() - 1

    drive(main())
