"""Follows a ledger from the reading side: what is known, how far work is, whether an agent works.

The feed has a thread of its own and opens the file for reading alone, so it neither holds up
the agent nor changes what it looks at. Whenever somebody has written, it hands a snapshot out
that never changes again; what cannot be read is a state with a sentence, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import Observed, scan_part
from alsct_gui.placement.events import Event, EventKind
from alsct_gui.placement.fold import advance
from alsct_gui.placement.ledger import ABSENT, EMPTY, LATER, LOCKED, OLD, Ledger
from alsct_gui.placement.onlyone import agent_pid

LOOK_S = 0.05
"""Time between two looks whether somebody has written; a look takes microseconds."""
AGENT_S = 0.5
"""Time between two looks whether an agent lives and the file is still the same."""


class FeedState(StrEnum):
    """Whether the ledger can be read."""

    OPEN = "open"
    MISSING = "missing"  # there is none yet, or it is just being made
    LOCKED = "locked"  # somebody else keeps it to himself
    OLD = "old"  # of an earlier version; an agent brings it up to date
    LATER = "later"  # of a later version
    UNREADABLE = "unreadable"  # damaged, or no ledger at all


_STATES = {
    ABSENT: FeedState.MISSING, EMPTY: FeedState.MISSING, LATER: FeedState.LATER,
    LOCKED: FeedState.LOCKED, OLD: FeedState.OLD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a ledger says at one moment."""

    state: FeedState = FeedState.MISSING
    sentence: str = ""
    """Why it cannot be read, and what to do; empty while it can."""
    observed: Observed = field(default_factory=Observed)
    """All that is known; not changed any more. The last that was read, when it cannot be now."""
    progress: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """How many bytes or slices of each piece of work are done, and of how many."""
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is so now and no part of the history, by name."""
    touched: frozenset[str] | None = None
    """Goals and scans that events since the snapshot before were about, by key and by part;
    None when anything may have changed."""
    agent: int | None = None
    """Process that is the agent; None when none lives."""
    time_s: float = 0.0
    """When it was read, seconds since 1970."""


Take = Callable[[Snapshot], object]


class Feed:
    """Follows one ledger until it is closed.

    Parameters
    ----------
    path
        The file, which need not exist yet.
    take
        Called with each snapshot, in the feed's thread; it must not block.
    clock
        Gives seconds since 1970.
    """

    def __init__(self, path: Path, take: Take, clock: Callable[[], float] = time.time) -> None:
        self.path = path.absolute()
        self._take, self._clock = take, clock
        self._last = Snapshot()
        self._doubted = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow; the first snapshot comes at once, whatever it says."""
        self._thread.start()

    def close(self) -> None:
        """Follow no more; returns when the file is closed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with Ledger(self.path, write=False) as ledger:
                    self._follow(ledger)
            except InputError as error:
                self._fail(_STATES.get(error.name, FeedState.UNREADABLE), error.sentence)
            except (KeyError, TypeError, ValueError) as error:
                # What it holds was written by a program that means something else by it.
                why = f"{type(error).__name__}: {error}"
                self._fail(
                    FeedState.UNREADABLE,
                    f"{self.path}: the ledger is not understood ({why}). "
                    "Run alsct agent check; keep the file as it is.",
                )

    def _fail(self, state: FeedState, sentence: str) -> None:
        """Say why nothing can be read; what looks damaged is looked at twice.

        A file that somebody is just making cannot be read for a moment.
        """
        if state is FeedState.UNREADABLE and not self._doubted:
            self._doubted = True
            self._stop.wait(LOOK_S)
            return
        self._tell(state, sentence)
        self._stop.wait(AGENT_S)

    def _follow(self, ledger: Ledger) -> None:
        """Hand out what is known whenever it has changed, until another file is in its place."""
        known, mark = ledger.observed(), self._mark()
        changes: int | None = None
        checked_s = float("-inf")
        agent = self._last.agent
        touched: frozenset[str] | None = None
        while not self._stop.is_set():
            now_s = time.monotonic()
            if now_s - checked_s >= AGENT_S:
                checked_s, agent = now_s, agent_pid(self.path)
                if self._mark() != mark:
                    return
            # Asked first: what is written after this is another change.
            found = ledger.changes()
            if found != changes or agent != self._last.agent:
                changes = found
                fresh = ledger.tail(known.seq)
                for item in fresh:
                    advance(known, item)
                if touched is not None:
                    touched = frozenset(name for item in fresh for name in _about(item))
                self._hand_out(
                    Snapshot(
                        FeedState.OPEN, "", _copy(known), ledger.progress(), ledger.notes(),
                        touched, agent, self._clock(),
                    )
                )  # fmt: skip
                touched, self._doubted = frozenset(), False
            self._stop.wait(LOOK_S)

    def _mark(self) -> tuple[int, int] | None:
        """What tells this file from another one of the same name."""
        try:
            facts = self.path.stat()
        except OSError:
            return None
        return facts.st_dev, facts.st_ino

    def _tell(self, state: FeedState, sentence: str) -> None:
        """Say why nothing can be read, once; what was known last stays in sight."""
        kept = Observed() if state is FeedState.MISSING else self._last.observed
        agent = agent_pid(self.path)
        said = replace(self._last, state=state, sentence=sentence, observed=kept, agent=agent)
        if said != self._last:
            self._hand_out(replace(said, time_s=self._clock()))

    def _hand_out(self, snapshot: Snapshot) -> None:
        self._last = snapshot
        self._take(snapshot)


def timeline_of(path: Path, scan: str) -> tuple[Event, ...]:
    """Return everything that a ledger tells of a scan, oldest first.

    Parameters
    ----------
    path
        The ledger.
    scan
        `model.placement.scan_part` of its identity.

    Raises
    ------
    InputError
        It cannot be read.
    """
    with Ledger(path, write=False) as ledger:
        told = ledger.timeline(scan)
        first = next((item for item in told if item.kind == EventKind.SCAN), None)
        name = first.data.get("path") if first is not None else None
        if first is None or not isinstance(name, str):
            return told
        return (*ledger.arrival(name, first.seq), *told)


def both_touched(
    first: frozenset[str] | None, second: frozenset[str] | None
) -> frozenset[str] | None:
    """Return what two snapshots have touched, for whoever leaves the first one out."""
    return None if first is None or second is None else first | second


def _about(item: Event) -> tuple[str, ...]:
    """Goals and scans that an event is about."""
    parts = tuple(str(part) for part in item.data.get("scans", ()))
    if item.kind == EventKind.SCAN:
        parts = (*parts, scan_part(item.data["scan"]["id"]))
    return (*item.keys, *parts)


def _copy(known: Observed) -> Observed:
    """Return what is known in containers of its own; what is in them never changes."""
    names = [spec.name for spec in fields(Observed) if spec.name != "seq"]
    copied: dict[str, Any] = {name: dict(getattr(known, name)) for name in names}
    return replace(known, **copied)
