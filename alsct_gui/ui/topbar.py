"""The bar at the top: menus, workspaces, search, who and when."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, label, set_role

_TIPS = {
    "scans": "Scans as they come in and those that were opened",
    "board": "Scans against the places where they belong (Ctrl+2)",
    "review": "What lies in a folder, for looking through later",
}


class TopBar(QWidget):
    """Menus at the left, workspaces in the middle, search and the clock at the right.

    Parameters
    ----------
    book
        The commands.
    menus
        Titles of the menus, in order.
    workspaces
        Key and title of each, in order.
    where
        Beamline, as it is called here.
    """

    workspace_chosen = Signal(str)

    def __init__(
        self, book: ActionBook, menus: tuple[str, ...], workspaces: tuple[tuple[str, str], ...],
        where: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.setObjectName("topbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP_PX, 0, 16, 0)
        row.setSpacing(GAP_PX)
        self.bar = QMenuBar()
        self.bar.setNativeMenuBar(False)
        self.bar.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.menus = book.fill(self.bar, menus)
        row.addWidget(self.bar)
        row.addSpacing(GAP_PX)
        self._group = QButtonGroup(self)
        self._tabs: dict[str, QToolButton] = {}
        for key, title in workspaces:
            tab = QToolButton()
            tab.setText(title)
            tab.setCheckable(True)
            tab.setToolTip(_TIPS.get(key, ""))
            set_role(tab, "tab")
            tab.clicked.connect(lambda _=False, key=key: self.workspace_chosen.emit(key))
            self._group.addButton(tab)
            self._tabs[key] = tab
            row.addWidget(tab)
        row.addStretch(1)
        self._search = QPushButton("Find a command  Ctrl+K")
        self._search.setIcon(icon("search"))
        self._search.setToolTip("Any command, by its name (Ctrl+K)")
        self._search.clicked.connect(lambda: book.trigger("help.palette"))
        row.addWidget(self._search)
        row.addSpacing(GAP_PX)
        beamline = label(where, "faint")
        beamline.setToolTip("The beamline whose names, folders and presets are used")
        row.addWidget(beamline)
        self._clock = label("", "faint")
        self._clock.setFont(digits_font(self._clock.font()))
        row.addWidget(self._clock)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(5_000)
        self._tick()

    def show_workspace(self, key: str) -> None:
        """Mark a workspace as the one that is shown."""
        self._tabs[key].setChecked(True)

    def renew_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self._search.setIcon(icon("search"))

    def _tick(self) -> None:
        self._clock.setText(datetime.now().astimezone().strftime("%H:%M"))
