"""From a ledger's events to spans: how every goal, and every link, stood over time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alsct_gui.model.placement import (
    Evidence,
    GoalKey,
    LinkState,
    Observed,
    ScanFacts,
    StateKind,
)
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import Event, EventKind, evidence_from
from alsct_gui.placement.fold import advance


@dataclass(frozen=True, slots=True)
class Span:
    """A state, and for how long."""

    state: str
    """`StateKind`, or `LinkState` of a link."""
    since_s: float
    """Seconds since 1970."""
    until_s: float
    """Likewise."""


Mark = tuple[str, str, bool]
"""Product, place, and whether it is of something that was made of the scan."""


def mark_of(key: GoalKey) -> Mark:
    """Return what tells a goal of a scan from its others, for people."""
    derived = key.product is Product.METADATA and key.recipe != "-"
    return key.product, key.place, derived


@dataclass(frozen=True, slots=True)
class GoalHistory:
    """One product of one scan at one place, over time."""

    key: GoalKey
    """Which."""
    spans: tuple[Span, ...]
    """How it stood, without a gap."""
    evidence: Evidence | None
    """What was seen of it last; None when nothing is there."""
    met_s: float | None
    """When it was met first; None when it never was."""


@dataclass(frozen=True, slots=True)
class ScanHistory:
    """Everything about one scan."""

    scan: ScanFacts
    """The scan."""
    handed_s: float
    """When it was handed over."""
    goals: tuple[GoalHistory, ...]
    """Its goals, in the order in which they came up."""


@dataclass(frozen=True, slots=True)
class History:
    """What a ledger tells."""

    began_s: float
    """Time of the first event."""
    ended_s: float
    """Until when it is told."""
    scans: tuple[ScanHistory, ...]
    """In the order in which they were handed over."""
    links: Mapping[str, tuple[Span, ...]]
    """How each link stood, by name."""

    def down(self, link: str) -> tuple[Span, ...]:
        """When a link was down."""
        return tuple(span for span in self.links.get(link, ()) if span.state == LinkState.DOWN)


@dataclass(slots=True)
class _Track:
    """Spans while they grow."""

    spans: list[Span] = field(default_factory=list)
    state: str = ""
    since_s: float = 0.0

    def turn(self, state: str, time_s: float) -> None:
        """Take in a state at a time."""
        if state != self.state:
            self.end(time_s)
            self.state, self.since_s = state, time_s

    def end(self, time_s: float) -> tuple[Span, ...]:
        """Close the span that is open."""
        if self.state and time_s > self.since_s:
            self.spans.append(Span(self.state, self.since_s, time_s))
        self.since_s = time_s
        return tuple(self.spans)


def history_of(events: Iterable[Event], until_s: float) -> History:
    """Return how everything stood from the first event to a time.

    Parameters
    ----------
    events
        All of a ledger, in their order.
    until_s
        Until when the last states are told, seconds since 1970.
    """
    observed, began_s = Observed(), until_s
    goals: dict[str, _Track] = {}
    links: dict[str, _Track] = {}
    handed: dict[str, float] = {}
    met: dict[str, float] = {}
    evidence: dict[str, Evidence] = {}
    for item in events:
        began_s = min(began_s, item.time_s)
        advance(observed, item)
        if item.kind == EventKind.ASKED and item.data.get("what") == "admit":
            handed.setdefault(item.data["path"], item.time_s)
        if item.kind == EventKind.MET:
            for key in item.keys:
                met.setdefault(key, item.time_s)
                evidence[key] = evidence_from(item.data["evidence"])
        for key, record in observed.goals.items():
            if record.state.kind is not StateKind.NOT_WANTED or key in goals:
                goals.setdefault(key, _Track()).turn(record.state.kind, item.time_s)
        for name, health in observed.links.items():
            links.setdefault(name, _Track()).turn(health.state, item.time_s)
    scans = []
    for part, scan in observed.scans.items():
        own = tuple(
            GoalHistory(
                GoalKey.parse(key), track.end(until_s), evidence.get(key), met.get(key)
            )
            for key, track in goals.items() if key.partition("/")[0] == part
        )  # fmt: skip
        scans.append(ScanHistory(scan, handed.get(scan.path, scan.admitted_s), own))
    return History(
        began_s, until_s, tuple(sorted(scans, key=lambda each: each.handed_s)),
        {name: track.end(until_s) for name, track in links.items()},
    )  # fmt: skip
