"""A contact sheet: pictures in common greys, each with its values on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QWidget

from alsct_gui.ui.reconstruct.sweepplan import moved, sheet_columns
from alsct_gui.ui.theme.style import digits_font, tokens
from alsct_gui.ui.theme.tokens import DARK

_GAP_PX = 8
_HEAD_PX = 24
_LEAST_PX = 72
_KEYS = {
    Qt.Key.Key_Left: "left", Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down",
}  # fmt: skip


def gray_image(image: NDArray[np.float32], low: float, high: float) -> QImage:
    """Return a picture in greys from black at `low` to white at `high`; NaN is black."""
    span = max(high - low, 1e-12)
    shares = np.nan_to_num((image - low) * (255.0 / span), nan=0.0, posinf=255.0, neginf=0.0)
    grays = np.ascontiguousarray(np.clip(shares, 0, 255).astype(np.uint8))
    height, width = grays.shape
    return QImage(grays.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


class ContactSheet(QWidget):
    """Pictures in a grid; as large as can be; arrows move, Enter or a double click takes one."""

    chosen = Signal(int)
    taken = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Contact sheet")
        self.setMinimumSize(240, 160)
        self._words: tuple[str, ...] = ()
        self._heads: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._columns = 0
        self.images: dict[int, QImage] = {}
        self.errors: dict[int, str] = {}
        self.current = -1

    def lay_out(
        self, words: tuple[str, ...], rows: tuple[str, ...] = (), columns: tuple[str, ...] = ()
    ) -> None:
        """Begin anew with empty places.

        Parameters
        ----------
        words
            What stands on each picture.
        rows, columns
            Headings of a sheet of two parameters; empty for one parameter.
        """
        self._words, self._heads = words, (rows, columns)
        self._columns = len(columns)
        self.images, self.errors, self.current = {}, {}, -1
        self.update()

    def put(self, index: int, image: QImage | None, error: str = "") -> None:
        """Show a picture in its place, or why there is none."""
        if image is not None:
            self.images[index] = image
        else:
            self.errors[index] = error
        self.update()

    def choose(self, index: int) -> None:
        """Select a picture."""
        if 0 <= index < len(self._words) and index != self.current:
            self.current = index
            self.update()
            self.chosen.emit(index)

    def cell(self, index: int) -> QRectF:
        """Where a picture stands, a square."""
        columns, edge, left, top = self._grid()
        row, column = divmod(index, columns)
        step = edge + _GAP_PX
        return QRectF(left + column * step, top + row * step, edge, edge)

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def _grid(self) -> tuple[int, float, float, float]:
        """Columns, edge of a picture, and where the first one stands."""
        head_left = self._head_width() if self._heads[0] else 0
        head_top = _HEAD_PX if self._heads[1] else 0
        width, height = self.width() - head_left - 8, self.height() - head_top - 8
        count = max(1, len(self._words))
        columns = self._columns or sheet_columns(count, width, height)
        rows = -(-count // columns)
        edge = min((width + _GAP_PX) / columns, (height + _GAP_PX) / rows) - _GAP_PX
        edge = max(24.0, edge)
        return columns, edge, head_left + 4, head_top + 4

    def _head_width(self) -> int:
        metrics = self.fontMetrics()
        lines = [line for words in self._heads[0] for line in words.split("\n")]
        return max((metrics.horizontalAdvance(line) for line in lines), default=0) + 8

    def _at(self, event: QMouseEvent) -> int:
        return next(
            (k for k in range(len(self._words)) if self.cell(k).contains(event.position())), -1
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.choose(self._at(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self._at(event)
        if index in self.images:
            self.taken.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _KEYS and self._words:
            columns = self._grid()[0]
            self.choose(moved(max(0, self.current), _KEYS[key], columns, len(self._words)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current in self.images:
            self.taken.emit(self.current)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _: QPaintEvent) -> None:
        now = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = digits_font(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        self._paint_heads(painter)
        for index, words in enumerate(self._words):
            box = self.cell(index)
            image = self.images.get(index)
            if image is not None:
                painter.drawImage(box, image)
                self._paint_words(painter, box, words)
            else:
                self._paint_empty(painter, box, words, self.errors.get(index))
            if index == self.current:
                # Outside of the picture, with room between: nothing coloured touches it.
                painter.setPen(QPen(QColor(now.accent if self.hasFocus() else now.faint), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(box.adjusted(-3, -3, 3, 3))
        painter.end()

    def _paint_heads(self, painter: QPainter) -> None:
        rows, columns = self._heads
        painter.setPen(QColor(tokens().faint))
        for k, words in enumerate(columns):
            box = self.cell(k)
            painter.drawText(
                QRectF(box.left(), 0, box.width(), _HEAD_PX), Qt.AlignmentFlag.AlignCenter, words
            )
        for k, words in enumerate(rows):
            box = self.cell(k * max(1, len(columns)))
            side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, box.top(), box.left() - 8, box.height()), side, words)

    def _paint_words(self, painter: QPainter, box: QRectF, words: str) -> None:
        """The value in a corner, light on dark in either theme, to read on any picture."""
        if box.width() < _LEAST_PX:
            return
        wide = painter.fontMetrics().horizontalAdvance(words) + 12
        ground = QRectF(box.left(), box.bottom() - 18, min(wide, box.width()), 18)
        dark = QColor(DARK.canvas)
        dark.setAlpha(170)
        painter.fillRect(ground, dark)
        painter.setPen(QColor(DARK.text))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_empty(self, painter: QPainter, box: QRectF, words: str, error: str | None) -> None:
        now = tokens()
        painter.fillRect(box, QColor(now.raised))
        painter.setPen(QColor(now.failed if error else now.faint))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        text = f"{words}\n{error}" if error else words
        painter.drawText(box.adjusted(4, 4, -4, -4), flags, text)


class LargePicture(QLabel):
    """One picture, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(160, 160)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._image: QImage | None = None

    def show_image(self, image: QImage | None) -> None:
        """Show another picture, or none."""
        self._image = image
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._image is None:
            self.clear()
            return
        fitted = self._image.scaled(
            self.size(), Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
        self.setPixmap(QPixmap.fromImage(fitted))
