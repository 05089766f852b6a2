"""The strip at the bottom: always says what is running and what is wrong, in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QToolButton, QWidget

from alsct_gui.ui.board.strip import ChainStrip
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.marks import Mark, State
from alsct_gui.ui.widgets.parts import GAP_PX, ElidedLabel, button, label

_WORDS_PX, _NOTICE_PX = 560, 900
"""Width that the chain leaves for words, and for a notice with its buttons."""
_SHOWN_MS = {Level.INFO: 6_000, Level.DONE: 10_000}
_STATES = {
    Level.INFO: State.WAITING,
    Level.DONE: State.MET,
    Level.WARNING: State.BLOCKED,
    Level.ERROR: State.FAILED,
}


class StatusBar(QWidget):
    """One line: the newest notice or what goes on; at the right what runs and pixel values.

    Warnings and errors stay until they are dismissed; all of them are kept in the log.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(28)
        self._session = session
        self._notice: Notice | None = None
        self._busy = ""
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 0, 16, 0)
        self._row.setSpacing(GAP_PX)
        self._mark = Mark()
        self._words = ElidedLabel("")
        self._act = button("", self._do, role="link")
        self._copy = button(
            "Copy details",
            self._copy_details,
            role="link",
            tip="Copies what happened, where and in which versions",
        )
        self._dismiss = QToolButton()
        self._dismiss.setToolTip("Dismiss")
        self._dismiss.setAccessibleName("Dismiss")
        self._dismiss.clicked.connect(self.clear)
        self._pixel = label("", "value")
        self.chain = ChainStrip()
        self._runs = label("", "faint")
        self.owed = button("", lambda: None, role="link", tip="Shows the board")
        self.owed.hide()
        for part in (self._mark, self._words, self._act, self._copy, self._dismiss):
            self._row.addWidget(part, 1 if part is self._words else 0)
        self._row.addSpacing(GAP_PX)
        self._row.addWidget(self._pixel)
        self._row.addSpacing(GAP_PX)
        self._row.addWidget(self.chain)
        self._row.addSpacing(GAP_PX)
        self._row.addWidget(self._runs)
        self._row.addWidget(self.owed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        session.noticed.connect(self.show_notice)
        session.busy_changed.connect(self._set_busy)
        session.situation_changed.connect(lambda now: self._show_runs(now.running))
        self.renew_icons()
        self._show_runs(0)
        self._draw()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.whole

    def show_notice(self, notice: Notice) -> None:
        """Say something; an error is not covered by lesser words."""
        shown = self._notice
        if shown is not None and shown.level is Level.ERROR and notice.level is Level.INFO:
            return
        self._notice = notice
        self._timer.stop()
        if notice.level in _SHOWN_MS:
            self._timer.start(_SHOWN_MS[notice.level])
        self._draw()

    def clear(self) -> None:
        """Dismiss the notice."""
        self._notice = None
        self._timer.stop()
        self._draw()

    def show_pixel(self, words: str) -> None:
        """Say what is under the mouse."""
        self._pixel.setText(words)

    def show_owed(self, scans: int) -> None:
        """Say how many scans are owed outside."""
        self.owed.setText(f"{scans} owed")
        self.owed.setVisible(scans > 0)

    def renew_icons(self) -> None:
        """Draw the icons in the theme's colours."""
        self._dismiss.setIcon(icon("close"))
        self.chain.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        """Give the chain its share of the width."""
        kept_px = _WORDS_PX if self._notice is None else _NOTICE_PX
        least_px = self.chain.minimumSizeHint().width()
        self.chain.setMaximumWidth(max(least_px, self.width() - kept_px))

    def _set_busy(self, words: str) -> None:
        self._busy = words
        self._draw()

    def _show_runs(self, running: int) -> None:
        self._runs.setText(f"{running} running here" if running else "no runs here")

    def _draw(self) -> None:
        notice = self._notice
        self._act.setVisible(notice is not None and notice.action is not None)
        self._copy.setVisible(notice is not None and bool(notice.details))
        self._dismiss.setVisible(notice is not None)
        self._share_out()
        if notice is not None:
            self._mark.show_state(_STATES[notice.level], notice.level.value)
            self._words.set_text(notice.sentence)
            self._act.setText(notice.action_text)
        elif self._busy:
            self._mark.show_state(State.MOVING, "working")
            self._words.set_text(self._busy)
        else:
            self._mark.show_state(State.MET, "ready")
            self._words.set_text("Ready")

    def _do(self) -> None:
        if self._notice is not None and self._notice.action is not None:
            self._notice.action()
        self.clear()

    def _copy_details(self) -> None:
        if self._notice is not None:
            QApplication.clipboard().setText(f"{self._notice.sentence}\n\n{self._notice.details}")
