"""A table whose rows are objects of a labels layer: choose one, and the other follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from alsct_gui.face.tableview import TableView
from alsct_gui.face.work import Ears
from alsct_gui.model.table import Table


class LabelLink:
    """Keeps a table and a labels layer together.

    Parameters
    ----------
    viewer
        A napari viewer.
    view
        Shows the table.
    ears
        Listens to the viewer.
    """

    def __init__(self, viewer: Any, view: TableView, ears: Ears) -> None:
        self._viewer, self._view, self._ears = viewer, view, ears
        self._layer: Any = None
        self._rows: dict[int, int] = {}
        self._places: np.ndarray[Any, Any] | None = None
        view.chosen.connect(self._row_chosen)

    @property
    def layer(self) -> Any:
        """The labels layer; None when there is none in the viewer."""
        here = self._layer is not None and self._layer in self._viewer.layers
        return self._layer if here else None

    def join(self, table: Table, layer: Any) -> None:
        """Join the rows of a table, by their column ``label``, with a layer."""
        self._rows = {int(label): row for row, label in enumerate(table.column("label"))}
        voxel_um = table.facts.get("voxel_um")
        self._places = None
        if voxel_um is not None:
            micrometres = [table.column(name) for name in ("z_um", "y_um", "x_um")]
            self._places = np.column_stack(micrometres) / np.asarray(voxel_um)
        if layer is self._layer:
            return
        self._layer = layer
        if layer is not None:
            self._ears.listen(layer.events.selected_label, self._label_chosen)
            layer.mouse_drag_callbacks.append(self._clicked)

    def show_only(self, on: bool) -> None:
        """Show the chosen object alone, or all."""
        if self.layer is not None:
            self._layer.show_selected_label = on

    def _row_chosen(self, row: int) -> None:
        if self.layer is None:
            return
        label = next((label for label, at in self._rows.items() if at == row), 0)
        self._layer.selected_label = label
        if self._places is not None:
            go_to(self._viewer, self._layer.data_to_world(self._places[row]))

    def _label_chosen(self, _: object = None) -> None:
        row = self._rows.get(int(self._layer.selected_label))
        if row is not None and row != self._view.row():
            self._view.choose(row, quietly=True)

    def _clicked(self, layer: Any, event: Any) -> None:
        """A click that neither paints nor drags chooses the object below it."""
        if layer.mode != "pan_zoom" or event.button != 1:
            return
        value = layer.get_value(
            event.position, view_direction=event.view_direction,
            dims_displayed=event.dims_displayed, world=True,
        )  # fmt: skip
        if value and int(value) in self._rows:
            layer.selected_label = int(value)


def go_to(viewer: Any, place: Any) -> None:
    """Bring a place of the world into the middle of what is seen."""
    world = [float(value) for value in place]
    first = viewer.dims.ndim - len(world)
    for axis, value in enumerate(world, start=first):
        viewer.dims.set_point(axis, value)
    camera = getattr(viewer, "scene", viewer).camera  # napari 0.9.2 moved it
    camera.center = (camera.center[0], *world[-2:])
