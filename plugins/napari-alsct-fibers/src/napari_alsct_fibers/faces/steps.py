"""The widgets that napari opens: breaks and their review, and breaks over loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QPushButton

from alsct_gui.face.resultface import ResultFace
from alsct_gui.files.report.content import Plot, Series
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.table import Table
from napari_alsct_fibers.faces.resultfolders import ResultFolders
from napari_alsct_fibers.faces.review import ReviewPanel
from napari_alsct_fibers.review import BREAKS


class BreaksWidget(ResultFace):
    """Fibre breaks: one button, then the review."""

    step_name = "fibers.breaks"

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the number of breaks over the height."""
        counts = tables["counts"]
        edges = np.append(counts.column("slice_from"), counts.column("slice_to")[-1:])
        breaks = counts.column("breaks").astype(np.float64)
        return Plot("slice", "breaks", [Series("", edges, breaks, "bars")])

    def show_results(self, outputs: Mapping[str, Path], layers: Mapping[str, Any]) -> None:
        """Show the plot, and begin the review."""
        super().show_results(outputs, layers)
        self.open_result(outputs["breaks"].parent)

    def open_result(self, folder: Path) -> None:
        """Review a result, of this run or of an earlier one."""
        try:
            with self.inputs.held():
                self.review.open(folder, self.inputs.main())
            self.bring(self.review)
        except AlsctError as error:
            self._complain(error.sentence)

    def _make(self) -> None:
        super()._make()
        self.review = ReviewPanel(self.viewer, self._backstage.thread)
        self.earlier = QPushButton("Review an earlier result…")
        self.earlier.clicked.connect(self._choose_result)
        for widget in (self.review, self.earlier):
            self.column.insertWidget(self.column.count() - 1, widget)

    def _choose_result(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Result", "", f"Breaks ({BREAKS})")
        if name:
            self.open_result(Path(name).parent)


class LoadsWidget(ResultFace):
    """Breaks over loads."""

    step_name = "fibers.loads"
    table_output = "summary"
    columns = ("load", "n_breaks", "n_new", "n_again", "n_lost", "median_opening_um", "strain")

    def make_inputs(self) -> ResultFolders:
        """Return a list of results, each with its load."""
        return ResultFolders()

    def wanted_words(self, missing: str) -> str:
        """Say that two loads are wanted."""
        return "Add the results of two loads."

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the number of breaks over the height, at each load."""
        counts = tables["counts"]
        middle = (counts.column("slice_from") + counts.column("slice_to")) / 2
        names = [item.name for item in counts.columns[3:] if not item.name.endswith("_below")]
        curves = [
            Series(name.replace("_n", " N").replace("_", " "), middle,
                   counts.column(name).astype(np.float64))
            for name in names
        ]  # fmt: skip
        return Plot("slice", "breaks", curves)

    def _connect(self) -> None:
        super()._connect()
        self.inputs.changed.connect(self._loads_changed)

    def _loads_changed(self) -> None:
        self.show_parameters(replace(self.parameters(), loads_n=self.inputs.loads_n()))
