"""The widget of one's own code: choose a file, and it is a step like any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, MARGIN_PX, Choice, colour_wrong, label, name_label
from alsct_gui.face.results import add_products
from alsct_gui.face.stepface import StepFace
from alsct_gui.face.tableview import TableModel, TableView
from alsct_gui.files.resources import resource_path
from alsct_gui.files.tables import read_table
from alsct_gui.model.errors import AlsctError
from alsct_gui.steps.own.load import ENDINGS, own_files, own_step

if TYPE_CHECKING:
    import napari

_TABLE_PX = 180


class OwnCodeFace(StepFace):
    """A step of one's own code; tables that it makes are shown below."""

    def add_outputs(self, outputs: Mapping[str, Path]) -> None:
        """Show products: layers in the viewer, tables here."""
        add_products(self.viewer, self.step, outputs, self.inputs.main())
        for name, path in outputs.items():
            if self.step.output(name).kind == "table":
                self._show_table(path)

    def _show_table(self, path: Path) -> None:
        layout: Any = self.layout()
        view = TableView()
        view.setModel(TableModel(read_table(path)))
        view.setMinimumHeight(_TABLE_PX)
        layout.insertWidget(layout.count() - 1, view)


class OwnCodeWidget(QWidget):
    """Chooses one's own code and holds its face.

    Parameters
    ----------
    viewer
        The viewer that it was opened in; napari hands it in.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer: Any = viewer
        self.face: OwnCodeFace | None = None
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QWidget()
        inner = QVBoxLayout(head)
        inner.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, 0)
        inner.setSpacing(GAP_PX)
        inner.addWidget(
            label("A function, a notebook or any program of yours, on the layer that is chosen. "
                  "Files go in and out; there is nothing to import.", wrap=True)
        )  # fmt: skip
        self.codes = Choice()
        choose = QPushButton("Choose…")
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(name_label("Code", self.codes))
        row.addWidget(self.codes, 1)
        row.addWidget(choose)
        inner.addLayout(row)
        self.wrong = label("", wrap=True)
        colour_wrong(self.wrong, str(viewer.theme))
        self.wrong.hide()
        inner.addWidget(self.wrong)
        column.addWidget(head)
        column.addStretch(1)
        for path in [*own_files(), *example_files()]:
            self.codes.addItem(path.name, path)
        self.codes.setCurrentIndex(-1)
        self.codes.activated.connect(lambda _: self.open(self.codes.currentData()))
        choose.clicked.connect(self._choose)

    def open(self, path: Path) -> None:
        """Make the face of a file; what is wrong with it is said."""
        try:
            step = own_step(path)
        except AlsctError as error:
            self._complain(error.sentence)
            return
        self._complain("")
        self._show(path)
        if self.face is not None:
            self._column.removeWidget(self.face)
            self.face.setParent(None)
            self.face.deleteLater()
        self.face = OwnCodeFace(self._viewer, step)
        self._column.insertWidget(1, self.face)

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

    def _complain(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))


def example_files() -> list[Path]:
    """Return the worked examples that come with the program."""
    files = [path for path in sorted(resource_path("examples").glob("*"))
             if path.name.endswith(ENDINGS)]  # fmt: skip
    stems = {path.stem for path in files if path.suffix in (".py", ".ipynb")}
    return [path for path in files if path.name.partition(".")[0] not in stems
            or path.suffix in (".py", ".ipynb")]  # fmt: skip
