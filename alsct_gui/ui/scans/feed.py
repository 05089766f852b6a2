"""From the watch, in its thread, to the list, on the window's: gathered, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

if TYPE_CHECKING:
    from alsct_gui.beamline.client import Lookout
    from alsct_gui.beamline.looking import Picture
    from alsct_gui.beamline.messages import WatchState
    from alsct_gui.beamline.sightings import Change

_GATHER_MS = 200
_TURN_S = 0.01
_BREATH_MS = 20


class Feed(QObject):
    """Hands changes over on the window's thread, many at a time, never for long.

    Parameters
    ----------
    lookout
        The watch.
    take
        Called with the newest change of each path, and its picture if there is one.
    tell
        Called with the state of the watch as a whole.
    """

    _woken = Signal()
    _state_came = Signal(object)

    def __init__(
        self,
        lookout: Lookout,
        take: Callable[[Change, Picture | None], object],
        tell: Callable[[WatchState], object],
    ) -> None:
        super().__init__()
        self._take = take
        self._tell = tell
        self._lock = threading.Lock()
        self._changes: dict[Path, Change] = {}
        self._pictures: dict[Path, Picture] = {}
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._hand_over)
        self._woken.connect(self._wake, Qt.ConnectionType.QueuedConnection)
        self._state_came.connect(self._say, Qt.ConnectionType.QueuedConnection)
        lookout.on_change(self.hear)
        lookout.on_state(self._hear_state)

    def close(self) -> None:
        """Hand over nothing more."""
        self._closed = True
        self._timer.stop()

    def hear(self, change: Change, picture: Picture | None) -> None:
        """Take a change; in the watch's thread."""
        if self._closed:
            return
        path = change.sighting.path
        with self._lock:
            quiet = not self._changes and not self._pictures
            self._changes[path] = change
            if picture is not None:
                self._pictures[path] = picture
        if quiet:
            self._woken.emit()

    def _hear_state(self, state: WatchState) -> None:
        """Take the watch's state; in its thread."""
        if not self._closed:
            self._state_came.emit(state)

    @Slot()
    def _wake(self) -> None:
        if not self._closed and not self._timer.isActive():
            self._timer.start(_GATHER_MS)

    @Slot(object)
    def _say(self, state: WatchState) -> None:
        if not self._closed:
            self._tell(state)

    def _hand_over(self) -> None:
        """Hand over as much as a turn may take; the window is drawn in between."""
        end_s = perf_counter() + _TURN_S
        while perf_counter() < end_s:
            with self._lock:
                path = next(iter(self._changes), None)
                if path is None:
                    return
                change, picture = self._changes.pop(path), self._pictures.pop(path, None)
            self._take(change, picture)
        self._timer.start(_BREATH_MS)
