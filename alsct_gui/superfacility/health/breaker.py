"""A circuit breaker: a link that fails again and again is left alone for a while.

A pure state machine. Closed: calls go through. After `Limits.failures` failures in a row it
opens: no calls, for a time that doubles with each failed trial up to a limit. Then it is half
open: one call is let through as a trial; its success closes it, its failure opens it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Position(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """No calls."""
    HALF_OPEN = "half-open"
    """One call is under way as a trial."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens and for how long."""

    failures: int = 3
    """Failures in a row that open it."""
    first_s: float = 30.0
    """How long it stays open the first time."""
    longest_s: float = 300.0
    """The longest that it stays open."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """How one breaker stands; each event gives a new one."""

    limits: Limits = Limits()
    """When it opens and for how long."""
    position: Position = Position.CLOSED
    """How it stands."""
    failures: int = 0
    """Failures in a row."""
    wait_s: float = 0.0
    """How long it stays open this time."""
    changed_s: float = 0.0
    """When it last opened, or let a trial through; by the caller's clock."""

    def allows(self, now_s: float) -> bool:
        """Whether a call may go out now; who makes it says `asked` first."""
        if self.position is Position.CLOSED:
            return True
        # A trial that was never answered, for its caller was killed, must not block for ever.
        return now_s - self.changed_s >= self.wait_s

    def retry_s(self, now_s: float) -> float:
        """Seconds until the next trial; 0 when a call may go out now."""
        return 0.0 if self.allows(now_s) else self.wait_s - (now_s - self.changed_s)

    def asked(self, now_s: float) -> Breaker:
        """A call goes out."""
        if self.position is Position.CLOSED:
            return self
        return replace(self, position=Position.HALF_OPEN, changed_s=now_s)

    def succeeded(self) -> Breaker:
        """A call was answered."""
        return Breaker(self.limits)

    def failed(self, now_s: float) -> Breaker:
        """A call was not answered."""
        count = self.failures + 1
        if self.position is Position.CLOSED and count < self.limits.failures:
            return replace(self, failures=count)
        if self.position is Position.OPEN:
            return replace(self, failures=count)  # a late answer of a call from before
        longer_s = self.wait_s * 2 if self.wait_s else self.limits.first_s
        return replace(
            self, position=Position.OPEN, failures=count, changed_s=now_s,
            wait_s=min(longer_s, self.limits.longest_s),
        )  # fmt: skip
