"""The widget of a step that makes tables: they are shown in it, with a plot and the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from qtpy.QtCore import QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.face.linked import LabelLink
from alsct_gui.face.parts import GAP_PX, label
from alsct_gui.face.plotview import PlotView
from alsct_gui.face.results import add_products
from alsct_gui.face.stepface import StepFace
from alsct_gui.face.tableview import ROW_PX, TableModel, TableView
from alsct_gui.files.report.content import Plot
from alsct_gui.files.tables import read_table
from alsct_gui.model.table import Table

_TABLE_PX = 220


class ResultFace(StepFace):
    """A step's widget with its results below.

    A subclass names the table that is shown, and may make a plot of the tables. Where the table's
    rows are objects of a labels output, rows and objects are chosen together.
    """

    table_output: ClassVar[str] = ""
    """Output whose table is shown; empty for none."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Its columns that are shown; none for all."""

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return what is plotted, from the tables by the names of the outputs."""
        return None

    def joined_layer(self, table: Table, layers: Mapping[str, Any]) -> Any:
        """Return the labels layer whose objects the rows are; None for none."""
        return layers.get(table.objects) if table.objects else None

    def add_outputs(self, outputs: Mapping[str, Path]) -> None:
        """Show products: layers in the viewer, tables here."""
        layers = add_products(self.viewer, self.step, outputs, self.inputs.main())
        self.show_results(outputs, layers)

    def show_results(self, outputs: Mapping[str, Path], layers: Mapping[str, Any]) -> None:
        """Show tables and the report of a run.

        Parameters
        ----------
        outputs
            Products by the names of the outputs.
        layers
            Layers that show them, by the same names.
        """
        tables = {
            name: read_table(path)
            for name, path in outputs.items()
            if self.step.output(name).kind == "table"
        }
        self.results.show_results(
            tables.get(self.table_output), self.columns, self.plot_of(tables),
            {name: path for name, path in outputs.items()
             if self.step.output(name).kind == "report"},
        )  # fmt: skip
        table = tables.get(self.table_output)
        self.results.join(self.joined_layer(table, layers) if table is not None else None)
        self.bring(self.results)

    def bring(self, widget: QWidget) -> None:
        """Scroll to a part of this widget, once it has its place."""
        QTimer.singleShot(0, self, lambda: self.area.ensureWidgetVisible(widget, 0, 0))

    def _make(self) -> None:
        super()._make()
        page = QWidget()
        page.setLayout(self.layout())
        column = page.layout()
        assert isinstance(column, QVBoxLayout)  # noqa: S101 - as it was made
        self.column = column
        # Results are long, screens at a beamline are not.
        self.area = area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        area.setMinimumWidth(page.minimumSizeHint().width() + area.verticalScrollBar().width())
        self.results = Results(self.viewer, self._backstage.ears)
        column.insertWidget(column.count() - 1, self.results)


class Results(QWidget):
    """A plot, a table and the report of a run; hidden until there is one.

    Parameters
    ----------
    viewer
        A napari viewer.
    ears
        Listens to it.
    """

    def __init__(self, viewer: Any, ears: Any) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GAP_PX, 0, 0)
        column.setSpacing(GAP_PX)
        self.plot = PlotView()
        self.table = TableView()
        self.only = QCheckBox("Chosen object alone")
        self.report = QPushButton("Open report")
        self.copy = QPushButton("Copy table")
        self.hint = label("", wrap=True, faint=True)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        for widget in (self.report, self.copy):
            row.addWidget(widget)
        for item in (self.plot, self.table, self.hint, self.only):
            column.addWidget(item)
        column.addLayout(row)
        self._link = LabelLink(viewer, self.table, ears)
        self._reports: dict[str, Path] = {}
        self._shown: Table | None = None
        self.copy.clicked.connect(self.table.copy)
        self.report.clicked.connect(self._open)
        self.only.toggled.connect(self._link.show_only)
        self.hide()

    def show_results(
        self,
        table: Table | None,
        columns: tuple[str, ...],
        plot: Plot | None,
        reports: Mapping[str, Path],
    ) -> None:
        """Show those of another run."""
        self._shown = table
        self._reports = dict(reports)
        self.plot.show_plot(plot)
        self.plot.setVisible(plot is not None)
        self.table.setVisible(table is not None)
        self.copy.setVisible(table is not None)
        self.report.setVisible(bool(reports))
        if table is not None:
            self.table.show_table(TableModel(table, columns))
            # No taller than its rows, but for a heading and a bar below.
            self.table.setFixedHeight(min(_TABLE_PX, (table.n_rows + 2) * ROW_PX))
        self.join(None)
        self.show()

    def join(self, layer: Any) -> None:
        """Join the table's rows with the objects of a labels layer; None parts them."""
        joined = layer is not None and self._shown is not None
        self.only.setVisible(joined)
        self.hint.setVisible(joined)
        self.hint.setText("Click a row or an object: the other follows.")
        if joined and self._shown is not None:
            self._link.join(self._shown, layer)

    def _open(self) -> None:
        path = self._reports.get("report") or next(iter(self._reports.values()))
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
