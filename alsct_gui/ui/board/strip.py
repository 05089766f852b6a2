"""The chain of links in the strip at the bottom: a mark and a short name for each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from alsct_gui.ui.board.links import Chip, trouble_words
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.marks import MARK_PX, State, draw_mark

_GAP_PX = 10
_NARROW_PX = 3
_WORDS_PX = 3
_HEIGHT_PX = 24
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_TAKES = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


def named(chips: Sequence[Chip], widths: Sequence[int], room_px: int) -> tuple[bool, ...]:
    """Say which chips are shown with their names. Pure.

    All are if there is room; else those that are not up; else those that are down; else none.

    Parameters
    ----------
    chips
        The chain.
    widths
        Width of each name.
    room_px
        Width that there is.
    """
    loud = (State.FAILED, State.BLOCKED)
    choices = (
        [True] * len(chips), [chip.state is not State.MET for chip in chips],
        [chip.state in loud for chip in chips], [chip.state is State.FAILED for chip in chips],
    )  # fmt: skip
    for choice in choices:
        if _width(widths, choice) <= room_px:
            return tuple(choice)
    return (False,) * len(chips)


def _width(widths: Sequence[int], names: Sequence[bool]) -> int:
    """Width of the strip when some chips have their names."""
    return sum(
        MARK_PX + (_WORDS_PX + width + _GAP_PX if name else _NARROW_PX)
        for width, name in zip(widths, names, strict=True)
    )


class ChainStrip(QWidget):
    """All links side by side; a click or Enter shows all there is to know of one.

    It is painted as a whole: with a widget for each link, the strip would be laid out anew
    whenever one of them changed.
    """

    chosen = Signal(str)  # key of a chip

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT_PX)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMouseTracking(True)
        self.setAccessibleName("Chain")
        self._chips: tuple[Chip, ...] = ()
        self._places: tuple[tuple[QRect, bool], ...] = ()
        self._at = 0
        self.hide()

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The links, in order."""
        return self._chips

    def show_chips(self, chips: tuple[Chip, ...]) -> None:
        """Show how the links are."""
        if chips == self._chips:
            return
        self._chips = chips
        self._at = min(self._at, max(0, len(chips) - 1))
        self.setAccessibleDescription(trouble_words(chips) or "All links are up.")
        self.setVisible(bool(chips))
        self._lay_out()
        self.updateGeometry()
        self.update()

    def place_of(self, key: str) -> QRect:
        """Return where a chip is; empty when there is none of that key."""
        for chip, (place, _) in zip(self._chips, self._places, strict=True):
            if chip.key == key:
                return place
        return QRect()

    def sizeHint(self) -> QSize:
        return QSize(_width(self._widths(), [True] * len(self._chips)), _HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(_width(self._widths(), [False] * len(self._chips)), _HEIGHT_PX)

    def resizeEvent(self, event: object) -> None:
        self._lay_out()

    def paintEvent(self, _: QPaintEvent) -> None:
        now = tokens()
        painter = QPainter(self)
        painter.setFont(self._font())
        for number, (chip, (place, name)) in enumerate(zip(self._chips, self._places, strict=True)):
            top = place.top() + (place.height() - MARK_PX) // 2
            draw_mark(painter, QRectF(place.left(), top, MARK_PX, MARK_PX), chip.state)
            if name:
                quiet = chip.state in (State.MET, State.UNKNOWN)
                painter.setPen(QColor(now.faint if quiet else now.text))
                words = place.adjusted(MARK_PX + _WORDS_PX, 0, 0, 0)
                painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, chip.short)
            if self.hasFocus() and number == self._at:
                painter.setPen(QColor(now.accent))
                painter.drawRect(place.adjusted(-3, 2, 2, -3))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        chip = self._chip_at(event.position().toPoint())
        if chip is not None and event.button() is Qt.MouseButton.LeftButton:
            self._at = self._chips.index(chip)
            self.chosen.emit(chip.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _STEPS and self._chips:
            self._at = (self._at + _STEPS[key]) % len(self._chips)
            self.setToolTip(self._chips[self._at].sentence)
            self.update()
        elif key in _TAKES and self._chips:
            self.chosen.emit(self._chips[self._at].key)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride
            and Qt.Key(event.key()) in (*_STEPS, *_TAKES)
        ):  # fmt: skip
            event.accept()  # its own keys are commands of the window too
            return True
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            chip = self._chip_at(event.pos())
            QToolTip.showText(event.globalPos(), chip.sentence if chip is not None else "", self)
            return True
        return super().event(event)

    def _chip_at(self, place: QPoint) -> Chip | None:
        for chip, (box, _) in zip(self._chips, self._places, strict=True):
            if box.adjusted(-1, 0, _NARROW_PX, 0).contains(place):
                return chip
        return None

    def _font(self) -> QFont:
        small = QFont(self.font())
        small.setPixelSize(11)
        return small

    def _widths(self) -> list[int]:
        metrics = QFontMetrics(self._font())
        return [metrics.horizontalAdvance(chip.short) for chip in self._chips]

    def _lay_out(self) -> None:
        widths = self._widths()
        names = named(self._chips, widths, self.width())
        left = max(0, self.width() - _width(widths, names))  # it stands at the right
        places = []
        for width, name in zip(widths, names, strict=True):
            own = MARK_PX + (_WORDS_PX + width if name else 0)
            places.append((QRect(left, 0, own, self.height()), name))
            left += own + (_GAP_PX if name else _NARROW_PX)
        self._places = tuple(places)
