"""What is wanted where, what is there, and what lies between: words of `placement`.

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

_SCAN = re.compile(r"[0-9a-f]{64}")
_KEY_CHARS = 32
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
"""Form of the names of sites, places, lanes and links."""


class Product(StrEnum):
    """What can be wanted of a scan."""

    RAW = "raw"  # the raw file itself
    RECONSTRUCTION = "reconstruction"  # a volume by a recipe
    METADATA = "metadata"  # its record in the catalogue of metadata
    ACCESS = "access"  # its owners can read it
    CATALOGUE = "catalogue"  # its row in this program's own catalogue
    PRUNED = "pruned"  # the raw file is gone from a place, and is safe elsewhere


@dataclass(frozen=True, slots=True)
class Site:
    """Somewhere that places are at."""

    name: str
    """Short name, such as ``nersc``."""
    title: str = ""
    """For people."""
    outside: bool = True
    """Whether data leave the beamline's own machines when they go there."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A way on which work goes to places, and what fits on it at a time."""

    name: str
    """Short name, such as ``globus``."""
    active: int = field(default=1, metadata={"min": 1, "max": 1000})
    """Pieces of work under way at the same time."""
    items: int = field(default=1, metadata={"min": 1, "max": 100_000})
    """Goals that one piece of work may serve."""
    batch_bytes: int = field(default=1 << 50, metadata={"min": 1})
    """Bytes of raw data that one piece of work may carry; a single goal may exceed it."""
    poll_s: float = field(default=5.0, metadata={"min": 0.0})
    """Time between two questions how a piece of work goes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product can be: a folder, a computer with its folder, or a service."""

    name: str
    """Short name, such as ``nersc-cfs``."""
    site: str
    """Name of its site."""
    lane: str
    """How work gets there."""
    root: str = ""
    """Folder below which products lie, on the place's own machine; empty for a service."""
    links: tuple[str, ...] = ()
    """Links that must be up to look or work there."""
    collection: str = ""
    """Collection of the beamline's profile; empty when it has none."""
    title: str = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which scans: all patterns fit. Patterns are as in a shell: ``*``, ``?``, ``[a-c]``."""

    proposal: str = "*"
    """Pattern of the proposal."""
    path: str = "*"
    """Pattern of the whole path; ``*`` crosses folders."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Patterns by metadata key; a scan without the key does not fit."""
    export_controlled: bool | None = None
    """Whether it has to be, or not to be, export-controlled; None when it does not matter."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that is wanted of the scans that a selection names."""

    name: str
    """For people and reports."""
    product: Product
    """What is wanted."""
    places: tuple[str, ...]
    """Where; the order is that of preference."""
    need: str = field(default="all")
    """``all`` of the places, or ``any`` one of them."""
    recipe: str = ""
    """Recipe of a reconstruction: a preset's name or a path."""
    scans: Selection = field(default_factory=Selection)
    """Of which scans."""
    priority: int = field(default=0, metadata={"min": -1000, "max": 1000})
    """What is higher goes first."""
    requires_proposal: bool = False
    """Whether it waits for a person when the scan's proposal is not known."""


@dataclass(frozen=True, slots=True)
class Ban:
    """What must never be."""

    name: str
    """For people and reports."""
    sites: tuple[str, ...]
    """Sites that nothing of these scans may go to."""
    scans: Selection
    """Of which scans."""
    why: str = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class Prune:
    """When a raw file may go from a place, because it is safe elsewhere."""

    name: str
    """For people and reports."""
    place: str
    """Where it goes from."""
    copies: tuple[str, ...]
    """Places whose copies are read again and compared; at least two."""
    after_days: float = field(default=35.0, metadata={"min": 0.0})
    """Age since it was admitted."""
    quarantine_days: float = field(default=7.0, metadata={"min": 0.0})
    """How long it lies in quarantine before it is deleted."""
    scans: Selection = field(default_factory=Selection)
    """Of which scans."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are tried again."""

    first_s: float = field(default=30.0, metadata={"min": 0.1})
    """Wait after the first failure."""
    factor: float = field(default=2.0, metadata={"min": 1.0, "max": 10.0})
    """How much longer each further wait is."""
    most_s: float = field(default=3600.0, metadata={"min": 0.1})
    """Longest wait."""
    attempts: int = field(default=8, metadata={"min": 1, "max": 1000})
    """Failures after which a person is asked."""

    def wait_s(self, attempts: int) -> float:
        """Return how long to wait after so many failures in a row, at least one."""
        exponent = min(attempts - 1, 64)
        return float(min(self.first_s * self.factor**exponent, self.most_s))


@dataclass(frozen=True, slots=True)
class Policy:
    """All that is wanted and all that is forbidden."""

    name: str
    """Short name."""
    sites: tuple[Site, ...]
    lanes: tuple[Lane, ...]
    places: tuple[Place, ...]
    admitted: str
    """Place where raw files are admitted."""
    wishes: tuple[Wish, ...] = ()
    bans: tuple[Ban, ...] = ()
    prunes: tuple[Prune, ...] = ()
    patience: Patience = field(default_factory=Patience)
    audit_days: float = field(default=7.0, metadata={"min": 0.0})
    """Evidence that is older is looked at again, a sample at a time."""
    recipes: Mapping[str, str] = field(default_factory=dict)
    """Hash of each recipe that wishes name; filled in when the policy is loaded."""
    version: int = field(default=1, metadata={"min": 1, "max": 1})
    """Version of this format."""


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
    """Hash of the recipe; ``-`` where there is none."""

    @property
    def text(self) -> str:
        """The key in the ledger; `parse` reads it back."""
        return f"{self.scan}/{self.product}/{self.place}/{self.recipe}"

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
    BLOCKED = "blocked"  # goes no further before somebody does something
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


def blocked(cause: str, fix: str) -> StepState:
    """Return the state of a goal that somebody has to look after."""
    return StepState(StateKind.BLOCKED, cause=cause, fix=fix)


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
