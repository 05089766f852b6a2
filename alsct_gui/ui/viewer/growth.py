"""A product that is being made: which of its slices are there, and which is the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from alsct_gui.files.partialvolume import Run
from alsct_gui.placement.runs.model import RunView
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.opened import OpenedVolume
from alsct_gui.ui.viewer.volumebar import VolumeBar
from alsct_gui.ui.viewer.volumewords import made_words, newest_slice


class Growth:
    """Looks for new slices when the run tells of them, and shows which there are.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    bar
        Shows which slices there are.
    on_looked
        Called when it was looked.
    """

    def __init__(
        self, session: Session, tasks: Tasks, bar: VolumeBar, on_looked: Callable[[], None]
    ) -> None:
        self._session, self._bar = session, bar
        self.following = False
        """Whether the newest slice is to be seen."""
        self._announced: Newest[tuple[OpenedVolume, tuple[Run, ...]], None] = Newest(
            tasks, _refresh, lambda _, __: on_looked(), lambda _: "Looking for new slices"
        )

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        return not self._announced.busy

    def run_of(self, path: Path) -> RunView | None:
        """Return the run that makes a product."""
        return next((run for run in self._session.runs if run.partial_path == path), None)

    def look(self, opened: OpenedVolume, path: Path) -> None:
        """Look for new slices."""
        run = self.run_of(path)
        self._announced.want((opened, run.ranges if run is not None else ()))

    def take(self, opened: OpenedVolume) -> tuple[bool, int | None]:
        """Show which slices there are.

        Returns
        -------
        tuple
            Whether there are others than before, and the newest if that is to be seen.
        """
        before, now = self._bar.strip.runs, opened.finished
        self._bar.strip.show_runs(now)
        self._bar.said.setText(made_words(now, opened.volume.shape[0]))
        return before != now, newest_slice(before, now) if self.following else None

    def cancel(self) -> None:
        """Look no longer."""
        self._announced.cancel()


async def _refresh(asked: tuple[OpenedVolume, tuple[Run, ...]]) -> None:
    opened, ranges = asked
    await asyncio.to_thread(opened.refresh, ranges)
