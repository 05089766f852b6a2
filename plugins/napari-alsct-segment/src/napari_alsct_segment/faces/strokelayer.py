"""The layer that strokes are painted into: made, watched, and saved by itself."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from alsct_gui.face.peek import slice_of
from alsct_gui.face.sources import file_of, finest
from alsct_gui.face.work import Backstage, Ears
from alsct_gui.model.errors import AlsctError
from napari_alsct_segment.classifier.marks import Marks
from napari_alsct_segment.classifier.samples import Scribbles
from napari_alsct_segment.classifier.strokes import Keeper, load_strokes, strokes_path
from napari_alsct_segment.faces.layers import bare

NAME = "Strokes"
SAVE_MS = 2000
"""From the last stroke to saving."""
_LOOK_MS = 250
_BRUSH_PX = 6


class StrokeLayer(QObject):
    """Watches a labels layer: which voxels are marked, and that they are not lost.

    Parameters
    ----------
    viewer
        A napari viewer.
    backstage
        Where the thread lives.
    """

    changed = Signal()
    """Other voxels are marked than before."""
    said = Signal(str)
    """Whether they are saved, for people."""
    failed = Signal(str)
    _looked = Signal(object)
    _flushed = Signal(object)

    def __init__(self, viewer: Any, backstage: Backstage, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._backstage = viewer, backstage
        self.layer: Any = None
        self.scribbles = _none()
        self.keeper, self.ears = Keeper(), Ears()
        self._marks: Marks | None = None
        self._path: Path | None = None
        self._looks, self._saves = _timer(self, _LOOK_MS), _timer(self, SAVE_MS)
        self._looks.timeout.connect(self._look_around)
        self._saves.timeout.connect(self.save)
        self._looked.connect(self._take)
        self._flushed.connect(self._tell)

    def make(self, image: Any) -> Any:
        """Add a layer to paint on, over an image layer; earlier strokes come back."""
        shape = tuple(finest(image).shape)
        data = np.zeros(shape, np.uint8)
        path = _home(image)
        if path is not None and path.exists():
            try:
                found = load_strokes(path, shape if len(shape) == 3 else (1, *shape))
            except AlsctError as error:
                self.failed.emit(error.sentence)
            else:
                places = found.places if len(shape) == 3 else found.places[:, 1:]
                data[tuple(places.T)] = found.values
        layer = bare(self._viewer.add_labels(
            data, name=NAME, scale=image.scale, translate=image.translate, units=image.units,
            axis_labels=image.axis_labels,
        ))  # fmt: skip
        layer.brush_size = _BRUSH_PX
        return layer

    def watch(self, layer: Any, image: Any) -> None:
        """Watch another layer; None watches nothing."""
        self._path = _home(image)
        if layer is self.layer:
            return
        self.save()
        self.ears.close()
        self.layer, self._marks, self.scribbles = layer, None, _none()
        if layer is not None:
            self._marks = Marks(np.asarray(layer.data))
            self.ears.listen(layer.events.paint, self._painted)
            self.ears.listen(layer.events.set_data, self._drawn)
            self._look(range(1 if layer.ndim == 2 else layer.data.shape[0]))
        self.changed.emit()

    def paint(self, label: int) -> None:
        """Let a person paint a phase."""
        if self.layer is not None:
            self._viewer.layers.selection.active = self.layer
            self.layer.selected_label = label
            self.layer.mode = "paint"

    def save(self) -> None:
        """Save the strokes beside the volume, in the backstage's thread."""
        self._saves.stop()
        self._backstage.thread.submit(self.keeper.flush).add_done_callback(
            lambda done: _emit(self._flushed, done)
        )

    def _painted(self, event: Any) -> None:
        touched: set[int] = set()
        for atom in event.value:
            if isinstance(atom, tuple) and self.layer.ndim == 3:
                touched.update(int(index) for index in np.unique(np.asarray(atom[0][0])))
        self._look(touched or {self._here()})

    def _drawn(self, _: object = None) -> None:
        """Undo, redo and the fill tool tell of themselves by drawing the slice anew."""
        self._looks.start()

    def _look_around(self) -> None:
        self._look({self._here()})

    def _here(self) -> int:
        return slice_of(self.layer, self._viewer) if self.layer is not None else 0

    def _look(self, slices: Iterable[int]) -> None:
        marks, chosen = self._marks, list(slices)
        if marks is None:
            return

        def work() -> tuple[Marks, Scribbles] | None:
            return (marks, marks.scribbles()) if marks.look(chosen) else None

        def done(future: Future[Any]) -> None:
            if not future.cancelled() and future.exception() is None and future.result():
                _emit(self._looked, future.result())

        self._backstage.thread.submit(work).add_done_callback(done)

    def _take(self, found: tuple[Marks, Scribbles]) -> None:
        marks, scribbles = found
        if marks is not self._marks:
            return
        self.scribbles = scribbles
        if self._path is not None:
            shape = self.layer.data.shape
            whole = tuple(int(size) for size in (shape if len(shape) == 3 else (1, *shape)))
            self.keeper.put(scribbles, self._path, whole)
            self._saves.start()
        self.changed.emit()

    def _tell(self, done: Future[bool]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self.failed.emit(error.sentence if isinstance(error, AlsctError) else str(error))
        elif done.result() and self._path is not None:
            self.said.emit(f"Strokes are kept in {self._path.name}.")


def _emit(signal: Any, value: Any) -> None:
    try:
        signal.emit(value)
    except RuntimeError:
        return  # the widget has gone meanwhile


def _none() -> Scribbles:
    return Scribbles(np.empty((0, 3), np.int64), np.empty(0, np.int64))


def _home(image: Any) -> Path | None:
    """Where strokes on an image layer are kept; None when it lies on no disk."""
    source = file_of(image) if image is not None else None
    return None if source is None else strokes_path(source)


def _timer(parent: QObject, interval_ms: int) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    return timer
