"""The life of a product: partial beside its name, journalled, locked, renamed when whole.

While it is being made, a product ``<name>`` is the folder ``.<name>.partial`` beside it::

    .<name>.partial/
        journal.jsonl   a head line, then one line ``[first, stop]`` per stored run of slices
        content/        what becomes ``<name>``

The journal is locked (flock) by the writing process. A run of slices enters it only after
its bytes have been synchronised to the disk, so that it is true after a crash of the
machine as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from alsct_gui.model.errors import OutputError

JOURNAL_VERSION = 1
# What of a provenance decides the voxels; the rest (times, paths, quality) may differ.
_DECISIVE = (
    "resolved", "input_identity", "input_sha256", "engine", "versions", "batch_slices", "converted",
    "step", "parameters", "inputs",
)  # fmt: skip


def fingerprint(provenance: Mapping[str, Any], **settings: Any) -> str:
    """Return a hash of all that decides the bytes of a product.

    Parameters
    ----------
    provenance
        Plain provenance; its resolved recipe, the input's identity, engine, batch size and
        versions count.
    **settings
        Shape, type, voxel size and format.
    """
    decisive = {key: provenance.get(key) for key in _DECISIVE} | settings
    text = json.dumps(decisive, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Partial:
    """A product in the making; holds its lock until closed, published or discarded."""

    def __init__(self, final: Path, journal_fd: int, recorded: list[tuple[int, int]]) -> None:
        self.final = final
        self.recorded = recorded
        """Runs [first, stop) of slices that an earlier run stored."""
        self.replace = False
        """Whether a product of the final name may be moved aside."""
        self._fd = journal_fd

    @classmethod
    def open(cls, final: Path, mark: str, *, resume: bool, anew: bool, replace: bool) -> Self:
        """Make or take over the partial product of a final name.

        Raises
        ------
        OutputError
            See `alsct_gui.files.writers.base.create_volume`.
        """
        if not replace:
            refuse_taken(final)
        folder = partial_folder(final)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(folder / "journal.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise OutputError(
                f"the output folder cannot be written ({error.strerror})", where=str(folder),
                fix="Give another output folder, or ask for write access",
            ) from error  # fmt: skip
        try:
            _lock(fd, folder)
            recorded = _read_journal(fd, mark, folder, resume=resume, anew=anew)
            if recorded is None:
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder / "content")
                os.ftruncate(fd, 0)
                head = {"version": JOURNAL_VERSION, "fingerprint": mark}
                os.write(fd, json.dumps(head).encode() + b"\n")
            (folder / "content").mkdir(exist_ok=True)
        except BaseException:
            os.close(fd)
            raise
        self = cls(final, fd, recorded or [])
        self.replace = replace
        return self

    @property
    def content(self) -> Path:
        """Folder that becomes the product."""
        return partial_folder(self.final) / "content"

    def record(self, first: int, stop: int) -> None:
        """Note that slices [first, stop) are on the disk."""
        os.write(self._fd, f"[{first}, {stop}]\n".encode())
        os.fdatasync(self._fd)

    def publish(self) -> Path:
        """Give the content its final name, in one step, and remove the rest.

        Raises
        ------
        OutputError
            The final name was taken meanwhile.
        """
        make_way(self.final, replace=self.replace)
        try:
            self.content.rename(self.final)
        except OSError as error:
            raise OutputError(
                f"the finished product cannot get its name ({error.strerror})",
                where=str(self.final), fix=f"It is whole and lies in {self.content}",
            ) from error  # fmt: skip
        sync_folder(self.final.parent)
        self.discard()
        return self.final

    def discard(self) -> None:
        """Remove what is left of the partial product, and free the lock.

        Without the lock it does nothing: the folder may be another run's by now.
        """
        if self._fd < 0:
            return
        with suppress(FileNotFoundError):
            shutil.rmtree(partial_folder(self.final))
        self.close()

    def close(self) -> None:
        """Free the lock; the partial product stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def partial_folder(final: Path) -> Path:
    """Return where a product of this name is while it is being made."""
    return final.with_name(f".{final.name}.partial")


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(root: Path) -> None:
    """Bring every file and folder below a root to the disk."""
    for folder, _, files in os.walk(root):
        for name in files:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def make_way(final: Path, *, replace: bool) -> None:
    """Move what has a name aside to ``<name>.old-<time>``, or refuse.

    Raises
    ------
    OutputError
        The name is taken and must not be.
    """
    if not replace:
        refuse_taken(final)
    elif os.path.lexists(final):
        final.rename(_aside(final))


def refuse_taken(final: Path) -> None:
    """Raise when a name is taken.

    Raises
    ------
    OutputError
        Something has it.
    """
    if os.path.lexists(final):
        raise OutputError(
            "exists already", where=str(final),
            fix="Give another name, or allow that it is replaced (--overwrite)",
        )  # fmt: skip


def _aside(final: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return final.with_name(f"{final.name}.old-{stamp}")


def _lock(fd: int, folder: Path) -> None:
    busy = OutputError(
        "another run is writing this product", where=str(folder),
        fix="Wait until it has ended, or give another name",
    )  # fmt: skip
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking, the run that had it may have removed the folder.
        if os.fstat(fd).st_ino != (folder / "journal.jsonl").stat().st_ino:
            raise busy
    except (BlockingIOError, FileNotFoundError) as error:
        raise busy from error


def _read_journal(
    fd: int, mark: str, folder: Path, *, resume: bool, anew: bool
) -> list[tuple[int, int]] | None:
    """Return the runs that are stored, or None when the work starts anew."""
    text = os.pread(fd, os.fstat(fd).st_size, 0)
    whole = text[: text.rfind(b"\n") + 1]  # a kill may have cut the last line
    if not whole or not resume:
        return None
    head, *lines = whole.splitlines()
    try:
        same = json.loads(head) == {"version": JOURNAL_VERSION, "fingerprint": mark}
        recorded = list(_runs(lines))
    except ValueError:
        same = False
    if not same:
        if anew:
            return None
        raise OutputError(
            "the partial product was made with another recipe, input or version",
            where=str(folder), fix="Start anew without resuming, or give another name",
        )  # fmt: skip
    os.ftruncate(fd, len(whole))
    return recorded


def _runs(lines: Iterable[bytes]) -> Iterable[tuple[int, int]]:
    for line in lines:
        first, stop = json.loads(line)
        yield int(first), int(stop)
