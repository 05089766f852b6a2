"""Plugins of napari: every one that is installed there can be opened here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidgetItem, QMenu

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.session import Session
from alsct_gui.ui.viewer.stage import Stage
from alsct_gui.ui.widgets.parts import label
from alsct_gui.ui.widgets.search import SearchPopup

_ROLE = int(Qt.ItemDataRole.UserRole)
_WIDTH_PX, _HEIGHT_PX = 480, 360


@dataclass(frozen=True, slots=True)
class PluginWidget:
    """A window that a plugin offers."""

    plugin: str
    """Name of the plugin's package."""
    name: str
    """As the plugin calls it."""
    title: str
    """Name of the plugin for people."""


class Plugins:
    """Lists plugins and docks their widgets beside the canvas.

    Parameters
    ----------
    session, book
        What every panel gets.
    stage
        Whose viewer they work on.
    menu
        Menu that napari's own is put into.
    """

    def __init__(self, session: Session, book: ActionBook, stage: Stage, menu: QMenu) -> None:
        self._session, self._book, self._stage, self._menu = session, book, stage, menu
        self._list: PluginList | None = None
        self._filled = False
        menu.aboutToShow.connect(self._fill_menu)
        book.bind("plugins.open", self.ask)

    def ask(self) -> None:
        """Show the list of plugins."""
        if not self._stage.host.is_open:
            return
        if self._list is None:
            self._list = PluginList(self)
        self._list.offer(installed_widgets())

    def open(self, found: PluginWidget) -> None:
        """Dock a plugin's widget; the picture is there as a layer that it can work on."""
        self._book["view.layers"].setChecked(True)
        window = self._stage.host.viewer.window
        try:
            window.add_plugin_dock_widget(found.plugin, found.name)
        except Exception as error:  # noqa: BLE001 (a plugin is anybody's program)
            self._session.report(f"Opening {found.name} of {found.title}", error)

    @property
    def stage(self) -> Stage:
        """Where they are docked."""
        return self._stage

    def close(self) -> None:
        """Put the list away."""
        if self._list is not None:
            self._list.close()
            self._list.deleteLater()
            self._list = None

    def renew_icons(self) -> None:
        """No icons."""

    def _fill_menu(self) -> None:
        """Put napari's own menu of plugins below ours, once there is one."""
        if self._filled or not self._stage.host.is_open:
            return
        self._filled = True
        menu = self._stage.host.plugins_menu()
        menu.setTitle("Plugins of napari")
        menu.triggered.connect(lambda _: self._book["view.layers"].setChecked(True))
        self._menu.addSeparator()
        self._menu.addMenu(menu)


class PluginList(SearchPopup):
    """A field and the plugins that fit; Enter opens, Esc leaves."""

    def __init__(self, plugins: Plugins) -> None:
        super().__init__(plugins.stage, "Name of a plugin")
        self._plugins = plugins
        self._found: tuple[PluginWidget, ...] = ()
        self.none = label(
            "No plugin with a window is installed. Plugins of napari that are installed beside "
            "this program appear here.", "faint", wrap=True,
        )  # fmt: skip
        self.column.addWidget(self.none)

    def offer(self, found: tuple[PluginWidget, ...]) -> None:
        """Show plugins in the upper middle of the viewer."""
        self._found = found
        self.rows.setVisible(bool(found))
        self.none.setVisible(not found)
        self.present(_WIDTH_PX, _HEIGHT_PX if found else 120, down_px=48)

    def fill(self, typed: str) -> None:
        """Show the plugins that fit."""
        self.rows.clear()
        words = typed.casefold().split()
        for found in self._found:
            text = f"{found.name}  ·  {found.title}"
            if all(word in text.casefold() for word in words):
                item = QListWidgetItem(text)
                item.setData(_ROLE, found)
                item.setToolTip(found.plugin)
                self.rows.addItem(item)
        self.rows.setCurrentRow(0)

    def take(self) -> None:
        """Open the current plugin."""
        item = self.rows.currentItem()
        if item is not None:
            self.hide()
            self._plugins.open(item.data(_ROLE))


def installed_widgets() -> tuple[PluginWidget, ...]:
    """Every widget that an installed and enabled plugin offers, by its name."""
    from npe2 import PluginManager

    manager = PluginManager.instance()
    found = [
        PluginWidget(widget.plugin_name, widget.display_name,
                     manager.get_manifest(widget.plugin_name).display_name)
        for widget in manager.iter_widgets()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.plugin)))
