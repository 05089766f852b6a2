"""Which scans and volumes lie in a folder tree, found by asking again and again.

inotify says nothing about files that another machine writes to a network file system, so
the tree is listed. Listing goes on over several passes when the tree is large: a pass
takes at most so many entries, and tells only what differs from the time before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alsct_gui.beamline.looks import Kind

SCAN_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs", ".nx")
"""Endings of files that may be scans, whatever their case."""
MAX_DEPTH = 4
"""Folders below the watched one that are entered; proposals and samples need two."""
ENTRIES_PER_PASS = 20_000
"""Directory entries that one pass looks at."""
_TIFFS_LOOKED_AT = 64
"""Entries of a ``rec…`` folder that are looked at for a TIFF slice."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder that may be a scan or a volume, as its directory tells it."""

    path: Path
    kind: Kind
    size_bytes: int
    """Length; 0 for folders."""
    modified_ns: int
    """Latest change by the file server's clock."""
    file_id: tuple[int, int]
    """Device and inode: another file under the same name is another file."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A folder that cannot be listed."""

    folder: Path
    sentence: str
    """What it is and what it means for the list; present tense."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found; together the passes find every difference."""

    changed: tuple[Entry, ...]
    """Entries that are new or differ from the time before."""
    gone: tuple[Path, ...]
    """Entries that are no longer there; told when the whole tree has been listed."""
    troubles: tuple[Trouble, ...]
    """Folders that could not be listed the last time, whatever pass that was."""
    whole: bool
    """Whether the end of the tree was reached; the next pass then begins anew."""


class FolderWatch:
    """Lists one folder tree again and again. Not for several threads at once.

    Symbolic links to folders are not followed; those to files are when they end inside the
    watched folder. Hidden names, and such as end in ``.partial``, are skipped: that is how
    copies are called before they are whole. What lies in a folder that cannot be listed
    counts as unchanged, so an outage of the file server makes no scan vanish.

    Parameters
    ----------
    folder
        Top of the tree; need not exist yet.
    max_depth
        Folders below it that are entered.
    entries_per_pass
        Directory entries that one pass looks at.
    """

    def __init__(
        self, folder: Path, *, max_depth: int = MAX_DEPTH, entries_per_pass: int = ENTRIES_PER_PASS
    ) -> None:
        self.folder = folder
        self._max_depth = max_depth
        self._entries_per_pass = entries_per_pass
        self._known: dict[Path, Entry] = {}
        self._walk: Iterator[Entry | None] | None = None
        self._seen: set[Path] = set()
        self._failed: dict[Path, Trouble] = {}
        self._troubles: dict[Path, Trouble] = {}
        self._device: int | None = None

    def close(self) -> None:
        """Let go of the directory that is being listed."""
        self._walk = None

    def next_pass(self) -> Pass:
        """List the next part of the tree; never raises for what lies there."""
        if self._walk is None:
            self._seen, self._failed = set(), {}
            self._walk = self._tree(self.folder, 0)
        changed = []
        steps = 0
        for entry in islice(self._walk, self._entries_per_pass):
            steps += 1
            if entry is None:
                continue
            self._seen.add(entry.path)
            if self._known.get(entry.path) != entry:
                self._known[entry.path] = entry
                changed.append(entry)
        whole = steps < self._entries_per_pass
        gone = self._finish() if whole else ()
        troubles = self._troubles if whole else {**self._troubles, **self._failed}
        return Pass(tuple(changed), gone, tuple(troubles.values()), whole)

    def _finish(self) -> tuple[Path, ...]:
        """End the listing: what was not seen is gone, unless its folder failed."""
        self._walk = None
        self._troubles = self._failed
        gone = [path for path in self._known.keys() - self._seen if not self._is_hidden(path)]
        for path in gone:
            del self._known[path]
        return tuple(sorted(gone))

    def _is_hidden(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._failed)

    def _tree(self, folder: Path, depth: int) -> Iterator[Entry | None]:
        """Yield one item for each directory entry: None for what is neither scan nor volume."""
        below: list[Path] = []
        try:
            if depth == 0:
                self._check_mount()
            with os.scandir(folder) as items:
                for item in items:
                    entry, enter = self._classify(item)
                    if enter and depth < self._max_depth:
                        below.append(Path(item.path))
                    yield entry
        except (OSError, ValueError) as error:
            self._failed[folder] = Trouble(folder, _trouble(error, top=depth == 0))
        for inner in below:
            yield from self._tree(inner, depth + 1)

    def _check_mount(self) -> None:
        """Find that a network folder is no longer mounted: an empty one lies in its place."""
        device = self.folder.stat().st_dev
        if self._device is None:
            self._device = device
        elif device != self._device:
            with os.scandir(self.folder) as items:
                if next(items, None) is None:
                    raise OSError(0, "it is not mounted any more")
            self._device = device

    def _classify(self, item: os.DirEntry[str]) -> tuple[Entry | None, bool]:
        """Return the entry, if it may be one, and whether the folder is to be entered."""
        name = item.name
        if name.startswith(".") or name.endswith(".partial"):
            return None, False
        try:
            if item.is_symlink():
                return self._linked(item), False
            if item.is_dir(follow_symlinks=False):
                if is_volume(Path(item.path)):
                    return _entry(item, "volume"), False
                return None, True
            if is_scan_name(name) and item.is_file(follow_symlinks=False):
                return _entry(item, "scan"), False
        except FileNotFoundError:
            return None, False  # taken away while it was listed; the next listing tells
        except OSError as error:
            path = Path(item.path)
            self._failed[path] = Trouble(path, _trouble(error, top=False))
        return None, False

    def _linked(self, item: os.DirEntry[str]) -> Entry | None:
        if not is_scan_name(item.name) or not item.is_file():
            return None
        inside = Path(os.path.realpath(item.path)).is_relative_to(os.path.realpath(self.folder))
        return _entry(item, "scan") if inside else None


def is_scan_name(name: str) -> bool:
    """Whether a file may be a scan, by its ending."""
    return name.lower().endswith(SCAN_SUFFIXES)


def is_volume(folder: Path) -> bool:
    """Tell a volume's folder as `files.volumes.is_volume` does, without listing all of it.

    Raises
    ------
    OSError
        It cannot be listed.
    """
    if folder.name.endswith(".zarr"):
        return True
    if not folder.name.startswith("rec"):
        return False
    with os.scandir(folder) as slices:
        names = [inner.name.lower() for inner in islice(slices, _TIFFS_LOOKED_AT)]
    return any(name.endswith((".tif", ".tiff")) for name in names)


def entry_at(path: Path, kind: Kind, status: os.stat_result) -> Entry:
    """Make an entry of what the file server says of a path."""
    size_bytes = status.st_size if kind == "scan" else 0
    return Entry(path, kind, size_bytes, status.st_mtime_ns, (status.st_dev, status.st_ino))


def _entry(item: os.DirEntry[str], kind: Kind) -> Entry:
    return entry_at(Path(item.path), kind, item.stat())


def _trouble(error: OSError | ValueError, *, top: bool) -> str:
    why = getattr(error, "strerror", None) or str(error)
    kept = "Its scans stay as last seen, and the watch goes on by itself when it is back."
    what = "The watched folder" if top else "This folder"
    return f"{what} cannot be listed ({why}). {kept}"
