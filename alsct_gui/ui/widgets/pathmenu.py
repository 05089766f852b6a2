"""A menu of files and folders, filled when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget


class PathMenu(QMenu):
    """Names; the tip of each tells where it lies.

    Parameters
    ----------
    title
        What the menu is called.
    paths
        What to list, in order; asked each time.
    choose
        Called with the one that a person chose.
    nothing
        What stands there when there is none.
    parent
        Owner.
    """

    def __init__(
        self, title: str, paths: Callable[[], Sequence[Path]], choose: Callable[[Path], object],
        nothing: str, parent: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(title, parent)
        self.setToolTipsVisible(True)
        self._paths, self._choose, self._nothing = paths, choose, nothing
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List what there is now."""
        self.clear()
        paths = self._paths()
        for path in paths:
            action = self.addAction(path.name.replace("&", "&&"))
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, path=path: self._choose(path))
        if not paths:
            self.addAction(self._nothing).setEnabled(False)
