"""Workspaces: the same window, looking at the beamline's scans or at a folder of past ones."""

from __future__ import annotations

from pathlib import Path

from alsct_gui.ui.scans.room import ScansRoom
from alsct_gui.ui.topbar import TopBar
from alsct_gui.ui.window import Window

SCANS, REVIEW = "scans", "review"


class Workspaces:
    """Switches lists and panels; what is selected stays selected."""

    def __init__(self, topbar: TopBar, window: Window, scans: ScansRoom) -> None:
        self._topbar, self._window, self._scans = topbar, window, scans
        topbar.workspace_chosen.connect(self.show)
        self.show(SCANS)

    def show(self, key: str) -> None:
        """Show a workspace."""
        self._topbar.show_workspace(key)
        review = key == REVIEW
        self._window.left.setCurrentWidget(self._scans.reviewed if review else self._scans.scans)

    def review(self, folder: Path) -> None:
        """Show what lies in a folder."""
        self.show(REVIEW)
        self._scans.review(folder)
