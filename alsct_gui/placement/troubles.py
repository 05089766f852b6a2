"""What goes wrong with goals, as states of theirs and as events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import Observed, StateKind, StepState, blocked, failed, waiting
from alsct_gui.model.policy import Patience
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.goals.base import BlockedError, NotYetError
from alsct_gui.superfacility.errors import NeedsPersonError, RefusedError

LOOK = "Look at it; it is tried again by itself, or at once by retry"
_BY_PERSON = (BlockedError, NeedsPersonError, RefusedError)


class MistakeError(AlsctError):
    """The program itself is wrong; said of the goal that it happened to."""


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Make a mistake of the program an error of one goal, which does not stop the others."""
    try:
        yield
    except AlsctError:
        raise
    except Exception as error:
        raise MistakeError(
            f"a mistake in the program ({type(error).__name__}: {error})",
            fix="Report it with the agent's log",
        ) from error


def state_of(error: AlsctError) -> StepState:
    """Return how a goal stands that met an error."""
    if isinstance(error, NotYetError):
        return waiting("another look", error.what)
    if isinstance(error, _BY_PERSON):
        return blocked(error.what, error.fix or LOOK)
    return failed(error.what, error.fix)


def fallen(
    observed: Observed, patience: Patience, keys: Sequence[str], state: StepState, now_s: float
) -> list[Event]:
    """Return the events of goals that have failed; each says when it is tried again.

    Parameters
    ----------
    observed
        Says how often each has failed before.
    patience
        How failures are tried again.
    keys, state
        The goals, and how they stand.
    now_s
        Seconds since 1970.
    """
    by_attempts: dict[int, list[str]] = {}
    for key in keys:
        record = observed.goals.get(key)
        by_attempts.setdefault((record.attempts if record else 0) + 1, []).append(key)
    told = []
    for attempts, those in by_attempts.items():
        wait_s = patience.wait_s(attempts)
        stands = state
        if state.kind is StateKind.BLOCKED:
            wait_s = patience.most_s
        elif attempts >= patience.attempts:
            cause = f"failed {attempts} times, at last: {state.cause}"
            stands = blocked(cause, state.fix or LOOK)
        stands = replace(stands, until_s=now_s + wait_s)
        told.append(event(EventKind.FAILED, keys=those, state=lean(stands)))
    return told
