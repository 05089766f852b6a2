"""The fault desk: what goes wrong at the facility, when and how often.

One desk serves all stand-ins. Whoever plays the story (a test, the command line, the
simulator's menu) puts a fault on the desk; each stand-in asks the desk at the places where
such a fault can strike.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from alsct_gui.model.errors import UsageError
from alsct_gui.simulator.facility.clock import Clock


class FaultName(StrEnum):
    """What goes wrong."""

    # On the line; `http.Server` does these for every stand-in.
    REFUSED = "refused"
    """Nobody listens on the port. Goes on and off; a count means nothing."""
    RESET_BEFORE = "reset-before"
    """The connection is reset before the request is carried out."""
    RESET_AFTER = "reset-after"
    """The request is carried out, then the connection is reset without an answer."""
    STALL = "stall"
    """The request is never carried out nor answered while the fault is on."""
    STALL_AFTER = "stall-after"
    """The request is carried out, and never answered while the fault is on."""
    TRUNCATED = "truncated"
    """The request is carried out; its answer ends in the middle."""
    GARBLED = "garbled"
    """The request is carried out; half of its JSON comes as if it were the whole."""
    UNAUTHORIZED = "401"
    """The token is not accepted."""
    FORBIDDEN = "403"
    """Not allowed."""
    NOT_FOUND = "404"
    """No such thing."""
    TOO_MANY = "429"
    """Too many requests; `Fault.value` is the Retry-After in seconds."""
    SERVER_ERROR = "500"
    """A mistake in the service."""
    BAD_GATEWAY = "502"
    """The service behind the gateway is away."""
    UNAVAILABLE = "503"
    """The service is away; `Fault.value` is the Retry-After in seconds."""
    # In transfers.
    CONSENT_REQUIRED = "consent-required"
    """A collection wants a consent that was not given."""
    PAUSED = "paused"
    """The manager of a collection has paused tasks."""
    PERMISSION_DENIED = "permission-denied"
    """A folder may not be written or read."""
    QUOTA = "quota"
    """The quota at the target is used up."""
    DISK_FULL = "disk-full"
    """The disk at the target is full."""
    BAD_CHECKSUM = "bad-checksum"
    """What arrives differs from what was sent."""
    CREDENTIALS_EXPIRED = "credentials-expired"
    """Tasks become inactive until a person logs in."""
    STUCK = "stuck"
    """Tasks are active, but nothing moves."""
    # In compute.
    OUTAGE = "outage"
    """The machine is down, unannounced."""
    PLANNED_OUTAGE = "planned-outage"
    """The machine is down as announced; `start_s` and `end_s` say when."""
    NODE_FAIL = "node-fail"
    """A job ends because a node failed."""
    TIMEOUT = "timeout"
    """A job ends at its time limit."""
    HELD = "held"
    """A job is held in the queue."""
    JOB_NOT_FOUND = "job-not-found"
    """A job that runs is not found."""
    NO_OUTPUT = "no-output"
    """A job is COMPLETED without having written anything."""


STATUS_FAULTS = {
    name: int(name.value)
    for name in FaultName
    if name.value.isdigit()
}  # fmt: skip
"""Faults that are an HTTP status."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault on the desk."""

    name: FaultName
    """What goes wrong."""
    where: str = "*"
    """Pattern (as of file names) of the places it strikes at: ``transfer POST /v0.10/*``."""
    count: int | None = None
    """How often it strikes before it is over; None is until it is taken off."""
    start_s: float | None = None
    """From when, seconds since 1970 UTC; None is from now on."""
    end_s: float | None = None
    """Until when; None is without end."""
    value: float | None = None
    """A number whose meaning the name tells."""

    def is_on(self, now_s: float) -> bool:
        """Whether its time has come and is not over."""
        begun = self.start_s is None or self.start_s <= now_s
        return begun and (self.end_s is None or now_s < self.end_s)

    def to_plain(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "name": self.name.value}


def fault_from_plain(data: Mapping[str, Any]) -> Fault:
    """Read a fault back.

    Raises
    ------
    UsageError
        It is no fault.
    """
    known = {"name", "where", "count", "start_s", "end_s", "value"}
    try:
        if not set(data) <= known:
            raise ValueError(f"unknown words {sorted(set(data) - known)}")
        words = dict(data)
        fault = Fault(FaultName(words.pop("name")), **words)
        numbers = (fault.count, fault.start_s, fault.end_s, fault.value)
        if not isinstance(fault.where, str) or not all(
            number is None or (isinstance(number, int | float) and not isinstance(number, bool))
            for number in numbers
        ):
            raise TypeError("a value is of the wrong type")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"this is no fault ({error})",
            fix=f"Name one of {', '.join(FaultName)}",
        ) from error
    return fault


class FaultDesk:
    """The faults that are on, for all stand-ins; safe to use from several threads.

    Parameters
    ----------
    clock
        By which the windows of time are told.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self.clock = clock
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._left: dict[int, int] = {}
        self._struck: Counter[FaultName] = Counter()
        self._listeners: list[Callable[[], None]] = []

    def put(self, fault: Fault) -> int:
        """Put a fault on the desk; returns its number."""
        with self._changed:
            number = next(self._ids)
            self._faults[number] = fault
            if fault.count is not None:
                self._left[number] = fault.count
        self._tell()
        return number

    def take(self, number: int) -> None:
        """Take a fault off; one that is over already is no error."""
        with self._changed:
            self._faults.pop(number, None)
            self._left.pop(number, None)
        self._tell()

    def clear(self) -> None:
        """Take all faults off."""
        with self._changed:
            self._faults.clear()
            self._left.clear()
        self._tell()

    def faults(self) -> dict[int, Fault]:
        """Faults on the desk, by number, those included whose time has not come."""
        with self._changed:
            return dict(self._faults)

    def struck(self, name: FaultName) -> int:
        """How often faults of a name have struck."""
        with self._changed:
            return self._struck[name]

    def on(self, name: FaultName, where: str) -> Fault | None:
        """Return a fault of a name that is on at a place, without using it up."""
        with self._changed:
            found = self._find((name,), where)
            return None if found is None else self._faults[found]

    def strike(self, names: tuple[FaultName, ...], where: str) -> Fault | None:
        """Return the oldest fault of these names that is on at a place, and count it."""
        with self._changed:
            found = self._find(names, where)
            if found is None:
                return None
            fault = self._faults[found]
            self._struck[fault.name] += 1
            if found in self._left:
                self._left[found] -= 1
                if self._left[found] <= 0:
                    del self._faults[found], self._left[found]
            self._changed.notify_all()
        return fault

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after each `put`, `take` and `clear`; returns what ends it."""
        with self._changed:
            self._listeners.append(listener)

        def end() -> None:
            with self._changed:
                self._listeners.remove(listener)

        return end

    def wait_changed(self, timeout_s: float) -> None:
        """Wait for a change of the desk, at most so long."""
        with self._changed:
            self._changed.wait(timeout_s)

    def _find(self, names: tuple[FaultName, ...], where: str) -> int | None:
        now_s = self.clock()
        for number, fault in self._faults.items():
            known = fault.name in names and fault.is_on(now_s)
            if known and fnmatchcase(where, fault.where):
                return number
        return None

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
