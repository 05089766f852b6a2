"""The window with everything in it: built here, run here, put away here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMessageBox

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.finding import Finding
from alsct_gui.settings import Settings, save_settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.table import ACTIONS, MENUS
from alsct_gui.ui.focuskeys import FocusKeys
from alsct_gui.ui.furnish import Themed, furnish
from alsct_gui.ui.garbage import set_memory_aside
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from alsct_gui.ui.topbar import TopBar
from alsct_gui.ui.viewer.stage import Stage
from alsct_gui.ui.window import Window

WORKSPACES = (("scans", "Scans"), ("board", "Board"), ("review", "Review"))


class Program:
    """One window and what it is made of.

    Parameters
    ----------
    app
        Qt's application.
    services
        The rooms below; closed by whoever made them, after `close`.
    settings, settings_path
        As they were loaded, and where they are saved.
    findings
        What was wrong with the settings; said once the window is there.
    """

    def __init__(
        self, app: QApplication, services: Services, settings: Settings, settings_path: Path,
        findings: Sequence[Finding] = (),
    ) -> None:  # fmt: skip
        self._app, self._settings_path = app, settings_path
        self.services = services
        apply_theme(app, settings.theme)
        self.session = Session(settings, load_recipe(services.profile.defaults.preset))
        self.tasks = Tasks(self.session.report)
        self.window = Window(self.session)
        self.book = ActionBook(ACTIONS, self.session, self.window)
        self.topbar = TopBar(self.book, MENUS, WORKSPACES, services.profile.beamline)
        self.stage = Stage(self.session, self.tasks, services, self.book)
        self.window.furnish(self.book, self.topbar, self.stage)
        self.stage.pixel_pointed.connect(self.window.status.show_pixel)
        self.keys = FocusKeys(app, self.window)
        self._closing = asyncio.Event()
        self._wanted: list[Path] = []
        self._review: Path | None = None
        self._simulate = False
        self._asking: QMessageBox | None = None
        self.book.bind("file.quit", self.ask_to_close)
        self.book.bind("view.theme", self.switch_theme)
        self.window.close_asked.connect(self.ask_to_close)
        self.session.settings_changed.connect(self._save)
        self.parts = furnish(self)
        for item in findings:
            self.session.notice(
                Notice(Level.WARNING, f"{item.message} {item.fix}.".strip(), item.where)
            )

    async def run(self) -> None:
        """Show the window, start the viewer, and wait until it is to close."""
        if self.session.settings.layout.maximized:
            self.window.showMaximized()
        else:
            self.window.show()
        await self.start()
        set_memory_aside()
        self.parts.tour.offer()
        await self.until_closed()
        await self.close()

    async def until_closed(self) -> None:
        """Wait until someone closes the window, and has answered what must be asked."""
        await self._closing.wait()

    async def start(self) -> None:
        """Fill the lists and make the viewer; the window is drawn and answers meanwhile."""
        self.parts.scans.start()
        self.parts.runs.start()
        self.parts.board.start()
        if self._wanted:
            self.parts.scans.open_paths(self._wanted)
        if self._simulate:
            self.parts.scans.simulate()
        if self._review is not None:
            self.parts.workspaces.review(self._review)
        await self.stage.open()

    def open_later(self, path: Path) -> None:
        """Open a file or folder once the window is there."""
        self._wanted.append(path)

    def simulate_later(self) -> None:
        """Open the simulated scan once the window is there."""
        self._simulate = True

    def review_later(self, folder: Path) -> None:
        """Review a folder once the window is there."""
        self._review = folder

    def ask_to_close(self) -> None:
        """Close at once, or ask when work is running here: it goes on without the window."""
        running = self.session.situation.running
        if not running:
            self._closing.set()
            return
        if self._asking is not None:
            return
        noun = "run goes" if running == 1 else "runs go"
        box = QMessageBox(self.window)
        box.setWindowTitle("Close the window")
        box.setText(f"{running} {noun} on without the window.")
        box.setInformativeText("The next start shows them again.")
        leave = box.addButton("Close", QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(leave)
        box.setEscapeButton(stay)
        box.finished.connect(lambda: self._answered(box.clickedButton() is leave))
        self._asking = box
        box.open()

    def _answered(self, close: bool) -> None:
        if self._asking is not None:
            self._asking.deleteLater()
            self._asking = None
        if close:
            self._closing.set()

    async def close(self) -> None:
        """Put everything away; the services are closed by whoever made them."""
        self.session.remember(layout=self.window.layout_now())
        for part in self.parts.all:
            part.close()
        self.keys.close()
        self.stage.clear()
        await self.stage.settle()
        await self.tasks.close()
        self.stage.shut()
        self.window.close_for_good()
        self.window.deleteLater()
        # Never processEvents() here: it would enter other coroutines from within this one.
        await asyncio.sleep(0)

    def switch_theme(self) -> None:
        """Turn from dark to light, or back."""
        name = "light" if self.session.settings.theme == "dark" else "dark"
        apply_theme(self._app, name)
        self.session.remember(theme=name)
        self.book.renew_icons()
        own: tuple[Themed, ...] = (
            self.topbar, self.window.status, self.window.drawer, self.stage, *self.parts.all,
        )  # fmt: skip
        for part in own:
            part.renew_icons()

    def _save(self, settings: Settings) -> None:
        try:
            save_settings(settings, self._settings_path)
        except AlsctError as error:
            self.session.notice(Notice(Level.WARNING, error.sentence, key="settings"))
