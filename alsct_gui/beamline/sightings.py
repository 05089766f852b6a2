"""What the watch knows of each path, and what changed between two moments. All of it pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from alsct_gui.beamline.looks import Kind, Look, State, Summary, judge
from alsct_gui.model.finding import Finding

ChangeKind = Literal["appeared", "changed", "completed", "gone"]

MAX_FINDINGS = 40
"""Findings that a sighting carries; a hostile file could make thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingFacts:
    """All of a sighting but its path; plain data, so that it travels between processes."""

    state: State
    """``arriving`` until closed, whole and readable; ``broken`` when waiting does not help."""
    kind: Kind
    """Raw scan or reconstructed volume."""
    sentence: str
    """The state in words, for the list."""
    size_bytes: int = 0
    """Length as last seen."""
    modified_s: float = 0.0
    """Latest change, seconds since 1970 by the file server's clock."""
    frames_done: int | None = None
    """Projections (slices of a volume) in the file; None while it cannot be opened."""
    frames_expected: int | None = None
    """Projections (slices) announced; None while it cannot be opened."""
    identity: str = ""
    """The same for the same content and start time, whatever the path; empty until complete."""
    findings: tuple[Finding, ...] = ()
    """What the latest look found, gravest first."""
    summary: Summary = field(default_factory=Summary)
    """What a list shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(SightingFacts):
    """One file or folder as last seen."""

    path: Path
    """Where it lies, under the watched folder as that was given."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one path between two moments."""

    kind: ChangeKind
    sighting: Sighting
    """As it is now; for ``gone`` as last seen, with that state."""
    before: State | None = None
    """Its state before; None when it was not known."""
    also_at: tuple[Path, ...] = ()
    """Other paths with the same content; a ``gone`` with one of them has been moved."""


def sighting_of(path: Path, look: Look, quiet_s: float) -> Sighting:
    """Make a sighting of a look; see `looks.judge`.

    What was only counted is never complete: it stays arriving until a closer look.
    """
    verdict = judge(look, quiet_s)
    proved = verdict.state != "complete" or look.depth != "count"
    return Sighting(
        path=path,
        state=verdict.state if proved else "arriving",
        kind=look.kind,
        sentence=verdict.sentence if proved else "All frames are there; being checked.",
        size_bytes=look.size_bytes,
        modified_s=look.modified_ns / 1e9,
        frames_done=look.main.done if look.main else None,
        frames_expected=look.main.expected if look.main else None,
        identity=look.identity if proved and verdict.state == "complete" else "",
        findings=look.findings[:MAX_FINDINGS],
        summary=look.summary,
    )


def gone(sighting: Sighting) -> Sighting:
    """Return what is said of a path where nothing is any more."""
    kept = {item.name: getattr(sighting, item.name) for item in fields(sighting)}
    return Sighting(**{**kept, "state": "gone", "sentence": "The file is no longer there."})


def diff(before: Mapping[Path, Sighting], after: Mapping[Path, Sighting]) -> tuple[Change, ...]:
    """Say what changed, in the order of `after`, then what is gone.

    Parameters
    ----------
    before, after
        Sightings by path; a path that is only in `before` is gone.
    """
    places: dict[str, list[Path]] = defaultdict(list)
    for path, sighting in after.items():
        if sighting.identity:
            places[sighting.identity].append(path)
    changes = []
    for path, sighting in after.items():
        known = before.get(path)
        if known == sighting:
            continue
        kind: ChangeKind = "appeared" if known is None else "changed"
        if known is not None and known.state != "complete" and sighting.state == "complete":
            kind = "completed"
        changes.append(
            Change(kind, sighting, known.state if known else None, _others(places, sighting))
        )
    for path, known in before.items():
        if path not in after:
            changes.append(Change("gone", gone(known), known.state, _others(places, known)))
    return tuple(changes)


def _others(places: Mapping[str, list[Path]], sighting: Sighting) -> tuple[Path, ...]:
    if not sighting.identity:
        return ()
    return tuple(path for path in places.get(sighting.identity, ()) if path != sighting.path)
