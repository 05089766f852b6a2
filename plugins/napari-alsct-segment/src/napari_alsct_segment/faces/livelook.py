"""What the classifier makes of the slice one looks at, while one scribbles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from alsct_gui.face.peek import slice_of
from alsct_gui.face.sources import OWN
from alsct_gui.face.work import Backstage, Files
from alsct_gui.model.errors import AlsctError, CancelledError
from napari_alsct_segment.classifier.studio import Lookout, Studio, View
from napari_alsct_segment.faces.layers import bare, place_of

PAUSE_MS = 150
"""How long nothing must change before a slice is made."""
Shown = Literal["phases", "doubt"]
_SPOT_PX = 15
_NAMES = {"phases": "Phases: preview", "doubt": "Uncertainty: preview", "spots": "Scribble here"}


class LiveLook(QObject):
    """Asks the studio and shows its answers; only the newest question is answered.

    Parameters
    ----------
    viewer
        A napari viewer.
    backstage
        Where the files of layers live.
    studio
        The process.
    wanted
        Returns what is asked for a volume's file and a slice.
    image
        Returns the image layer; None when there is none.
    """

    said = Signal(str)
    failed = Signal(str)
    seen = Signal(object)
    """A `View` was shown."""
    _came = Signal(object)

    def __init__(
        self, viewer: Any, backstage: Backstage, studio: Studio,
        wanted: Callable[[Path, int], Lookout], image: Callable[[], Any], parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._viewer, self._studio = viewer, studio
        self._wanted, self._image = wanted, image
        self._files = Files(backstage, self)
        self._number = 0
        self._on = False
        self._shown: Shown = "phases"
        self._view: tuple[View, Any] | None = None
        self._layers: dict[str, Any] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self._came.connect(self._take)
        backstage.ears.listen(viewer.dims.events.current_step, self.renew)

    @property
    def view(self) -> View | None:
        """What is shown; None for nothing."""
        return self._view[0] if self._view is not None else None

    def switch(self, on: bool) -> None:
        """Begin or end looking."""
        self._on = on
        if on:
            self.renew()
        else:
            self.clear()

    def show(self, what: Shown) -> None:
        """Show the phases, or where the model is torn."""
        self._shown = what
        if self._view is not None:
            self._lay_out(*self._view)

    def renew(self, _: object = None) -> None:
        """Something has changed: look again soon."""
        if self._on:
            self._timer.start()

    def clear(self) -> None:
        """Take the layers away, and let no late answer come."""
        self._timer.stop()
        self._number += 1
        self._view = None
        for name in list(self._layers):
            self._remove(name)
        self.said.emit("")

    def _ask(self) -> None:
        image = self._image()
        if image is None:
            self.clear()
            return
        self._number += 1
        number = self._number
        self._files.of({"volume": image}, lambda found: self._ask_studio(number, image, found))

    def _ask_studio(self, number: int, image: Any, found: Mapping[str, Path] | AlsctError) -> None:
        if number != self._number:
            return
        if isinstance(found, AlsctError):
            self.failed.emit(found.sentence)
            return
        asked = self._wanted(found["volume"], slice_of(image, self._viewer))
        if asked.too_early:
            # The slice is made ready while the first strokes are painted.
            self.clear()
            number = self._number
            self.said.emit("getting ready…")
        else:
            self.said.emit("looking…")

        def came(done: Future[Any]) -> None:
            try:
                self._came.emit((number, image, done))
            except RuntimeError:
                return  # the widget has gone meanwhile

        ask = self._studio.prepare if asked.too_early else self._studio.look
        ask(asked).add_done_callback(came)

    def _take(self, answer: Any) -> None:
        number, image, done = answer
        if number != self._number or done.cancelled() or not self._is_there(image):
            return
        error = done.exception()
        if isinstance(error, CancelledError):
            return
        if error is not None:
            self.said.emit("")
            self.failed.emit(error.sentence if isinstance(error, AlsctError) else str(error))
            return
        view = done.result()
        if view is None:
            self.said.emit("ready")
            return
        self._view = view, image
        self._lay_out(view, image)
        self.said.emit(f"slice {view.index}, {view.seconds:.1f} s")
        self.seen.emit(view)

    def _lay_out(self, view: View, image: Any) -> None:
        active = self._viewer.layers.selection.active
        self._remove("doubt" if self._shown == "phases" else "phases")
        picture = view.labels if self._shown == "phases" else view.doubt
        self._lay(self._shown, picture if image.ndim == 2 else picture[None], view, image)
        self._lay_spots(view, image)
        place = place_of(self._viewer.layers, active)
        if place >= 0:
            # What is painted on stays on top and selected.
            self._viewer.layers.move(place, len(self._viewer.layers))
            self._viewer.layers.selection.active = bare(active)

    def _lay(self, name: Shown, data: Any, view: View, image: Any) -> None:
        place = _place(view, image)
        layer = self._layers.get(name)
        if layer is not None and self._is_there(layer) and layer.data.shape == data.shape:
            layer.data = data
            layer.translate = place
            return
        options = {
            "name": _NAMES[name], "scale": image.scale, "translate": place,
            "units": image.units, "axis_labels": image.axis_labels, "metadata": {OWN: True},
        }  # fmt: skip
        if name == "phases":
            made = self._viewer.add_labels(data, opacity=0.35, **options)
        else:
            made = self._viewer.add_image(
                data, contrast_limits=(0.0, 1.0), colormap="magma", opacity=0.7, **options
            )
        self._layers[name] = bare(made)

    def _lay_spots(self, view: View, image: Any) -> None:
        self._remove("spots")
        if not view.spots:
            return
        flat = image.ndim == 2
        places = [[spot.y, spot.x] if flat else [0, spot.y, spot.x] for spot in view.spots]
        made = self._viewer.add_points(
            np.array(places, float), name=_NAMES["spots"], scale=image.scale,
            translate=_place(view, image), units=image.units, axis_labels=image.axis_labels,
            size=2 * _SPOT_PX, symbol="disc", face_color="transparent", border_color="#ffd400",
            border_width=0.06, metadata={OWN: True},
        )  # fmt: skip
        self._layers["spots"] = bare(made)

    def _is_there(self, layer: Any) -> bool:
        return place_of(self._viewer.layers, layer) >= 0

    def _remove(self, name: str) -> None:
        layer = self._layers.pop(name, None)
        if layer is not None and self._is_there(layer):
            self._viewer.layers.remove(layer)


def _place(view: View, image: Any) -> Any:
    """Where a slice lies: over the slice that it is of."""
    place = np.array(image.translate, float)
    if image.ndim == 3:
        place[0] += view.index * image.scale[0]
    return place
