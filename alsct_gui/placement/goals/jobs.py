"""Goals that jobs reach, at NERSC or wherever there is a `Compute`: one job for each.

A job is named after its goal and the attempt, so that an agent that was killed finds it again
and never begins a second one.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from alsct_gui.model.placement import (
    MET,
    ScanFacts,
    StateKind,
    StepState,
    Work,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.policy import Place
from alsct_gui.placement.goals.base import BlockedError, Intent, Record, World
from alsct_gui.superfacility.compute.base import (
    Compute,
    JobRequest,
    JobStatus,
    Resources,
    job_name,
    outcome,
)
from alsct_gui.superfacility.compute.look import Looker
from alsct_gui.superfacility.compute.progress import RunProgress
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import NotThereError

LOST_S = 3600.0
"""For how long a queue may not know a job before another is submitted."""
_LOOK_S = 0.05
_WAITS = (
    JobState.PENDING, JobState.CONFIGURING, JobState.REQUEUED, JobState.REQUEUE_FED,
    JobState.SUSPENDED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Computer:
    """A place where jobs run, and how they are asked for there."""

    compute: Compute
    """Runs jobs."""
    looker: Looker
    """Looks at files there."""
    resources: Callable[[ScanFacts], Resources]
    """What the job of a scan asks of the machine."""
    stage: bool = False
    """Whether jobs copy the scan to a quick disk first."""
    is_here: bool = False
    """Whether it is this workstation."""
    patience_s: float = 0.0
    """How long a cancelled job may take before it is killed; 0 leaves that to the place."""


class JobGoals(ABC):
    """Goals of one product at one place with a `Compute`.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is the folder below which products lie, on its own machine.
    computer
        What runs jobs there.
    stage
        Stage of a job whose progress is told; empty for whichever it is in.
    """

    def __init__(self, world: World, place: Place, computer: Computer, *, stage: str = "") -> None:
        if not place.root:
            raise BlockedError(
                "it is not known where products lie there", where=place.name,
                fix="Give the place a root in the policy, or its collection one in the profile",
            )  # fmt: skip
        self._world, self._place, self._stage = world, place, stage
        self._computer, self._compute = computer, computer.compute

    def act(self, intent: Intent, record: Record) -> str:
        """Submit a job, or find the one that was."""
        (key,) = intent.keys
        return self._compute.submit(self._job(key))

    def poll(self, outside_id: str) -> StepState:
        """Ask the queue, and read the progress file."""
        status = self._compute.status(outside_id)
        work = self._work(outside_id)
        name = status.name or (self._name(work.keys[0]) if work is not None else "")
        progress = self._compute.progress(name) if name else None
        state = job_state(status, progress, self._compute.place, stage=self._stage)
        state = self._told(name, state)
        is_lost = status.state is JobState.UNKNOWN and state.kind is StateKind.WAITING
        if is_lost and work is not None and self._waited_s(work, state) > LOST_S:
            return failed("the queue has not known the job for an hour")
        return state

    def cancel(self, outside_id: str) -> None:
        """End the job there."""
        try:
            self._compute.cancel(outside_id)
        except NotThereError:
            if self._compute.status(outside_id).listed:
                raise
            return
        until_s = time.monotonic() + self._computer.patience_s
        while self._computer.patience_s and not self._compute.status(outside_id).is_final:
            if time.monotonic() > until_s:
                self._compute.cancel(outside_id)
                return
            time.sleep(_LOOK_S)

    @abstractmethod
    def _job(self, key: str) -> JobRequest:
        """Return the job of a goal."""

    def _told(self, name: str, state: StepState) -> StepState:
        """Add to a job's state what else is known of it, by its name."""
        return state

    def _attempt(self, key: str) -> int:
        """Number of the piece of work that was decided on last; the first is 1."""
        record = self._world.observed.goals.get(key)
        return max(1, record.tries) if record is not None else 1

    def _name(self, key: str) -> str:
        return job_name(key, self._attempt(key))

    def _work(self, outside_id: str) -> Work | None:
        works = self._world.observed.works.values()
        return next((work for work in works if work.outside_id == outside_id), None)

    def _waited_s(self, work: Work, state: StepState) -> float:
        """For how long it has stood so."""
        record = self._world.observed.goals.get(work.keys[0])
        if record is None or record.state != state:
            return 0.0
        return self._world.clock() - record.since_s


def job_state(
    status: JobStatus, progress: RunProgress | None, place: str, *, stage: str = ""
) -> StepState:
    """Return what a job's status means for its goal.

    Parameters
    ----------
    status
        What the queue says.
    progress
        What its progress file says; None when there is none.
    place
        Name of the place, for people.
    stage
        Stage whose progress is told; empty for whichever it is in.
    """
    found = outcome(status, progress)
    if found.verdict == "done":
        return MET
    if found.verdict != "going":
        return failed(found.sentence, found.fix)
    if status.state is JobState.UNKNOWN:
        if progress is not None and progress.state == "finished":
            return MET  # it says so; whoever asks looks for itself
        return waiting(f"the queue of {place}", "it does not list the job")
    if status.is_held:
        return blocked(status.cause or status.sentence, status.fix or "Look at the job there")
    if status.state in _WAITS:
        return waiting(f"the queue of {place}", status.cause or status.sentence)
    if progress is None or (stage and progress.stage != stage):
        return StepState(StateKind.MOVING)
    return StepState(StateKind.MOVING, done=progress.done, total=progress.total)
