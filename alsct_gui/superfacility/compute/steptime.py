"""How long the job of a step may take, from what runs of it took before. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alsct_gui.superfacility.compute.estimate import QUANTUM_S, Speed

UNKNOWN_BYTES_PER_S = 1e6
"""What a step of which nothing is known is thought to get through in a second: slow ones do."""
UNKNOWN_LEAST_S = 900.0
"""Least that such a step is thought to take."""
NEAREST = 5
"""Runs that an estimate is made from: those of the inputs that are most alike in size."""
MARGIN_SAME = 2.0
"""The limit is so many times the estimate: a job that is cut off has been for nothing."""
MARGIN_OTHER = 4.0
"""The same where runs were elsewhere, or with other parameters, or there were none."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a run of a step took that has ended well."""

    seconds: float
    """Wall time, from reading to the product; positive."""
    bytes_in: int
    """Size of its inputs; positive."""
    same: bool
    """Whether it was the same step with the same parameters, at the same place."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """What the job of a step asks for, and why."""

    limit_s: int
    """Longest time it may run."""
    why: str
    """In words, a sentence without a full stop."""


def step_time(
    bytes_in: int | None, runs: Sequence[Took], *, longest_s: int, failures: int = 0
) -> StepTime:
    """Return the time to ask for.

    Of the runs nearest in size the slowest counts, longer as its input was smaller than this
    one, and never shorter: what a step does once does not shrink with its input.

    Parameters
    ----------
    bytes_in
        Size of the step's inputs; None when it is not known.
    runs
        What earlier runs of the step took. Where some are the same analysis at the same place,
        the others do not count.
    longest_s
        The most that the queue gives, at least a minute.
    failures
        How often this job has failed in a row; each asks for twice the time.

    Returns
    -------
    StepTime
        In steps of five minutes, and never more than the queue gives.
    """
    if not bytes_in:
        why = "the size of what it is made of is not known"
        return StepTime(longest_s, f"asks for {_words(longest_s)}, as {why}")
    same = [run for run in runs if run.same]
    known = sorted(same or runs, key=lambda run: abs(math.log(bytes_in / run.bytes_in)))[:NEAREST]
    if known:
        bare_s = max(run.seconds * max(1.0, bytes_in / run.bytes_in) for run in known)
        slowest = _words(max(run.seconds for run in known))
        of = f"{len(known)} runs like it" if len(known) > 1 else "a run like it"
        why = f"as {of if same else 'its step, elsewhere or otherwise,'} took up to {slowest}"
    else:
        bare_s = max(UNKNOWN_LEAST_S, bytes_in / UNKNOWN_BYTES_PER_S)
        why = "as nobody knows how long it takes"
    margin = MARGIN_SAME if same else MARGIN_OTHER if known else 1.0
    wanted_s = (Speed().start_s + bare_s * margin) * 2.0 ** min(failures, 16)
    if wanted_s >= longest_s:
        why = f"all that its queue gives, {why}"
    elif failures:
        why = f"more than before it failed, {why}"
    limit_s = min(longest_s, math.ceil(wanted_s / QUANTUM_S) * QUANTUM_S)
    return StepTime(limit_s, f"asks for {_words(limit_s)}, {why}")


def _words(seconds: float) -> str:
    """Say how long something takes, to the figure that matters."""
    if seconds < 60:
        return f"{max(1, math.ceil(seconds))} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
