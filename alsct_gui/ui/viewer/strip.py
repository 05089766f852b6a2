"""A thin strip above a slider: which slices of a product in the making are there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from alsct_gui.files.partialvolume import Run
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.viewer.bars import Counter

_HEIGHT_PX = 3
_HANDLE_PX = 14


class Strip(QWidget):
    """Lies over the upper edge of a counter's slider and has its width."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self._slider, self._counter = counter.slider, counter
        self._runs: tuple[Run, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._slider.installEventFilter(self)
        self.hide()

    @property
    def runs(self) -> tuple[Run, ...]:
        """What it shows."""
        return self._runs

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show which slices are there."""
        self._runs = tuple(runs)
        self._place()
        self.show()
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter, now = QPainter(self), tokens()
        painter.fillRect(self.rect(), QColor(now.line))
        count = max(1, self._counter.count)
        for first, stop in self._runs:
            left, right = (self.width() * at / count for at in (first, stop))
            painter.fillRect(QRectF(left, 0, max(1.0, right - left), self.height()),
                             QColor(now.moving))  # fmt: skip
        painter.end()

    def _place(self) -> None:
        box = self._slider.geometry()
        half = _HANDLE_PX // 2
        self.setGeometry(box.x() + half, box.y(), box.width() - 2 * half, _HEIGHT_PX)
