"""A stack of panels with tabs above: one is shown at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.parts import set_role


class TabbedStack(QWidget):
    """Panels by key; hidden ones cost nothing.

    Parameters
    ----------
    closable
        Whether a button at the right folds it away.
    """

    shown = Signal(str)
    close_asked = Signal()

    def __init__(self, *, closable: bool = False) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(8, 0, 8, 0)
        self._row.setSpacing(0)
        self._row.addStretch(1)
        self._closer = QToolButton()
        self._closer.setToolTip("Fold away")
        self._closer.setAccessibleName("Fold away")
        self._closer.clicked.connect(self.close_asked)
        self._closer.setVisible(closable)
        self._row.addWidget(self._closer)
        column.addLayout(self._row)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._group = QButtonGroup(self)
        self._tabs: dict[str, QToolButton] = {}
        self._pages: dict[str, QWidget] = {}
        self.renew_icons()

    @property
    def current(self) -> str:
        """Key of the panel that is shown; empty while there is none."""
        return next((key for key, tab in self._tabs.items() if tab.isChecked()), "")

    def add(self, key: str, title: str, page: QWidget, tip: str = "") -> None:
        """Add a panel; the first one is shown."""
        tab = QToolButton()
        tab.setText(title)
        tab.setToolTip(tip)
        tab.setCheckable(True)
        set_role(tab, "tab")
        tab.clicked.connect(lambda: self.show_page(key))
        self._group.addButton(tab)
        self._row.insertWidget(len(self._tabs), tab)
        self._stack.addWidget(page)
        self._tabs[key], self._pages[key] = tab, page
        if len(self._tabs) == 1:
            self.show_page(key)

    def page(self, key: str) -> QWidget:
        """Return a panel by its key."""
        return self._pages[key]

    def show_page(self, key: str) -> None:
        """Show a panel."""
        self._tabs[key].setChecked(True)
        self._stack.setCurrentWidget(self._pages[key])
        self.shown.emit(key)

    def renew_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self._closer.setIcon(icon("close"))
