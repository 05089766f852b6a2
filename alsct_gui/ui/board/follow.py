"""From the feed, in its thread, to the session, on the window's: gathered, made beside the loop."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from alsct_gui.placement.feed import Feed, Snapshot, both_touched
from alsct_gui.ui.board.links import START
from alsct_gui.ui.board.rows import BoardMaker
from alsct_gui.ui.board.view import BoardView, view_of
from alsct_gui.ui.services import Facility
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks

_TICK_MS = 10_000
"""How often countdowns are said anew while nothing happens."""
_REST_S = 0.25
"""Least time between two boards: making one holds up whatever is drawn meanwhile."""


class BoardFollower(QObject):
    """Keeps the session's board up to date, and sees that an agent works.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    facility
        Which ledger and policy.
    maker
        Makes the board.
    """

    _woken = Signal()

    def __init__(
        self, session: Session, tasks: Tasks, facility: Facility, maker: BoardMaker
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._facility = session, tasks, facility
        self._maker = maker
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._making: asyncio.Task[Any] | None = None
        self._closed = False
        self._asked_to_start = False
        self._had_agent = False
        self._feed = Feed(facility.ledger, self._hear)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._woken.connect(self._wake, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Begin to follow."""
        self._feed.start()
        self._timer.start()

    def close(self) -> None:
        """Follow no more."""
        self._closed = True
        self._timer.stop()
        self._feed.close()

    def start_agent(self) -> None:
        """Start an agent that outlives the window."""
        self._tasks.start(self._start_agent(), "Starting the agent")

    async def _start_agent(self) -> None:
        await asyncio.to_thread(self._facility.start_agent)
        said = "The agent starts; it goes on when the window is closed."
        self._session.notice(Notice(Level.INFO, said, key="agent"))

    def _hear(self, snapshot: Snapshot) -> None:
        """Take a snapshot; in the feed's thread."""
        with self._lock:
            left_out, self._newest = self._newest, snapshot
            if left_out is not None:
                touched = both_touched(left_out.touched, snapshot.touched)
                self._newest = replace(snapshot, touched=touched)
        if left_out is None and not self._closed:
            self._woken.emit()

    @Slot()
    def _wake(self) -> None:
        if not self._closed and (self._making is None or self._making.done()):
            self._making = self._tasks.start(self._make(), "Reading the ledger")

    async def _make(self) -> None:
        while not self._closed:
            with self._lock:
                snapshot, self._newest = self._newest, None
            if snapshot is None:
                return
            begun_s = time.monotonic()
            await self._show(snapshot)
            self._look_after_agent(snapshot)
            # The first change is shown at once, a storm of them now and then.
            await asyncio.sleep(max(0.0, begun_s + _REST_S - time.monotonic()))

    async def _show(self, snapshot: Snapshot) -> None:
        configured = self._facility.configured
        view: BoardView = await asyncio.to_thread(
            view_of, self._maker, snapshot, time.time(), configured=configured,
            logs_in=self._facility.log_in is not None,
        )  # fmt: skip
        if not self._closed:
            self._session.set_board(view)

    def _tick(self) -> None:
        """Say countdowns anew, unless something new is being made anyway."""
        view = self._session.board
        with self._lock:
            if view is not None and self._newest is None:
                self._newest = replace(view.snapshot, touched=frozenset())
        self._wake()

    def _look_after_agent(self, snapshot: Snapshot) -> None:
        """Start an agent once when the window opens; afterwards say when it has ended."""
        if snapshot.agent is not None:
            self._had_agent, self._asked_to_start = True, True
            return
        if not self._facility.configured or self._facility.policy is None:
            return
        if not self._asked_to_start:
            self._asked_to_start = True
            if self._session.settings.start_agent:
                self.start_agent()
                return
        if self._had_agent:
            self._had_agent = False
            self._session.notice(
                Notice(
                    Level.WARNING, "The agent has ended: scans stay where they are.",
                    action_text=START, action=self.start_agent, key="agent",
                )
            )  # fmt: skip
