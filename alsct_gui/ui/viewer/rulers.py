"""Lines, circles and rectangles laid over the picture, and colours over odd values.

They are layers of napari beside those of the modes; they lie where the picture lies, however
it is binned or scaled. Dragging is done here and not by napari's modes for shapes: those hold
only while their layer is the active one, and would let a rectangle be turned or deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.ui.look.figures import Figure, Grip, Kind, Place, dragged, first_figure, grip_at
from alsct_gui.ui.theme.tokens import DARK
from alsct_gui.ui.viewer.host import NapariHost
from alsct_gui.ui.viewer.lie import lie_of

REACH_PX = 9.0
"""How far beside a handle the mouse may be."""
_WIDTH_PX = 1.6
_HANDLE_PX = 4.0


class Ruler:
    """One figure in a Shapes layer named “Measure”, which the mouse drags.

    Parameters
    ----------
    host
        The viewer, open before the first figure is shown.
    on_change
        Called when a person has dragged the figure.
    on_removed
        Called when a person has removed its layer.
    """

    def __init__(
        self, host: NapariHost, on_change: Callable[[], object], on_removed: Callable[[], object]
    ) -> None:
        self._host, self._on_change, self._on_removed = host, on_change, on_removed
        self._layer: Any = None
        self._image: NDArray[Any] | None = None
        self.figure: Figure | None = None

    @property
    def layer(self) -> Any:
        """The Shapes layer; None while nothing is laid over the picture."""
        return self._layer

    def show(self, kind: Kind, image: NDArray[Any]) -> None:
        """Lay a figure over the middle of what is seen."""
        self._image = image
        self.figure = first_figure(kind, *self._seen(image))
        if self._layer is None:
            self._make()
        self._draw()

    def follow(self, image: NDArray[Any] | None) -> None:
        """Lie over another picture; nothing hides the figure until there is one again."""
        self._image = image
        if self._layer is None:
            return
        if image is not None:
            self._take_units(image)
        self._layer.visible = image is not None

    def put(self, figure: Figure) -> None:
        """Lay it elsewhere, as if a person had dragged it."""
        self.figure = figure
        self._draw()
        self._on_change()

    def hide(self) -> None:
        """Take it away."""
        layer, self._layer, self.figure = self._layer, None, None
        if layer is None:
            return
        viewer = self._host.viewer
        viewer.mouse_drag_callbacks.remove(self._drag)
        viewer.scene.camera.events.zoom.disconnect(self._draw)
        viewer.layers.events.removed.disconnect(self._removed)
        if layer in viewer.layers:
            viewer.layers.remove(layer)

    def in_pixels(self, image: NDArray[Any]) -> tuple[Place, Place] | None:
        """Return the figure's two places in pixels (row, column) of a picture."""
        lie = lie_of(self._host, image)
        if self.figure is None or lie is None:
            return None
        return lie.to_pixel(self.figure.first), lie.to_pixel(self.figure.second)

    # -- layer -------------------------------------------------------------------------

    def _make(self) -> None:
        from napari.layers import Shapes

        viewer = self._host.viewer
        before = set(viewer.layers.selection)
        self._layer = Shapes(ndim=2, name="Measure", opacity=1.0)
        if self._image is not None:
            self._take_units(self._image)
        viewer.add_layer(self._layer)
        self._layer.mode = "pan_zoom"
        self._layer.editable = False
        viewer.layers.selection = before
        # Before the modes': what is over the picture is taken hold of first.
        viewer.mouse_drag_callbacks.insert(0, self._drag)
        viewer.scene.camera.events.zoom.connect(self._draw)
        viewer.layers.events.removed.connect(self._removed)

    def _removed(self, event: Any) -> None:
        if event.value is self._layer:
            self.hide()
            self._on_removed()

    def _take_units(self, image: NDArray[Any]) -> None:
        # napari draws none of its layers when their units differ.
        lie = lie_of(self._host, image)
        if lie is not None and self._layer is not None:
            self._layer.units = lie.units

    def _draw(self, _event: object = None) -> None:
        """Draw the figure, lines and handles as wide on the screen as ever."""
        if self.figure is None or self._layer is None:
            return
        pixel = 1 / self._host.viewer.scene.camera.zoom
        shapes = _shapes_of(self.figure)
        handles = [_box(place, _HANDLE_PX * pixel) for place in self.figure.handles]
        data = [*shapes, *((box, "rectangle") for box in handles)]
        layer = self._layer
        layer.data = []
        clear = np.zeros(4)
        layer.add(
            [points for points, _ in data],
            shape_type=[kind for _, kind in data],
            edge_width=_WIDTH_PX * pixel,
            edge_color=DARK.accent,
            face_color=[clear] * len(shapes) + [DARK.text] * len(handles),
        )
        layer.selected_data = set()

    def _seen(self, image: NDArray[Any]) -> tuple[Place, Place]:
        """Corners of the part of the picture that is in the window, in the world."""
        lie, camera = lie_of(self._host, image), self._host.viewer.scene.camera
        rows, columns = image.shape
        corners = np.array([[-0.5, -0.5], [rows - 0.5, columns - 0.5]])
        if lie is not None:
            corners = np.array([lie.to_world((row, column)) for row, column in corners])
        widget = self._host.canvas
        half = np.array([widget.height(), widget.width()]) / 2 / camera.zoom
        center = np.array(camera.center[-2:])
        low, high = np.maximum(corners[0], center - half), np.minimum(corners[1], center + half)
        if (high <= low).any():
            low, high = corners
        return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))

    # -- mouse -------------------------------------------------------------------------

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if self.figure is None or viewer.dims.ndisplay != 2 or event.button != 1:
            return
        if not self._layer.visible:
            return
        grip = grip_at(self.figure, _place(event), REACH_PX / viewer.scene.camera.zoom)
        if grip is None:
            return
        event.handled = True
        begun, pans = self.figure, viewer.scene.camera.mouse_pan
        viewer.scene.camera.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                self._drag_to(begun, grip, _place(event))
                event.handled = True
                yield
        finally:
            viewer.scene.camera.mouse_pan = pans

    def _drag_to(self, begun: Figure, grip: Grip, to: Place) -> None:
        self.put(dragged(begun, grip, to))


class Marks:
    """Colours over single pixels of the picture, in a Labels layer.

    Parameters
    ----------
    host
        The viewer.
    name
        Of the layer.
    colors
        Colour of each label.
    """

    def __init__(self, host: NapariHost, name: str, colors: Mapping[int, str]) -> None:
        self._host, self._name, self._colors = host, name, colors
        self._layer: Any = None

    @property
    def layer(self) -> Any:
        """The Labels layer; None while nothing is marked."""
        return self._layer

    def show(self, labels: NDArray[np.uint8], image: NDArray[Any]) -> None:
        """Mark pixels of a picture; labels have its shape."""
        lie = lie_of(self._host, image)
        if lie is None:
            self.hide()
            return
        place: dict[str, Any] = {
            "scale": lie.scale, "translate": lie.corner, "units": lie.units
        }  # fmt: skip
        if self._layer is None:
            self._make(labels, place)
            return
        self._layer.data = labels
        for name, value in place.items():
            setattr(self._layer, name, value)
        self._layer.visible = True

    def hide(self) -> None:
        """Take the marks away."""
        layer, self._layer = self._layer, None
        if layer is not None:
            viewer = self._host.viewer
            viewer.layers.events.removed.disconnect(self._removed)
            if layer in viewer.layers:
                viewer.layers.remove(layer)

    def _make(self, labels: NDArray[np.uint8], place: dict[str, Any]) -> None:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        viewer = self._host.viewer
        before = set(viewer.layers.selection)
        colors: dict[int | None, str] = {None: "transparent", 0: "transparent"}
        colors.update(self._colors.items())
        self._layer = Labels(
            labels, name=self._name, opacity=0.9, colormap=DirectLabelColormap(color_dict=colors),
            **place,
        )  # fmt: skip
        viewer.add_layer(self._layer)
        viewer.layers.selection = before
        viewer.layers.events.removed.connect(self._removed)

    def _removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._layer = None


def _place(event: Any) -> Place:
    rows, columns = event.dims_displayed[-2:]
    return float(event.position[rows]), float(event.position[columns])


def _box(place: Place, half: float) -> NDArray[np.float64]:
    down, across = place
    return np.array([[down - half, across - half], [down - half, across + half],
                     [down + half, across + half], [down + half, across - half]])  # fmt: skip


def _shapes_of(figure: Figure) -> list[tuple[NDArray[np.float64], str]]:
    line = np.array([figure.first, figure.second], np.float64)
    if figure.kind is Kind.LINE:
        return [(line, "line")]
    if figure.kind is Kind.RADIAL:
        return [(_box(figure.first, figure.radius), "ellipse"), (line, "line")]
    (top, left), (bottom, right) = figure.first, figure.second
    corners = [[top, left], [top, right], [bottom, right], [bottom, left]]
    return [(np.array(corners, np.float64), "rectangle")]
