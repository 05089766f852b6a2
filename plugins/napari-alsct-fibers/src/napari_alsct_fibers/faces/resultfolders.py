"""Results of `fibers.breaks` as the inputs of `fibers.loads`: a row for each load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.face.parts import GAP_PX, Number, label
from napari_alsct_fibers.review import BREAKS, REVIEWED
from napari_alsct_fibers.steps.loads import MOST_LOADS

FIBRES = "fibres.csv"
_LARGEST_N = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    load: Number
    name: QLabel
    remove: QToolButton
    folder: Path


class ResultFolders(QWidget):
    """A row for each load: the load, and the folder of its result; in the place of `Inputs`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP_PX)
        self._grid.setVerticalSpacing(GAP_PX)
        self._grid.setColumnStretch(1, 1)
        self._heads = [label("Load (N)", faint=True), label("Result", faint=True)]
        for place, head in enumerate(self._heads):
            self._grid.addWidget(head, 0, place)
        column.addLayout(self._grid)
        self.add_button = QPushButton("Add a result…")
        self.add_button.clicked.connect(self._ask)
        column.addWidget(self.add_button)
        self._renew()

    def add(self, folder: Path, load_n: float = 0.0) -> None:
        """Add a result; the reviewed breaks are taken where there are any."""
        load = Number()
        load.setRange(0.0, _LARGEST_N)
        load.setValue(load_n)
        load.setAccessibleName("Load (N)")
        load.valueChanged.connect(lambda _: self.changed.emit())
        reviewed = (folder / REVIEWED).is_file()
        name = label(f"{folder.name}{', reviewed' * reviewed}")
        name.setToolTip(str(folder))
        remove = QToolButton()
        remove.setText("×")
        remove.setToolTip("Remove this result from the list")
        row = _Row(load, name, remove, folder)
        remove.clicked.connect(lambda: self._remove(row))
        at = self._grid.rowCount()
        for place, widget in enumerate((load, name, remove)):
            self._grid.addWidget(widget, at, place)
        self._rows.append(row)
        self._renew()

    def loads_n(self) -> tuple[float, ...]:
        """Return the loads; none as long as one is missing."""
        loads = tuple(row.load.value() for row in self._rows)
        return loads if len(set(loads)) == len(loads) else ()

    def layers(self) -> dict[str, Any]:
        """Return nothing: results are files."""
        return {}

    def paths(self) -> dict[str, Path]:
        """Return the tables by the names of the step's inputs."""
        found = {}
        for number, row in enumerate(self._rows, start=1):
            reviewed = row.folder / REVIEWED
            found[f"breaks_{number}"] = reviewed if reviewed.is_file() else row.folder / BREAKS
            found[f"fibres_{number}"] = row.folder / FIBRES
        return found

    def missing(self) -> str:
        """Say what is wanted; empty for nothing."""
        return "" if len(self._rows) >= 2 else "result of another load"

    def main(self) -> Any:
        """Return nothing: no layer is the main one."""
        return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Do nothing: layers do not matter here."""
        yield

    def _ask(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Result", "", f"Breaks ({BREAKS})")
        if name:
            self.add(Path(name).parent)

    def _remove(self, row: _Row) -> None:
        self._rows.remove(row)
        for widget in (row.load, row.name, row.remove):
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self._renew()

    def _renew(self) -> None:
        self.add_button.setEnabled(len(self._rows) < MOST_LOADS)
        for head in self._heads:
            head.setVisible(bool(self._rows))
        self.changed.emit()
