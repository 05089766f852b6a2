"""Everything that is watched: folder trees, and single files and volumes that someone opened."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from alsct_gui.beamline.folder import (
    Entry,
    FolderWatch,
    Pass,
    Trouble,
    entry_at,
    is_scan_name,
    is_volume,
)


class PathWatch:
    """Looks again and again whether one scan or volume changes. Not for several threads at once.

    Parameters
    ----------
    path
        Where it lies; need not exist yet. What is neither scan nor volume is never told.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: Entry | None = None

    def close(self) -> None:
        """Nothing is held."""

    def next_pass(self) -> Pass:
        """Look at it; never raises for what lies there."""
        try:
            entry = self._find()
        except OSError as error:
            why = f"It cannot be looked at ({error.strerror}); it stays as last seen."
            return Pass((), (), (Trouble(self.path, why),), True)
        known, self._known = self._known, entry
        changed = (entry,) if entry is not None and entry != known else ()
        gone = (self.path,) if entry is None and known is not None else ()
        return Pass(changed, gone, (), True)

    def _find(self) -> Entry | None:
        try:
            status = self.path.stat()
            if stat.S_ISDIR(status.st_mode):
                return entry_at(self.path, "volume", status) if is_volume(self.path) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        return entry_at(self.path, "scan", status) if is_scan_name(self.path.name) else None


class Watches:
    """Several watched folders and paths, each with its own trouble."""

    def __init__(self, **options: int) -> None:
        self._options = options
        self._watches: dict[Path, FolderWatch | PathWatch] = {}

    @property
    def places(self) -> tuple[Path, ...]:
        """Those that are watched."""
        return tuple(self._watches)

    def watch(self, folders: Sequence[Path], paths: Sequence[Path] = ()) -> None:
        """Watch these beside those watched already: whole trees, and single scans or volumes."""
        for folder in folders:
            if not isinstance(self._watches.get(folder), FolderWatch):
                self._watches[folder] = FolderWatch(folder, **self._options)
        for path in paths:
            if not any(path.is_relative_to(known) for known in self._watches):
                self._watches[path] = PathWatch(path)

    def forget(self, place: Path) -> None:
        """Stop watching a folder or path; unknown ones are none."""
        watch = self._watches.pop(place, None)
        if watch is not None:
            watch.close()

    def next_pass(self) -> Pass:
        """List the next part of every folder, and look at every path."""
        passes = [watch.next_pass() for watch in self._watches.values()]
        return Pass(
            tuple(entry for item in passes for entry in item.changed),
            tuple(path for item in passes for path in item.gone),
            tuple(trouble for item in passes for trouble in item.troubles),
            all(item.whole for item in passes),
        )

    def close(self) -> None:
        """Stop watching everything."""
        for place in self.places:
            self.forget(place)
