"""What every widget here begins and ends with: which scan, and what is wrong."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QSignalBlocker
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.later import Later
from alsct_gui.face.parts import (
    GAP_PX,
    MARGIN_PX,
    Choice,
    Whole,
    colour_wrong,
    label,
    name_label,
)
from alsct_gui.face.sources import plain_viewer
from alsct_gui.face.work import Ears
from alsct_gui.model.errors import AlsctError, CancelledError
from napari_alsct_recon.session import Session, scan_of, session_of


class Panel(QWidget):
    """Base of the widgets.

    Parameters
    ----------
    viewer
        A napari viewer.
    sentence
        What the widget does.
    """

    def __init__(self, viewer: Any, sentence: str) -> None:
        super().__init__()
        viewer = plain_viewer(viewer)
        self.session: Session = session_of(viewer)
        self.later = Later(self)
        self.theme = str(viewer.theme)
        self.ears = ears = Ears()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        self.column.setSpacing(2 * GAP_PX)
        self.column.addWidget(label(sentence, wrap=True))
        self.scans = Choice()
        choose = QPushButton("Choose…")
        choose.clicked.connect(self._choose)
        self.column.addLayout(row_of(name_label("Scan", self.scans), self.scans, choose))
        self.scans.activated.connect(self._chosen)
        for name in ("inserted", "removed"):
            ears.listen(getattr(viewer.layers.events, name), self._refresh)
        session = self.session
        session.join()
        session.scan_changed.connect(self._scan_changed)

        used = [session]

        def leave(_: object = None) -> None:
            ears.close()
            while used:
                used.pop().leave()

        self._leave = leave
        self.destroyed.connect(leave)

    def event(self, event: Any) -> bool:
        """Leave the session when it is taken out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()
        return bool(super().event(event))

    def finish(self) -> None:
        """Put the last lines below what the widget has added."""
        self.status, self.wrong = label("", wrap=True), label("", wrap=True)
        colour_wrong(self.wrong, self.theme)
        self.column.addWidget(self.status)
        self.column.addWidget(self.wrong)
        self.column.addStretch(1)
        self._refresh()
        self._scan_changed()

    def scan_came(self) -> None:
        """There is another scan, or none, or more is known of it; for subclasses."""

    def say(self, words: str) -> None:
        """Say what happens."""
        self.status.setText(words)
        self.status.setVisible(bool(words))

    def complain(self, words: str) -> None:
        """Say what is wrong."""
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))

    def answer(self, done: Future[Any]) -> Any:
        """Return what a future holds; None when it failed, which is said."""
        error = done.exception()
        if error is None:
            self.complain("")
            return done.result()
        if not isinstance(error, CancelledError):
            words = error.sentence if isinstance(error, AlsctError) else str(error)
            self.say("")
            self.complain(words)
        return None

    def _scan_changed(self) -> None:
        self._show_scan()
        self.complain(self.session.trouble)
        looked_at = self.session.path is not None and self.session.look is None
        self.say("Looks at the scan…" if looked_at else "")
        self.scan_came()

    def _refresh(self, _: object = None) -> None:
        """Offer the scans among the layers; the first one is taken when there was none."""
        viewer = self.session.viewer
        found = [path for path in map(scan_of, viewer.layers) if path is not None]
        with QSignalBlocker(self.scans):
            self.scans.clear()
            for path in dict.fromkeys(found):
                self.scans.addItem(path.name, path)
        if self.session.path is None and found:
            self.session.set_scan(found[0])
        self._show_scan()

    def _show_scan(self) -> None:
        path = self.session.path
        with QSignalBlocker(self.scans):
            place = next((k for k in range(self.scans.count())
                          if self.scans.itemData(k) == path), -1)  # fmt: skip
            if place < 0 and path is not None:
                self.scans.addItem(path.name, path)
                place = self.scans.count() - 1
            self.scans.setCurrentIndex(place)
            self.scans.setToolTip(str(path or ""))

    def _chosen(self, _: int) -> None:
        self.session.set_scan(self.scans.currentData())

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Scan", "", "Scans (*.h5 *.hdf5 *.hdf *.nxs)")
        if name:
            self.session.set_scan(Path(name))


class RowSpin(Whole):
    """The detector row that all widgets look at."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.valueChanged.connect(session.set_row)
        session.row_changed.connect(self.show_row)
        session.scan_changed.connect(self.show_row)
        self.show_row()

    def show_row(self) -> None:
        """Show the session's row."""
        look = self._session.look
        with QSignalBlocker(self):
            self.setRange(0, max(0, look.n_rows - 1) if look is not None else 0)
            self.setValue(self._session.row or 0)


def row_of(*widgets: QWidget) -> QHBoxLayout:
    """Return widgets side by side; the second takes the room."""
    row = QHBoxLayout()
    row.setSpacing(GAP_PX)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place == 1 else 0)
    return row
