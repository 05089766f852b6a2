"""A panel of rich text with marks in it, whose links can be reached by keyboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QRectF, Qt, QUrl
from PySide6.QtGui import QPainter, QPixmap, QTextDocument
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from alsct_gui.ui.board.markup import mark_of
from alsct_gui.ui.widgets.marks import MARK_PX, draw_mark


class RichText(QTextBrowser):
    """Shows rich text; what is scrolled stays where it is when the text is shown anew.

    Parameters
    ----------
    name
        What it is, for those who do not see it.
    follow
        Called with the address of a link that was clicked.
    """

    def __init__(
        self, name: str, follow: Callable[[str], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setObjectName("rich")
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self._shown = ""
        self.anchorClicked.connect(lambda url: follow(url.toString()))

    def show_markup(self, markup: str) -> None:
        """Show a text, unless it is the one that is shown."""
        if markup == self._shown:
            return
        self._shown = markup
        bar = self.verticalScrollBar()
        at = bar.value()
        self.setHtml(markup)
        bar.setValue(min(at, bar.maximum()))

    def show_anew(self) -> None:
        """Draw the marks in other colours; the text comes anew with its own."""
        self._shown = ""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        address = name if isinstance(name, str) else name.toString()
        found = mark_of(address)
        if kind != int(QTextDocument.ResourceType.ImageResource.value) or found is None:
            return QByteArray()  # nothing is ever read from outside
        scale = self.devicePixelRatioF()
        picture = QPixmap(round(MARK_PX * scale), round(MARK_PX * scale))
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        draw_mark(painter, QRectF(0, 0, MARK_PX, MARK_PX), *found)
        painter.end()
        return picture
