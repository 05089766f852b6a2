"""Workspaces: the same window, looking at scans, at the board, or at a folder of past scans."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.scans.room import ScansRoom
from alsct_gui.ui.topbar import TopBar
from alsct_gui.ui.window import Window

SCANS, BOARD, REVIEW = "scans", "board", "review"
_TIMELINE = "timeline"


class Workspaces:
    """Switches lists and panels; what is selected stays selected.

    Parameters
    ----------
    topbar, window, book
        Of the program.
    scans
        The two lists.
    board
        What stands in the middle of the workspace Board.
    catch_up
        What stands at its left.
    """

    def __init__(
        self, topbar: TopBar, window: Window, book: ActionBook, scans: ScansRoom, board: QWidget,
        catch_up: QWidget,
    ) -> None:  # fmt: skip
        self._topbar, self._window, self._scans = topbar, window, scans
        self._board, self._left = board, {
            SCANS: scans.scans, BOARD: catch_up, REVIEW: scans.reviewed,
        }  # fmt: skip
        self._side = ""
        window.left.addWidget(catch_up)
        window.pages.addWidget(board)
        topbar.workspace_chosen.connect(self.show)
        for key in (SCANS, BOARD, REVIEW):
            book.bind(f"workspace.{key}", lambda key=key: self.show(key))
        self.current = ""
        self.show(SCANS)

    def show(self, key: str) -> None:
        """Show a workspace."""
        self._topbar.show_workspace(key)
        if key == self.current:
            return
        before, self.current = self.current, key
        window = self._window
        window.left.setCurrentWidget(self._left[key])
        window.pages.setCurrentWidget(self._board if key == BOARD else window.stage)
        if key == BOARD:
            self._side = window.side.current
            window.side.show_page(_TIMELINE)
            self._board.setFocus()
        elif before == BOARD and window.side.current == _TIMELINE and self._side:
            window.side.show_page(self._side)

    def review(self, folder: Path) -> None:
        """Show what lies in a folder."""
        self.show(REVIEW)
        self._scans.review(folder)
