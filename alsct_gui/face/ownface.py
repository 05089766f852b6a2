"""The widget of one's own code: choose a file, and it is a step like any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QSignalBlocker, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, MARGIN_PX, Choice, colour_wrong, label, name_label
from alsct_gui.face.results import add_products
from alsct_gui.face.several import SeveralFace
from alsct_gui.model.errors import AlsctError
from alsct_gui.steps.own.description import noun
from alsct_gui.steps.own.load import (
    ENDINGS,
    example_files,
    own_files,
    own_folder,
    own_step,
    slug,
)

_WORDS = "A function, a notebook or any program of yours. Files go in, files come out."
_WIDTH_PX = 320


class OwnCodeFace(SeveralFace):
    """A step of one's own code; a table or a report that it makes is shown below."""

    table_output = "made"

    def add_outputs(self, outputs: Mapping[str, Path]) -> None:
        """Show products: layers in the viewer, tables and reports here."""
        layers = add_products(self.viewer, self.step, outputs, self.inputs.main())
        if not layers:
            self.show_results(outputs, layers)


class OwnCodeWidget(QWidget):
    """Chooses one's own code and holds its face.

    Parameters
    ----------
    viewer
        A napari viewer.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.face: OwnCodeFace | None = None
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head())
        column.addStretch()  # takes what is left while there is no face
        self.codes.setCurrentIndex(-1)
        self.codes.activated.connect(lambda _: self.open(self.codes.currentData()))

    def open(self, path: Path) -> None:
        """Make the face of a file; what is wrong with it is said."""
        self._show(path)
        try:
            step = own_step(path)
        except AlsctError as error:
            self._put(None)
            self._complain(error.sentence)
            return
        self._complain("")
        self._put(OwnCodeFace(self._viewer, step))

    def refresh(self) -> None:
        """List the files anew; what is chosen stays."""
        chosen = self.codes.currentData()
        with QSignalBlocker(self.codes):
            self.codes.clear()
            mine, examples = own_files(), example_files()
            for path in mine:
                self.codes.addItem(path.name, path)
            if mine:
                self.codes.insertSeparator(len(mine))
            for path in examples:
                self.codes.addItem(f"Example: {noun(slug(path)).lower()}", path)
            self.codes.setCurrentIndex(-1)
            if chosen is not None:
                self._show(chosen)

    def event(self, event: Any) -> bool:
        """End what goes on behind it when it is taken out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._put(None)
        return bool(super().event(event))

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        # The style of the window that it is docked in has made everything higher.
        self._column.invalidate()
        self._column.activate()

    def _make_head(self) -> QWidget:
        head = QWidget()
        head.setMinimumWidth(_WIDTH_PX)
        inner = QVBoxLayout(head)
        inner.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, 0)
        inner.setSpacing(GAP_PX)
        inner.addWidget(label(_WORDS, wrap=True))
        self.codes = Choice()
        self.codes.setPlaceholderText("none chosen")
        self.refresh()
        choose, folder = QPushButton("Choose…"), QPushButton("Open folder")
        folder.setToolTip(f"What lies in {own_folder()} is listed here")
        choose.clicked.connect(self._choose)
        folder.clicked.connect(self._open_folder)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(name_label("Code", self.codes))
        row.addWidget(self.codes, 1)
        inner.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addStretch(1)
        row.addWidget(folder)
        row.addWidget(choose)
        inner.addLayout(row)
        self.wrong = label("", wrap=True)
        colour_wrong(self.wrong, str(self._viewer.theme))
        self.wrong.hide()
        inner.addWidget(self.wrong)
        return head

    def _put(self, face: OwnCodeFace | None) -> None:
        """Show another face in the place of the one before, whose work ends."""
        if self.face is not None:
            self._column.removeWidget(self.face)
            self.face.setParent(None)
            self.face.deleteLater()
        self.face = face
        if face is not None:
            self._column.insertWidget(1, face, 1)

    def _show(self, path: Path) -> None:
        with QSignalBlocker(self.codes):
            place = next((k for k in range(self.codes.count())
                          if self.codes.itemData(k) == path), -1)  # fmt: skip
            if place < 0:
                self.codes.addItem(path.name, path)
                place = self.codes.count() - 1
            self.codes.setCurrentIndex(place)
            self.codes.setToolTip(str(path))

    def _choose(self) -> None:
        kinds = " ".join(f"*{ending}" for ending in ENDINGS)
        name, _ = QFileDialog.getOpenFileName(self, "Code", "", f"Code ({kinds})")
        if name:
            self.open(Path(name))

    def _open_folder(self) -> None:
        folder = own_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._complain(f"{folder} cannot be made ({error.strerror}).")
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _complain(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
