"""A real napari viewer inside this program's window.

A whole `napari.Viewer` is hosted, not a bare canvas: so napari's plugins, its menus, its
command palette and `napari.current_viewer()` work as in napari itself. For that its main
window is taken as a widget, through one private attribute, which is named here and nowhere
else; `tests/ui/viewer/test_host.py` fails first when napari changes it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QVBoxLayout, QWidget

from alsct_gui.ui.theme.style import tokens

if TYPE_CHECKING:
    from napari import Viewer


def import_napari() -> None:
    """Import napari, with slices read beside the window's thread; takes seconds."""
    os.environ.setdefault("QT_API", "pyside6")
    os.environ.setdefault("NAPARI_ASYNC", "1")
    import napari
    import napari.viewer  # noqa: F401


class NapariHost(QWidget):
    """Shows one napari viewer; its docks stay folded until they are wanted.

    `open` makes the viewer, once napari is imported; `shut` must be called at the end, since
    un-parenting alone leaks the canvas.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._viewer: Viewer | None = None

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

    def open(self) -> Viewer:
        """Make the viewer and place it."""
        import_napari()
        from napari import Viewer

        viewer = Viewer(show=False)
        self._viewer = viewer
        window = self._window
        window.setWindowFlags(Qt.WindowType.Widget)
        window.menuBar().hide()
        window.statusBar().hide()
        self._column.addWidget(window)
        window.show()
        self.show_layers(False)
        self.renew_theme()
        return viewer

    def show_layers(self, on: bool) -> None:
        """Fold napari's layer list and controls in or out."""
        for dock in self._own_docks():
            dock.setVisible(on)

    def plugins_menu(self) -> QMenu:
        """Return napari's menu of plugins, to be put into another menu."""
        menu: QMenu = self.viewer.window.plugins_menu
        return menu

    def renew_theme(self) -> None:
        """Take over the program's colours."""
        if self._viewer is not None:
            self._viewer.theme = tokens().name

    def shut(self) -> None:
        """Close the viewer and free the canvas; idempotent."""
        if self._viewer is None:
            return
        viewer, self._viewer = self._viewer, None
        viewer.close()

    @property
    def _window(self) -> QMainWindow:
        # The one private attribute.
        window: QMainWindow = self.viewer.window._qt_window  # noqa: SLF001
        return window

    def _own_docks(self) -> list[QDockWidget]:
        names = {"layer list", "layer controls"}
        docks = self._window.findChildren(QDockWidget)
        return [dock for dock in docks if dock.objectName() in names]


def viewer_facts(host: NapariHost) -> dict[str, Any]:
    """What tests and the about box want to know of the viewer."""
    import napari

    return {"napari": napari.__version__, "current": napari.current_viewer() is host.viewer}
