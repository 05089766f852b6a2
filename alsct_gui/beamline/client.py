"""The window's end of the watch: typed changes, and a watch that begins anew after a loss."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.beamline.eye import picture_from
from alsct_gui.beamline.looking import Picture
from alsct_gui.beamline.lookout import MODULE
from alsct_gui.beamline.messages import WatchState, change_from_facts, state_from_facts
from alsct_gui.beamline.sightings import Change, Sighting, diff
from alsct_gui.model.errors import AlsctError, RemoteError
from alsct_gui.remote.client import Answer, Remote

_log = logging.getLogger(__name__)

ChangeCallback = Callable[[Change, Picture | None], None]
StateCallback = Callable[[WatchState], None]

MAX_LOSSES = 3
"""Losses without a word in between, after which the process is not started again."""


def lookout_process() -> Remote:
    """Return the process that `Lookout` wants; it starts when something is asked."""
    return Remote(MODULE, name="folder watch", nice=5)


class Lookout:
    """Watches folders through a process of its own. All methods return at once.

    What is called back runs in a thread of `Remote`, never in the caller's; it returns soon.

    Parameters
    ----------
    remote
        As `lookout_process` makes it; `close` closes it.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._lock = threading.Lock()
        self._folders: list[Path] = []
        self._paths: list[Path] = []
        self._known: dict[Path, Sighting] = {}
        self._unseen: set[Path] = set()
        """Paths known from before a loss that were not told again since."""
        self._state = WatchState()
        self._losses = 0
        self._staying = False
        self._closed = False
        self._on_change: list[ChangeCallback] = []
        self._on_state: list[StateCallback] = []
        remote.listen(self._hear)

    @property
    def sightings(self) -> dict[Path, Sighting]:
        """All that is known at present, by path."""
        with self._lock:
            return dict(self._known)

    @property
    def state(self) -> WatchState:
        """How the watch as a whole is."""
        return self._state

    def on_change(self, callback: ChangeCallback) -> None:
        """Have a function called with each change, and a small picture when there is a new one."""
        self._on_change.append(callback)

    def on_state(self, callback: StateCallback) -> None:
        """Have a function called when the state of the whole changes."""
        self._on_state.append(callback)

    def watch(self, folders: Sequence[Path], paths: Sequence[Path] = ()) -> Future[Answer]:
        """Watch these too: what is there comes as changes ``appeared``.

        Parameters
        ----------
        folders
            With all that lies in them.
        paths
            Single scans and volumes, wherever they lie.
        """
        trees = [folder.absolute() for folder in folders]
        single = [path.absolute() for path in paths]
        with self._lock:
            self._folders += [folder for folder in trees if folder not in self._folders]
            self._paths += [path for path in single if path not in self._paths]
            self._losses = 0
        self._stay()
        return self._remote.ask("watch", _asked(trees, single))

    def forget(self, folder: Path) -> Future[Answer]:
        """Stop watching a folder; what lies in it is told as ``gone`` no more."""
        folder = folder.absolute()
        with self._lock:
            self._folders = [known for known in self._folders if known != folder]
            self._paths = [known for known in self._paths if known != folder]
            for path in [path for path in self._known if not self._is_watched(path)]:
                del self._known[path]
                self._unseen.discard(path)
        return self._remote.ask("forget", {"folders": [str(folder)]})

    def close(self) -> None:
        """End the process; idempotent."""
        self._closed = True
        self._remote.close()

    def _is_watched(self, path: Path) -> bool:
        return path in self._paths or any(path.is_relative_to(folder) for folder in self._folders)

    def _stay(self) -> None:
        """Ask for the one answer that never comes, so that a loss is noticed."""
        with self._lock:
            if self._staying or self._closed:
                return
            self._staying = True
        self._remote.ask("stay", {}, lane="stay").add_done_callback(self._ended)

    def _ended(self, future: Future[Answer]) -> None:
        """The process has ended: begin anew, unless that was wanted or is in vain."""
        with self._lock:
            self._staying = False
            self._unseen = set(self._known)
            self._losses += 1
            wanted = _asked(self._folders, self._paths)
            again = self._losses <= MAX_LOSSES
        if self._closed or future.cancelled():
            return
        error = future.exception()
        why = error.what if isinstance(error, AlsctError) else "the process ended"
        then = "It starts again" if again else "Nothing is watched until a folder is added again"
        self._tell(replace(self._state, lost=f"The folder watch stopped ({why}). {then}."))
        if again and any(wanted.values()):
            self._stay()
            asked = self._remote.ask("watch", wanted)
            asked.add_done_callback(_log_failure)

    def _hear(self, answer: Answer) -> None:
        """Take an event; in the reading thread."""
        kind = answer.facts.get("event")
        if kind == "change":
            change = self._note(change_from_facts(answer.facts))
            if change is not None:
                for callback in list(self._on_change):
                    callback(change, picture_from(answer.arrays))
        elif kind == "state":
            state = state_from_facts(answer.facts)
            with self._lock:
                self._losses = 0
            if state.settled:
                self._drop_unseen(state)
            self._tell(state)

    def _note(self, change: Change) -> Change | None:
        """Bring a change in line with what is known; None when it says nothing new."""
        path = change.sighting.path
        with self._lock:
            if not self._is_watched(path):
                return None
            self._unseen.discard(path)
            known = self._known.pop(path, None)
            if change.kind == "gone":
                return change if known is not None else None
            self._known[path] = change.sighting
        before = {} if known is None else {path: known}
        found = diff(before, {path: change.sighting})
        return replace(found[0], also_at=change.also_at) if found else None

    def _drop_unseen(self, state: WatchState) -> None:
        """After a loss, what is not told again has gone, unless its folder cannot be listed."""
        folders = [trouble.folder for trouble in state.troubles]
        with self._lock:
            before = {path: self._known[path] for path in self._unseen if path in self._known}
            before = {path: item for path, item in before.items()
                      if not any(path.is_relative_to(folder) for folder in folders)}  # fmt: skip
            for path in before:
                del self._known[path]
            self._unseen -= before.keys()
        for change in diff(before, {}):
            for callback in list(self._on_change):
                callback(change, None)

    def _tell(self, state: WatchState) -> None:
        self._state = state
        for callback in list(self._on_state):
            callback(state)


def _asked(folders: Sequence[Path], paths: Sequence[Path]) -> dict[str, list[str]]:
    return {"folders": [str(item) for item in folders], "paths": [str(item) for item in paths]}


def _log_failure(future: Future[Any]) -> None:
    try:
        future.result()
    except (RemoteError, FutureCancelledError) as error:
        _log.warning("the folder watch could not begin anew: %s", error)
