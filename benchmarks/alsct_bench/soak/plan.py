"""What happens in a soak, and when: a pure function of a seed, so that it can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from alsct_gui.simulator.facility.faults import FaultName as F


class MoveKind(StrEnum):
    """What is done to the system."""

    SCAN = "scan"  # a scan arrives and is handed over
    KILL = "kill"  # the agent is killed and started again
    KILL_TWICE = "kill-twice"  # and killed once more while it starts
    PAUSE = "pause"  # the agent is stopped for a while, and goes on
    SECOND = "second"  # another agent is started on the same ledger
    FACILITY = "facility"  # the facility is killed and started again
    WORKER = "worker"  # whatever works for the agent is killed: copies, reconstructions
    FAULT = "fault"  # a fault is put on the desk for a while


KILLS = {
    MoveKind.KILL: 1, MoveKind.KILL_TWICE: 2, MoveKind.FACILITY: 1, MoveKind.WORKER: 1,
}  # fmt: skip
"""Kills in each move."""
_WEIGHTS = {
    MoveKind.KILL: 12, MoveKind.KILL_TWICE: 3, MoveKind.FACILITY: 3, MoveKind.WORKER: 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How long a soak is."""

    scans: int
    """Scans that arrive."""
    kills: int
    """Kills, at least."""
    windows: int
    """Times in which a fault is on."""
    reconstructed: int
    """Scans of which a reconstruction is wanted, too."""


QUICK = Size(scans=5, kills=3, windows=2, reconstructed=0)
SHORT = Size(scans=70, kills=25, windows=20, reconstructed=3)
FULL = Size(scans=800, kills=200, windows=150, reconstructed=20)


LONGEST_S = 5.0
"""How long a fault is on at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """A fault for a while."""

    name: F
    """Which."""
    where: str
    """Pattern of places."""
    count: int | None
    """How often it strikes; None until its end."""
    for_events: int
    """It is on until the agent has written so many events, or `LONGEST_S` have passed."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that is done, and when.

    Moments are told by what the agent has written down, not by a watch, so that a kill finds
    it in the middle of something on a slow machine, too.
    """

    kind: MoveKind
    """What."""
    after_events: int
    """Events that the agent writes down before it is done, since the move before it."""
    delay_s: float = 0.0
    """From the last of them."""
    window: Window | None = None
    """The fault, when it is one."""
    hold_s: float = 0.0
    """How long somebody is stopped or away, or lives before the second kill."""


_LINE = (
    F.REFUSED, F.RESET_BEFORE, F.RESET_AFTER, F.STALL, F.STALL_AFTER, F.TRUNCATED, F.GARBLED,
    F.UNAUTHORIZED, F.FORBIDDEN, F.TOO_MANY, F.SERVER_ERROR, F.BAD_GATEWAY, F.UNAVAILABLE,
)  # fmt: skip
_TASKS = (
    F.PAUSED, F.PERMISSION_DENIED, F.QUOTA, F.DISK_FULL, F.BAD_CHECKSUM, F.CREDENTIALS_EXPIRED,
    F.STUCK,
)  # fmt: skip
_JOBS = (F.NODE_FAIL, F.TIMEOUT, F.HELD, F.NO_OUTPUT)


def plan(seed: int, size: Size) -> tuple[Move, ...]:
    """Return the moves of a soak, in their order; the same seed gives the same."""
    rng = Random(seed)  # noqa: S311 (no secret)
    moves: list[Move] = [_scan(rng) for _ in range(size.scans)]
    kills = 0
    while kills < size.kills:
        (kind,) = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        kills += KILLS[kind]
        moves.append(_move(rng, kind, hold_s=rng.uniform(0.0, 1.0)))
    moves += [_move(rng, MoveKind.FAULT, window=_window(rng)) for _ in range(size.windows)]
    for _ in range(max(1, size.kills // 10)):
        moves.append(_move(rng, MoveKind.PAUSE, hold_s=rng.uniform(0.3, 1.5)))
        moves.append(_move(rng, MoveKind.SECOND))
    rng.shuffle(moves)
    return tuple(moves)


def _scan(rng: Random) -> Move:
    return Move(MoveKind.SCAN, rng.randrange(3))


def _move(rng: Random, kind: MoveKind, window: Window | None = None, hold_s: float = 0.0) -> Move:
    return Move(kind, rng.randrange(20), rng.uniform(0.0, 0.05), window, hold_s)


def _window(rng: Random) -> Window:
    events = rng.randrange(2, 25)
    count = rng.choice([None, 1, 3])
    kind = rng.randrange(10)
    if kind < 5:
        name = rng.choice(_LINE)
        service = rng.choice(["transfer", "auth", "sfapi", "scicat"])
        where = service if name is F.REFUSED else f"{service} *"
        return Window(name, where, None if name is F.REFUSED else count, events)
    if kind < 8:
        return Window(rng.choice(_TASKS), "task *", count, events)
    if kind < 9:
        return Window(rng.choice(_JOBS), "sfapi job *", count, events)
    where = rng.choice(["perlmutter", "community_filesystem", "?*"])
    return Window(rng.choice([F.OUTAGE, F.PLANNED_OUTAGE]), where, None, events)
