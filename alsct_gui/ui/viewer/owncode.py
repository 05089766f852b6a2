"""One's own code beside the canvas: what the folder holds, the examples, any file."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget

from alsct_gui.face.ownface import OwnCodeWidget
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.session import Session
from alsct_gui.ui.viewer.stage import Stage

TITLE = "Own code"


class OwnCode:
    """Docks the widget of one's own code, once.

    Parameters
    ----------
    session, book
        What every panel gets.
    stage
        Whose viewer it works on.
    """

    def __init__(self, session: Session, book: ActionBook, stage: Stage) -> None:
        self._session, self._book, self._stage = session, book, stage
        book.bind("plugins.own", self.open)

    def open(self) -> None:
        """Show it; the picture is there as a layer that it can work on."""
        host = self._stage.host
        if not host.is_open:
            return
        self._book["view.layers"].setChecked(True)
        there = host.findChildren(OwnCodeWidget)
        if not there:
            widget = OwnCodeWidget(host.viewer)
            # It has the whole height: results are long.
            host.viewer.window.add_dock_widget(
                widget, name=TITLE, area="right", add_vertical_stretch=False
            )
            return
        widget = there[0]
        widget.refresh()
        for dock in host.findChildren(QDockWidget):
            if dock.isAncestorOf(widget):
                dock.show()
                dock.raise_()

    def close(self) -> None:
        """The widget goes with the viewer."""

    def renew_icons(self) -> None:
        """No icons."""
