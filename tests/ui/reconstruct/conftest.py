"""The panel in a window of its own, with a real desk beneath it and two small simulated scans."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.files.profiles import load_profile
from alsct_gui.files.recipes import load_recipe
from alsct_gui.placement.runs.model import RunRequest
from alsct_gui.recon.desk.client import Desk
from alsct_gui.settings import Settings
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

SCAN = SimulationSpec(
    phantom="foam", n_columns=128, n_rows=16, n_angles=181, center_px=66.5, seed=7
)


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two scans with the axis in different places."""
    folder = tmp_path_factory.mktemp("scans")
    paths = (folder / "first.h5", folder / "second.h5")
    for path, center_px in zip(paths, (66.5, 61.25), strict=True):
        simulate_scan(path, replace(SCAN, center_px=center_px))
    return paths


@dataclass(eq=False)
class Bench:
    """The panel and what it shares with the others of a window."""

    session: Any
    tasks: Any
    book: Any
    panel: Any
    desk: Desk
    previews: list[Any] = field(default_factory=list)
    """Every slice that was shown, in order."""
    submitted: list[RunRequest] = field(default_factory=list)
    errors: list[tuple[str, Exception]] = field(default_factory=list)

    async def open(self, path: Path) -> None:
        """Select a scan and look at it, as the list does."""
        from alsct_gui.ui.tasks import answer_of

        self.session.select(path)
        self.session.set_look(path, await answer_of(self.desk.look(path)))


Work = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture
def at_the_panel(
    app: Any, drive: Callable[[Any], Any], desk: Desk, tmp_path: Path
) -> Callable[[Work], None]:
    """Run a coroutine with the panel in sight."""

    async def whole(work: Work) -> None:
        from PySide6.QtWidgets import QHBoxLayout, QWidget

        from alsct_gui.ui.actions.book import ActionBook
        from alsct_gui.ui.actions.table import ACTIONS
        from alsct_gui.ui.reconstruct.panel import ReconstructPanel
        from alsct_gui.ui.services import Services
        from alsct_gui.ui.session import Session
        from alsct_gui.ui.tasks import Tasks
        from alsct_gui.ui.theme.style import apply_theme

        apply_theme(app, "dark")
        bench: Any = Bench(None, None, None, None, desk)
        settings = Settings(output_folder=str(tmp_path))
        bench.session = Session(settings, load_recipe("standard-8.3.2"))
        bench.tasks = Tasks(lambda doing, error: bench.errors.append((doing, error)))
        owner = QWidget()
        bench.book = ActionBook(ACTIONS, bench.session, owner)
        services: Any = Services(load_profile("als-8.3.2"), None, None, desk, None, None, Path)  # type: ignore[arg-type]
        canvas = QWidget()
        bench.panel = ReconstructPanel(
            bench.session, bench.tasks, services, bench.book, canvas, bench.submitted.append
        )
        bench.session.preview_changed.connect(
            lambda preview: bench.previews.append(preview) if preview is not None else None
        )
        row = QHBoxLayout(owner)
        row.addWidget(canvas, 1)
        row.addWidget(bench.panel)
        bench.panel.setFixedWidth(300)
        owner.resize(1100, 768)
        owner.show()
        owner.activateWindow()
        try:
            await work(bench)
            assert bench.errors == []
        finally:
            bench.panel.close()
            await bench.tasks.close()
            owner.close()
            owner.deleteLater()
            await asyncio.sleep(0)

    return lambda work: drive(whole(work))
