"""Which layer is learnt from, and which one the strokes are painted into."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QWidget

from alsct_gui.face.parts import GAP_PX, Choice, name_label
from alsct_gui.face.sources import finest, fits
from alsct_gui.face.work import Ears
from alsct_gui.steps.step import Port
from napari_alsct_segment.faces.layers import bare, place_of

_VOLUME, _STROKES = Port("volume", "volume", "Volume"), Port("labels", "labels", "Strokes")


class StrokeInputs(QWidget):
    """A volume to choose, a layer of strokes of its shape, and a button for a new one.

    Parameters
    ----------
    viewer
        A napari viewer.
    ears
        Listens to it.
    """

    changed = Signal()
    wanted = Signal()
    """A new layer of strokes is wanted."""

    def __init__(self, viewer: Any, ears: Ears) -> None:
        super().__init__()
        self._viewer = viewer
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_PX)
        grid.setVerticalSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        self.volumes, self.marks, self.new = Choice(), Choice(), QPushButton("New")
        self.new.setToolTip("A layer to paint strokes into, over the volume")
        grid.addWidget(name_label(_VOLUME.title, self.volumes), 0, 0)
        grid.addWidget(self.volumes, 0, 1, 1, 2)
        grid.addWidget(name_label(_STROKES.title, self.marks), 1, 0)
        grid.addWidget(self.marks, 1, 1)
        grid.addWidget(self.new, 1, 2)
        self.volumes.currentIndexChanged.connect(self.refresh)
        self.marks.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.new.clicked.connect(lambda _=False: self.wanted.emit())
        for name in ("inserted", "removed", "reordered"):
            ears.listen(getattr(viewer.layers.events, name), self.refresh)
        self.refresh()

    def image(self) -> Any:
        """Return the layer that is learnt from; None when there is none."""
        return bare(self.volumes.currentData())

    def strokes(self) -> Any:
        """Return the layer of strokes; None when there is none."""
        return bare(self.marks.currentData())

    def choose(self, strokes: Any) -> None:
        """Take a layer of strokes."""
        self.refresh()
        place = _place(self.marks, strokes)
        self.marks.setCurrentIndex(place)

    def refresh(self, _: object = None) -> None:
        """Offer the layers that there are now."""
        before = self.image(), self.strokes()
        _fill(self.volumes, [x for x in reversed(self._viewer.layers) if fits(x, _VOLUME)])
        image = self.image()
        shape = tuple(finest(image).shape) if image is not None else ()
        fitting = [
            x for x in reversed(self._viewer.layers)
            if fits(x, _STROKES) and tuple(x.data.shape) == shape
        ]  # fmt: skip
        _fill(self.marks, fitting)
        self.new.setEnabled(image is not None)
        if before[0] is not self.image() or before[1] is not self.strokes():
            self.changed.emit()


def _fill(choice: Choice, layers: list[Any]) -> None:
    kept = choice.currentData()
    with QSignalBlocker(choice):
        choice.clear()
        for layer in layers:
            choice.addItem(layer.name, layer)
        choice.setCurrentIndex(max(0, _place(choice, kept)) if layers else -1)


def _place(choice: Choice, layer: Any) -> int:
    """Index of a layer among the choices; -1 for none."""
    return place_of((choice.itemData(k) for k in range(choice.count())), layer)
