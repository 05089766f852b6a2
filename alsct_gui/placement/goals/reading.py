"""Looking at a file where it lies: its size and the checksum of the bytes that are read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import (
    Evidence,
    ScanFacts,
)
from alsct_gui.placement.goals.base import Clock
from alsct_gui.superfacility.transfer.base import Transfer, TransferItem, check_path

_BLOCK_BYTES = 8 << 20


class Reader(Protocol):
    """Reads files of one place again, each time anew."""

    def read(self, wanted: Mapping[str, ScanFacts]) -> Mapping[str, Evidence]:
        """Return what was seen of the files that are there, by their relative path.

        Raises
        ------
        AlsctError
            It could not be looked at, so that nothing is known.
        """
        ...


class FolderReader:
    """Reads files of a folder of this machine."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root, self._clock = root, clock

    def read(self, wanted: Mapping[str, ScanFacts]) -> Mapping[str, Evidence]:
        """Read the files that are there from beginning to end."""
        found = {}
        for relative in wanted:
            check_path(relative)
            evidence = read_file(self._root / relative, self._clock)
            if evidence is not None:
                found[relative] = evidence
        return found


class TransferReader:
    """Reads files of a place that only a transfer reaches."""

    def __init__(self, transfer: Transfer, target: str, clock: Clock) -> None:
        self._transfer, self._target, self._clock = transfer, target, clock

    def read(self, wanted: Mapping[str, ScanFacts]) -> Mapping[str, Evidence]:
        """Ask for all of them at once."""
        items = [
            TransferItem(relative, relative, scan.size_bytes, scan.sha256)
            for relative, scan in wanted.items()
        ]
        return {
            item.target: Evidence(
                f"{self._target}:{item.target}", seen.checked_at or self._clock(),
                size_bytes=seen.size_bytes, sha256=seen.sha256 or "",
            )
            for item, seen in zip(items, self._transfer.verify(self._target, items), strict=True)
            if seen.there
        }  # fmt: skip


def read_file(path: Path, clock: Clock) -> Evidence | None:
    """Read a regular file and return its size and SHA-256; None when it is not there.

    Raises
    ------
    InputError
        It cannot be read, is no regular file, or changes while it is read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise InputError("is no regular file", where=str(path))
        digest = hashlib.sha256()
        while block := os.read(descriptor, _BLOCK_BYTES):
            digest.update(block)
        after = os.fstat(descriptor)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from error
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError("changes while it is read", where=str(path), fix="Wait until it is whole")
    return Evidence(str(path), clock(), size_bytes=before.st_size, sha256=digest.hexdigest())


def proves(evidence: Evidence, scan: ScanFacts, *, by_bytes: bool) -> bool:
    """Whether evidence shows a whole copy of a scan's file.

    Parameters
    ----------
    evidence, scan
        What was seen, and what it should be.
    by_bytes
        Whether the bytes must have been read; else the size is enough where a place cannot
        be read by us.
    """
    if evidence.size_bytes != scan.size_bytes:
        return False
    return evidence.sha256 == scan.sha256 or (not evidence.sha256 and not by_bytes)
