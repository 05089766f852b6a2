"""One row of the table, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach."""

    figure: Literal["value", "ratio"]
    """Which figure of the row it is about."""
    bound: float
    """At least this ratio, or at most this value."""
    any_size: bool = False
    """True when it holds for a quick run's small size too: correctness, not speed."""
    quality: str = "fast"
    """What a ratio is of."""

    @property
    def text(self) -> str:
        """The target in words."""
        if self.figure == "ratio":
            return f"at least {self.bound:g} times as {self.quality}"
        return f"at most {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure, and the same figure of one peer measured in the same run."""

    group: str
    """Name of the group that measured it."""
    name: str
    """What was measured; together with `peer` it names the row."""
    value: float
    """The program's own figure."""
    unit: str
    """Unit of both figures; empty for pure numbers."""
    peer: str = ""
    """Library, version and settings of the peer; empty when there is none."""
    peer_value: float | None = None
    """The peer's figure."""
    ratio: float | None = None
    """``peer_value / value``: how many times as fast, or as exact, the program is."""
    spread: float | None = None
    """(largest - smallest) / median of the repeats, of the program or of the peer, whichever
    is larger; None for a figure that was taken once."""
    target: Target | None = None
    """What it should reach, when the project has set that."""
    note: str = ""
    """What a reader must know to read the figure rightly."""

    def verdict(self, *, full_size: bool) -> str:
        """``met``, ``missed``, or empty when no target holds for this row and size."""
        if self.target is None or not (full_size or self.target.any_size):
            return ""
        if self.target.figure == "value":
            return "met" if self.value <= self.target.bound else "missed"
        if self.ratio is None:
            return ""
        return "met" if self.ratio >= self.target.bound else "missed"

    def row(self, *, full_size: bool) -> dict[str, Any]:
        """Return the row as plain data, as documented for ``--json``."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "ratio": self.ratio,
            "group": self.group,
            "peer_value": self.peer_value,
            "spread": self.spread,
            "target": self.target.text if self.target else "",
            "verdict": self.verdict(full_size=full_size),
            "note": self.note,
        }
