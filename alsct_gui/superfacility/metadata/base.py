"""Records of datasets, the Protocol of whoever keeps them, and what differs between two.

A record's key is chosen here, from the identity of the scan and of the recipe. So the same
dataset is the same record however often it is handed in.

Some of a record is *firm*: where the data are, what they are made of, whose they are. It is
compared each time, and mended. The rest are *words* for people, who may write better ones over
them: words are given when the record is made and left alone after that. Whose the data are is
never mended by a program: where the catalogue says something else, a person decides.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable
from urllib.parse import unquote

Kind = Literal["raw", "derived"]
MAX_WHOLE = 1 << 53
"""Largest whole number that JSON's readers keep exactly."""
_ESCAPED = re.compile(r"[%.$\0]")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of a dataset."""

    path: str
    """Relative to the record's folder."""
    size_bytes: int
    modified: str
    """ISO 8601, UTC. A copy may have another, so it is not compared."""
    sha256: str = ""
    """Checksum of its bytes; empty when none was taken."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a record says for people; given once, and theirs after that."""

    name: str
    """A short name for the dataset."""
    owner: str
    """Name of a person."""
    contact: str
    """An e-mail address."""
    created: str
    """When the dataset was whole, ISO 8601, UTC."""
    description: str = ""
    investigator: str = ""
    """Principal investigator."""
    location: str = ""
    """Where it was made, such as ``/ALS/8.3.2``."""
    instrument: str = ""
    sample: str = ""
    ended: str = ""
    """When the last frame was taken, ISO 8601, UTC; empty when not known."""
    keywords: tuple[str, ...] = ()
    log: str = ""
    """What the program had to say while it made a derived dataset."""


@dataclass(frozen=True, slots=True)
class Record:
    """A dataset in a catalogue."""

    pid: str
    """Its key; one slash at most, after a prefix."""
    kind: Kind
    """As it came from the instrument, or made from that."""
    owner_group: str
    """Group that owns it."""
    proposal: str
    """Proposal under which it was taken."""
    folder: str
    """Folder of the files, on the machine that the catalogue tells people to look at."""
    words: Words
    access_groups: tuple[str, ...] = ()
    """Further groups that may see it."""
    files: tuple[RecordFile, ...] = ()
    data_format: str = ""
    """Of the files."""
    scientific: Mapping[str, Any] = field(default_factory=dict)
    """Metadata: plain values, or ``{"value": …, "unit": …}``."""
    inputs: tuple[str, ...] = ()
    """For a derived one: keys of the datasets that it was made from."""
    software: tuple[str, ...] = ()
    """For a derived one: what made it, with versions."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """For a derived one: the recipe."""
    published: bool = False
    """Whether everybody may see it; read back only, never asked for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a record says otherwise than it should."""

    what: str
    """Part of the record."""
    wanted: str
    found: str
    by_person: bool = False
    """Whether only a person may put it right."""

    @property
    def sentence(self) -> str:
        """In words, without a full stop."""
        return f"{self.what} is {_short(self.found)} and should be {_short(self.wanted)}"


@runtime_checkable
class MetadataCatalogue(Protocol):
    """Whoever keeps records.

    Every method ends in a bounded time, may block until then, and may raise `LinkDownError`
    (try later; it is not known whether it was done), `NeedsPersonError` or `RefusedError`.
    """

    def read(self, pid: str) -> Record | None:
        """Read a record back; None when there is none."""
        ...

    def upsert(self, record: Record) -> Record:
        """Have the record there, once however often it is asked for.

        Returns
        -------
        Record
            As it was read back; nothing of `differences` is left.
        """
        ...

    def address(self, pid: str) -> str:
        """Return the address under which the catalogue gives the record."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def differences(wanted: Record, found: Record) -> tuple[Difference, ...]:
    """Return what is firm and otherwise than it should be.

    What others have added (groups, metadata) is no difference. What `wanted` leaves empty is
    not asked for.
    """
    told = [
        _difference("the kind", wanted.kind, found.kind, by_person=True),
        _difference("the group", wanted.owner_group, found.owner_group, by_person=True),
        _difference("the proposal", wanted.proposal, found.proposal, by_person=True),
        _difference("the folder", wanted.folder.rstrip("/"), found.folder.rstrip("/")),
        _difference("the files", _plain_files(wanted.files), _plain_files(found.files)),
        _difference("the format", wanted.data_format, found.data_format or ""),
        _difference("the inputs", sorted(wanted.inputs), sorted(found.inputs)),
        _difference("the software", sorted(wanted.software), sorted(found.software)),
        _difference("the recipe", dict(wanted.parameters), dict(found.parameters)),
    ]
    lacking = sorted(set(wanted.access_groups) - set(found.access_groups))
    if lacking:
        told.append(Difference("who may see it", ", ".join(lacking), "without them"))
    for key, value in wanted.scientific.items():
        if key not in found.scientific or found.scientific[key] != value:
            told.append(Difference(key, str(value), str(found.scientific.get(key, "missing"))))
    return tuple(item for item in told if item is not None)


def digest(record: Record) -> str:
    """Return 16 hexadecimal digits over everything that is firm."""
    plain = [
        record.pid, record.kind, record.owner_group, record.proposal, record.folder,
        sorted(record.access_groups), _plain_files(record.files), record.data_format,
        dict(record.scientific), sorted(record.inputs), sorted(record.software),
        dict(record.parameters),
    ]  # fmt: skip
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def clean(value: Any) -> Any:
    """Return a value as every reader of JSON gives it back.

    Texts lose what is no character, numbers that are not finite become None, whole numbers
    that JavaScript would round become texts, and entries that are None go.
    """
    if isinstance(value, Mapping):
        items = {clean_text(str(key)): clean(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_WHOLE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """Return a text that UTF-8 can hold: what is no character is told by its number."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def escape_key(key: str) -> str:
    """Return a metadata key that MongoDB takes: dots and dollar signs have a meaning there."""
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", key)


def unescape_key(key: str) -> str:
    """Return a key as people read it; services decode what they are given, or do not."""
    while (plain := unquote(key)) != key:
        key = plain
    return key


def _difference(
    what: str, wanted: object, found: object, *, by_person: bool = False
) -> Difference | None:
    if not wanted or wanted == found:
        return None
    return Difference(what, str(wanted), str(found), by_person)


def _plain_files(files: Sequence[RecordFile]) -> list[list[object]]:
    return sorted([clean_text(file.path), file.size_bytes, file.sha256] for file in files)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
