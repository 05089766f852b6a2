"""A real napari viewer inside this program's window.

A whole `napari.Viewer` is hosted, not a bare canvas: so napari's plugins, its menus, its
command palette and `napari.current_viewer()` work as in napari itself. For that its main
window is taken as a widget, through private attributes, which are named here and nowhere
else; `tests/ui/viewer/test_host.py` fails first when napari changes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.settings import settings_path
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.theme.tokens import Tokens
from alsct_gui.ui.viewer.napari_icons import write_only_what_differs

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image


_DOCK_PX = 280


def import_napari() -> None:
    """Import napari and what its viewer needs; takes seconds, so call it from a thread.

    napari keeps its settings beside this program's: it writes down on closing how its window
    was, and a folded menu bar must not be found in a person's own napari.
    """
    os.environ.setdefault("QT_API", "pyside6")
    os.environ.setdefault("NAPARI_ASYNC", "1")
    os.environ.setdefault("NAPARI_CONFIG", str(settings_path().with_name("napari.yaml")))
    write_only_what_differs()
    import napari.layers
    import napari.plugins
    import napari.viewer
    import napari.window  # noqa: F401


@dataclass(frozen=True)
class View:
    """How one looks at a flat picture."""

    center: tuple[float, ...]
    """Place in the middle of the canvas."""
    zoom: float
    """Pixels of the screen along a unit."""
    whole: bool
    """Whether it was set so that the picture is seen whole."""


class NapariHost(QWidget):
    """Shows one napari viewer; its docks stay folded until they are wanted.

    `open` makes the viewer, once napari is imported; `shut` must be called at the end, since
    un-parenting alone leaks the canvas.
    """

    outgrown = Signal()
    """The canvas has another size, and what was fitted to it is still where it was put."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._viewer: Viewer | None = None
        self._layers_wanted = False
        self._fitted: tuple[float, ...] = ()
        # A canvas that is being resized has its new size a moment later than its parents.
        self._resized = QTimer(self, singleShot=True, interval=0)
        self._resized.timeout.connect(self._tell_outgrown)
        # A window gets another surface with its first OpenGL widget: it would vanish for a
        # moment and lose the keyboard when the canvas comes. This one is there from the start.
        QOpenGLWidget(self).hide()

    @property
    def viewer(self) -> Viewer:
        """The napari viewer.

        Raises
        ------
        RuntimeError
            It was not opened, or is shut.
        """
        if self._viewer is None:
            raise RuntimeError("the viewer is not open")
        return self._viewer

    @property
    def is_open(self) -> bool:
        """Whether there is a viewer."""
        return self._viewer is not None

    @property
    def is_quiet(self) -> bool:
        """Whether no layer waits for its picture: napari cuts slices in a thread."""
        return all(layer.loaded for layer in self.viewer.layers if layer.visible)

    @property
    def canvas(self) -> QWidget:
        """The widget that pictures are drawn on."""
        native: QWidget = self._qt_viewer.canvas.native
        return native

    def open(self) -> Viewer:
        """Make the viewer and place it."""
        import_napari()
        from napari import Viewer
        from napari.settings import get_settings

        # The words of its status bar, which is not shown, are worked out in a thread that looks
        # at the layers while they change.
        get_settings().appearance.update_status_based_on_layer = False
        app = QApplication.instance()
        own_icon = app.windowIcon() if isinstance(app, QApplication) else None
        with _without_colours():
            self._viewer = Viewer(show=False, show_welcome_screen=False)
        window = self._window
        if isinstance(app, QApplication) and own_icon is not None:
            app.setWindowIcon(own_icon)
            # It would look at every event of the program, for a menu bar that is not shown.
            app.removeEventFilter(window)
        window.setWindowFlags(Qt.WindowType.Widget)
        window.menuBar().hide()
        window.statusBar().hide()
        # Tab goes to the picture, not to what is around it.
        window.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.canvas.setAccessibleName("Picture")
        self.canvas.installEventFilter(self)
        # What is dropped here is opened by the program, not by napari's readers.
        self._qt_viewer.setAcceptDrops(False)
        window.setContentsMargins(0, 0, 0, 0)
        for inner in (self._qt_viewer, self.canvas):
            frame = inner.parentWidget()
            if frame is not None and (around := frame.layout()) is not None:
                around.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(window)
        window.show()
        self.show_layers(self._layers_wanted)
        self.show_sliders(False)
        self.renew_theme()
        return self._viewer

    def draw_over(
        self, layer: Image, image: NDArray[Any], scale: tuple[float, ...], place: tuple[float, ...]
    ) -> bool:
        """Draw another picture where a layer's picture is drawn; the layer knows nothing of it.

        napari takes some ten milliseconds to give a layer other data, for it works out anew
        where everything lies; a picture that is seen for a moment only needs none of that. It
        is gone as soon as the layer is given data or drawn anew.

        Parameters
        ----------
        layer
            Flat, seen, and neither turned nor sheared.
        image
            Shape (row, column), of the layer's own dtype.
        scale, place
            Edges of a pixel, and where the middle of the first one lies, (row, column).

        Returns
        -------
        drawn
            False when it cannot be: nothing has changed then.
        """
        visual = self._qt_viewer.canvas.layer_to_visual.get(layer)
        if visual is None or not layer.visible or layer.data.dtype != image.dtype:
            return False
        node, matrix = visual.node, np.eye(4)
        # vispy's axes are (x, y), and its pixels begin at their corners.
        for axis, edge, middle in zip((1, 0), scale, place, strict=True):
            unit = visual._world_to_layer_units_scale[-1 - axis]  # noqa: SLF001
            matrix[axis, axis], matrix[3, axis] = edge * unit, (middle - edge / 2) * unit
        node.set_data(image)
        node.transform.matrix = matrix
        node.update()
        return True

    def note_fit(self) -> None:
        """Know that the camera was set so that a picture is seen whole."""
        self._fitted = self._camera_now()

    def view(self) -> View | None:
        """Return how one looks at a flat picture; None while there is nothing flat."""
        if self._viewer is None or self.viewer.dims.ndisplay != 2:
            return None
        now = self._camera_now()
        whole = bool(self._fitted) and np.allclose(now, self._fitted, rtol=1e-3)
        return View(now[:-1], now[-1], whole)

    def set_view(self, view: View) -> None:
        """Look at it as before."""
        camera = self.viewer.scene.camera
        camera.center, camera.zoom = view.center, view.zoom

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._viewer is not None:
            self._resized.start()
        return super().eventFilter(watched, event)

    def _camera_now(self) -> tuple[float, ...]:
        camera = self.viewer.scene.camera
        return (*(float(at) for at in camera.center), float(camera.zoom))

    def _tell_outgrown(self) -> None:
        view = self.view()
        if view is not None and view.whole:
            self.outgrown.emit()

    def show_scale_bar(self, on: bool) -> None:
        """Show or hide the scale bar, which only means something where pixels have a size."""
        self.viewer.canvas.overlays.scale_bar.visible = on

    def show_layers(self, on: bool) -> None:
        """Fold napari's layer list and controls in or out."""
        self._layers_wanted = on
        if self._viewer is None:
            return
        docks = self._own_docks()
        for dock in docks:
            dock.setVisible(on)
        if on:
            widths = [_DOCK_PX] * len(docks)
            self._window.resizeDocks(docks, widths, Qt.Orientation.Horizontal)

    def show_sliders(self, on: bool) -> None:
        """Show napari's own sliders for further dimensions, or not."""
        self._qt_viewer.dims.setVisible(on)

    def plugins_menu(self) -> QMenu:
        """Return napari's menu of plugins, to be put into another menu."""
        menu: QMenu = self.viewer.window.plugins_menu
        return menu

    def screenshot(self) -> NDArray[np.uint8]:
        """Return what the canvas shows, shape (row, column, 4), without menus and docks."""
        return np.asarray(self.viewer.screenshot(canvas_only=True, flash=False), np.uint8)

    def renew_theme(self) -> None:
        """Take over the program's colours."""
        if self._viewer is not None:
            now = tokens()
            self._viewer.theme = _napari_theme(now)
            self.set_background(now.canvas)

    def set_background(self, color: str) -> None:
        """Give the canvas another background."""
        self.viewer.canvas.background_color_override = color

    def shut(self) -> None:
        """Close the viewer and free the canvas; idempotent."""
        if self._viewer is None:
            return
        self._resized.stop()
        self.canvas.removeEventFilter(self)
        viewer, self._viewer = self._viewer, None
        viewer.close()

    @property
    def _window(self) -> QMainWindow:
        # The private attribute that everything here hangs on.
        window: QMainWindow = self.viewer.window._qt_window  # noqa: SLF001
        return window

    @property
    def _qt_viewer(self) -> Any:
        return self._window._qt_viewer  # type: ignore[attr-defined]  # noqa: SLF001

    def _own_docks(self) -> list[QDockWidget]:
        names = {"layer list", "layer controls"}
        docks = self._window.findChildren(QDockWidget)
        return [dock for dock in docks if dock.objectName() in names]


@contextmanager
def _without_colours() -> Iterator[None]:
    """Let napari make a window without its style sheet, which it is given when it has its place.

    Whoever comes beneath another widget, or is shown, is styled anew with all that it holds;
    and the colours that napari begins with are not the program's.
    """
    from napari._qt.qt_main_window import Window

    def _update_theme(*_: object, **__: object) -> None:
        """Carry the name by which napari connects it: later calls find the real one."""

    real = Window._update_theme  # noqa: SLF001
    Window._update_theme = _update_theme  # noqa: SLF001
    try:
        yield
    finally:
        Window._update_theme = real  # noqa: SLF001


def _napari_theme(now: Tokens) -> str:
    """Name of napari's theme in the program's colours; made when it is first asked for."""
    from napari.utils.theme import available_themes, get_theme, register_theme

    name = f"alsct-{now.name}"
    if name not in available_themes():
        colors = get_theme(now.name).model_dump() | {
            "id": name, "label": f"alsct-gui {now.name}", "canvas": now.canvas,
            "console": now.canvas, "background": now.panel, "foreground": now.raised,
            "primary": now.hover, "secondary": now.line, "highlight": now.hover,
            "text": now.text, "icon": now.text, "warning": now.blocked, "error": now.failed,
            "current": now.accent,
        }  # fmt: skip
        register_theme(name, colors, "alsct-gui")
    return name


def to_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return a screenshot as an image of Qt's own.

    Parameters
    ----------
    pixels
        Shape (row, column, 4): red, green, blue, opacity.
    """
    rows, columns, _ = pixels.shape
    whole = np.ascontiguousarray(pixels)
    return QImage(whole.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def viewer_facts(host: NapariHost) -> dict[str, Any]:
    """What tests and the about box want to know of the viewer."""
    import napari

    return {"napari": napari.__version__, "current": napari.current_viewer() is host.viewer}
