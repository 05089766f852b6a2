"""Copying one file so that what has its name at the target is whole, always.

The bytes go into a partial file beside the target, their SHA-256 is taken on the way, the
partial file is read back from the disk, and only when both agree does it get its name. A
partial file that is there already is compared with the source and continued.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alsct_gui.model.errors import AlsctError
from alsct_gui.superfacility.transfer.base import Reason, TransferItem, key_digest

BLOCK_BYTES = 4 << 20
"""Bytes that are read at once."""

_WORDS: dict[int, tuple[Reason, str, str]] = {
    errno.ENOSPC: (Reason.DISK_FULL, "the disk is full", "Free space there and retry"),
    errno.EDQUOT: (Reason.QUOTA, "the quota is used up", "Free space there or ask for more"),
    errno.EACCES: (Reason.PERMISSION, "access is denied", "Give yourself the right to it"),
    errno.EPERM: (Reason.PERMISSION, "access is denied", "Give yourself the right to it"),
    errno.EROFS: (Reason.PERMISSION, "the disk is read-only", "Mount it for writing"),
    errno.ESTALE: (Reason.UNREACHABLE, "the network disk was lost", "Retry when it is back"),
    errno.EIO: (Reason.UNREACHABLE, "the disk fails", "Check the disk, then retry"),
    errno.EHOSTDOWN: (Reason.UNREACHABLE, "the network disk is away", "Retry when it is back"),
    errno.ENOTCONN: (Reason.UNREACHABLE, "the network disk is away", "Retry when it is back"),
    errno.ENAMETOOLONG: (Reason.OTHER, "the name is too long there", "Give a shorter name"),
    errno.EFBIG: (Reason.OTHER, "files there cannot be so large", "Choose another disk"),
}  # fmt: skip


class CopyError(AlsctError):
    """A file could not be copied.

    Parameters
    ----------
    reason
        Why, for programs.
    what, where, fix
        Why, for people.
    """

    def __init__(self, reason: Reason, what: str, *, where: str, fix: str = "") -> None:
        self.reason = reason
        super().__init__(what, where=where, fix=fix, name=reason.value)


class Watcher(Protocol):
    """Who is told how a copy goes."""

    def check(self) -> None:
        """Raise to end the copy; what is written stays for the next time."""
        ...

    def moved(self, n_bytes: int) -> None:
        """So many bytes more are at the target."""
        ...

    def pause(self, n_bytes: int) -> None:
        """Wait until so many bytes more may be written, where there is a limit."""
        ...


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has shown."""

    size_bytes: int
    """Size of the file."""
    sha256: str
    """As it was read back at the target."""
    was_there: bool
    """Whether it had been there before, whole."""


def copy_file(
    source_root: Path, target_root: Path, item: TransferItem, key: str, watcher: Watcher
) -> Copied:
    """Copy one file.

    Parameters
    ----------
    source_root, target_root
        Folders that are never left, not by a link either.
    item
        The file.
    key
        Of the transfer: the same key continues what was begun.
    watcher
        Is told how it goes, and may end it.

    Raises
    ------
    CopyError
        Says why; the target does not have the file under its name then.
    """
    source, target = source_root / item.source, target_root / item.target
    _inside(source, source_root, Reason.SOURCE_GONE)
    if not target_root.is_dir():  # never made here: the disk may not be mounted
        raise CopyError(
            Reason.UNREACHABLE, "the folder at the target is not there",
            where=str(target_root), fix="Mount the disk or make the folder, then retry",
        )  # fmt: skip
    with _said(target, source_root=source_root, source=source):
        target.parent.mkdir(parents=True, exist_ok=True)
        _inside(target.parent, target_root, Reason.PERMISSION)
        partial = target.with_name(f".alsct-{key_digest(f'{key} {item.target}')}.part")
        with source.open("rb", buffering=0) as reader:
            facts = os.fstat(reader.fileno())
            _expect_size(facts, item, source)
            if os.path.lexists(target):
                return _was_there(source, target, item, watcher)
            sha256 = _write(reader, partial, watcher)
            _expect_unchanged(reader, facts, source)
        if item.sha256 is not None and sha256 != item.sha256:
            partial.unlink()
            raise _changed(source, "checksum")
        _settle(partial, target, facts, sha256, watcher)
    return Copied(facts.st_size, sha256, was_there=False)


def read_sha256(path: Path, watcher: Watcher | None = None) -> str:
    """SHA-256 of a file as it is on the disk, not as it is remembered."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        _forget(file.fileno())
        for block in _blocks(file.read):
            digest.update(block)
            if watcher is not None:
                watcher.check()
    return digest.hexdigest()


def say_os_error(error: OSError, where: Path) -> CopyError:
    """Return what an error of the system means."""
    known = _WORDS.get(error.errno or 0)
    if known is None:
        return CopyError(Reason.OTHER, f"the system says: {error.strerror}", where=str(where))
    reason, what, fix = known
    return CopyError(reason, what, where=str(where), fix=fix)


def _write(reader: object, partial: Path, watcher: Watcher) -> str:
    """Bring the partial file to the whole source; returns the source's SHA-256."""
    read: Callable[[int], bytes] = reader.read  # type: ignore[attr-defined]
    digest = hashlib.sha256()
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "r+b", buffering=0) as writer, ThreadPoolExecutor(1) as other:
        same = True  # as long as what is there agrees with the source
        for block in _blocks(read):
            watcher.check()
            hashed = other.submit(digest.update, block)  # while it is written
            if same:
                start = writer.tell()
                same = _read_all(writer.read, len(block)) == block
                if not same:
                    writer.seek(start)
                    writer.truncate()
            if not same:
                watcher.pause(len(block))
                _write_all(writer.write, block)
            hashed.result()
            watcher.moved(len(block))
        writer.truncate()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _settle(
    partial: Path, target: Path, facts: os.stat_result, sha256: str, watcher: Watcher
) -> None:
    """Read the partial file back, and give it its name."""
    if read_sha256(partial, watcher) != sha256:
        partial.unlink()
        raise CopyError(
            Reason.CHECKSUM, "what is on the disk is not what was written", where=str(target),
            fix="Check the disk, then retry",
        )  # fmt: skip
    os.utime(partial, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    if os.path.lexists(target):
        raise _differs(target)
    partial.rename(target)
    _sync_folder(target.parent)


def _was_there(source: Path, target: Path, item: TransferItem, watcher: Watcher) -> Copied:
    """Something has the name already: it is the same file, or it stays and we give up."""
    facts = target.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != source.stat().st_size:
        raise _differs(target)
    wanted = item.sha256 or read_sha256(source, watcher)
    if read_sha256(target, watcher) != wanted:
        raise _differs(target)
    watcher.moved(facts.st_size)
    return Copied(facts.st_size, wanted, was_there=True)


def _expect_size(facts: os.stat_result, item: TransferItem, source: Path) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise CopyError(Reason.SOURCE_GONE, "this is no file", where=str(source))
    if item.size_bytes is not None and facts.st_size != item.size_bytes:
        raise _changed(source, "size")


def _expect_unchanged(reader: object, facts: os.stat_result, source: Path) -> None:
    now = os.fstat(reader.fileno())  # type: ignore[attr-defined]
    if (now.st_size, now.st_mtime_ns) != (facts.st_size, facts.st_mtime_ns):
        raise CopyError(
            Reason.SOURCE_CHANGED, "the file changes while it is copied", where=str(source),
            fix="Wait until it is written, then retry",
        )  # fmt: skip


def _changed(source: Path, property_name: str) -> CopyError:
    return CopyError(
        Reason.SOURCE_CHANGED, f"the file no longer has the {property_name} that was recorded",
        where=str(source), fix="Do not pass it on: find out what changed it",
    )  # fmt: skip


def _differs(target: Path) -> CopyError:
    return CopyError(
        Reason.TARGET_DIFFERS, "something else has this name already", where=str(target),
        fix="Look at both; rename or remove the one at the target",
    )  # fmt: skip


def _inside(path: Path, root: Path, reason: Reason) -> None:
    """Refuse what leaves a root through a link."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise CopyError(
            reason, "a link leads out of the folder", where=str(path), fix="Remove the link"
        )


@contextmanager
def _said(target: Path, *, source_root: Path, source: Path) -> Iterator[None]:
    """Errors of the system in our words, with the file that each is about."""
    try:
        yield
    except FileNotFoundError as error:
        if not source.exists():
            what = "the file is gone" if source_root.exists() else "the folder is gone"
            raise CopyError(
                Reason.SOURCE_GONE, what, where=str(source), fix="Put it back, or cancel"
            ) from error
        raise CopyError(
            Reason.UNREACHABLE, "the folder at the target has vanished", where=str(target),
            fix="Mount the disk and retry",
        ) from error  # fmt: skip
    except OSError as error:
        named = isinstance(error.filename, str) and Path(error.filename) == source
        raise say_os_error(error, source if named else target) from error


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while block := read(BLOCK_BYTES):
        yield block


def _read_all(read: Callable[[int], bytes | None], size: int) -> bytes:
    """Read so many bytes, or what there is."""
    parts = bytearray()
    while len(parts) < size and (part := read(size - len(parts))):
        parts += part
    return bytes(parts)


def _write_all(write: Callable[[memoryview], int | None], block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[write(rest) or 0 :]


def _forget(handle: int) -> None:
    """Have the next read come from the disk."""
    with suppress(OSError):  # not every file system knows it; the read-back is then weaker
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Throttle:
    """Keeps a copy below a rate.

    Parameters
    ----------
    limit_bytes_per_s
        The rate; None is none.
    """

    def __init__(self, limit_bytes_per_s: float | None) -> None:
        self._limit = limit_bytes_per_s
        self._free_s = time.monotonic()

    def wait_s(self, n_bytes: int) -> float:
        """How long to wait before so many bytes more."""
        if self._limit is None:
            return 0.0
        now_s = time.monotonic()
        self._free_s = max(self._free_s, now_s) + n_bytes / self._limit
        return self._free_s - now_s
