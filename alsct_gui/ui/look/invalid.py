"""Colours over NaN and negative values, and how many there are."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from alsct_gui.files.masks import NEGATIVE, NOT_FINITE, ValueMask, value_mask
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.sight import Sight
from alsct_gui.ui.look.words import mask_words
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.tokens import DARK
from alsct_gui.ui.viewer.host import NapariHost
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.rulers import Marks
from alsct_gui.ui.widgets.parts import GAP_PX, label

COLORS = {NOT_FINITE: DARK.failed, NEGATIVE: DARK.moving}
"""Over pictures, whatever the theme: pictures stay grey in both."""


class Swatch(QWidget):
    """A small square of a colour."""

    def __init__(self, color: str) -> None:
        super().__init__()
        self._color = QColor(color)
        self.setFixedSize(12, 12)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._color)
        painter.end()


class Legend(QWidget):
    """What the colours are, in the corner of the canvas."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP_PX, 4, GAP_PX, 4)
        row.setSpacing(GAP_PX)
        self.words = label("")
        for color, noun in ((COLORS[NEGATIVE], "negative"), (COLORS[NOT_FINITE], "NaN")):
            row.addWidget(Swatch(color))
            row.addWidget(label(noun, "small"))
        row.addWidget(self.words)
        self.hide()

    def say(self, words: str) -> None:
        """Show words and make room for them."""
        self.words.setText(words)
        self.adjustSize()
        self.move(GAP_PX, GAP_PX)
        self.show()
        self.raise_()


class InvalidMarks(QObject):
    """Follows the picture while the command is on.

    Parameters
    ----------
    sight, host
        Where the picture is seen.
    tasks
        Where the values are looked at.
    book
        Its command is bound here.
    """

    def __init__(self, sight: Sight, host: NapariHost, tasks: Tasks, book: ActionBook) -> None:
        super().__init__()
        self._sight = sight
        self.legend = Legend(host)
        self.marks = Marks(host, "NaN and negative", COLORS)
        self._on = False
        self._newest: Newest[Picture, ValueMask] = Newest(
            tasks, _mask, self._show, lambda _: "Looking for odd values"
        )
        book.bind("look.invalid", self._turn)
        sight.picture_changed.connect(self._take)

    def close(self) -> None:
        """Put away."""
        self._sight.picture_changed.disconnect(self._take)
        self._newest.cancel()
        self.marks.hide()
        self.legend.hide()

    def renew_icons(self) -> None:
        """Nothing: the style sheet paints the legend."""

    def _turn(self, on: bool) -> None:
        self._on = on
        self._take(self._sight.picture)

    def _take(self, picture: Picture | None) -> None:
        if not self._on or picture is None:
            self._newest.cancel()
            self.marks.hide()
            self.legend.hide()
            return
        self._newest.want(picture)

    def _show(self, picture: Picture, mask: ValueMask) -> None:
        now = self._sight.picture
        if not self._on or now is None or now.image is not picture.image:
            return
        self.marks.show(mask.labels, picture.image)
        self.legend.say(mask_words(mask))


async def _mask(picture: Picture) -> ValueMask:
    return await asyncio.to_thread(value_mask, picture.image)
