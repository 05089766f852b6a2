"""A run on the disk: one folder each, which only its present writer appends to.

::

    <runs>/
        keeper.lock     locked by the keeper; says which process it is
        keeper.log      what the keeper said
        order.json      queued runs that were moved, in the order wanted
        <id>/           sorts by time
            request.json    what was asked for, never changed
            events.jsonl    what happened, appended to under its lock
            cancel          there when somebody wants it to end
            log.txt         what the worker printed
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.model.errors import AlsctError, OutputError, UsageError
from alsct_gui.placement.runs.model import (
    STATE_CHANGES,
    RunEvent,
    RunRequest,
    event_line,
    request_from_plain,
    request_to_plain,
)

PATIENCE_S = 2.0
"""How long orders of a person wait for a process that is letting go of a run."""
_TRY_AGAIN_S = 0.02

FOLDER_VARIABLE = "ALSCT_RUNS"
"""Environment variable that names another runs folder."""
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{4}")


class RunBusyError(AlsctError):
    """Another process is writing this run's events."""


def default_folder() -> Path:
    """Return the runs folder of this user, which need not exist."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "alsct-gui" / "runs"


def is_run_id(name: str) -> bool:
    """Say whether a name is that of a run, hence safe as a part of a path."""
    return _ID.fullmatch(name) is not None


class RunFolder:
    """The folder of one run.

    Raises
    ------
    UsageError
        The id is not one.
    """

    def __init__(self, runs: Path, run_id: str) -> None:
        if not is_run_id(run_id):
            raise UsageError(f"{run_id[:80]!r} is not the id of a run", fix="See alsct runs")
        self.id = run_id
        self.path = runs / run_id
        self.events = self.path / "events.jsonl"
        self.log = self.path / "log.txt"
        self._cancel = self.path / "cancel"

    @classmethod
    def create(cls, runs: Path, request: RunRequest) -> Self:
        """Make the folder of a new, queued run; it appears whole or not at all.

        Raises
        ------
        OutputError
            The runs folder cannot be written.
        """
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
        making = runs / f".{run_id}.new"
        try:
            making.mkdir(parents=True)
            write_plain(making / "request.json", request_to_plain(request))
            with EventLog(making / "events.jsonl") as log:
                log.append("queued")
            making.rename(runs / run_id)
        except OSError as error:
            shutil.rmtree(making, ignore_errors=True)
            raise cannot_write(runs, error) from error
        return cls(runs, run_id)

    def exists(self) -> bool:
        """Whether there is such a run."""
        return self.events.is_file()

    def request(self) -> RunRequest:
        """Read what was asked for.

        Raises
        ------
        RecipeError
            It cannot be read.
        """
        return request_from_plain(read_plain(self.path / "request.json"))

    def open_log(self, patience_s: float = 0.0) -> EventLog:
        """Become the writer of its events; see `EventLog`."""
        return EventLog(self.events, patience_s)

    def ask_cancel(self) -> None:
        """Note that it shall end.

        Raises
        ------
        OutputError
            The runs folder cannot be written.
        """
        try:
            self._cancel.touch()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def drop_cancel(self) -> None:
        """Take that back."""
        self._cancel.unlink(missing_ok=True)

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody wants it to end."""
        return self._cancel.exists()

    def remove(self) -> None:
        """Remove the folder; a run that has a writer is left alone.

        Raises
        ------
        RunBusyError
            It has a writer.
        OutputError
            The folder cannot be removed.
        """
        gone = self.path.with_name(f".{self.id}.gone")
        try:
            with self.open_log(PATIENCE_S):
                self.path.rename(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise cannot_write(self.path, error) from error


def _locked(descriptor: int) -> bool:
    """Take a file's lock if it is free; returns whether it was."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class EventLog:
    """The one writer of a run's events; holds their lock while it is open.

    Safe to use from several threads. A change of state is on the disk when `append` returns.

    Parameters
    ----------
    path
        The events file; made when there is none.
    patience_s
        How long to wait for a process that is about to let go of it, such as the keeper that
        just wrote that a worker was lost.

    Raises
    ------
    RunBusyError
        Another process writes them.
    OutputError
        The file cannot be written.
    """

    def __init__(self, path: Path, patience_s: float = 0.0) -> None:
        self._path = path
        self._lock = threading.Lock()
        end_s = time.monotonic() + patience_s
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            while not _locked(self._fd):
                if time.monotonic() >= end_s:
                    raise BlockingIOError
                time.sleep(_TRY_AGAIN_S)  # a lock cannot be waited for with an end
            # Between opening and locking, somebody may have removed the run.
            if os.fstat(self._fd).st_ino != path.stat().st_ino:
                raise BlockingIOError
            self._end_torn_line()
        except (BlockingIOError, FileNotFoundError) as error:
            os.close(self._fd)
            raise RunBusyError("another process has this run", where=str(path.parent)) from error

    def append(self, kind: str, **data: Any) -> None:
        """Add an event that happens now.

        Raises
        ------
        OutputError
            The disk refuses.
        """
        line = memoryview(event_line(RunEvent(time.time(), kind, data)))
        try:
            with self._lock:
                while line:
                    line = line[os.write(self._fd, line) :]
                if kind in STATE_CHANGES:
                    os.fsync(self._fd)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def close(self) -> None:
        """Free the lock."""
        with self._lock:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _end_torn_line(self) -> None:
        """A kill may have cut the last line; what follows begins on its own."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")


def read_order(runs: Path) -> tuple[str, ...]:
    """Return the ids of the queued runs that were moved, in the order wanted."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads((runs / "order.json").read_bytes())
        if isinstance(found, list):
            return tuple(item for item in found if isinstance(item, str) and is_run_id(item))
    return ()  # there is none, or it is damaged: then they go by age


def write_order(runs: Path, order: tuple[str, ...]) -> None:
    """Store that order.

    Raises
    ------
    OutputError
        The runs folder cannot be written.
    """
    write_plain(runs / "order.json", list(order))


def plain_error(error: AlsctError) -> Mapping[str, str]:
    """Return the data of an event that tells an error."""
    return {"what": error.what, "where": error.where, "fix": error.fix}


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error that says that something of the runs folder cannot be written."""
    return OutputError(
        f"the folder of runs cannot be written ({error.strerror or error})", where=str(path),
        fix=f"Free space or ask for write access, or name another folder in {FOLDER_VARIABLE}",
    )  # fmt: skip
