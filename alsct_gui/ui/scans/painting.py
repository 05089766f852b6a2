"""How a row of the list is painted."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from alsct_gui.ui.scans.entries import Entry, facts_line
from alsct_gui.ui.scans.rows import ENTRY_ROLE, PICTURE_ROLE
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font, tokens
from alsct_gui.ui.widgets.marks import MARK_PX, State, draw_mark
from alsct_gui.ui.words import moment_words

ROW_PX = 72
_PICTURE_PX = 56
_GAP_PX = 8


class EntryPainter(QStyledItemDelegate):
    """Thumbnail; mark, title and time; state in words; proposal and size."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:  # fmt: skip
        entry: Entry = index.data(ENTRY_ROLE)
        now = tokens()
        box = option.rect
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, QColor(now.hover if selected else now.raised))
        if selected:
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), QColor(now.accent))
        self._picture(painter, entry, box, index.data(PICTURE_ROLE))
        left = box.left() + _GAP_PX + _PICTURE_PX + 12
        self._words(
            painter,
            entry,
            QRect(left, box.top(), box.right() - left - 12, box.height()),
            option.font,
        )
        painter.restore()

    def _picture(
        self, painter: QPainter, entry: Entry, box: QRect, picture: QPixmap | None
    ) -> None:
        now = tokens()
        frame = QRect(box.left() + _GAP_PX, box.top() + _GAP_PX, _PICTURE_PX, _PICTURE_PX)
        painter.fillRect(frame, QColor(now.canvas))
        if picture is None:
            name = "volume" if entry.kind == "volume" else "scan"
            icon(name, now.disabled).paint(painter, frame.adjusted(16, 16, -16, -16))
            return
        size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(frame.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, picture)

    def _words(self, painter: QPainter, entry: Entry, box: QRect, font: QFont) -> None:
        now = tokens()
        title = QFont(font)
        title.setPixelSize(13)
        title.setWeight(QFont.Weight.DemiBold)
        small = digits_font(font)
        small.setPixelSize(11)
        when = (
            moment_words(entry.moment, datetime.now().astimezone().date()) if entry.moment else ""
        )
        when_px = QFontMetrics(small).horizontalAdvance(when)
        lines = [QRect(box.left(), box.top() + 8 + 19 * k, box.width(), 18) for k in range(3)]

        painter.setFont(small)
        painter.setPen(QColor(now.faint))
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(lines[0], vertical | Qt.AlignmentFlag.AlignRight, when)
        painter.drawText(lines[2], vertical, _fit(small, facts_line(entry), box.width()))

        mark = QRectF(box.left() - 1, lines[1].top() + 2, MARK_PX, MARK_PX)
        draw_mark(painter, mark, entry.state, entry.share)
        words = lines[1].adjusted(MARK_PX + 5, 0, 0, 0)
        loud = entry.state in (State.FAILED, State.BLOCKED, State.MOVING)
        painter.setPen(QColor(now.text if loud else now.faint))
        painter.drawText(words, vertical, _fit(small, entry.words, words.width()))

        painter.setFont(title)
        painter.setPen(QColor(now.text))
        room = box.width() - when_px - _GAP_PX
        painter.drawText(lines[0], vertical, _fit(title, entry.title, room))


def _fit(font: QFont, text: str, width_px: int) -> str:
    one_line = " ".join(text.split())
    return QFontMetrics(font).elidedText(one_line, Qt.TextElideMode.ElideMiddle, max(0, width_px))
