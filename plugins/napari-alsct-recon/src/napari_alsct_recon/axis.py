"""The rotation axis: found by every method, or set by eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QPushButton, QTableWidget, QTableWidgetItem

from alsct_gui.face.parts import Number, name_label
from alsct_gui.model.center import CenterEstimate
from alsct_gui.recon.desk.answers import Centers
from napari_alsct_recon.panel import Panel, row_of
from napari_alsct_recon.quick import quick_of, with_center

if TYPE_CHECKING:
    import napari

_HEADINGS = ("Method", "Column", "Confidence")


class AxisWidget(Panel):
    """Finds the axis, and takes it into the recipe that all widgets share."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(
            viewer, "Finds the column of the rotation axis; with a live preview beside it, it can "
            "be set by eye.",
        )  # fmt: skip
        self.find = QPushButton("Find axis")
        self.column.addWidget(self.find)
        self.table = QTableWidget(0, len(_HEADINGS))
        self.table.setHorizontalHeaderLabels(_HEADINGS)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setAccessibleName("Estimates")
        self.table.setToolTip("Click a row to take its column")
        header, numbers = self.table.horizontalHeader(), self.table.verticalHeader()
        if header is not None and numbers is not None:
            header.setSectionResizeMode(header.ResizeMode.Stretch)
            numbers.hide()
        self.column.addWidget(self.table)
        self.value = Number()
        self.value.setRange(0, 1e5)
        self.value.setStepType(Number.StepType.DefaultStepType)
        self.value.setSingleStep(0.5)
        self.column.addLayout(row_of(name_label("Axis", self.value), self.value))
        self.estimates: list[CenterEstimate] = []
        self.find.clicked.connect(self.ask)
        self.table.cellClicked.connect(lambda row, _: self._take(self.estimates[row].center_px))
        self.value.valueChanged.connect(self._take)
        self.session.recipe_changed.connect(self._show_recipe)
        self.finish()

    def scan_came(self) -> None:
        """Begin anew."""
        self.find.setEnabled(self.session.ready)
        look = self.session.look
        self._clear()
        if look is not None and quick_of(self.session.recipe).center_px is None:
            with QSignalBlocker(self.value):
                self.value.setValue((look.n_columns - 1) / 2)
        self._show_recipe()

    def ask(self) -> None:
        """Find the axis by every method."""
        session = self.session
        if session.path is None:
            return
        self._clear()
        self.say("Looks for the axis…")
        future = session.desk.centers(
            session.path, session.recipe,
            on_estimate=lambda found: self.later.call(self._add, found),
        )  # fmt: skip
        self.later.when(future, self._came)

    def _came(self, done: Any) -> None:
        centers: Centers | None = self.answer(done)
        if centers is None:
            return
        result = centers.result
        self._take(result.center_px)
        self.say(
            f"Axis at {result.center_px:.2f}, confidence {result.confidence:.2f}; the methods "
            f"differ by {result.disagreement_px:.2f} px."
        )

    def _take(self, center_px: float) -> None:
        self.session.set_recipe(with_center(self.session.recipe, round(center_px, 3)))

    def _add(self, found: CenterEstimate) -> None:
        self.estimates.append(found)
        row = self.table.rowCount()
        self.table.insertRow(row)
        texts = (found.method, f"{found.center_px:.2f}", f"{found.confidence:.2f}")
        for column, text in enumerate(texts):
            self.table.setItem(row, column, QTableWidgetItem(text))

    def _clear(self) -> None:
        self.estimates.clear()
        self.table.setRowCount(0)

    def _show_recipe(self) -> None:
        center_px = quick_of(self.session.recipe).center_px
        if center_px is not None:
            with QSignalBlocker(self.value):
                self.value.setValue(center_px)
