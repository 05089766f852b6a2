"""Turns the rulers on and off, and says where they lie in the picture."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.figures import Kind, Place
from alsct_gui.ui.look.sight import Sight
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.viewer.host import NapariHost
from alsct_gui.ui.viewer.rulers import Ruler

ACTIONS = {Kind.LINE: "look.line", Kind.RADIAL: "look.radial", Kind.REGION: "look.region"}


class Measuring(QObject):
    """One ruler over the picture at most.

    Parameters
    ----------
    sight, host
        Where the picture is seen.
    book
        Its commands for lines, circles and regions are bound here.
    on_begin
        Called when a ruler is laid down, to show what it measures.
    """

    changed = Signal()
    """The ruler, or the picture below it, is another one."""

    def __init__(
        self, sight: Sight, host: NapariHost, book: ActionBook, on_begin: Callable[[], object]
    ) -> None:
        super().__init__()
        self._sight, self._book, self._on_begin = sight, book, on_begin
        self.ruler = Ruler(host, self.changed.emit, self._removed)
        self.kind: Kind | None = None
        for kind, key in ACTIONS.items():
            book.bind(key, lambda on, kind=kind: self._turn(kind, on))
            # A ruler that can no longer be laid down is taken away: it would lie over nothing.
            book[key].enabledChanged.connect(lambda on, key=key: self._allow(key, on))
        sight.picture_changed.connect(self._follow)

    @property
    def picture(self) -> Picture | None:
        """What is measured in."""
        return self._sight.picture

    @property
    def places(self) -> tuple[Place, Place] | None:
        """The ruler's two places in pixels; None while there is none over a picture."""
        picture = self._sight.picture
        return None if picture is None else self.ruler.in_pixels(picture.image)

    def stop(self) -> None:
        """Take the ruler away."""
        if self.kind is not None:
            self._book[ACTIONS[self.kind]].setChecked(False)

    def close(self) -> None:
        """Put away."""
        self._sight.picture_changed.disconnect(self._follow)
        self.ruler.hide()

    def renew_icons(self) -> None:
        """Nothing is drawn in the theme's colours: it lies over pictures."""

    def _turn(self, kind: Kind, on: bool) -> None:
        if not on:
            if kind is self.kind:
                self.kind = None
                self.ruler.hide()
                self.changed.emit()
            return
        for other, key in ACTIONS.items():
            if other is not kind:
                self._book[key].setChecked(False)
        picture = self._sight.picture
        if picture is None:
            self._book[ACTIONS[kind]].setChecked(False)
            return
        self.kind = kind
        self.ruler.show(kind, picture.image)
        self._on_begin()
        self.changed.emit()

    def _allow(self, key: str, on: bool) -> None:
        if not on:
            self._book[key].setChecked(False)

    def _follow(self, picture: Picture | None) -> None:
        if self.kind is not None:
            self.ruler.follow(None if picture is None else picture.image)
            self.changed.emit()

    def _removed(self) -> None:
        self.stop()
