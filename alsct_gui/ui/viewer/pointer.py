"""What is under the mouse, in words: followed the same way in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alsct_gui.ui.viewer.host import NapariHost

Place = tuple[float, ...]


class Pointer:
    """Tells what lies under the mouse while a mode is entered.

    Parameters
    ----------
    host
        The viewer.
    words
        What there is to say of a place in the world; empty for nothing.
    tell
        Called with the words whenever they may have changed.
    """

    def __init__(
        self, host: NapariHost, words: Callable[[Place], str], tell: Callable[[str], Any]
    ) -> None:
        self._host, self._words, self._tell = host, words, tell
        self._moved = False

    def enter(self) -> None:
        """Begin to follow the mouse."""
        self._moved = False
        viewer = self._host.viewer
        viewer.cursor.events.position.connect(self._follow)
        viewer.events.mouse_over_canvas.connect(self.point)

    def leave(self) -> None:
        """Follow no more; nothing is told."""
        viewer = self._host.viewer
        viewer.cursor.events.position.disconnect(self._follow)
        viewer.events.mouse_over_canvas.disconnect(self.point)
        self._tell("")

    def point(self) -> None:
        """Tell again, as when the picture under the mouse is another one."""
        viewer = self._host.viewer
        seen = viewer.mouse_over_canvas and self._moved
        self._tell(self._words(viewer.cursor.position) if seen else "")

    def _follow(self) -> None:
        # Until it has moved, napari's cursor is wherever it was in another mode.
        self._moved = True
        self.point()
