"""The live preview: one slice of what the step would make, laid over the slice it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from alsct_gui.face.later import Later
from alsct_gui.face.sources import OWN, finest
from alsct_gui.face.work import Backstage, Files
from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.steps.desk import SlicePreview
from alsct_gui.steps.step import Step

PAUSE_MS = 150
"""How long nothing must change before a slice is made."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is to be seen."""

    parameters: Any
    layers: Mapping[str, Any]
    """Layers by the names of the step's inputs; at least one."""
    paths: Mapping[str, Path]
    """Inputs that are files."""

    @property
    def main(self) -> Any:
        """The layer that it is laid over."""
        return next(iter(self.layers.values()))


class Peek(QObject):
    """Makes and shows previews while it is on; only the newest question is answered.

    Parameters
    ----------
    step
        Whose preview.
    viewer
        A napari viewer.
    backstage
        Where the process lives.
    wanted
        Says what is to be seen; None when an input is missing.
    """

    said = Signal(str)
    """What it is doing, for people."""
    failed = Signal(str)
    """Why there is no preview; a sentence."""

    def __init__(
        self, step: Step[Any], viewer: Any, backstage: Backstage,
        wanted: Callable[[], Wanted | None], parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._step, self._viewer, self._backstage = step, viewer, backstage
        self._wanted = wanted
        self._files, self._later = Files(backstage, self), Later(self)
        self._number = 0
        self._layers: dict[str, Any] = {}
        self._on, self._made = False, False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        backstage.ears.listen(viewer.dims.events.current_step, self.renew)

    @property
    def on(self) -> bool:
        """Whether there is to be a preview."""
        return self._on

    def switch(self, on: bool) -> None:
        """Begin or end showing previews."""
        self._on = on
        if on:
            self.renew()
        else:
            self.clear()

    def renew(self, _: object = None) -> None:
        """Something has changed: make another slice soon."""
        if self._on:
            self._timer.start()

    def clear(self) -> None:
        """Take the previews away, and let no late one come."""
        self._timer.stop()
        self._number += 1
        for layer in self._layers.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers.clear()
        self.said.emit("")

    def _ask(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            self.clear()
            return
        self._number += 1
        number = self._number
        self.said.emit("making a slice…" if self._made else "making the first slice…")
        self._files.of(wanted.layers, lambda found: self._ask_desk(number, wanted, found))

    def _ask_desk(self, number: int, wanted: Wanted, found: dict[str, Path] | AlsctError) -> None:
        if number != self._number:
            return
        if isinstance(found, AlsctError):
            self.failed.emit(found.sentence)
            return
        index, began_s = slice_of(wanted.main, self._viewer), monotonic()
        future = self._backstage.desk.preview(
            self._step, wanted.parameters, {**found, **wanted.paths}, index
        )

        self._later.when(
            future, lambda done: self._show(number, wanted.main, monotonic() - began_s, done)
        )

    def _show(self, number: int, main: Any, seconds: float, done: Future[SlicePreview]) -> None:
        if number != self._number or main not in self._viewer.layers:
            return  # a newer question was asked meanwhile
        error = done.exception()
        if isinstance(error, CancelledError):
            return
        if error is not None:
            words = error.sentence if isinstance(error, AlsctError) else str(error)
            self.failed.emit(words)
            return
        preview: SlicePreview = done.result()
        self._made = True
        for name, image in preview.slices.items():
            self._lay(name, image, preview.index, main)
        self.said.emit(f"slice {preview.index}, {seconds:.1f} s")

    def _lay(self, name: str, image: Any, index: int, main: Any) -> None:
        """Put a slice where it belongs: over the slice that it is of."""
        port = self._step.output(name)
        flat = main.ndim == 2
        data = image if flat else image[None]
        place = np.array(main.translate, float)
        if not flat:
            place[0] += index * main.scale[0]
        layer = self._layers.get(name)
        if layer is not None and layer in self._viewer.layers and layer.data.shape == data.shape:
            layer.data = data
            layer.translate = place
            return
        options = {
            "name": f"{port.title}: preview", "scale": main.scale, "translate": place,
            "units": main.units, "axis_labels": main.axis_labels, "metadata": {OWN: True},
        }  # fmt: skip
        active = self._viewer.layers.selection.active
        if port.kind == "labels":
            whole = data.astype(np.uint8) if data.dtype.kind == "b" else data
            layer = self._viewer.add_labels(whole, **options)
        else:
            layer = self._viewer.add_image(data, **options, **_greys(image, main))
        self._layers[name] = layer
        # What a person works on stays selected.
        self._viewer.layers.selection.active = active


def slice_of(layer: Any, viewer: Any) -> int:
    """Return the slice of a layer that the viewer stands at."""
    if layer.ndim == 2:
        return 0
    at = layer.world_to_data(viewer.dims.point)[-3]
    return int(np.clip(round(float(at)), 0, finest(layer).shape[0] - 1))


def _greys(image: Any, main: Any) -> dict[str, Any]:
    """The layer's own greys when the values are of the same kind, else those of the picture."""
    low, high = (float(value) for value in np.nanpercentile(image, (0.5, 99.5)))
    mine = tuple(float(value) for value in main.contrast_limits)
    same = image.dtype.kind == "f" and low < mine[1] and high > mine[0]
    if not same:
        return {"contrast_limits": (low, high) if low < high else (low, low + 1.0)}
    return {"contrast_limits": mine, "colormap": main.colormap}
