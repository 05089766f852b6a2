"""Proof-reading of labels: from object to object, and what is wrong is put right."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from alsct_gui.face.parts import GAP_PX, MARGIN_PX, Choice, Whole, colour_wrong, label, name_label
from alsct_gui.face.sources import OWN, fits, voxel_um
from alsct_gui.face.work import Backstage
from alsct_gui.model.errors import AlsctError, RecipeError
from alsct_gui.steps.step import Port
from alsct_gui.steps.values import LAYER_PATH
from napari_alsct_segment.faces.layers import bare, place_of
from napari_alsct_segment.review.edits import Patch, Place
from napari_alsct_segment.review.keeping import edited_path, save_edited
from napari_alsct_segment.review.objects import Order, neighbour
from napari_alsct_segment.review.session import Review

if TYPE_CHECKING:
    import napari

SAVE_MS = 2000
"""From the last edit to saving."""
_LABELS = Port("labels", "labels", "Labels")
_ORDERS: dict[Order, str] = {
    "size": "largest first", "number": "by number", "slice": "by first slice",
}  # fmt: skip
_MARKERS = "Markers of a split"


class ReviewWidget(QWidget):
    """Goes through the objects of a labels layer in a napari viewer.

    Parameters
    ----------
    viewer
        The viewer that it was opened in; napari hands it in.
    """

    saved = Signal(str)
    """Path of the copy that was saved."""
    _found = Signal(object)
    _kept = Signal(object)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer: Any = viewer
        self._backstage = Backstage()
        self.layer: Any = None
        self.review: Review | None = None
        self.current: int | None = None
        self._markers: Any = None
        self._make()
        self._saves = QTimer(self)
        self._saves.setSingleShot(True)
        self._saves.setInterval(SAVE_MS)
        self._saves.timeout.connect(self.save)
        self._connect()
        backstage = self._backstage
        self.destroyed.connect(lambda _=None: backstage.close())

    @property
    def is_saved(self) -> bool:
        """Whether nothing waits to be saved."""
        return not self._saves.isActive()

    def sequence(self) -> tuple[int, ...]:
        """Return the objects in the order in which they are gone through."""
        return self.review.sequence(self.order.currentData()) if self.review else ()

    def go(self, step: int) -> None:
        """Go to the next object, or with -1 to the one before."""
        if self.review is not None and self.current is not None:
            self.review.seen.add(self.current)
        self.show_object(neighbour(self.sequence(), self.current, step))

    def show_object(self, number: int | None) -> None:
        """Bring an object into view."""
        self.current = number
        if number is not None and self.review is not None:
            world = self.layer.data_to_world(self.review.place(number))
            self.viewer.dims.set_point(self.viewer.dims.ndim - 3, float(world[0]))
            self.viewer.scene.camera.center = tuple(float(at) for at in world)
            self.viewer.layers.selection.active = self.layer
            self.layer.selected_label = number
        self._show()

    def delete(self) -> None:
        """Delete the object and go to the next."""
        way, old = self.sequence(), self.current
        following = neighbour(way, old, 1)
        self._edit(lambda review, number: review.delete(number))
        if self.review is not None and old is not None and old not in self.review:
            self.show_object(following if following != old else None)

    def merge(self) -> None:
        """Merge into the object whatever is picked next."""
        if self.layer is not None and self.current is not None:
            self.layer.mode = "pick"
            self._say(f"Click what belongs to object {self.current}.")

    def relabel(self) -> None:
        """Give the object the number that stands in the field."""
        new = self.number.value()
        if self.review is not None and new in self.review:
            self._complain(f"Object {new} is there already: merge them, or take another number.")
        elif self._edit(lambda review, number: review.relabel(number, new)):
            self.show_object(new)

    def split(self) -> None:
        """Ask for markers; called again, part the object at them."""
        if self._markers is None:
            if self.current is not None:
                self._ask_markers()
            return
        layer, self._markers = self._markers, None
        places = tuple(self._voxel(layer.data_to_world(place)) for place in layer.data)
        if layer in self.viewer.layers:
            self.viewer.layers.remove(layer)
        self.split_button.setText("Split…")
        if self._edit(lambda review, number: review.split(number, places)):
            self.show_object(self.current)

    def undo(self) -> None:
        """Take the last edit back."""
        self._step_back(lambda review: review.undo())

    def redo(self) -> None:
        """Do again what was taken back."""
        self._step_back(lambda review: review.redo())

    def save(self) -> None:
        """Save a copy beside what was opened, in a thread."""
        self._saves.stop()
        layer, review = self.layer, self.review
        named = layer.metadata.get(LAYER_PATH) if layer is not None else None
        if named is None or review is None:
            return
        path, words = edited_path(Path(named)), tuple(review.words)
        provenance, edges = dict(layer.metadata.get("provenance", {})), voxel_um(layer)

        def work() -> Path:
            return save_edited(
                review.labels, path, provenance=provenance, voxel_um=edges, edits=words
            )

        self._backstage.thread.submit(work).add_done_callback(lambda done: _emit(self._kept, done))

    # ---- what it is made of -----------------------------------------------------------

    def _make(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(2 * GAP_PX)
        column.addWidget(
            label("Goes from object to object; what is wrong is put right.", wrap=True)
        )
        self.choice, self.order = Choice(), Choice()
        for value, words in _ORDERS.items():
            self.order.addItem(words, value)
        grid = QGridLayout()
        grid.setVerticalSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        for row, (text, widget) in enumerate((("Labels", self.choice), ("Order", self.order))):
            grid.addWidget(name_label(text, widget), row, 0)
            grid.addWidget(widget, row, 1)
        column.addLayout(grid)
        self.about = label("", wrap=True)
        column.addWidget(self.about)
        self.back, self.forth = QPushButton("Previous"), QPushButton("Next")
        column.addLayout(_row(self.back, self.forth))
        self.delete_button, self.merge_button = QPushButton("Delete"), QPushButton("Merge…")
        self.split_button = QPushButton("Split…")
        self.merge_button.setToolTip("Click another object, which then belongs to this one")
        self.split_button.setToolTip("Set a marker in each part, then part the object at its waist")
        column.addLayout(_row(self.delete_button, self.merge_button, self.split_button))
        self.number, self.relabel_button = Whole(), QPushButton("Relabel")
        self.number.setRange(1, 65_535)
        column.addLayout(_row(name_label("Number", self.number), self.number, self.relabel_button))
        self.undo_button, self.redo_button = QPushButton("Undo"), QPushButton("Redo")
        column.addLayout(_row(self.undo_button, self.redo_button))
        self.status, self.wrong = label("", wrap=True), label("", wrap=True)
        colour_wrong(self.wrong, str(self.viewer.theme))
        column.addWidget(self.status)
        column.addWidget(self.wrong)
        column.addStretch(1)

    def _connect(self) -> None:
        for button, act in (
            (self.back, lambda: self.go(-1)), (self.forth, lambda: self.go(1)),
            (self.delete_button, self.delete), (self.merge_button, self.merge),
            (self.split_button, self.split), (self.relabel_button, self.relabel),
            (self.undo_button, self.undo), (self.redo_button, self.redo),
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, act=act: act())
        self.choice.currentIndexChanged.connect(
            lambda _: self._watch(bare(self.choice.currentData()))
        )
        self.order.currentIndexChanged.connect(lambda _: self._show())
        self._found.connect(self._take)
        self._kept.connect(self._tell)
        events = self.viewer.layers.events
        for name in ("inserted", "removed", "reordered"):
            self._backstage.ears.listen(getattr(events, name), self._refresh)
        self._say("")
        self._complain("")
        self._refresh()

    # ---- what happens -----------------------------------------------------------------

    def _refresh(self, _: object = None) -> None:
        kept = self.layer
        layers = [
            bare(x) for x in reversed(self.viewer.layers)
            if fits(x, _LABELS) and x.ndim == 3 and type(x.data) is np.ndarray
        ]  # fmt: skip
        self.choice.blockSignals(True)
        self.choice.clear()
        for layer in layers:
            self.choice.addItem(layer.name, layer)
        self.choice.setCurrentIndex(max(0, place_of(layers, kept)) if layers else -1)
        self.choice.blockSignals(False)
        self._chosen()

    def _chosen(self, _: int = 0) -> None:
        self._watch(bare(self.choice.currentData()))

    def _watch(self, layer: Any) -> None:
        if layer is self.layer and layer is not None:
            return
        if self._saves.isActive():
            self.save()
        self.layer, self.current, self.review = layer, None, None
        if layer is None:
            self._say("Open labels that are held in memory: a layer of at most 256 MB.")
            self._show()
            return
        self._say("Looks for objects…")
        self._show()
        self._backstage.ears.listen(layer.events.selected_label, self._picked)

        def work() -> tuple[Any, Review]:
            return layer, Review(layer.data)

        self._backstage.thread.submit(work).add_done_callback(lambda done: _emit(self._found, done))

    def _take(self, done: Future[Any]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._say("")
            self._complain(error.sentence if isinstance(error, AlsctError) else str(error))
            return
        layer, review = done.result()
        if layer is self.layer:
            self.review = review
            self.number.setRange(1, min(int(np.iinfo(layer.data.dtype).max), 2**31 - 1))
            self._say("")
            self.show_object(next(iter(self.sequence()), None))

    def _picked(self, _: object = None) -> None:
        """Another label was chosen: by a click while merging, or by napari's own pick."""
        layer = self.layer
        if layer is None or layer.mode != "pick" or layer.selected_label == self.current:
            return
        picked = int(layer.selected_label)
        layer.mode = "pan_zoom"
        if self.review is None or picked not in self.review:
            self._say("Nothing was merged: there is no object.")
        elif self._edit(lambda review, number: review.merge(number, picked)):
            self.show_object(self.current)

    def _ask_markers(self) -> None:
        layer = self.layer
        active = self.viewer.layers.selection.active
        self._markers = self.viewer.add_points(
            ndim=3, name=_MARKERS, scale=layer.scale, translate=layer.translate,
            units=layer.units, axis_labels=layer.axis_labels, size=6, face_color="#ffd400",
            metadata={OWN: True},
        )  # fmt: skip
        self._markers.mode = "add"
        if active is not None:
            self.viewer.layers.selection.active = self._markers
        self.split_button.setText("Part it here")
        self._say("Click into each part, then part the object.")

    def _voxel(self, world: Any) -> Place:
        z, y, x = (round(float(at)) for at in self.layer.world_to_data(world))
        return z, y, x

    def _edit(self, work: Callable[[Review, int], None]) -> bool:
        """Edit the current object; says what was wrong, and whether it was done."""
        if self.review is None or self.current is None:
            return False
        try:
            work(self.review, self.current)
        except RecipeError as error:
            self._complain(error.sentence)
            return False
        self._changed()
        return True

    def _step_back(self, move: Callable[[Review], Patch | None]) -> None:
        if self.review is None:
            return
        if move(self.review) is None:
            self._complain("The labels were painted on meanwhile: nothing was taken back.")
            self._show()
            return
        self._changed()
        there = self.current in self.review
        self.show_object(self.current if there else next(iter(self.sequence()), None))

    def _changed(self) -> None:
        self._complain("")
        self.layer.refresh()
        if self.review is not None:
            self._say(f"Done: {self.review.words[-1]}.")
        if LAYER_PATH in self.layer.metadata:
            self._saves.start()
        self._show()

    def _show(self) -> None:
        way, review, number = self.sequence(), self.review, self.current
        there = review is not None and number is not None and number in review
        if review is not None and number is not None and there:
            self.about.setText(
                f"Object {number}: {way.index(number) + 1:,} of {len(way):,}, "
                f"{review.size(number):,} voxels. {len(review.seen & set(way)):,} seen."
            )
            self.number.setValue(number)
        else:
            self.about.setText(f"{len(way):,} objects." if way else "No objects.")
        for button in (
            self.delete_button, self.merge_button, self.split_button, self.relabel_button,
        ):  # fmt: skip
            button.setEnabled(there)
        for button in (self.back, self.forth):
            button.setEnabled(bool(way))
        for button, words in (
            (self.undo_button, review.history.undo_words if review else ""),
            (self.redo_button, review.history.redo_words if review else ""),
        ):
            button.setEnabled(bool(words))
            button.setToolTip(f"{button.text()}: {words}" if words else "")

    def _tell(self, done: Future[Path]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._complain(error.sentence if isinstance(error, AlsctError) else str(error))
            return
        self._say(f"Kept in {done.result().name}.")
        self.saved.emit(str(done.result()))

    def _say(self, words: str) -> None:
        self.status.setText(words)
        self.status.setVisible(bool(words))

    def _complain(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GAP_PX)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row


def _emit(signal: Any, value: Any) -> None:
    try:
        signal.emit(value)
    except RuntimeError:
        return  # the widget has gone meanwhile
