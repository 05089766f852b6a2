"""One slice, made anew with every change of row and recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QPushButton

from alsct_gui.face.parts import name_label
from alsct_gui.recon.desk.answers import Preview
from napari_alsct_recon.panel import Panel, RowSpin, row_of

if TYPE_CHECKING:
    import napari

LAYER = "Slice preview"
PAUSE_MS = 150


class PreviewWidget(Panel):
    """Reconstructs the slice of a row as the recipe stands."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Reconstructs one slice of a raw scan as the recipe stands.")
        self._number = 0
        self.row = RowSpin(self.session)
        self.live = QCheckBox("Live")
        self.live.setToolTip("Make the slice anew with every change of row, axis and recipe")
        self.live.setChecked(True)
        self.make = QPushButton("Make slice")
        self.column.addLayout(row_of(name_label("Row", self.row), self.row))
        self.column.addLayout(row_of(self.live, self.make))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.ask)
        self.make.clicked.connect(self.ask)
        self.live.toggled.connect(self._renew)
        self.session.row_changed.connect(self._renew)
        self.session.recipe_changed.connect(self._renew)
        self.finish()

    def scan_came(self) -> None:
        """Make a slice of the new scan."""
        self.make.setEnabled(self.session.ready)
        self._renew()

    def ask(self) -> None:
        """Make the slice; the newest question alone is answered."""
        session = self.session
        if not session.ready or session.path is None:
            return
        self._number += 1
        number = self._number
        self.say("Makes a slice…")
        future = session.desk.preview(
            session.path, session.recipe, session.row, binning=session.preview_binning
        )
        self.later.when(future, lambda done: self._came(number, done))

    def _came(self, number: int, done: Any) -> None:
        if number != self._number:
            return  # a newer question was asked meanwhile
        preview: Preview | None = self.answer(done)
        if preview is not None:
            self.session.show(LAYER, preview.image, (preview.low, preview.high))
            self.say(
                f"Row {preview.row}, axis at {preview.center_px:.2f}, "
                f"{preview.units}, {preview.seconds:.1f} s"
            )

    def _renew(self, _: object = None) -> None:
        if self.live.isChecked():
            self._timer.start()
