"""Everything about the board, made, placed, wired and bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsct_gui.model.policy import Policy
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.catchup_panel import CatchUpPanel
from alsct_gui.ui.board.chain_panel import ChainPanel
from alsct_gui.ui.board.commands import BoardCommands
from alsct_gui.ui.board.desktop import Desktop
from alsct_gui.ui.board.flow_panel import FlowCommands, FlowPanel
from alsct_gui.ui.board.follow import BoardFollower
from alsct_gui.ui.board.links import LOG_IN, START
from alsct_gui.ui.board.login import Login
from alsct_gui.ui.board.page import BoardPage
from alsct_gui.ui.board.rows import BoardMaker
from alsct_gui.ui.board.simulator_menu import SimulatorMenu
from alsct_gui.ui.board.timeline_panel import TimelinePanel
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks

if TYPE_CHECKING:
    from alsct_gui.ui.topbar import TopBar
    from alsct_gui.ui.window import Window

_NO_POLICY = Policy("", (), (), (), "")


class BoardRoom:
    """The board, the chain, the timeline, catching up, and what can be asked.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    window
        Where the panels are placed.
    topbar
        Where the menu of a simulated facility stands.
    log_of
        Reads the log of a run on this workstation.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        window: Window, topbar: TopBar, log_of: Callable[[str], Any],
    ) -> None:  # fmt: skip
        facility = services.facility
        maker = BoardMaker(facility.policy or _NO_POLICY, services.profile.naming.raw_file)
        self._window, self._book = window, book
        self.follower = BoardFollower(session, tasks, facility, maker)
        self.page = BoardPage(session, tasks, book, facility, maker.names)
        self.catch_up = CatchUpPanel(session, tasks)
        self.timeline = TimelinePanel(session, tasks, book, facility, maker.names, log_of)
        self.login = Login(session, tasks, facility.log_in)
        acts = {START: self.follower.start_agent, LOG_IN: self.login.begin}
        self.chain = ChainPanel(session, acts)
        self.commands = BoardCommands(
            session, tasks, book, facility, maker.names, lambda: self.page.chosen,
            self.timeline.story, window,
        )  # fmt: skip
        self.flows = FlowPanel(session)
        self.flow_commands = FlowCommands(
            self.commands, book, services.profile.prefect.flows, lambda: self.page.chosen, window
        )
        window.side.add("timeline", "Timeline", self.timeline, "What happened to the scan")
        window.drawer.add("chain", "Chain", self.chain, "How the links of the chain are")
        window.drawer.add("flows", "Flows", self.flows, "The latest runs of the orchestrator")
        self.page.row_chosen.connect(self.timeline.show_row)
        self.catch_up.scans_asked.connect(self.page.show_only)
        window.status.chain.chosen.connect(self._show_link)
        window.status.owed.clicked.connect(lambda: book.trigger("workspace.board"))
        session.board_changed.connect(self._take)
        book.bind("board.timeline", lambda: window.open_side("timeline"))
        book.bind("board.chain", lambda: window.open_drawer("chain"))
        book.bind("board.flows", lambda: window.open_drawer("flows"))
        book.bind("board.agent", self.follower.start_agent)
        book.bind("board.login", self.login.begin)
        self._session, self._has_policy = session, facility.policy is not None
        self.desktop = Desktop(session, tasks, facility.policy or _NO_POLICY, window)
        self.simulator = (
            SimulatorMenu(session, tasks, facility.faults, topbar.bar, topbar.menus["Help"])
            if facility.faults is not None
            else None
        )

    def start(self) -> None:
        """Begin to follow the ledger."""
        if self._has_policy:
            self.follower.start()

    def renew_icons(self) -> None:
        """Draw everything in the theme's colours."""
        for part in (self.page, self.catch_up, self.timeline, self.chain, self.flows):
            part.renew_icons()

    def close(self) -> None:
        """Put away."""
        self.follower.close()
        self.login.close()
        self.desktop.close()
        if self.simulator is not None:
            self.simulator.close()
        self._session.board_changed.disconnect(self._take)
        for part in (self.page, self.catch_up, self.timeline, self.chain, self.flows):
            part.close()

    def _take(self, view: BoardView) -> None:
        self._window.status.chain.show_chips(view.chips)
        self._window.status.show_owed(view.owed)

    def _show_link(self, key: str) -> None:
        self._window.open_drawer("chain")
        self.chain.choose(key)
