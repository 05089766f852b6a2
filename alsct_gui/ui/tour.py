"""A short tour on the simulated scan: five cards, each beside what it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.widgets.parts import button, label
from alsct_gui.ui.window import Window

_WIDTH_PX = 340


@dataclass(frozen=True, eq=False)
class Step:
    """One card."""

    title: str
    """What it is about."""
    words: str
    """Two or three sentences."""
    beside: Callable[[], QWidget]
    """What it points at."""
    begin: Callable[[], object] = lambda: None
    """What is done first."""


def steps_of(window: Window, book: ActionBook) -> tuple[Step, ...]:
    """Return the cards of the tour."""
    return (
        Step(
            "Scans",
            "Scans appear here by themselves while they are written, the newest on top. The mark "
            "tells by its shape whether one is whole, arriving, or needs a look. A simulated "
            "scan is being opened now.",
            lambda: window.left, lambda: book.trigger("file.simulate"),
        ),
        Step(
            "The picture",
            "One selection, five ways to look at it: projections, sinogram, one slice, the whole "
            "volume, and two volumes against each other. Keys 1 to 5 switch; the wheel zooms.",
            lambda: window.stage,
        ),
        Step(
            "The recipe",
            "Choose a preset, look at the axis, and change what you like: the slice follows. "
            "Ctrl+Z takes anything back. “More” and “All” show further parameters.",
            lambda: window.side, lambda: book["view.right"].setChecked(True),
        ),
        Step(
            "The run",
            "“Reconstruct here” queues the whole scan. It runs in a process of its own: closing "
            "the window does not stop it, and slices can be looked at while others are made.",
            lambda: window.drawer, lambda: book.trigger("run.list"),
        ),
        Step(
            "Any command",
            "Ctrl+K finds any command by its name, F1 shows all keys. The line at the bottom "
            "always says what goes on and what is wrong.",
            lambda: window.topbar,
        ),
    )  # fmt: skip


class Tour(QFrame):
    """Shows the cards one after another; the window stays usable meanwhile."""

    def __init__(self, session: Session, window: Window, book: ActionBook) -> None:
        super().__init__(window)
        self.setObjectName("overlay")
        self.setFixedWidth(_WIDTH_PX)
        self._session, self._window = session, window
        self._steps = steps_of(window, book)
        self._at = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(8)
        self._title = label("", "title")
        self._words = label("", wrap=True)
        self._place = label("", "faint")
        row = QHBoxLayout()
        self._back = button("Back", lambda: self._go(-1), tip="Goes one step back")
        self._next = button("Next", lambda: self._go(1), role="primary", tip="Goes one step on")
        row.addWidget(self._place)
        row.addStretch(1)
        row.addWidget(button("End tour", self.end, role="link", tip="The menu Help shows it again"))
        row.addWidget(self._back)
        row.addWidget(self._next)
        for part in (self._title, self._words):
            column.addWidget(part)
        column.addSpacing(8)
        column.addLayout(row)
        self.hide()
        book.bind("help.tour", self.begin)

    def offer(self) -> None:
        """Offer the tour to someone who starts the program for the first time."""
        if not self._session.settings.tour_done:
            self._session.notice(
                Notice(
                    Level.INFO, "First time here? The tour takes two minutes.",
                    action_text="Take the tour", action=self.begin, key="tour",
                )
            )  # fmt: skip
            self._session.remember(tour_done=True)

    def begin(self) -> None:
        """Show the first card."""
        self._at = 0
        self._show()

    def end(self) -> None:
        """Put the cards away."""
        self.hide()

    def renew_icons(self) -> None:
        """Draw nothing anew: it is made of words."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Right: 1, Qt.Key.Key_Return: 1, Qt.Key.Key_Left: -1}
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        elif Qt.Key(event.key()) in moves:
            self._go(moves[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _go(self, by: int) -> None:
        if self._at + by >= len(self._steps):
            self.end()
            return
        self._at = max(0, self._at + by)
        self._show()

    def _show(self) -> None:
        step = self._steps[self._at]
        step.begin()
        self._title.setText(step.title)
        self._words.setText(step.words)
        self._place.setText(f"{self._at + 1} of {len(self._steps)}")
        self._back.setEnabled(self._at > 0)
        self._next.setText("Done" if self._at == len(self._steps) - 1 else "Next")
        self.adjustSize()
        target = step.beside()
        corner = target.mapTo(self._window, QPoint(0, 0))
        self.move(beside(QRect(corner, target.size()), self.size().toTuple(), self._window.rect()))
        self.show()
        self.raise_()
        self._next.setFocus()


def beside(target: QRect, card: tuple[int, int], room: QRect) -> QPoint:
    """Return where a card is put: right of what it is about, left of it, or upon it. Pure.

    Parameters
    ----------
    target
        What it is about, in the window.
    card
        Width and height of the card.
    room
        The window.
    """
    width, height = card
    gap = 16
    x = target.right() + gap
    if x + width > room.right():
        x = target.left() - width - gap
    if x < room.left():
        x = target.center().x() - width // 2
    y = target.top() + 48
    x = min(max(x, room.left() + gap), room.right() - width - gap)
    y = min(max(y, room.top() + gap), room.bottom() - height - gap)
    return QPoint(x, y)
