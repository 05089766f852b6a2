"""Rulers: drawn in the picture, read at once; a run keeps what they say, with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.later import Later
from alsct_gui.face.parts import GAP_PX, MARGIN_PX, label
from alsct_gui.face.resultface import ResultFace
from alsct_gui.face.sources import finest, value_units, voxel_um
from alsct_gui.face.tableview import TableModel, TableView
from alsct_gui.face.work import Ears
from alsct_gui.files.report.content import Plot, Series
from alsct_gui.files.report.words import figure
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.table import Column, Table
from napari_alsct_measure.lines import (
    angle_deg,
    box_figures,
    distance_um,
    line_profile,
    radial_profile,
)

_PAUSE_MS = 60
_TABLE_PX = 260
_COLOUR = "#e69f00"
Voxel = tuple[float, float, float]
_ONE: Voxel = (1.0, 1.0, 1.0)

Read = tuple[Plot | None, str]
"""What a ruler says: a plot, and a sentence."""


class LineWidget(ResultFace):
    """Profile along a line: drawn in the picture, and read while it is drawn."""

    step_name = "measure.line"
    mode: ClassVar[str] = "add_line"
    """What of napari's shapes is drawn."""
    verb: ClassVar[str] = "Draw a line"
    """Words of the button."""
    axis: ClassVar[str] = "distance (µm)"
    """Of the plot."""

    @property
    def units(self) -> str:
        """Unit of the grey values; empty when unknown."""
        main = self.inputs.main()
        return value_units(main) if main is not None else ""

    def taken(self, corners: np.ndarray[Any, Any]) -> Any:
        """Return the parameters of what was drawn: corners (z, y, x) in voxels."""
        return replace(self.parameters(), start=_place(corners[0]), end=_place(corners[-1]))

    def read(self, array: Any, parameters: Any, edges: Voxel, units: str) -> Read:
        """Return what the ruler says; called in a thread."""
        found = line_profile(
            array, parameters.start, parameters.end, edges, width_px=parameters.width_px
        )
        plot = _profile_plot(found.distance_um, found.values, self.axis, units)
        return plot, f"Length {figure(float(found.distance_um[-1]), 'µm')}."

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the profile."""
        table = tables["profile"]
        return _profile_plot(
            table.column("distance_um"), table.column("value"), self.axis, self.units
        )

    def _make(self) -> None:
        super()._make()
        self.draw_button = QPushButton(self.verb)
        self.draw_button.clicked.connect(self.draw)
        self.column.insertWidget(2, self.draw_button)
        self._ruler: Any = None
        self._number = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self._later = Later(self)

    def _connect(self) -> None:
        super()._connect()
        self.form.changed.connect(self._timer.start)

    def draw(self) -> None:
        """Lay a ruler's layer over the picture, ready to be drawn on."""
        main = self.inputs.main()
        if main is None:
            return
        if self._ruler is None or self._ruler not in self.viewer.layers:
            with self.inputs.held():
                self._ruler = ruler_layer(self.viewer, main, self.step.title)
            self._backstage.ears.listen(self._ruler.events.data, self._drawn)
        self.viewer.layers.selection.active = self._ruler
        self._ruler.mode = self.mode

    def _drawn(self, event: Any = None) -> None:
        if self._ruler is None or not len(self._ruler.data):
            return
        corners = np.asarray(self._ruler.data[-1], np.float64)
        if corners.shape[1] == 2:
            corners = np.column_stack([np.zeros(len(corners)), corners])
        self.show_parameters(self.taken(corners))
        self._timer.start()

    def _ask(self) -> None:
        main = self.inputs.main()
        if main is None:
            return
        self._number += 1
        number, array, parameters = self._number, finest(main), self.parameters()
        edges = voxel_um(main)
        given = parameters.voxel_um
        known = edges or (_ONE if given is None else (given,) * 3)
        array = array if array.ndim == 3 else np.asarray(array)[None]
        future = self._backstage.thread.submit(self.read, array, parameters, known, self.units)
        self._later.when(future, lambda done: self._show_read(number, done))

    def _show_read(self, number: int, done: Future[Read]) -> None:
        if number != self._number:
            return
        error = done.exception()
        if error is not None:
            words = error.sentence if isinstance(error, AlsctError) else str(error)
            self._complain(words)
            return
        plot, words = done.result()
        self._complain("")
        self._say(words)
        if plot is not None:
            self.results.show_results(None, (), plot, {})


class RadialWidget(LineWidget):
    """Radial profile."""

    step_name = "measure.radial"
    verb = "Draw from centre to rim"
    axis = "radius (µm)"

    def taken(self, corners: np.ndarray[Any, Any]) -> Any:
        """Return centre and radius."""
        main = self.inputs.main()
        edges = (voxel_um(main) if main is not None else None) or _ONE
        reach_um = distance_um(_place(corners[0]), _place(corners[-1]), edges)
        radius = min(max(1.0, reach_um / edges[2]), 100_000.0)
        return replace(self.parameters(), center=_place(corners[0]), radius_px=radius)

    def read(self, array: Any, parameters: Any, edges: Voxel, units: str) -> Read:
        """Return the profile."""
        found = radial_profile(
            array, parameters.center, parameters.radius_px, edges,
            half_height_px=parameters.half_height_px,
        )  # fmt: skip
        plot = _profile_plot(found.distance_um, found.values, self.axis, units)
        return plot, f"Radius {figure(float(found.distance_um[-1]), 'µm')}."


class BoxWidget(LineWidget):
    """Figures of a box."""

    step_name = "measure.box"
    table_output = "figures"
    mode = "add_rectangle"
    verb = "Draw a rectangle"

    def taken(self, corners: np.ndarray[Any, Any]) -> Any:
        """Return opposite corners; the slices of the box before stay where there were several."""
        low, high = corners.min(axis=0), corners.max(axis=0)
        before = self.parameters()
        if before.first[0] != before.second[0]:
            low[0], high[0] = sorted((before.first[0], before.second[0]))
        return replace(before, first=_place(low), second=_place(high))

    def read(self, array: Any, parameters: Any, edges: Voxel, units: str) -> Read:
        """Return the mean."""
        found = box_figures(array, parameters.first, parameters.second, edges)
        return None, (
            f"Mean {figure(found.mean, units)}, standard deviation "
            f"{figure(found.std, units)}, "
            f"{found.n:,} voxels."
        )

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return nothing: figures are a table."""
        return None


class DistanceWidget(QWidget):
    """Distances and angles: lines of two and three points.

    Parameters
    ----------
    viewer
        A napari viewer; napari hands it in.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self._ears = Ears()
        self._ruler: Any = None
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(2 * GAP_PX)
        column.addWidget(label("Length of a drawn line; angle at the middle of one with three "
                               "points. A double click ends it.", wrap=True))  # fmt: skip
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.line_button, self.path_button = QPushButton("Draw a line"), QPushButton("Draw a path")
        self.line_button.clicked.connect(lambda: self.draw("add_line"))
        self.path_button.clicked.connect(lambda: self.draw("add_path"))
        row.addWidget(self.line_button)
        row.addWidget(self.path_button)
        column.addLayout(row)
        self.table = TableView()
        self.table.setMinimumWidth(_TABLE_PX)
        column.addWidget(self.table, 1)
        self.copy = QPushButton("Copy table")
        self.copy.clicked.connect(self.table.copy)
        column.addWidget(self.copy)
        self.hint = label("", wrap=True, faint=True)
        column.addWidget(self.hint)
        self._drawn()
        ears = self._ears
        self.destroyed.connect(lambda _=None: ears.close())

    def draw(self, mode: str) -> None:
        """Make the ruler ready to be drawn on."""
        main = next((layer for layer in reversed(self.viewer.layers) if layer.ndim in (2, 3)
                     and layer is not self._ruler), None)  # fmt: skip
        if main is None:
            self.hint.setText("Open a volume first.")
            return
        if self._ruler is None or self._ruler not in self.viewer.layers:
            self._ruler = ruler_layer(self.viewer, main, "Distances")
            self._ears.listen(self._ruler.events.data, self._drawn)
        self.viewer.layers.selection.active = self._ruler
        self._ruler.mode = mode

    def figures(self) -> Table:
        """Return length and angle of everything that is drawn."""
        shapes = [] if self._ruler is None else list(self._ruler.data)
        edges = (None if self._ruler is None else voxel_um(self._ruler)) or _ONE
        lengths, angles = [], []
        for corners in shapes:
            points = [_place(corner) for corner in _three(corners)]
            lengths.append(sum(distance_um(a, b, edges) for a, b in pairwise(points)))
            three = len(points) == 3
            angles.append(
                angle_deg(points[0], points[1], points[2], edges) if three else float("nan")
            )
        known = self._ruler is not None and voxel_um(self._ruler) is not None
        unit = "µm" if known or self._ruler is None else "px"
        return Table(
            (
                Column("number", "", "In the order in which it was drawn."),
                Column("length_um" if unit == "µm" else "length_px", unit, "From end to end."),
                Column("angle_deg", "°", "At the middle one of three points."),
            ),
            (np.arange(1, len(shapes) + 1), np.array(lengths, np.float64),
             np.array(angles, np.float64)),
        )  # fmt: skip

    def _drawn(self, _: object = None) -> None:
        table = self.figures()
        self.table.show_table(TableModel(table))
        self.copy.setEnabled(table.n_rows > 0)
        self.hint.setText("" if table.n_rows else "Nothing is drawn yet.")


def ruler_layer(viewer: Any, like: Any, name: str) -> Any:
    """Add an empty layer of shapes that lies as another layer lies."""
    return viewer.add_shapes(
        ndim=like.ndim, name=name, scale=like.scale, translate=like.translate, units=like.units,
        axis_labels=like.axis_labels, edge_color=_COLOUR, face_color="transparent",
        edge_width=max(0.5, finest(like).shape[-1] / 300),
    )  # fmt: skip


def _three(corners: Any) -> np.ndarray[Any, Any]:
    points = np.asarray(corners, np.float64)
    if points.shape[1] == 2:
        points = np.column_stack([np.zeros(len(points)), points])
    return points


def _place(corner: Any) -> tuple[float, float, float]:
    z, y, x = (round(float(value), 3) for value in corner)
    return z, y, x


def _profile_plot(
    distance: np.ndarray[Any, Any], values: np.ndarray[Any, Any], axis: str, units: str
) -> Plot:
    return Plot(axis, _value(units), [Series("", distance, values)], y_from_zero=False)


def _value(units: str) -> str:
    return f"value ({units})" if units else "value"
