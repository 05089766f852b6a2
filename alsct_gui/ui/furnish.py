"""Which panel stands where. Each panel is made from the session and the services alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alsct_gui.ui.actions.help import Help
from alsct_gui.ui.board.room import BoardRoom
from alsct_gui.ui.logbook import Logbook
from alsct_gui.ui.look.room import LookRoom
from alsct_gui.ui.preferences import Preferences
from alsct_gui.ui.reconstruct.nerscbox import NerscBox
from alsct_gui.ui.reconstruct.panel import ReconstructPanel
from alsct_gui.ui.runs.follow import RunFollower
from alsct_gui.ui.runs.panel import RunsPanel
from alsct_gui.ui.scans.room import ScansRoom
from alsct_gui.ui.tour import Tour
from alsct_gui.ui.viewer.owncode import OwnCode
from alsct_gui.ui.viewer.plugins import Plugins
from alsct_gui.ui.workspaces import Workspaces

if TYPE_CHECKING:
    from alsct_gui.ui.program import Program


class Themed(Protocol):
    """Something that is drawn in the theme's colours."""

    def renew_icons(self) -> None:
        """Draw icons and painted parts in the theme's colours."""


class Part(Themed, Protocol):
    """Something in the window that has to be put away."""

    def close(self) -> object:
        """Put away: end timers, cancel what was asked for."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What the window is furnished with."""

    scans: ScansRoom
    """The lists, and what fills them."""
    workspaces: Workspaces
    """Which of them is in sight."""
    runs: RunFollower
    """Follows the runs and gives the queue its orders."""
    reconstruct: ReconstructPanel
    """Recipe, axis, sweep."""
    nersc: NerscBox
    """The same at NERSC."""
    board: BoardRoom
    """Scans against places, the chain, the timeline."""
    look: LookRoom
    """What one looks closely with."""
    help: Help
    """Palette and shortcut sheet."""
    tour: Tour
    """For those who are here for the first time."""
    all: tuple[Part, ...]
    """Everything that must be put away."""


def furnish(program: Program) -> Parts:
    """Make every panel, place it, and bind its commands."""
    window, book, session = program.window, program.book, program.session
    common = (session, program.tasks, program.services, book)

    scans = ScansRoom(*common, owner=window)
    window.left.addWidget(scans.scans)
    window.left.addWidget(scans.reviewed)
    window.dropped = scans.open_paths
    program.topbar.menus["File"].insertMenu(book["file.watch"], scans.recent)

    follower = RunFollower(session, program.tasks, program.services.runs)
    runs = RunsPanel(session, program.tasks, follower)
    window.drawer.add("runs", "Runs", runs, "Whole reconstructions on this workstation")
    follower.show_runs = lambda: window.open_drawer("runs")
    book.bind("run.list", follower.show_runs)

    reconstruct = ReconstructPanel(*common, over=program.stage, submit=follower.submit)
    window.side.add("reconstruct", "Reconstruct", reconstruct, "Recipe, axis, and the whole run")

    board = BoardRoom(*common, window, program.topbar, follower.log_of)
    nersc = NerscBox(
        session, book, program.services.facility, reconstruct.plan, board.commands.want_volume
    )
    reconstruct.plan.add_below(nersc)

    plugins = Plugins(session, book, program.stage, program.topbar.menus["Plugins"])
    own_code = OwnCode(session, book, program.stage)

    look = LookRoom(*common, program.stage, window)

    log = Logbook(session)
    window.drawer.add("log", "Log", log, "Everything the window said")

    workspaces = Workspaces(program.topbar, window, book, scans, board.page, board.catch_up)
    help_ = Help(book, window)
    preferences = Preferences(session, book, window)
    tour = Tour(session, window, book)
    return Parts(
        scans,
        workspaces,
        follower,
        reconstruct,
        nersc,
        board,
        look,
        help_,
        tour,
        (
            scans,
            runs,
            nersc,
            reconstruct,
            board,
            look,
            plugins,
            own_code,
            log,
            help_,
            preferences,
            tour,
        ),
    )
