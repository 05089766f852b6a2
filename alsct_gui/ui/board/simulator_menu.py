"""The menu *Simulator*: switches faults of the simulated facility on and off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.services import FaultSwitches
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks


class SimulatorMenu:
    """One entry for each fault, with a tick while it is on; grey when there is no facility.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    switches
        The fault desk.
    bar, before
        Menu bar, and the menu that it stands before.
    """

    def __init__(
        self, session: Session, tasks: Tasks, switches: FaultSwitches, bar: QMenuBar, before: QMenu
    ) -> None:
        self._session, self._tasks, self._switches = session, tasks, switches
        self._reading: asyncio.Task[Any] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.menu = QMenu("Simulator", bar)
        self.menu.setToolTipsVisible(True)
        bar.insertMenu(before.menuAction(), self.menu)
        self.faults: dict[str, QAction] = {}
        reason = switches.reason
        if reason:
            self.menu.addAction(reason).setEnabled(False)
            self.menu.addSeparator()
        self.clear = self.menu.addAction("Switch all faults off", self._clear)
        self.clear.setEnabled(not reason)
        groups: dict[str, QMenu] = {}
        for choice in switches.choices:
            if choice.group not in groups:
                groups[choice.group] = self.menu.addMenu(choice.group)
                groups[choice.group].setToolTipsVisible(True)
            action = groups[choice.group].addAction(choice.title)
            action.setCheckable(True)
            action.setToolTip(f"{choice.means}.")
            action.setEnabled(not reason)
            action.triggered.connect(
                lambda on, name=choice.name, title=choice.title: self._switch(name, title, on=on)
            )
            self.faults[choice.name] = action
        self.menu.aboutToShow.connect(self._read)

    def renew_icons(self) -> None:
        """Draw nothing anew: it is made of words."""

    def close(self) -> None:
        """Put away."""
        if self._reading is not None:
            self._reading.cancel()

    def _read(self) -> None:
        if not self._switches.reason:
            self._reading = self._tasks.start(
                self._show(), "Asking the fault desk", instead_of=self._reading
            )

    def _switch(self, name: str, title: str, *, on: bool) -> None:
        said = f"Fault on: {title}." if on else f"Fault off: {title}."
        work = partial(self._switches.switch, name, on=on)
        self._tasks.start(self._do(work, said), "Switching a fault")

    def _clear(self) -> None:
        self._tasks.start(self._do(self._switches.clear, "All faults are off."), "Switching faults")

    async def _do(self, work: Callable[[], object], said: str) -> None:
        try:
            async with self._one_at_a_time:
                await asyncio.to_thread(work)
            self._session.notice(Notice(Level.INFO, said, key="simulator"))
        finally:
            await self._show()

    async def _show(self) -> None:
        """Tick what is on; a late answer never covers a newer one."""
        async with self._one_at_a_time:
            try:
                on = await asyncio.to_thread(self._switches.on)
            except AlsctError as error:
                self._session.notice(Notice(Level.WARNING, error.sentence, key="simulator"))
                return
            for name, action in self.faults.items():
                action.setChecked(name in on)
