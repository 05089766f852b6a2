"""Looking at files where only commands can be run: what lies there, and what its bytes are.

`resources/jobs/look.py` is what is run: a fixed text, whose one argument is a file with the
question. So no name of a file ever stands in a command.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from alsct_gui.files.resources import resource_path
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

T = TypeVar("T")
VERSION = 1
READ_S = 600.0
"""How long the reading of one file may take that was begun in time."""
MAX_PATHS = 10_000
"""Paths of one question."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at; absolute paths on the machine itself.

    Raises
    ------
    RefusedError
        A path is not absolute, climbs, or holds a zero byte.
    """

    folders: tuple[str, ...] = ()
    """Whose files to list, with their sizes."""
    texts: tuple[str, ...] = ()
    """Small files to read as text."""
    files: tuple[str, ...] = ()
    """Files to read from beginning to end."""
    within_s: float = 60.0
    """Time after which no further file is begun; the first is always read."""

    def __post_init__(self) -> None:
        paths = (*self.folders, *self.texts, *self.files)
        if len(paths) > MAX_PATHS:
            raise RefusedError(f"{len(paths)} paths are too many for one look")
        for path in paths:
            if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
                raise RefusedError(
                    "the path is not absolute, climbs, or holds a zero byte",
                    where=repr(path[:200]), name="hostile-path",
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file whose bytes were read."""

    size_bytes: int
    sha256: str
    """64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen, by path; None where nothing is."""

    folders: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict)
    """Size in bytes of each regular file, by its path in the folder."""
    texts: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, FileBytes | None] = field(default_factory=dict)
    """Those that there was time for."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Why something could not be looked at."""


@runtime_checkable
class Looker(Protocol):
    """Somewhere that can be looked at by a command."""

    def look(self, question: Question) -> Answer:
        """Look anew; may block as long as reading takes.

        Raises
        ------
        OutsideError
            It could not be looked at, so that nothing is known.
        """
        ...


def script_text() -> str:
    """Return what is run: the same for every look."""
    return resource_path("jobs", "look.py").read_text(encoding="utf-8")


def script_name() -> str:
    """Name of the script at a place, made from its text, so that another version is another."""
    return f"alsct-look-{hashlib.sha256(script_text().encode()).hexdigest()[:16]}.py"


def question_bytes(question: Question) -> bytes:
    """Return the file that the script reads: JSON in ASCII, whatever the names are made of."""
    plain = {
        "version": VERSION, "folders": question.folders, "texts": question.texts,
        "files": question.files, "within_s": question.within_s,
    }  # fmt: skip
    return json.dumps(plain, ensure_ascii=True).encode("ascii")


def parse_answer(text: str, where: str) -> Answer:
    """Read what the script has printed, without trust.

    Parameters
    ----------
    text
        Its output.
    where
        The place, for errors.

    Raises
    ------
    LinkDownError
        It is no such answer: cut off, or another program's.
    """
    try:
        plain = json.loads(text)
        errors: dict[str, str] = {}
        return Answer(
            _taken(plain["folders"], _sizes, errors),
            _taken(plain["texts"], _text, errors),
            _taken(plain["files"], _bytes, errors),
            errors,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LinkDownError(
            "what was seen there is not understood", where=where, fix="It is tried again later",
            name="nonsense",
        ) from error  # fmt: skip


def _taken(
    plain: Mapping[str, Mapping[str, Any]], read: Callable[[Any], T], errors: dict[str, str]
) -> dict[str, T | None]:
    found: dict[str, T | None] = {}
    for path, item in plain.items():
        if "error" in item:
            errors[path] = str(item["error"])[:300]
        else:
            found[path] = None if item["found"] is None else read(item["found"])
    return found


def _sizes(rows: Any) -> dict[str, int]:
    return {_name_below(name): _count(size) for name, size in rows}


def _name_below(value: Any) -> str:
    """Path of a file in a folder: whoever joins it to another folder stays in that one."""
    name = _text(value)
    if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError("a name that leads out of its folder")
    return name


def _bytes(row: Any) -> FileBytes:
    size, digest = row
    if len(_text(digest)) != 64:
        raise ValueError("no checksum")
    return FileBytes(_count(size), digest)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("no size")
    return value
