"""The one window: bar, list, picture, panels, strip. It places; it knows no panel's job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from alsct_gui.settings import Layout
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.session import Session
from alsct_gui.ui.statusbar import StatusBar
from alsct_gui.ui.taborder import next_stop
from alsct_gui.ui.tabs import TabbedStack
from alsct_gui.ui.topbar import TopBar

_LEFT_PX, _RIGHT_PX, _DRAWER_PX = 208, 300, 160
_NARROW_PX = 1500


def usual_sides_px(width_px: int) -> tuple[int, int]:
    """Widths of the list and of the side panel: on a small screen the picture has the half."""
    usual = Layout()
    return (224, 300) if width_px < _NARROW_PX else (usual.left_px, usual.right_px)


class Window(QWidget):
    """The main window.

    Parameters
    ----------
    session
        What the panels share.
    """

    close_asked = Signal()
    """Someone wants it closed; `app` asks what must be asked, puts away, then closes it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("alsct-gui")
        self.setAcceptDrops(True)
        self.session = session
        self.dropped: Callable[[list[str]], object] = lambda _: None
        self._may_close = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.status = StatusBar(session)
        self.left = QStackedWidget()
        self.pages = QStackedWidget()
        self.side = TabbedStack()
        self.drawer = TabbedStack(closable=True)
        self._middle = QSplitter(Qt.Orientation.Vertical)
        self._body = QSplitter(Qt.Orientation.Horizontal)
        self._middle.addWidget(self.drawer)
        for part in (self.left, self._middle, self.side):
            self._body.addWidget(part)
        for splitter in (self._body, self._middle):
            splitter.setHandleWidth(2)
            splitter.setChildrenCollapsible(True)
        self.left.setMinimumWidth(_LEFT_PX)
        self.side.setMinimumWidth(_RIGHT_PX)
        self.drawer.setMinimumHeight(_DRAWER_PX)
        self._body.setStretchFactor(1, 1)
        self._column.addWidget(self._body, 1)
        self._column.addWidget(self.status)

    def furnish(self, book: ActionBook, topbar: TopBar, stage: QWidget) -> None:
        """Put in the bar and the picture, and bind the commands for the layout."""
        self.book, self.topbar, self.stage = book, topbar, stage
        self._column.insertWidget(0, topbar)
        self.pages.addWidget(stage)
        self._middle.insertWidget(0, self.pages)
        self._middle.setStretchFactor(0, 1)
        book.bind("view.left", lambda on: self.left.setVisible(on))
        book.bind("view.right", lambda on: self.side.setVisible(on))
        book.bind("view.drawer", lambda on: self.drawer.setVisible(on))
        book.bind("view.full", self._full_screen)
        book.bind("view.reset_layout", lambda: self.take_layout(Layout()))
        self.drawer.close_asked.connect(lambda: book["view.drawer"].setChecked(False))
        self.take_layout(self.session.settings.layout)

    def open_drawer(self, key: str) -> None:
        """Show a panel of the drawer, folded out."""
        self.drawer.show_page(key)
        self.book["view.drawer"].setChecked(True)

    def open_side(self, key: str) -> None:
        """Show a panel at the right, folded out."""
        self.side.show_page(key)
        self.book["view.right"].setChecked(True)

    def take_layout(self, layout: Layout) -> None:
        """Place the panels as they were left."""
        self.resize(layout.width_px, layout.height_px)
        for key, panel, size_px in (
            ("view.left", self.left, layout.left_px),
            ("view.right", self.side, layout.right_px),
            ("view.drawer", self.drawer, layout.drawer_px),
        ):
            self.book[key].setChecked(size_px > 0)
            panel.setVisible(size_px > 0)
        usual = Layout()
        sides = (layout.left_px, layout.right_px)
        left_px, right_px = sides
        if sides == (usual.left_px, usual.right_px) or not all(sides):
            left_px, right_px = usual_sides_px(layout.width_px)
        drawer_px = layout.drawer_px or 220
        self._body.setSizes([left_px, max(200, layout.width_px - left_px - right_px), right_px])
        self._middle.setSizes([max(200, layout.height_px - drawer_px), drawer_px])

    def layout_now(self) -> Layout:
        """Return how the panels lie."""
        sizes, heights = self._body.sizes(), self._middle.sizes()
        usual = self.session.settings.layout
        placed = usual if self.isMaximized() else replace(
            usual, width_px=max(640, self.width()), height_px=max(480, self.height())
        )  # fmt: skip
        return replace(
            placed,
            maximized=self.isMaximized(),
            left_px=sizes[0] if self.left.isVisible() else 0,
            right_px=sizes[2] if self.side.isVisible() else 0,
            drawer_px=heights[1] if self.drawer.isVisible() else 0,
        )

    def close_for_good(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
        else:
            # Work may be running: `app` answers this, when it has put everything away.
            event.ignore()
            self.close_asked.emit()

    def focusNextPrevChild(self, forward: bool) -> bool:
        panels = (self.topbar, self.left, self.pages, self.side, self.drawer, self.status)
        stop = next_stop(panels, self.focusWidget(), forward=forward)
        if stop is None:
            return super().focusNextPrevChild(forward)
        reasons = Qt.FocusReason
        stop.setFocus(reasons.TabFocusReason if forward else reasons.BacktabFocusReason)
        return True

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped(paths)

    def _full_screen(self, on: bool) -> None:
        if on:
            self.showFullScreen()
        else:
            self.showNormal()
