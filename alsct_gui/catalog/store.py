"""The catalogue: one SQLite file with an index of all words (FTS5).

::

    catalog.sqlite        datasets, tags, notes, previews, and the index of their words
    catalog.sqlite.lock   held while somebody writes

Whoever writes takes the lock for a transaction, so the agent and a window can both. The
index is derived, and made anew from the rest when it does not fit.
https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from alsct_gui.catalog.model import Dataset, Found, Note, dataset_from_text, dataset_text
from alsct_gui.model.errors import AlsctError, InputError, OutputError, UsageError

FILE_VARIABLE = "ALSCT_CATALOG"
"""Environment variable that names another catalogue."""
VERSION = 1
MAX_PREVIEW_BYTES = 1 << 20
MAX_TAG_CHARS = 60
_BUSY_S = 30.0
_PNG = b"\x89PNG\r\n\x1a\n"
_TABLES = (
    """CREATE TABLE datasets (
        id TEXT PRIMARY KEY, seen_s REAL NOT NULL, data TEXT NOT NULL, preview BLOB
    ) WITHOUT ROWID""",
    "CREATE INDEX datasets_by_time ON datasets (seen_s DESC)",
    """CREATE TABLE tags (
        id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (id, tag)
    ) WITHOUT ROWID""",
    "CREATE TABLE notes (id TEXT NOT NULL, time_s REAL NOT NULL, author TEXT, text TEXT NOT NULL)",
    "CREATE INDEX notes_by_dataset ON notes (id, time_s)",
    """CREATE VIRTUAL TABLE words USING fts5 (
        id UNINDEXED, text, tokenize = "unicode61 remove_diacritics 2"
    )""",
)


def default_catalog() -> Path:
    """Return the catalogue of this user, which need not exist."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "alsct-gui" / "catalog.sqlite"


class Catalog:
    """A catalogue, opened for reading and writing. Use as a context manager, or call `close`.

    Not for several threads at once; each thread opens its own.

    Parameters
    ----------
    path
        The file, which is made when it is not there.
    clock
        Gives the time of notes, in seconds since 1970.

    Raises
    ------
    InputError
        It is no catalogue, is damaged, or is of a later version.
    OutputError
        It cannot be made.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path.absolute()
        self._clock = clock
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._cannot_write(error) from error
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def enter(self, dataset: Dataset, preview: bytes | None = None) -> None:
        """Enter a dataset, or bring its row up to date; tags and notes stay.

        Parameters
        ----------
        dataset
            What is known of it.
        preview
            A picture of it as PNG; None keeps the one that there is.

        Raises
        ------
        UsageError
            The picture is no PNG, or too large.
        OutputError
            It cannot be written; nothing of it is then.
        """
        if preview is not None:
            _check_preview(preview)
        with self._writing():
            self._db.execute(
                "INSERT INTO datasets VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " seen_s = excluded.seen_s, data = excluded.data,"
                " preview = COALESCE(excluded.preview, preview)",
                (dataset.id, dataset.seen_s, dataset_text(dataset), preview),
            )
            self._index(dataset.id)

    def get(self, id: str) -> Found | None:  # noqa: A002 (the word of the trade)
        """Return a dataset by its identity; None when it was never seen.

        Raises
        ------
        InputError
            The catalogue cannot be read.
        """
        with self._reading():
            row = self._db.execute("SELECT data FROM datasets WHERE id = ?", (id,)).fetchone()
            return None if row is None else self._found(row[0])

    def search(
        self, text: str = "", tags: Sequence[str] = (), *, limit: int = 200
    ) -> tuple[Found, ...]:
        """Return the datasets that have all words and all tags.

        Words are beginnings of words, in any order and whatever their case or accents; they
        are looked for in paths, titles, proposals, metadata, tags and notes.

        Parameters
        ----------
        text
            Words; without any, all datasets are found.
        tags
            Tags, whole.
        limit
            Most datasets that are returned, the newest first.

        Raises
        ------
        InputError
            The catalogue cannot be read.
        """
        query = "SELECT data FROM datasets WHERE 1"
        values: list[object] = []
        words = _query(text)
        if words:
            query += " AND id IN (SELECT id FROM words WHERE words MATCH ?)"
            values.append(words)
        for tag in tags:
            query += " AND id IN (SELECT id FROM tags WHERE tag = ?)"
            values.append(tag)
        query += " ORDER BY seen_s DESC, id LIMIT ?"
        with self._reading():
            rows = self._db.execute(query, (*values, limit)).fetchall()
            return tuple(self._found(row[0]) for row in rows)

    def count(self) -> int:
        """Return how many datasets there are."""
        with self._reading():
            return int(self._db.execute("SELECT COUNT(*) FROM datasets").fetchone()[0])

    def tags(self) -> dict[str, int]:
        """Return all tags with the number of their datasets."""
        with self._reading():
            return dict(self._db.execute("SELECT tag, COUNT(*) FROM tags GROUP BY tag"))

    def tag(self, id: str, tag: str) -> None:  # noqa: A002
        """Give a dataset a tag; a second time changes nothing.

        Raises
        ------
        UsageError
            There is no such dataset, or the tag is empty, too long or has a line break.
        """
        if not tag.strip() or len(tag) > MAX_TAG_CHARS or not tag.isprintable():
            raise UsageError(
                f"{tag[:80]!r} is not a tag", fix=f"Take a word of at most {MAX_TAG_CHARS} letters"
            )
        with self._writing():
            self._require(id)
            self._db.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (id, tag.strip()))
            self._index(id)

    def untag(self, id: str, tag: str) -> None:  # noqa: A002
        """Take a tag away; one that is not there is no error."""
        with self._writing():
            self._db.execute("DELETE FROM tags WHERE id = ? AND tag = ?", (id, tag))
            self._index(id)

    def note(self, id: str, text: str, author: str = "") -> None:  # noqa: A002
        """Add a note to a dataset.

        Raises
        ------
        UsageError
            There is no such dataset, or the note is empty.
        """
        if not text.strip():
            raise UsageError("the note is empty", fix="Write something")
        with self._writing():
            self._require(id)
            row = (id, self._clock(), _plain(author), _plain(text.strip()))
            self._db.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", row)
            self._index(id)

    def preview(self, id: str) -> bytes | None:  # noqa: A002
        """Return the picture of a dataset as PNG; None when there is none."""
        with self._reading():
            row = self._db.execute("SELECT preview FROM datasets WHERE id = ?", (id,)).fetchone()
            return row[0] if row is not None else None

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

    def _prepare(self) -> None:
        with self._reading():
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._version()
        if version == VERSION:
            return
        with self._locked():
            with self._reading():
                self._db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                if self._version() == VERSION:
                    return  # another process was quicker
                if self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
                    raise InputError("is another program's database", where=str(self.path))
                for statement in _TABLES:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _version(self, refusal: type[AlsctError] = InputError) -> int:
        """Return the version of its tables; a later one means something else by them."""
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise refusal(
                f"the catalogue is of version {version}, this program knows {VERSION}",
                where=str(self.path), fix="Use the newer program",
            )  # fmt: skip
        return version

    def _require(self, id: str) -> None:  # noqa: A002
        if self._db.execute("SELECT 1 FROM datasets WHERE id = ?", (id,)).fetchone() is None:
            raise UsageError(f"there is no dataset {id[:80]!r}", fix="See alsct catalog search")

    def _found(self, data: str) -> Found:
        dataset = dataset_from_text(data)
        tags = self._db.execute("SELECT tag FROM tags WHERE id = ? ORDER BY tag", (dataset.id,))
        notes = self._db.execute(
            "SELECT time_s, text, author FROM notes WHERE id = ? ORDER BY time_s, rowid",
            (dataset.id,),
        )
        return Found(dataset, tuple(tag for (tag,) in tags), tuple(Note(*row) for row in notes))

    def _index(self, id: str) -> None:  # noqa: A002
        """Bring the words of a dataset up to date."""
        self._db.execute("DELETE FROM words WHERE id = ?", (id,))
        row = self._db.execute("SELECT data FROM datasets WHERE id = ?", (id,)).fetchone()
        if row is not None:
            self._db.execute("INSERT INTO words VALUES (?, ?)", (id, _words(self._found(row[0]))))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise InputError(
                f"the catalogue cannot be read ({error})", where=str(self.path),
                fix="Keep the file, and begin another one: datasets are entered again",
            ) from error  # fmt: skip

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._locked(), self._transaction():
            self._version(OutputError)
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

    def _cannot_write(self, error: Exception) -> OutputError:
        return OutputError(
            f"the catalogue cannot be written ({error})", where=str(self.path),
            fix=f"Free space, or name another catalogue by {FILE_VARIABLE}",
        )  # fmt: skip


def _check_preview(preview: bytes) -> None:
    if not preview.startswith(_PNG) or len(preview) > MAX_PREVIEW_BYTES:
        raise UsageError("the picture is no PNG, or too large", fix="Make it smaller")


def _query(text: str) -> str:
    """Return words as a query of FTS5 in which nothing but them means anything."""
    words = "".join(char if char.isalnum() else " " for char in text).split()
    return " ".join(f'"{word}"*' for word in words)


def _words(found: Found) -> str:
    """Return all that is searched of a dataset."""
    dataset = found.dataset
    parts = (
        dataset.path, dataset.title, dataset.proposal, *dataset.metadata.values(), *found.tags,
        *(note.text for note in found.notes),
    )  # fmt: skip
    return _plain("\n".join(parts))


def _plain(text: str) -> str:
    """Return text that SQLite takes: what is no unicode, or ends a C string, is replaced."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
