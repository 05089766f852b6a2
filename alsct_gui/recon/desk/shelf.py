"""Open scans, kept between requests."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.files.check import Stamp, check_scan, stamp_of
from alsct_gui.files.findings import broken
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding
from alsct_gui.model.scan import Scan

_MOST_CHECKS = 4096


@dataclass(eq=False)
class _Open:
    scan: Scan
    stamp: Stamp | None
    users: int = 0
    shelved: bool = True


@dataclass(frozen=True, eq=False)
class OpenScan:
    """A scan in use."""

    scan: Scan
    key: Hashable
    """Tells this state of this file from every other."""


class Shelf:
    """Opens scans and keeps a few of them open; safe for several threads.

    A file is opened here only after a process of its own has looked at it in its present
    state (`files.check`), for a damaged one can hang the process that opens it.

    Parameters
    ----------
    most
        How many are kept open when nobody uses them.
    """

    def __init__(self, most: int = 2) -> None:
        self._most = most
        self._open: OrderedDict[Path, _Open] = OrderedDict()
        self._checked: OrderedDict[tuple[Path, Stamp | None], tuple[Finding, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, path: Path) -> tuple[Finding, ...]:
        """Findings about a file in its present state; asked for again they are remembered."""
        key = (path, stamp_of(path))
        with self._lock:
            if key in self._checked:
                return self._checked[key]
        findings = check_scan(path)
        with self._lock:
            self._checked[key] = findings
            while len(self._checked) > _MOST_CHECKS:
                self._checked.popitem(last=False)
        return findings

    @contextmanager
    def scan(self, path: Path) -> Iterator[OpenScan]:
        """Lend an open scan for as long as the block lasts; reopened when the file changed.

        Raises
        ------
        InputError
            It cannot be opened.
        """
        stamp = stamp_of(path)
        entry = self._take(path, stamp)
        try:
            yield OpenScan(entry.scan, (str(path), stamp))
        finally:
            with self._lock:
                entry.users -= 1
                idle = entry.users == 0 and not entry.shelved
            if idle:
                entry.scan.close()

    def close(self) -> None:
        """Close every scan that nobody uses; the others when they are given back."""
        with self._lock:
            entries = list(self._open.values())
            self._open.clear()
            for entry in entries:
                entry.shelved = False
        for entry in entries:
            if entry.users == 0:
                entry.scan.close()

    def _take(self, path: Path, stamp: Stamp | None) -> _Open:
        with self._lock:
            entry = self._open.get(path)
            if entry is not None and entry.stamp == stamp:
                self._open.move_to_end(path)
                entry.users += 1
                return entry
        for item in self.check(path):
            if item.name == "reader-lost":
                raise broken(item.name, item.message, where=str(path))
        fresh = _Open(open_scan(path), stamp, users=1)
        with self._lock:
            gone = [self._open.pop(path)] if path in self._open else []
            self._open[path] = fresh
            while len(self._open) > self._most:
                gone.append(self._open.popitem(last=False)[1])
            for entry in gone:
                entry.shelved = False
            idle = [entry for entry in gone if entry.users == 0]
        for entry in idle:
            entry.scan.close()
        return fresh


def input_path(text: object) -> Path:
    """Return a path that came as text.

    Raises
    ------
    InputError
        It is no path.
    """
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{text!r} is no path"[:200], fix="Give the path of a file or folder")
    return Path(text)
