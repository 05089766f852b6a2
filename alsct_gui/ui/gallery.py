"""Drives the window as a person would, on the simulated scan, and takes its picture at each stop.

The self-test of an installation, the demo and the pictures of the guide are all made by this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.model.errors import AlsctError, OutputError
from alsct_gui.placement.runs.model import RunState
from alsct_gui.ui.session import Level, Mode, Notice

if TYPE_CHECKING:
    from alsct_gui.ui.program import Program

PATIENCE_S = 300.0


class GalleryError(AlsctError):
    """A stop of the tour through the window was not reached."""


class Gallery:
    """Takes pictures of a program that was started.

    Parameters
    ----------
    program
        The window, shown, with its viewer.
    folder
        Where the pictures go; made if need be.
    scan
        What to open; None for the simulated scan.
    """

    def __init__(self, program: Program, folder: Path, scan: Path | None = None) -> None:
        self._program, self._folder, self._scan = program, folder, scan
        self._errors: list[Notice] = []
        self.pictures: list[Path] = []
        folder.mkdir(parents=True, exist_ok=True)
        program.session.noticed.connect(self._note)

    async def all(self) -> list[Path]:
        """Go through every mode and take its picture.

        Raises
        ------
        GalleryError
            Something did not come, or the window reported an error.
        """
        await self.take("empty")
        await self.scan()
        await self.modes_of_scan()
        await self.run()
        await self.modes_of_volume()
        await self.other_theme()
        return self.pictures

    async def scan(self) -> None:
        """Open the scan."""
        if self._scan is None:
            self._program.book.trigger("file.simulate")
        else:
            self._program.parts.scans.open_path(self._scan)
        await self.until(lambda: self._program.session.situation.has_scan, "the scan")

    async def modes_of_scan(self) -> None:
        """Show projections, sinogram and the slice."""
        session = self._program.session
        await self.until(lambda: session.preview is not None, "the first slice")
        for mode in (Mode.PROJECTIONS, Mode.SINOGRAM, Mode.PREVIEW):
            session.set_mode(mode)
            await self.quiet()
            await self.take(mode.value)

    async def run(self) -> None:
        """Reconstruct the whole scan, and look at the runs while it is made."""
        program = self._program
        program.book.trigger("run.here")
        await self.until(lambda: bool(program.session.runs), "the run in the queue")
        program.book.trigger("run.list")
        await self.until(
            lambda: program.session.runs[0].slices_done or program.session.runs[0].state.ended,
            "the first slices of the run",
        )
        await self.take("runs")
        await self.until(lambda: program.session.runs[0].state.ended, "the end of the run")
        run = program.session.runs[0]
        if run.state is not RunState.FINISHED or run.output is None:
            raise GalleryError(f"the run ended as {run.state}", where=str(run.output or run.id))
        program.book["view.drawer"].setChecked(False)
        program.session.show_volume(run.output)
        await self.quiet()

    async def modes_of_volume(self) -> None:
        """Show the volume, and it beside itself."""
        for mode in (Mode.VOLUME, Mode.COMPARE):
            self._program.session.set_mode(mode)
            await self.quiet()
            await self.take(mode.value)

    async def other_theme(self) -> None:
        """Show the slice once more in the other colours."""
        session = self._program.session
        session.set_mode(Mode.PREVIEW)
        self._program.switch_theme()
        await self.quiet()
        await self.take(f"preview-{session.settings.theme}")
        self._program.switch_theme()

    async def take(self, name: str) -> None:
        """Take the window's picture.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        path = self._folder / f"{name}.png"
        if not self._program.window.grab().save(str(path)):
            raise OutputError("the picture cannot be written", where=str(path))
        self.pictures.append(path)

    async def quiet(self) -> None:
        """Wait until nothing is under way and what was asked for is drawn."""
        session, stage = self._program.session, self._program.stage
        await self.until(lambda: not session.busy_words and stage.is_quiet, "the end of the work")
        for _ in range(5):
            await asyncio.sleep(0.05)  # the canvas draws at most so often

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition.

        Raises
        ------
        GalleryError
            It did not come true in time, or the window reported an error meanwhile.
        """
        loop = asyncio.get_running_loop()
        end_s = loop.time() + PATIENCE_S
        while not condition():
            if self._errors:
                first = self._errors[0]
                raise GalleryError(first.sentence.rstrip("."), where="window", fix=first.details)
            if loop.time() > end_s:
                words = self._program.window.status.words
                raise GalleryError(f"{what} did not come; the window says “{words}”")
            await asyncio.sleep(0.02)

    def _note(self, notice: Notice) -> None:
        if notice.level is Level.ERROR:
            self._errors.append(notice)
