"""What happens, as the ledger keeps it: kinds of events, and their data as plain JSON.

Names of files come from outside. JSON is written in ASCII, so that what is no valid unicode
(Python's surrogate escapes) is stored and read back unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum, StrEnum
from typing import Any

from alsct_gui.model.placement import (
    Evidence,
    Health,
    LinkState,
    ScanFacts,
    StateKind,
    StepState,
)


class EventKind(StrEnum):
    """What an event tells; a ledger may hold others, of a later version."""

    SCAN = "scan"  # admitted, or known better: ``scan``
    ARRIVAL = "arrival"  # how it stands with a file that was handed over: ``path``, ``state``
    STATE = "state"  # ``keys`` stand so now: ``state``
    INTENT = "intent"  # work is decided on: ``work``, ``keys``
    SUBMISSION = "submission"  # what to ask for it by again: ``work``, ``submission``
    OUTSIDE = "outside"  # its id outside: ``work``, ``id``
    ENDED = "ended"  # it is over: ``work``, ``how``
    MET = "met"  # evidence of ``keys`` was seen: ``evidence``
    AUDITED = "audited"  # evidence of ``keys`` was seen again
    FAILED = "failed"  # ``keys`` failed: ``state``
    LOST = "lost"  # evidence of ``keys`` is gone: ``state``
    ASKED = "asked"  # a person wants something: ``what``, ``keys`` or ``scans`` or ``path``
    AGENT = "agent"  # it starts or stops: ``what``
    LINK = "link"  # a link of the chain is otherwise than before: ``health``
    FLOW = "flow"  # a flow run of ``scans`` is otherwise than before: ``flow``


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    kind: str
    """One of `EventKind`, or a word of a later version."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What belongs to the kind, in the types of JSON."""
    time_s: float = 0.0
    """Seconds since 1970."""
    seq: int = 0
    """Its number; 0 before it is stored."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Goals that it is about."""
        return tuple(self.data.get("keys", ()))


def event(kind: EventKind, **data: Any) -> Event:
    """Return an event that has not been stored."""
    return Event(kind, data)


def dump(data: Mapping[str, Any]) -> str:
    """Return data as ASCII that `json.loads` takes back unchanged."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def lean(value: Any) -> dict[str, Any]:
    """Return a dataclass as plain data without the fields that have their default."""
    plain: dict[str, Any] = {}
    for spec in fields(value):
        item = getattr(value, spec.name)
        default = spec.default
        if default is MISSING and spec.default_factory is not MISSING:
            default = spec.default_factory()
        if item == default:
            continue
        if isinstance(item, Enum):
            item = item.value
        elif isinstance(item, StepState | Evidence):
            item = lean(item)
        plain[spec.name] = list(item) if isinstance(item, tuple) else item
    return plain


def state_from(data: Mapping[str, Any]) -> StepState:
    """Read a state back."""
    return StepState(**{**data, "kind": StateKind(data["kind"])})


def evidence_from(data: Mapping[str, Any]) -> Evidence:
    """Read evidence back."""
    return Evidence(**{**data, "copies": tuple(data.get("copies", ()))})


def health_from(data: Mapping[str, Any]) -> Health:
    """Read how a link is back."""
    return Health(**{**data, "state": LinkState(data.get("state", LinkState.UNKNOWN))})


def scan_from(data: Mapping[str, Any]) -> ScanFacts:
    """Read a scan back."""
    return ScanFacts(**data)


def scans_of(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the scans that goals belong to, each once."""
    return tuple(dict.fromkeys(key.partition("/")[0] for key in keys))
