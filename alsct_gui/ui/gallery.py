"""Drives the window as a person would, on the simulated scan, and takes its picture at each stop.

The self-test of an installation, the demo and the pictures of the guide are all made by this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import AlsctError, OutputError
from alsct_gui.placement.runs.model import RunState
from alsct_gui.ui.session import Level, Mode, Notice
from alsct_gui.ui.viewer.compare import CompareMode
from alsct_gui.ui.viewer.volume import VolumeMode

if TYPE_CHECKING:
    from alsct_gui.ui.program import Program

PATIENCE_S = 300.0
NARROW_PRESET = "narrow-detector"
_WIDE_PX = 1280


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
        await self.closer_looks()
        await self.recipe()
        await self.sweep()
        first = await self.run("runs")
        await self.modes_of_volume(first)
        await self.compare(first)
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
        look = session.look
        narrow = look is not None and look.n_columns < _WIDE_PX
        if narrow and session.recipe.name != NARROW_PRESET:
            # The usual preset is made for wide detectors: on a narrow one its filter takes
            # away more than rings.
            session.set_recipe(load_recipe(NARROW_PRESET))
            await self.new_slice()
        for mode in (Mode.PROJECTIONS, Mode.SINOGRAM, Mode.PREVIEW):
            session.set_mode(mode)
            await self.quiet()
            await self.take(mode.value)

    async def closer_looks(self) -> None:
        """Show histogram, profile and metadata."""
        program = self._program
        book, look = program.book, program.parts.look
        book.trigger("look.histogram")
        await self.until(lambda: look.histogram.found is not None, "the histogram")
        await self.quiet()
        await self.take("histogram")
        book["look.line"].setChecked(True)
        await self.until(lambda: look.profile.found is not None, "the profile")
        await self.until(lambda: look.profile.graph is not None, "its graph")
        await self.quiet()
        await self.take("profile")
        book["look.line"].setChecked(False)
        book["view.drawer"].setChecked(False)
        book.trigger("look.metadata")
        await self.quiet()
        await self.take("metadata")
        program.window.open_side("reconstruct")

    async def recipe(self) -> None:
        """Show every setting, and the palette of commands."""
        program = self._program
        tier = program.session.settings.tier
        program.session.remember(tier="all")
        await self.quiet()
        await self.take("settings-of-the-recipe")
        program.session.remember(tier=tier)
        program.book.trigger("help.palette")
        await self.quiet()
        await self.take("palette", program.parts.help.palette)
        program.parts.help.palette.hide()

    async def sweep(self) -> None:
        """Show a sheet of slices with the axis at several places."""
        page = self._program.parts.reconstruct.sweep
        self._program.book.trigger("recon.sweep")
        page.sweep()
        count = page.pictures
        await self.until(lambda: len(page.sheet.images) == count, "the pictures of the sweep")
        await self.quiet()
        await self.take("sweep")
        page.put_away()

    async def run(self, picture: str = "") -> Path:
        """Reconstruct the whole scan; returns the volume.

        Parameters
        ----------
        picture
            Name of one that is taken while it is made; empty for none.
        """
        program = self._program
        before = len(program.session.runs)
        await self.until(program.book["run.here"].isEnabled, "the plan of the run")
        program.book.trigger("run.here")
        await self.until(lambda: len(program.session.runs) > before, "the run in the queue")
        if picture:
            program.book.trigger("run.list")
            await self.until(
                lambda: program.session.runs[0].slices_done or program.session.runs[0].state.ended,
                "the first slices of the run",
            )
            await self.take(picture)
        await self.until(lambda: program.session.runs[0].state.ended, "the end of the run")
        run = program.session.runs[0]
        if run.state is not RunState.FINISHED or run.output is None:
            raise GalleryError(f"the run ended as {run.state}", where=str(run.output or run.id))
        program.book["view.drawer"].setChecked(False)
        return run.output

    async def modes_of_volume(self, volume: Path) -> None:
        """Show a volume in slices, three cuts and 3-D."""
        self._program.session.show_volume(volume)
        mode = self._program.stage.mode_of(Mode.VOLUME)
        if not isinstance(mode, VolumeMode):
            raise GalleryError("there is no mode that shows volumes")
        for command, name in (("slices", "volume"), ("cuts", "three-cuts"), ("3d", "3d")):
            self._program.book.trigger(f"view.{command}")
            await self.quiet()
            if command == "3d":
                mode.controls.rendering.setCurrentIndex(mode.controls.rendering.findData("iso"))
                await self.quiet()
            await self.take(name)
        self._program.book.trigger("view.slices")
        await self.quiet()

    async def compare(self, volume: Path) -> None:
        """Reconstruct without the ring filter, and show both volumes and their difference."""
        session = self._program.session
        session.set_mode(Mode.PREVIEW)
        session.set_setting("rings", [])
        await self.new_slice()
        other = await self.run()
        session.undo()
        await self.new_slice()
        session.show_volume(volume)
        session.set_mode(Mode.COMPARE)
        mode = self._program.stage.mode_of(Mode.COMPARE)
        if not isinstance(mode, CompareMode):
            raise GalleryError("there is no mode that compares")
        mode.choose(other)
        await self.quiet()
        await self.take("compare")
        mode.set_layout("difference")
        await self.quiet()
        await self.take("difference")

    async def new_slice(self) -> None:
        """Wait until the slice is of the recipe as it is now."""
        maker = self._program.parts.reconstruct.maker
        await self.until(
            lambda: not maker.state.making and not maker.state.stale, "the slice of the recipe"
        )
        await self.quiet()

    async def other_theme(self) -> None:
        """Show the slice once more in the other colours."""
        session = self._program.session
        session.set_mode(Mode.PREVIEW)
        self._program.switch_theme()
        await self.quiet()
        await self.take(f"preview-{session.settings.theme}")
        self._program.switch_theme()

    async def take(self, name: str, over: QWidget | None = None) -> None:
        """Take the window's picture.

        Parameters
        ----------
        name
            Of the file, without its ending.
        over
            What lies over the window and is no part of it.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        path, window = self._folder / f"{name}.png", self._program.window
        picture = window.grab()
        if over is not None:
            painter = QPainter(picture)
            painter.drawPixmap(over.pos() - window.mapToGlobal(QPoint(0, 0)), over.grab())
            painter.end()
        if not picture.save(str(path)):
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
