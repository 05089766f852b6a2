"""Words over the lower edge of the canvas, where a bar would take room from the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from alsct_gui.ui.widgets.parts import GAP_PX, label

_SCALE_BAR_PX = 176
"""Room at the right that napari's scale bar needs."""


class Caption(QFrame):
    """Lies at the lower left of a widget, as large as its lines; hidden while it has none.

    Parameters
    ----------
    over
        The widget.
    """

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("overlay")
        self._over, self._wanted = over, True
        self._lines: tuple[str, ...] = ()
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP_PX, 2, GAP_PX, 2)
        self._label = label("")
        row.addWidget(self._label)
        over.installEventFilter(self)
        self.hide()

    @property
    def words(self) -> str:
        """What it says, before shortening."""
        return "\n".join(self._lines)

    def say(self, lines: Sequence[str]) -> None:
        """Say something else; nothing for no lines."""
        self._lines = tuple(lines)
        self.setToolTip(self.words)
        self._settle()

    def want(self, on: bool) -> None:
        """Let it be seen, or not, whatever it says."""
        self._wanted = on
        self._settle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _settle(self) -> None:
        self.setVisible(self._wanted and bool(self._lines))
        self._place()
        self.raise_()

    def _place(self) -> None:
        if not self._lines:
            return
        room_px = max(GAP_PX, self._over.width() - 4 * GAP_PX - _SCALE_BAR_PX)
        metrics, middle = self._label.fontMetrics(), Qt.TextElideMode.ElideMiddle
        self._label.setText(
            "\n".join(metrics.elidedText(line, middle, room_px) for line in self._lines)
        )
        self.adjustSize()
        self.move(GAP_PX, self._over.height() - self.height() - GAP_PX)
