"""Everything one looks closely with, made, placed and bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.histogram_panel import HistogramPanel
from alsct_gui.ui.look.invalid import InvalidMarks
from alsct_gui.ui.look.measuring import Measuring
from alsct_gui.ui.look.metadata_panel import MetadataPanel
from alsct_gui.ui.look.movie_dialog import MovieDialog
from alsct_gui.ui.look.profile_panel import ProfilePanel
from alsct_gui.ui.look.screenshots import Screenshots
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks

if TYPE_CHECKING:
    from alsct_gui.ui.viewer.stage import Stage
    from alsct_gui.ui.window import Window


class LookRoom:
    """The panels and commands of the menu *Measure*.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    stage
        Where pictures are seen.
    window
        Where the panels are placed.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        stage: Stage, window: Window,
    ) -> None:  # fmt: skip
        self.histogram = HistogramPanel(tasks, stage, lambda: book.trigger("view.contrast"))
        window.drawer.add(
            "histogram", "Histogram", self.histogram, "Values of the picture, and its contrast"
        )
        book.bind("look.histogram", lambda: window.open_drawer("histogram"))
        self.measuring = Measuring(stage, stage.host, book, lambda: window.open_drawer("profile"))
        self.profile = ProfilePanel(session, tasks, book, self.measuring)
        window.drawer.add(
            "profile", "Profile", self.profile, "Values along a line, about a point, in a region"
        )
        self.metadata = MetadataPanel(session, tasks, services)
        window.side.add("metadata", "Metadata", self.metadata, "What the scan says of itself")
        book.bind("look.metadata", lambda: window.open_side("metadata"))
        self.invalid = InvalidMarks(stage, stage.host, tasks, book)
        self.screenshots = Screenshots(session, tasks, stage, book, window)
        self.movie = MovieDialog(session, tasks, stage, book, window)
        self._parts = (
            self.profile, self.measuring, self.histogram, self.metadata, self.invalid,
            self.screenshots, self.movie,
        )  # fmt: skip

    def close(self) -> None:
        """Put everything away; the canvas is still there."""
        for part in self._parts:
            part.close()

    def renew_icons(self) -> None:
        """Draw in the theme's colours."""
        for part in self._parts:
            part.renew_icons()
