"""What helps a person along: palette, shortcut sheet, about box."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from PySide6.QtWidgets import QMessageBox, QWidget

from alsct_gui.files.resources import resource_path
from alsct_gui.settings import settings_path
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.palette import Palette
from alsct_gui.ui.actions.sheet import ShortcutSheet

_TOLD = ("alsct-gui", "PySide6_Essentials", "napari", "pyqtgraph", "numpy", "numba", "zarr")


class Help:
    """Binds the commands of the Help menu that need no panel."""

    def __init__(self, book: ActionBook, owner: QWidget) -> None:
        self._owner = owner
        self.palette = Palette(book, owner)
        self.sheet = ShortcutSheet(book.table, owner)
        book.bind("help.palette", self.palette.ask)
        book.bind("help.shortcuts", self.sheet.present)
        book.bind("help.about", self.about)

    def about(self) -> None:
        """Show versions, licence and where things lie; the text can be copied."""
        box = QMessageBox(self._owner)
        box.setWindowTitle("About alsct-gui")
        box.setText("alsct-gui: the operator's window for micro-CT beamlines.")
        box.setInformativeText("Free software under the BSD 3-Clause licence.")
        box.setDetailedText(about_text())
        box.finished.connect(box.deleteLater)
        box.open()

    def renew_icons(self) -> None:
        """Draw nothing anew: both are made of words."""

    def close(self) -> None:
        """Put away."""
        self.palette.hide()
        self.sheet.hide()


def about_text() -> str:
    """Versions of what matters, and where settings and resources lie."""
    lines = [f"Python {python_version()}"]
    for name in _TOLD:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return "\n".join([*lines, f"Settings: {settings_path()}", f"Resources: {resource_path()}"])
