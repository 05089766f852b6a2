"""The ledger: one SQLite file, to whose events is only ever added.

::

    ledger.sqlite        events, and what is derived from them (snapshot, mentions, progress),
                         and notes of what is so now
    ledger.sqlite.lock   held while somebody writes

Events are numbered 1, 2, 3 … without a gap; triggers refuse to change or remove one. A
writer takes the lock and a transaction for every batch of events, so the agent and, for a
moment, a window or a command can both write. Each transaction is on the disk when `append`
returns (WAL, synchronous=FULL). What is derived can be removed and made again.

It is one class, longer than others, because everything here shares one connection and one lock,
and their order is what keeps the events whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.model.errors import AlsctError, InputError, OutputError
from alsct_gui.model.placement import (
    Observed,
    StepState,
    scan_part,
)
from alsct_gui.placement import tables
from alsct_gui.placement.events import Event, EventKind, dump, scans_of
from alsct_gui.placement.fold import fold, observed_from_plain, observed_to_plain

FOLDER_VARIABLE = "ALSCT_LEDGER"
"""Environment variable that names another ledger file."""
SCHEMA_VERSION = 3
SNAPSHOT_EVERY = 5000
"""Events after which a snapshot is made anew."""
ABSENT, EMPTY, OLD = "ledger-absent", "ledger-empty", "ledger-old"
LATER, LOCKED = "ledger-later", "ledger-locked"
"""Names of errors that whoever reads a ledger tells apart."""
_BUSY_S = 30.0
_BUSY_READING_S = 0.2

_COLUMNS = "SELECT seq, time_s, kind, data FROM events "
_TAIL = _COLUMNS + "WHERE seq > ? ORDER BY seq LIMIT ?"
_TIMELINE = _COLUMNS + "WHERE seq IN (SELECT seq FROM mentions WHERE scan = ?) ORDER BY seq"  # noqa: S608
_OF_PATH = (
    _COLUMNS + "WHERE kind IN ('asked', 'arrival') AND instr(data, ?) > 0 AND seq < ? ORDER BY seq"
)


def default_ledger() -> Path:
    """Return the ledger of this user, which need not exist."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "alsct-gui" / "ledger.sqlite"


class LedgerError(OutputError):
    """The ledger cannot be written: nothing may be done any more that it would not know."""


class LedgerMovedError(LedgerError):
    """Somebody else has written since: what was decided has to be decided anew."""


class Ledger:
    """A ledger, opened for reading and writing. Use as a context manager, or call `close`.

    Not for several threads at once; each thread, and each process, opens its own.

    Parameters
    ----------
    path
        The file.
    create
        Make it when it is not there.
    write
        Open it for writing; else nothing of it is ever changed or made.
    clock
        Gives the time of events, in seconds since 1970.

    Raises
    ------
    InputError
        It is not there, is no ledger, is damaged, or is of a later version; for reading alone
        also one of an earlier version.
    LedgerError
        It cannot be made.
    """

    def __init__(
        self, path: Path, *, create: bool = True, write: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.path = path.absolute()
        self._clock, self._write = clock, write
        create = create and write
        if create:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._cannot_write(error) from error
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        self._db = self._connect(create=create)
        try:
            self._prepare(create=create)
        except BaseException:
            self._db.close()
            raise

    def append(self, events: Sequence[Event], after: int | None = None) -> tuple[Event, ...]:
        """Add events in one transaction; they are on the disk when this returns.

        Parameters
        ----------
        events
            None of them is stored yet.
        after
            Number of the last event that was known when they were decided on; None when it
            does not matter what others have written since.

        Returns
        -------
        tuple of Event
            The same, with their numbers and times.

        Raises
        ------
        LedgerMovedError
            Others have written after that number; nothing is written then.
        LedgerError
            They cannot be written; none of them is then.
        """
        now_s = self._clock()
        with self._writing():
            seq = self.last_seq()
            if after is not None and seq != after:
                raise LedgerMovedError("others have written meanwhile", where=str(self.path))
            stored = tuple(
                replace(item, seq=seq + 1 + place, time_s=item.time_s or now_s)
                for place, item in enumerate(events)
            )
            self._db.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?)",
                [(item.seq, item.time_s, item.kind, dump(item.data)) for item in stored],
            )
            self._mention(stored)
            ended = [(e.data["work"],) for e in stored if e.kind == EventKind.ENDED]
            self._db.executemany("DELETE FROM progress WHERE work = ?", ended)
        return stored

    def tail(self, since: int, limit: int = -1) -> tuple[Event, ...]:
        """Return the events after number `since`, oldest first, at most `limit` of them.

        Raises
        ------
        InputError
            They cannot be read.
        """
        return self._events(_TAIL, since, limit)

    def timeline(self, scan: str) -> tuple[Event, ...]:
        """Return the events that mention a scan (`model.placement.scan_part`), oldest first."""
        return self._events(_TIMELINE, bytes.fromhex(scan))

    def arrival(self, path: str, before: int) -> tuple[Event, ...]:
        """Return what was told of a file before event number `before`, oldest first.

        Before a file is a scan, events know it by its path alone.
        """
        found = self._events(_OF_PATH, f'"path":{json.dumps(path)}', before)
        return tuple(item for item in found if item.data.get("path") == path)

    def last_seq(self) -> int:
        """Return the number of the last event, 0 when there is none."""
        with self._reading():
            row = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()
        return int(row[0])

    def observed(self) -> Observed:
        """Return all that is known: the snapshot, and what came after it.

        Raises
        ------
        InputError
            It cannot be read.
        """
        observed = self._snapshot()
        return fold(self.tail(observed.seq), observed)

    def keep_snapshot(self, observed: Observed) -> None:
        """Keep what is known, so that the next start reads only what comes after.

        Raises
        ------
        LedgerError
            It cannot be written.
        """
        data = zlib.compress(dump(observed_to_plain(observed)).encode(), 1)
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?)", (observed.seq, data)
            )

    def snapshot_seq(self) -> int:
        """Return the number of the last event in the snapshot, 0 without one."""
        with self._reading():
            row = self._db.execute("SELECT seq FROM snapshot").fetchone()
        return int(row[0]) if row else 0

    def note_progress(self, work: str, state: StepState) -> None:
        """Keep how far a piece of work is; the one before is forgotten, no event is made."""
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)",
                (work, self._clock(), state.done, state.total),
            )

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return how many bytes or slices of each piece of work are done, and of how many."""
        with self._reading():
            rows = self._db.execute("SELECT work, done, total FROM progress").fetchall()
        return {work: (done, total) for work, done, total in rows}

    def note(self, name: str, data: Mapping[str, Any]) -> None:
        """Keep what is of use now and no part of the history; the note before it is forgotten.

        Parameters
        ----------
        name
            Of the note.
        data
            In the types of JSON.

        Raises
        ------
        LedgerError
            It cannot be written.
        """
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (name, self._clock(), dump(data))
            )

    def notes(self) -> dict[str, dict[str, Any]]:
        """Return all notes by name.

        Raises
        ------
        InputError
            They cannot be read.
        """
        with self._reading():
            rows = self._db.execute("SELECT name, data FROM notes").fetchall()
            return {name: json.loads(data) for name, data in rows}

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the file itself, in sentences; nothing when it is whole."""
        with self._reading():
            found = [row[0] for row in self._db.execute("PRAGMA integrity_check")]
            rows = self._db.execute(
                "SELECT COUNT(*), COALESCE(MIN(seq), 1), COALESCE(MAX(seq), 0) FROM events"
            ).fetchone()
            snapshot_seq = self.snapshot_seq()
        said = [f"SQLite says: {text}" for text in found if text != "ok"]
        count, first, last = rows
        if first != 1 or count != last:
            said.append(f"Events have a gap: {count} of them, from {first} to {last}")
        if snapshot_seq > last:
            said.append(f"The snapshot is of event {snapshot_seq}, the last event is {last}")
        if not said:
            anew = fold(self.tail(0))
            if anew != self.observed():
                said.append("The snapshot does not follow from the events")
        return tuple(said)

    def drop_snapshot(self) -> None:
        """Remove what can be derived from the events, so that it is made again."""
        with self._writing():
            self._db.execute("DELETE FROM snapshot")

    def changes(self) -> int:
        """Return a number that differs once another process has written; quick.

        Raises
        ------
        InputError
            It cannot be read, or was brought to a later version since it was opened.
        """
        with self._reading():
            number = int(self._db.execute("PRAGMA data_version").fetchone()[0])
            self._version()
        return number

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        mode = "rwc" if create else "rw" if self._write else "ro"
        try:
            db = sqlite3.connect(
                f"{self.path.as_uri()}?mode={mode}", uri=True, isolation_level=None,
                timeout=_BUSY_S if self._write else _BUSY_READING_S,
            )  # fmt: skip
        except sqlite3.Error as error:
            if not self.path.exists():
                raise InputError(
                    "there is no ledger", where=str(self.path), fix="Start alsct agent run",
                    name=ABSENT,
                ) from error  # fmt: skip
            raise self._cannot_read(error) from error
        return db

    def _prepare(self, *, create: bool) -> None:
        """Make the tables, or bring those of an earlier version up to date."""
        with self._reading():
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._version()
        if version == SCHEMA_VERSION:
            return
        if version == 0 and not create:
            name = "" if self._tables() else EMPTY
            raise InputError("is no ledger", where=str(self.path), name=name)
        if not self._write:
            raise InputError(
                "the ledger is of an earlier version", where=str(self.path),
                fix="The agent brings it up to date when it starts", name=OLD,
            )  # fmt: skip
        with self._locked():
            with self._reading():
                self._db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                # Asked once more: somebody may have brought it further meanwhile.
                for number in range(self._version(), SCHEMA_VERSION):
                    _MIGRATIONS[number](self)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self, refusal: type[AlsctError] = InputError) -> int:
        """Return the version of its tables; a later one means something else by them."""
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise refusal(
                f"the ledger is of version {version}, this program knows {SCHEMA_VERSION}",
                where=str(self.path), fix="Use the newer program", name=LATER,
            )  # fmt: skip
        return version

    def _tables(self) -> int:
        with self._reading():
            return int(self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0])

    def _make_events(self) -> None:
        """From nothing to version 1."""
        if self._tables():
            raise InputError("is another program's database", where=str(self.path))
        self._script(tables.EVENTS)

    def _make_derived(self) -> None:
        """From version 1, which had events alone, to version 2."""
        self._script(tables.DERIVED)
        self._mention(self.tail(0))

    def _make_notes(self) -> None:
        """From version 2 to version 3."""
        self._script(tables.NOTES)

    def _script(self, text: str) -> None:
        """Run statements within the transaction, which `executescript` would end."""
        statement = ""
        for line in text.splitlines():
            statement += line + "\n"
            if sqlite3.complete_statement(statement):
                self._db.execute(statement)
                statement = ""

    def _mention(self, events: Sequence[Event]) -> None:
        """Note which scans events are about."""
        rows = []
        for item in events:
            scans = scans_of([*item.keys, *item.data.get("scans", ())])
            if item.kind == EventKind.SCAN:
                scans = (*scans, scan_part(item.data["scan"]["id"]))
            rows += [(bytes.fromhex(scan), item.seq) for scan in scans]
        self._db.executemany("INSERT OR IGNORE INTO mentions VALUES (?, ?)", rows)

    def _events(self, query: str, *values: object) -> tuple[Event, ...]:
        with self._reading():
            rows = self._db.execute(query, values)
            return tuple(
                Event(kind, json.loads(data), time_s, seq) for seq, time_s, kind, data in rows
            )

    def _snapshot(self) -> Observed:
        with self._reading():
            row = self._db.execute("SELECT data FROM snapshot").fetchone()
            if row is None:
                return Observed()
            return observed_from_plain(json.loads(zlib.decompress(row[0])))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, zlib.error) as error:
            raise self._cannot_read(error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._locked(), self._transaction():
            self._version(LedgerError)
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the one who writes."""
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._cannot_write(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._cannot_write(error) from error

    def _cannot_read(self, error: Exception) -> InputError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more closely why
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return InputError(
                "the ledger is locked by another program", where=str(self.path),
                fix="Close what else holds it open; it is read again by itself", name=LOCKED,
            )  # fmt: skip
        return InputError(
            f"the ledger cannot be read ({error})", where=str(self.path),
            fix="Run alsct agent check; keep the file as it is",
        )  # fmt: skip

    def _cannot_write(self, error: Exception) -> LedgerError:
        return LedgerError(
            f"the ledger cannot be written ({error})", where=str(self.path),
            fix=f"Free space, or name another ledger by {FOLDER_VARIABLE}",
        )  # fmt: skip


_MIGRATIONS: tuple[Callable[[Ledger], None], ...] = (
    Ledger._make_events,  # noqa: SLF001 (of this very class)
    Ledger._make_derived,  # noqa: SLF001
    Ledger._make_notes,  # noqa: SLF001
)
"""What brings a ledger from version n to n + 1."""
