"""Goals, evidence of them, and what lies between: words of `placement`.

A **goal** is one product of one scan at one place; its key is made from just that, so that the
same wish is the same goal after any restart. A goal is met when evidence of it was seen, never
because a call returned.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alsct_gui.model.policy import Product

_SCAN = re.compile(r"[0-9a-f]{64}")
_KEY_CHARS = 32


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """A scan as the ledger knows it."""

    id: str
    """Its identity (`files.identity.quick_identity`), 64 hexadecimal digits."""
    path: str
    """Where it was admitted."""
    size_bytes: int
    """Size of the file."""
    sha256: str
    """Checksum of the file's bytes, 64 hexadecimal digits."""
    proposal: str = ""
    """As the file or a person says; empty when unknown."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Metadata that selections may ask for."""
    export_controlled: bool = False
    """Whether it must not leave."""
    admitted_s: float = 0.0
    """Seconds since 1970."""
    priority: int = 0
    """Added to that of every wish, by a person."""


@dataclass(frozen=True, slots=True)
class GoalKey:
    """One product of one scan at one place."""

    scan: str
    """Identity of the scan: its first 32 digits."""
    product: Product
    place: str
    recipe: str = "-"
    """Hash of the recipe, or mark of the analysis; ``-`` where there is none."""

    @property
    def text(self) -> str:
        """The key in the ledger; `parse` reads it back."""
        return f"{self.scan}{self.suffix}"

    @property
    def suffix(self) -> str:
        """The key without the scan in front: the same for the same wish of another scan."""
        return f"/{self.product}/{self.place}/{self.recipe}"

    @classmethod
    def parse(cls, text: str) -> GoalKey:
        """Read a key back.

        Raises
        ------
        ValueError
            It is none.
        """
        scan, product, place, recipe = text.split("/")
        return cls(scan, Product(product), place, recipe)


def scan_part(identity: str) -> str:
    """Return what stands for a scan in keys.

    Raises
    ------
    ValueError
        It is no identity.
    """
    if _SCAN.fullmatch(identity) is None:
        raise ValueError(f"{identity[:80]!r} is not an identity of a scan")
    return identity[:_KEY_CHARS]


def idempotency_key(keys: tuple[str, ...], attempt: int) -> str:
    """Return what tells one piece of work outside, however often it is asked for.

    Parameters
    ----------
    keys
        Goals that it serves, in any order.
    attempt
        Number of the attempt: after a failure it is another piece of work.
    """
    text = "\n".join([*sorted(keys), str(attempt)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class StateKind(StrEnum):
    """How it stands with a goal."""

    MET = "met"  # evidence of it was seen
    MOVING = "moving"  # work is under way
    WAITING = "waiting"  # for a link, a slot, another goal or a person
    BLOCKED = "blocked"  # somebody has to do something; tried now and then all the same
    NOT_WANTED = "not wanted"  # no wish asks for it, or a ban forbids it
    RETRY = "retry"  # failed, and is tried again by itself


@dataclass(frozen=True, slots=True)
class StepState:
    """How it stands with a goal, in words."""

    kind: StateKind
    waits_for: str = ""
    """Link, slot, goal or person that it waits for."""
    cause: str = ""
    """Why, a sentence without a full stop."""
    fix: str = ""
    """What to do, a sentence without a full stop; empty when nothing has to be done."""
    until_s: float | None = None
    """When it goes on by itself, seconds since 1970; None when that is not known."""
    done: int = 0
    """Bytes or slices that are finished; not kept in the ledger."""
    total: int = 0
    """Bytes or slices in all; 0 when unknown."""


MET = StepState(StateKind.MET)
MOVING = StepState(StateKind.MOVING)
NOT_WANTED = StepState(StateKind.NOT_WANTED)


def waiting(waits_for: str, cause: str = "", until_s: float | None = None) -> StepState:
    """Return the state of a goal that waits."""
    return StepState(StateKind.WAITING, waits_for, cause, until_s=until_s)


def blocked(cause: str, fix: str, until_s: float | None = None) -> StepState:
    """Return the state of a goal that somebody has to look after."""
    return StepState(StateKind.BLOCKED, cause=cause, fix=fix, until_s=until_s)


def failed(cause: str, fix: str = "", until_s: float | None = None) -> StepState:
    """Return the state of a goal that has failed and is tried again."""
    return StepState(StateKind.RETRY, cause=cause, fix=fix, until_s=until_s)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of a product."""

    where: str
    """Path or address."""
    observed_s: float
    """When, seconds since 1970."""
    size_bytes: int | None = None
    """Size of the file."""
    sha256: str = ""
    """Checksum of bytes that were read where they lie; empty when none was taken."""
    slices: int | None = None
    """Slices that were counted."""
    record: str = ""
    """Identity and digest of a record that was read back."""
    copies: tuple[str, ...] = ()
    """For a pruned file: ``place sha256`` of each copy that was read again."""
    seconds: float | None = None
    """Wall time that making it took, as an analysis itself tells."""


class LinkState(StrEnum):
    """How a link of the chain is."""

    UP = "up"
    DEGRADED = "degraded"  # works, slowly or not always
    DOWN = "down"
    UNKNOWN = "unknown"  # nobody has looked, or the look failed


@dataclass(frozen=True, slots=True)
class Health:
    """How a link of the chain is."""

    link: str
    """Its name, such as ``globus``."""
    state: LinkState = LinkState.UNKNOWN
    since_s: float = 0.0
    """Since when, seconds since 1970."""
    why: str = ""
    """A sentence without a full stop."""
    affects: str = ""
    """What it means for the work, a sentence without a full stop."""
    fix: str = ""
    """What to do, a sentence without a full stop."""
    until_s: float | None = None
    """When it is said to be up again, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants of one scan, otherwise than the policy; suffixes of goals."""

    wanted: frozenset[str] = frozenset()
    """Wanted, whether the policy says so or not."""
    unwanted: frozenset[str] = frozenset()
    """Not wanted, whatever the policy says."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who alone works for a scan; one without a lease belongs to the agent of the ledger."""

    owner: str
    """Its name, such as ``prefect/new_832_file_flow/new_file_832``."""
    until_s: float | None = None
    """Until when, seconds since 1970; None until it is given back."""
    seq: int = 0
    """Number of the event that gave it; a lease that is renewed keeps its first."""
    since_s: float = 0.0
    """When that was, seconds since 1970."""

    def lasts(self, now_s: float) -> bool:
        """Whether it is in force."""
        return self.until_s is None or now_s < self.until_s


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow run that a scan was handed over to."""

    owner: str
    """Lease under which it was begun."""
    lease: int
    """`Lease.seq` of it."""
    run: str = ""
    """Id of the run; empty while none has begun."""
    state: str = ""
    """As the orchestrator calls it, in lower case."""
    sentence: str = ""
    """The state in words, without a full stop."""
    fix: str = ""
    """What to do; empty when nothing."""
    page: str = ""
    """Address of its page for people."""
    final: bool = False
    """Whether it stays so."""


@dataclass(frozen=True, slots=True)
class GoalRecord:
    """A goal as the ledger knows it."""

    key: str
    state: StepState
    since_s: float
    """Since when it is in this state."""
    evidence: Evidence | None = None
    """What was seen last; None when nothing is there."""
    attempts: int = 0
    """Failures in a row."""
    tries: int = 0
    """Pieces of work that were ever begun for it."""
    work: str = ""
    """Piece of work that is under way; empty when there is none."""
    held: bool = False
    """Whether a person holds it back."""
    cancel_asked: bool = False
    """Whether a person wants the work under way to end."""


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work outside that was decided on, and has not ended."""

    id: str
    """`idempotency_key` of it."""
    keys: tuple[str, ...]
    """Goals that it serves, all of one product and place."""
    intent_s: float
    """When it was decided on, seconds since 1970."""
    submission: str = ""
    """What the outside gave to ask by again, before anything began; empty when nothing."""
    outside_id: str = ""
    """Its id outside; empty before it is known."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that was handed over and is not admitted yet."""

    path: str
    state: StepState
    export_controlled: bool = False
    """As whoever handed it over says."""
    proposal: str = ""
    """As whoever handed it over says; empty for what the file says."""
    attempts: int = 0
    """Looks in vain."""
    since_s: float = 0.0
    """When it was handed over, seconds since 1970."""


@dataclass(slots=True)
class Observed:
    """Everything that the ledger knows: a fold over its events."""

    seq: int = 0
    """Number of the last event that is in it."""
    scans: dict[str, ScanFacts] = field(default_factory=dict)
    """By `scan_part` of the identity."""
    goals: dict[str, GoalRecord] = field(default_factory=dict)
    """By key."""
    works: dict[str, Work] = field(default_factory=dict)
    """Under way, by id."""
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    """By path."""
    links: dict[str, Health] = field(default_factory=dict)
    """How the links of the chain were when the agent last saw one change, by name."""
    asked: dict[str, Asked] = field(default_factory=dict)
    """What persons want of scans beside the policy, by `scan_part`."""
    recipes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Recipes and sheets of analyses that persons asked for, as plain data, by hash."""
    leases: dict[str, Lease] = field(default_factory=dict)
    """Scans that somebody else works for, by `scan_part`."""
    flows: dict[str, Flow] = field(default_factory=dict)
    """Last flow run of each scan that was handed over, by `scan_part`."""


class StepKind(StrEnum):
    """What is to be done."""

    ACT = "act"  # begin a piece of work for these goals
    RESUME = "resume"  # a piece of work was decided on, and its id outside is not known
    POLL = "poll"  # ask how it goes
    CANCEL = "cancel"  # end it outside
    WAIT = "wait"  # nothing now; the state says why
    DROP = "drop"  # no longer wanted, and nothing is under way


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do now, or to wait for, for some goals of one product and place."""

    kind: StepKind
    keys: tuple[str, ...]
    """Goals, the most urgent first."""
    state: StepState
    """How it stands with them meanwhile."""
    place: str
    priority: int = 0
    """Of the most urgent goal."""
    work: str = ""
    """Piece of work that it is about; empty for a new one."""
