"""Telling the desktop while the window is out of sight: by the tray, else over D-Bus."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from alsct_gui.model.message import Message
from alsct_gui.model.placement import Observed
from alsct_gui.model.policy import Policy
from alsct_gui.placement.telling import Told, beginning, tell
from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks

EVERY_MS = 5_000
"""How often it is looked for news."""
_SHOWN_MS = 10_000


class Desktop:
    """Says what is worth telling: in the window, and on the desktop when nobody looks at it.

    What the ledger said when the window was opened is no news.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    policy
        Names sites and what leads to them.
    window
        Whose being looked at decides; it is raised when a message is clicked.
    over_bus
        Sends a message over D-Bus, beside the loop; whether somebody has taken it.
    """

    def __init__(
        self, session: Session, tasks: Tasks, policy: Policy, window: QWidget,
        over_bus: Callable[[Message], bool] | None = None,
    ) -> None:  # fmt: skip
        self._session, self._tasks, self._policy, self._window = session, tasks, policy, window
        self._over_bus = over_bus or send_over_bus
        self._told: Told | None = None
        self._newest: Observed | None = None
        self._timer = QTimer(window)
        self._timer.setSingleShot(True)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._decide)
        self._tray: QSystemTrayIcon | None = None
        session.board_changed.connect(self._take)

    def close(self) -> None:
        """Put away."""
        self._session.board_changed.disconnect(self._take)
        self._timer.stop()
        if self._tray is not None:
            self._tray.hide()
            self._tray.deleteLater()
            self._tray = None

    def show(self, message: Message) -> None:
        """Show a message where somebody sees it."""
        level = Level.WARNING if message.grave else Level.INFO
        sentence = f"{message.title}. {message.words}".strip()
        self._session.notice(Notice(level, sentence, key="news"))
        if self._session.settings.notify and not self._window.isActiveWindow():
            self._tasks.start(self._send(message), "Telling the desktop")

    def _take(self, view: BoardView) -> None:
        if not view.can_be_read:
            return
        self._newest = view.snapshot.observed
        if not self._timer.isActive():
            self._timer.start()

    def _decide(self) -> None:
        if self._newest is not None:
            self._tasks.start(self._tell(self._newest), "Looking for news")

    async def _tell(self, observed: Observed) -> None:
        """Decide beside the loop: thousands of goals are gone through."""
        if self._told is None:
            self._told = await asyncio.to_thread(beginning, self._policy, observed)
            return
        self._told, messages = await asyncio.to_thread(
            tell, self._policy, observed, self._told, time.time()
        )
        for message in messages:
            self.show(message)

    async def _send(self, message: Message) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._by_tray(message)
            return
        await asyncio.to_thread(self._over_bus, message)

    def _by_tray(self, message: Message) -> None:
        if self._tray is None:
            self._tray = QSystemTrayIcon(QIcon(), self._window)
            self._tray.setToolTip("alsct-gui")
            self._tray.messageClicked.connect(self._raise)
            self._tray.activated.connect(lambda _: self._raise())
            self._tray.setIcon(self._window.style().standardIcon(
                self._window.style().StandardPixmap.SP_ComputerIcon
            ))  # fmt: skip
            self._tray.show()
        icon = QSystemTrayIcon.MessageIcon
        kind = icon.Warning if message.grave else icon.Information
        self._tray.showMessage(message.title, message.words, kind, _SHOWN_MS)

    def _raise(self) -> None:
        self._window.showNormal()
        self._window.raise_()
        self._window.activateWindow()


def send_over_bus(message: Message, timeout_s: float = 5.0) -> bool:
    """Send a message to the desktop's own notifications; whether somebody has taken it.

    Blocks, but not for longer than told: call it beside the loop. Qt's D-Bus cannot say that a
    number is unsigned, which the notifications insist on; `jeepney` can.
    """
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return False
    try:
        return bounded(lambda: _notify(message, timeout_s), timeout_s, where="D-Bus")
    except (ImportError, LinkDownError, OSError, TimeoutError, ValueError):
        return False


def _notify(message: Message, timeout_s: float) -> bool:
    from jeepney import DBusAddress, MessageType, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    address = DBusAddress(
        "/org/freedesktop/Notifications", bus_name="org.freedesktop.Notifications",
        interface="org.freedesktop.Notifications",
    )  # fmt: skip
    hints = {"urgency": ("y", 2 if message.grave else 1)}
    body: tuple[Any, ...] = (
        "alsct-gui",
        0,
        "",
        message.title,
        _plain(message.words),
        [],
        hints,
        _SHOWN_MS,
    )
    with open_dbus_connection("SESSION") as connection:
        call = new_method_call(address, "Notify", "susssasa{sv}i", body)
        answer = connection.send_and_get_reply(call, timeout=timeout_s)
    return bool(answer.header.message_type is MessageType.method_return)


def _plain(text: str) -> str:
    """The notifications take some markup in the body, so what looks like it is made harmless."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
