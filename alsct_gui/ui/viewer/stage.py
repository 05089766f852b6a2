"""The centre of the window: tabs for the modes, the canvas, a bar to move with."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.host import NapariHost


class Stage(QWidget):
    """Shows the selection in one of the modes.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._tasks, self._services = session, tasks, services
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.host = NapariHost()
        column.addWidget(self.host, 1)
        book.bind("view.layers", self.host.show_layers)

    def open(self) -> None:
        """Make the viewer; takes seconds the first time."""
        self.host.open()

    def renew_icons(self) -> None:
        """Take over the theme's colours."""
        self.host.renew_theme()

    def shut(self) -> None:
        """Close the viewer."""
        self.host.shut()
