"""Moving files between two places, whoever moves them.

A caller (the reconciler) owns the memory: it stores what `submit` hands to `record` before
anything is set in motion, and gives it back in `TransferRequest.submission` when it asks for
the same transfer again. So a crash at any moment leads to one transfer, never to two.

Every call returns or raises within a bounded time and may block until then: call it from a
thread.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from alsct_gui.superfacility.errors import RefusedError

MAX_PATH_BYTES = 4096
"""Longest path: Linux's PATH_MAX."""
MAX_PART_BYTES = 255
"""Longest part of a path: NAME_MAX of the file systems in use."""


class TransferState(StrEnum):
    """Where a transfer stands."""

    QUEUED = "queued"
    """Accepted, not begun."""
    ACTIVE = "active"
    """Bytes move, or are checked."""
    PAUSED = "paused"
    """Held back by whoever runs one of the places."""
    STALLED = "stalled"
    """Nothing has moved for longer than is allowed, or every attempt meets an error."""
    NEEDS_PERSON = "needs-person"
    """Waits for a login or a consent."""
    SUCCEEDED = "succeeded"
    """Whoever moves them says that all files are there; `Transfer.verify` proves it."""
    FAILED = "failed"
    """Ended without all files being there."""
    CANCELLED = "cancelled"
    """Ended because somebody asked for that."""
    UNKNOWN = "unknown"
    """The service says nothing that can be understood, or does not know it."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in (self.SUCCEEDED, self.FAILED, self.CANCELLED)


class Reason(StrEnum):
    """Why a transfer does not go on, for programs; `TransferStatus.cause` is for people."""

    NONE = ""
    """It goes on, or has ended well."""
    QUOTA = "quota"
    """The quota at the target is used up."""
    DISK_FULL = "disk-full"
    """The disk at the target is full."""
    PERMISSION = "permission"
    """A file or folder may not be read or written."""
    SOURCE_GONE = "source-gone"
    """A file at the source is not there."""
    SOURCE_CHANGED = "source-changed"
    """A file at the source no longer has the size or checksum it should have."""
    TARGET_DIFFERS = "target-differs"
    """Another file has the name at the target."""
    CHECKSUM = "checksum"
    """What arrived differs from what was sent."""
    LOGIN = "login"
    """A login or consent is missing or has expired."""
    PAUSED = "paused"
    """Whoever runs one of the places holds transfers back."""
    UNREACHABLE = "unreachable"
    """One of the places cannot be reached or fails."""
    STILL = "still"
    """Nothing moves, and nobody says why."""
    LOST = "lost"
    """Whoever did the work has vanished: killed, or the machine was restarted."""
    OTHER = "other"
    """Only the words tell."""

    @property
    def needs_person(self) -> bool:
        """Whether trying again by itself is of no use."""
        return self in (
            self.QUOTA, self.DISK_FULL, self.PERMISSION, self.SOURCE_GONE, self.SOURCE_CHANGED,
            self.TARGET_DIFFERS, self.LOGIN,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TransferItem:
    """One file that is to be copied."""

    source: str
    """Path at the source, relative to its root, with ``/`` between the parts."""
    target: str
    """Path at the target, likewise."""
    size_bytes: int | None = None
    """What it must have; None when that is not known."""
    sha256: str | None = None
    """SHA-256 it must have, 64 lower-case hexadecimal digits; None when not known."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """Files that travel together from one place to another."""

    key: str
    """Made from the work (scan, product, target): the same key is the same transfer."""
    source: str
    """Place they come from: a collection's id, or the root folder of a local place."""
    target: str
    """Place they go to, likewise."""
    items: tuple[TransferItem, ...]
    """The files."""
    proposal: str = ""
    """Proposal they belong to; files of two proposals never share a task."""
    label: str = ""
    """For people who look at the service's own page."""
    submission: str | None = None
    """What `record` was given when this key was submitted before; None at first."""

    @property
    def bytes_total(self) -> int:
        """Sum of the sizes that are known."""
        return sum(item.size_bytes or 0 for item in self.items)


@dataclass(frozen=True, slots=True)
class TransferStatus:
    """What is known of a transfer at one moment."""

    id: str
    """As `submit` returned it."""
    state: TransferState
    """Where it stands."""
    bytes_done: int = 0
    """Bytes that have arrived."""
    bytes_total: int | None = None
    """Bytes in all; None while that is not known."""
    files_done: int = 0
    """Files that have arrived, those included that were there already."""
    files_total: int | None = None
    """Files in all; None while that is not known."""
    rate_bytes_per_s: float | None = None
    """Bytes per second of late; None when not known."""
    faults: int = 0
    """Errors met so far; the transfer may have gone on after each."""
    sentence: str = ""
    """The state in words, without a full stop."""
    cause: str = ""
    """Why it does not go on; empty when it does."""
    fix: str = ""
    """What to do about that; empty when nothing."""
    link: str = ""
    """Address of the provider's own page on it; empty when there is none."""
    started: float | None = None
    """When it was accepted, seconds since 1970 UTC."""
    completed: float | None = None
    """When it ended, seconds since 1970 UTC."""
    reason: Reason = Reason.NONE
    """Why it does not go on, for programs."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found at the target for one item, by looking there."""

    target: str
    """Path at the target."""
    there: bool
    """Whether a file has that name."""
    size_bytes: int | None = None
    """Its size; None when it is not there."""
    sha256: str | None = None
    """Of its bytes as they were read there; None where nobody can read them for us."""
    checked_at: float = 0.0
    """When it was looked at, seconds since 1970 UTC."""
    how: str = ""
    """How it was looked at, in words."""

    def proves(self, item: TransferItem) -> bool:
        """Whether it shows the item to be whole, as far as the item says what that is.

        An item that has a checksum is shown whole by size and checksum where the target can
        be read, and by its size alone where it cannot (`Capabilities.reads_back`).
        """
        if not self.there or self.target != item.target or self.size_bytes is None:
            return False
        if item.size_bytes is not None and self.size_bytes != item.size_bytes:
            return False
        return item.sha256 is None or self.sha256 is None or self.sha256 == item.sha256


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do."""

    name: str
    """The adapter's name, for people."""
    reads_back: bool
    """Whether `verify` reads the bytes at the target and returns their checksum."""
    verifies_itself: bool
    """Whether a transfer succeeds only after checksums at both ends agreed."""
    max_active: int
    """Transfers that it is worth to have under way at once."""
    max_files: int
    """Most files of one transfer."""
    max_bytes: int
    """Bytes after which it is better to begin another transfer; one file may exceed it."""


Record = Callable[[str], None]
"""Stores a submission's id where it survives a crash; returns when that is done."""


@runtime_checkable
class Transfer(Protocol):
    """Copies files between two places.

    Every method may raise `LinkDownError` (try later; it is not known whether it was done),
    `NeedsPersonError` (a login or consent is missing) or `RefusedError` (trying again is of
    no use).
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def submit(self, request: TransferRequest, record: Record) -> str:
        """Set a transfer in motion, once however often it is asked for.

        Parameters
        ----------
        request
            With `submission` as it was recorded, if this key was submitted before.
        record
            Called with the submission's id before anything is set in motion, unless
            `request.submission` is given.

        Returns
        -------
        id
            For `status` and `cancel`.
        """
        ...

    def status(self, id: str) -> TransferStatus:  # noqa: A002 (the word of the trade)
        """Say where a transfer stands; one that is not known is `TransferState.UNKNOWN`."""
        ...

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end; files that have arrived stay. One that has ended stays as it is."""
        ...

    def verify(self, target: str, items: Sequence[TransferItem]) -> tuple[Evidence, ...]:
        """Look at the target place for each item, in their order."""
        ...


def check_request(request: TransferRequest) -> None:
    """Refuse a request that could reach outside its places, or that contradicts itself.

    Raises
    ------
    RefusedError
        Names the item that is at fault.
    """
    if not request.key or not request.items:
        raise RefusedError("the transfer has no key or no files", where=request.label)
    targets: set[str] = set()
    for item in request.items:
        check_path(item.source)
        check_path(item.target)
        if item.target in targets:
            raise RefusedError("two files would get one name", where=repr(item.target))
        targets.add(item.target)


def check_path(path: str) -> None:
    """Refuse a path that is absolute, climbs, or that no file system can hold.

    Spaces, quotes, line breaks, ``$(…)`` and letters of any script are honest names.

    Raises
    ------
    RefusedError
        Says what is wrong with it.
    """
    parts = path.split("/")
    wrong = ""
    if any(part in ("", ".", "..") for part in parts):
        wrong = "it is empty or absolute, or has an empty part, '.' or '..'"
    elif "\0" in path:
        wrong = "it holds a zero byte"
    elif any(unicodedata.category(char) == "Cs" for char in path):
        wrong = "it is not valid unicode"
    elif len(path.encode()) > MAX_PATH_BYTES:
        wrong = "it is too long"
    elif any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        wrong = "a part of it is too long"
    if wrong:
        raise RefusedError(
            f"the path is not usable: {wrong}", where=repr(path[:200]), name="hostile-path",
            fix="Rename the file or give another target",
        )  # fmt: skip


def key_digest(key: str) -> str:
    """Return 16 hexadecimal digits that stand for a key in names and labels."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fingerprint(request: TransferRequest) -> str:
    """SHA-256 over what a request asks for, without its label: equal requests are one."""
    rows = [[i.source, i.target, i.size_bytes, i.sha256] for i in request.items]
    plain = [request.key, request.source, request.target, request.proposal, rows]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


class Advice(StrEnum):
    """What to do about a transfer."""

    WAIT = "wait"
    """Nothing: it goes on, or will by itself."""
    RETRY = "retry"
    """Cancel it where it is not over, and submit it anew."""
    ASK = "ask"
    """Put it to a person, with its cause and fix."""
    DONE = "done"
    """Verify it."""


def advise(status: TransferStatus, n_tries: int, max_tries: int = 3) -> Advice:
    """Say what to do about a transfer.

    Parameters
    ----------
    status
        As it stands.
    n_tries
        How often it was submitted so far.
    max_tries
        How often it may be submitted before a person is asked.
    """
    state, reason = status.state, status.reason
    if state is TransferState.SUCCEEDED:
        return Advice.DONE
    if state in (TransferState.NEEDS_PERSON, TransferState.CANCELLED) or reason.needs_person:
        return Advice.ASK
    if state in (TransferState.STALLED, TransferState.FAILED):
        return Advice.RETRY if n_tries < max_tries else Advice.ASK
    return Advice.WAIT
