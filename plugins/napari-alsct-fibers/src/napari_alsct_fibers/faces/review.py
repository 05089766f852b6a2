"""The review of breaks: a table, the cut through the break, and a key for each verdict."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QImage, QKeySequence, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.later import Later
from alsct_gui.face.linked import go_to
from alsct_gui.face.parts import GAP_PX, colour_wrong, label
from alsct_gui.face.sources import finest
from alsct_gui.face.tableview import TableModel, TableView
from alsct_gui.files.report.words import figure
from alsct_gui.files.tables import write_table
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.table import Column, Table
from napari_alsct_fibers.cuts import cuts_through
from napari_alsct_fibers.review import (
    REVIEWED,
    Review,
    Verdict,
    keep_notes,
    made_by_review,
    open_review,
    reviewed_table,
)

_COLUMNS = ("verdict", "break", "slice", "opening_um", "certainty", "fibre", "depth", "cluster")
_CUT_PX = 150
_COLOURS = {Verdict.OPEN: "#e69f00", Verdict.ACCEPTED: "#009e73", Verdict.REJECTED: "#808080"}
_KEYS = {
    Qt.Key.Key_A: Verdict.ACCEPTED,
    Qt.Key.Key_Return: Verdict.ACCEPTED,
    Qt.Key.Key_Enter: Verdict.ACCEPTED,
    Qt.Key.Key_R: Verdict.REJECTED,
    Qt.Key.Key_Delete: Verdict.REJECTED,
}


class ReviewPanel(QWidget):
    """Shows the breaks of a result and takes verdicts.

    Parameters
    ----------
    viewer
        A napari viewer.
    thread
        Reads the cuts through breaks.
    """

    def __init__(self, viewer: Any, thread: ThreadPoolExecutor) -> None:
        super().__init__()
        self._viewer, self._thread = viewer, thread
        self._layer: Any = None
        self._points: Any = None
        self._folder = Path()
        self._number = 0
        self._later = Later(self)
        self.review: Review | None = None
        self._make()
        self._bind()
        self.hide()

    def open(self, folder: Path, layer: Any) -> None:
        """Begin or go on with the review of a result.

        Parameters
        ----------
        folder
            Of the result.
        layer
            The volume that it is of; None when it is not in the viewer.

        Raises
        ------
        InputError
            The folder holds no result of `fibers.breaks`.
        """
        self.review = open_review(folder)
        self._folder, self._layer = folder, layer
        self._add_points()
        self._renew()
        self.show()
        self.table.choose(self._first_open())

    def judge(self, verdict: Verdict) -> None:
        """Give a verdict on the chosen break, and go on to the next."""
        row = self.row()
        if self.review is None or row < 0:
            return
        self._take(self.review.judged(row, verdict))
        self.table.step(1)

    def undo(self) -> None:
        """Take the last verdict back, and go to its break."""
        if self.review is None:
            return
        review, row = self.review.undone()
        if row >= 0:
            self._take(review)
            self.table.choose(self._shown_row(row))

    def row(self) -> int:
        """Return the row of the review that is chosen; -1 for none."""
        shown = self.table.row()
        return -1 if shown < 0 else int(self._rows[shown])

    def save(self) -> None:
        """Write the reviewed table beside the breaks; one that is there is moved aside."""
        if self.review is None:
            return
        try:
            path = write_table(
                self._folder / REVIEWED, reviewed_table(self.review),
                made_by_review(self.review, self._folder), replace=True,
            )  # fmt: skip
        except AlsctError as error:
            self._complain(error.sentence)
            return
        self.words.setText(f"{self.review.words} Saved as {path.name}.")

    def _make(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GAP_PX, 0, 0)
        column.setSpacing(GAP_PX)
        self.cuts = [QLabel() for _ in range(2)]
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        for cut in self.cuts:
            cut.setFixedSize(_CUT_PX, _CUT_PX)
            cut.setScaledContents(False)
            cut.setAlignment(Qt.AlignmentFlag.AlignCenter)
            row.addWidget(cut)
        row.addStretch(1)
        column.addLayout(row)
        self.about = label("", wrap=True)
        column.addWidget(self.about)
        self.table = TableView()
        self.table.setMinimumHeight(220)
        column.addWidget(self.table, 1)
        self.doubtful = QCheckBox("Dips that were left out, too")
        column.addWidget(self.doubtful)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.buttons: dict[str, QPushButton] = {}
        for name, tip in (
            ("Accept", "A, or Enter"), ("Reject", "R, or Delete"), ("Undo", "Ctrl+Z"),
        ):  # fmt: skip
            button = QPushButton(name)
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.buttons[name] = button
            row.addWidget(button)
        column.addLayout(row)
        self.save_button = QPushButton("Save reviewed breaks")
        column.addWidget(self.save_button)
        self.words = label("", wrap=True)
        self.keys = label("A accepts, R rejects, Ctrl+Z takes back; arrows go through the table.",
                          wrap=True, faint=True)  # fmt: skip
        self.wrong = label("", wrap=True)
        colour_wrong(self.wrong, str(self._viewer.theme))
        self.wrong.hide()
        for item in (self.words, self.keys, self.wrong):
            column.addWidget(item)
        self._rows = np.empty(0, np.intp)

    def _bind(self) -> None:
        self.table.chosen.connect(self._chosen)
        self.doubtful.toggled.connect(self._renew)
        self.save_button.clicked.connect(self.save)
        actions: dict[str, Callable[[], None]] = {
            "Accept": lambda: self.judge(Verdict.ACCEPTED),
            "Reject": lambda: self.judge(Verdict.REJECTED),
            "Undo": self.undo,
        }
        for name, action in actions.items():
            self.buttons[name].clicked.connect(action)
        self.table.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Keys of the table; elsewhere in the viewer they are napari's."""
        if watched is self.table and event.type() == QEvent.Type.KeyPress:
            if event.matches(QKeySequence.StandardKey.Undo):
                self.undo()
                return True
            verdict = _KEYS.get(event.key())
            if verdict is not None and event.modifiers() == Qt.KeyboardModifier.NoModifier:
                self.judge(verdict)
                return True
        return super().eventFilter(watched, event)

    def _take(self, review: Review) -> None:
        self.review = review
        try:
            keep_notes(review, self._folder)
            self._complain("")
        except AlsctError as error:
            self._complain(error.sentence)
        self._colour_points()
        self._renew_verdicts()

    def _renew(self, _: object = None) -> None:
        """Show the table of what is under review."""
        if self.review is None:
            return
        chosen = self.row()
        count = self.review.table.n_rows if self.doubtful.isChecked() else self.review.n_breaks
        self._rows = np.arange(count)
        self.doubtful.setVisible(self.review.table.n_rows > self.review.n_breaks)
        self._model = VerdictModel(self.review, count)
        self.table.show_table(self._model)
        self._renew_verdicts()
        if chosen >= 0:
            self.table.choose(self._shown_row(chosen), quietly=True)

    def _renew_verdicts(self) -> None:
        if self.review is None:
            return
        self._model.show_verdicts(self.review)
        self.words.setText(self.review.words)
        self.buttons["Undo"].setEnabled(bool(self.review.history))

    def _shown_row(self, row: int) -> int:
        return row if row < len(self._rows) else 0

    def _first_open(self) -> int:
        if self.review is None:
            return 0
        verdicts = self.review.verdicts[: self.review.n_breaks]
        return next((k for k, verdict in enumerate(verdicts) if verdict is Verdict.OPEN), 0)

    def _chosen(self, row: int) -> None:
        if self.review is None:
            return
        table = self.review.table
        place_um = [float(table.column(name)[row]) for name in ("z_um", "y_um", "x_um")]
        opening = figure(float(table.column("opening_um")[row]), "µm", 3)
        self.about.setText(
            f"Break {row + 1} in slice {int(table.column('slice')[row])}, fibre "
            f"{int(table.column('fibre')[row])}: opening {opening}"
        )
        if self._layer is None or self._layer not in self._viewer.layers:
            return
        edges = np.array(table.facts["voxel_um"], np.float64)
        go_to(self._viewer, self._layer.data_to_world(np.array(place_um) / edges))
        self._number += 1
        number, array = self._number, finest(self._layer)
        future = self._thread.submit(
            cuts_through, array, table.facts["axis"], place_um, edges.tolist(),
            float(table.facts["diameter_um"]),
        )  # fmt: skip
        self._later.when(future, lambda done: self._show_cut(number, done))

    def _show_cut(self, number: int, done: Future[Any]) -> None:
        if number != self._number:
            return
        error = done.exception()
        if error is not None:
            self._complain(error.sentence if isinstance(error, AlsctError) else str(error))
            return
        for cut, picture in zip(self.cuts, done.result(), strict=True):
            cut.setPixmap(_pixmap(picture))

    def _add_points(self) -> None:
        """Mark the breaks in the viewer, in the voxels of the volume's layer."""
        if self._points is not None and self._points in self._viewer.layers:
            self._viewer.layers.remove(self._points)
        self._points = None
        if self._layer is None or self.review is None:
            return
        table = self.review.table
        edges = np.array(table.facts["voxel_um"], np.float64)
        places = np.column_stack([table.column(name) for name in ("z_um", "y_um", "x_um")]) / edges
        active = self._viewer.layers.selection.active
        self._points = self._viewer.add_points(
            places, name="breaks", scale=self._layer.scale, translate=self._layer.translate,
            units=self._layer.units, axis_labels=self._layer.axis_labels,
            size=1.6 * float(table.facts["diameter_um"]) / float(edges[2]),
            face_color="transparent", border_width=0.08,
        )  # fmt: skip
        self._viewer.layers.selection.active = active
        self._colour_points()

    def _colour_points(self) -> None:
        if self._points is None or self._points not in self._viewer.layers or self.review is None:
            return
        self._points.border_color = [_COLOURS[verdict] for verdict in self.review.verdicts]
        shown = np.ones(self.review.table.n_rows, np.bool_)
        for row in range(self.review.n_breaks, self.review.table.n_rows):
            shown[row] = self.review.verdicts[row] is Verdict.ACCEPTED
        self._points.shown = shown

    def _complain(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))


class VerdictModel(TableModel):
    """The table of a review, whose first column changes."""

    def __init__(self, review: Review, count: int) -> None:
        table = review.table
        values = tuple(part[:count] for part in table.values)
        verdicts = np.array([verdict.value for verdict in review.verdicts[:count]], object)
        super().__init__(
            Table((Column("verdict", "", "What you said of it."), *table.columns),
                  (verdicts, *values), table.facts),
            _COLUMNS,
        )  # fmt: skip

    def show_verdicts(self, review: Review) -> None:
        """Show the verdicts as they are now."""
        count = self.rowCount()
        self._values[0] = [verdict.value for verdict in review.verdicts[:count]]
        if count:
            self.dataChanged.emit(self.index(0, 0), self.index(count - 1, 0))


def _pixmap(picture: np.ndarray[Any, Any]) -> QPixmap:
    """A grey picture as large as its place, its pixels visible."""
    grey = np.ascontiguousarray(picture, np.uint8)
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image).scaled(
        _CUT_PX, _CUT_PX, Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation,
    )  # fmt: skip
