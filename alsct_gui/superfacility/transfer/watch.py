"""Whether a transfer moves: told from what its status was before."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

RATE_WINDOW_S = 60.0
"""Over how long a rate is taken."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What was seen of a transfer's motion so far."""

    mark: Hashable
    """Whatever changes when something moves."""
    moved_s: float
    """When the mark last changed, seconds since 1970 UTC."""
    window_s: float
    """When the present window for the rate began."""
    window_bytes: int
    """Bytes that had arrived then."""
    rate_bytes_per_s: float | None = None
    """Rate over the window; None before there is one."""


def follow(before: Motion | None, mark: Hashable, done_bytes: int, now_s: float) -> Motion:
    """Return the motion after one more look.

    Parameters
    ----------
    before
        Motion at the look before; None at the first.
    mark
        Whatever changes when something moves.
    done_bytes
        Bytes that have arrived.
    now_s
        When it was looked, seconds since 1970 UTC.
    """
    if before is None or now_s < before.moved_s or done_bytes < before.window_bytes:
        return Motion(mark, now_s, now_s, done_bytes)  # the first look, or a clock set back
    passed_s = now_s - before.window_s
    rate = before.rate_bytes_per_s
    if passed_s > 0:
        rate = (done_bytes - before.window_bytes) / passed_s
    moved_s = now_s if mark != before.mark else before.moved_s
    if passed_s >= RATE_WINDOW_S:
        return Motion(mark, moved_s, now_s, done_bytes, rate)
    return Motion(mark, moved_s, before.window_s, before.window_bytes, rate)


def still_s(motion: Motion, now_s: float) -> float:
    """For how long nothing has moved, in seconds."""
    return max(0.0, now_s - motion.moved_s)
