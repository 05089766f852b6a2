"""The stage in a real window, above a real desk and small simulated scans."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.ui.conftest import until

CENTER_PX = 66.3


@pytest.fixture(scope="session")
def foam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small scan; its axis is at column 66.3 of 128."""
    spec = SimulationSpec(
        phantom="foam", n_columns=128, n_rows=48, n_angles=91, center_px=CENTER_PX, seed=3
    )
    return simulate_scan(tmp_path_factory.mktemp("viewer") / "foam.h5", spec)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan of another size."""
    spec = SimulationSpec(phantom="foam", n_columns=96, n_rows=16, n_angles=46, seed=4)
    return simulate_scan(tmp_path_factory.mktemp("viewer") / "other.h5", spec)


@dataclass(eq=False)
class Room:
    """A window with a stage in it."""

    window: Any
    stage: Any
    session: Any
    book: Any
    desk: Any
    notices: list[Any] = field(default_factory=list)

    async def quiet(self) -> None:
        """Wait until all that was asked for is on the canvas."""
        await asyncio.sleep(0)
        await until(lambda: self.stage.host.is_open and self.stage.is_quiet, "the stage is quiet")

    async def open(self, path: Path) -> None:
        """Select a scan and look at it, as the list does."""
        self.session.select(path)
        look = await asyncio.wrap_future(self.desk.look(path))
        self.session.set_look(path, look)
        await self.quiet()


@pytest.fixture
def room(app: Any, desk: Any) -> Callable[[], AbstractAsyncContextManager[Room]]:
    """Make a window with a stage; put away at the end of the block."""
    from alsct_gui.files.profiles import load_profile
    from alsct_gui.files.recipes import load_recipe
    from alsct_gui.settings import Layout, Settings
    from alsct_gui.ui.actions.book import ActionBook
    from alsct_gui.ui.actions.table import ACTIONS, MENUS
    from alsct_gui.ui.services import Services
    from alsct_gui.ui.session import Level, Session
    from alsct_gui.ui.tasks import Tasks
    from alsct_gui.ui.theme.style import apply_theme
    from alsct_gui.ui.topbar import TopBar
    from alsct_gui.ui.viewer.stage import Stage
    from alsct_gui.ui.window import Window

    @asynccontextmanager
    async def made() -> AsyncIterator[Room]:
        apply_theme(app, "dark")
        services = Services(load_profile("als-8.3.2"), None, None, desk, None, None, lambda: Path())
        layout = Layout(width_px=1000, height_px=720, left_px=0, right_px=0)
        session = Session(Settings(layout=layout), load_recipe("standard-8.3.2"))
        tasks = Tasks(session.report)
        window = Window(session)
        book = ActionBook(ACTIONS, session, window)
        stage = Stage(session, tasks, services, book)
        window.furnish(book, TopBar(book, MENUS, (("scans", "Scans"),), "8.3.2"), stage)
        stage.pixel_pointed.connect(window.status.show_pixel)
        made = Room(window, stage, session, book, desk)
        session.noticed.connect(
            lambda notice: made.notices.append(notice) if notice.level is Level.ERROR else None
        )
        window.show()
        window.activateWindow()
        await until(window.isActiveWindow, "the window is active", 5)
        await stage.open()
        try:
            yield made
        finally:
            await tasks.close()
            stage.shut()
            window.close_for_good()
            window.deleteLater()
            await asyncio.sleep(0)
            # Here, on the window's thread: widgets that a slicing thread's collection found
            # would be destroyed on that thread.
            gc.collect()
        assert [f"{n.sentence} {n.details}" for n in made.notices] == []

    return made
