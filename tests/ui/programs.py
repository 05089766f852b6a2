"""Whole windows for tests: real services, settings and folders of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.app import services_for
from alsct_gui.recon.desk.client import Desk
from alsct_gui.settings import Layout, Settings
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.ui.program import Program
from tests.ui.conftest import until

SMALL = SimulationSpec(
    phantom="foam", n_columns=160, n_rows=24, n_angles=181, center_px=82.25, seed=7
)


def small_scan(folder: Path, **changes: Any) -> Path:
    """Simulate a small scan into a folder; its axis is at column 82.25 of 160."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = replace(SMALL, **changes)
    return simulate_scan(folder / spec.file_name, spec)


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Settings that touch nothing outside a folder."""
    kept = {
        "output_folder": str(folder / "results"), "runs_folder": str(folder / "runs"),
        "ledger": str(folder / "ledger.sqlite"), "start_agent": False,
        "tour_done": True, "layout": Layout(width_px=1366, height_px=768), "threads": 1,
    }  # fmt: skip
    return Settings(**{**kept, **changes})


@asynccontextmanager
async def window(
    app: Any, desk: Desk | None, folder: Path, **changes: Any
) -> AsyncIterator[Program]:
    """Show a whole window with its services; everything is put away at the end.

    Without a desk that several windows share it has one of its own, which takes a second.
    """
    settings = settings_in(folder, **changes)
    with services_for(settings, desk=desk) as services:
        program = Program(app, services, settings, folder / "settings.json")
        program.window.show()
        await program.start()
        try:
            yield program
        finally:
            await program.close()


async def opened(program: Program, path: Path) -> None:
    """Open a scan and wait until it was looked at."""
    program.parts.scans.open_path(path)
    await until(lambda: program.session.look is not None, f"a look at {path.name}")
