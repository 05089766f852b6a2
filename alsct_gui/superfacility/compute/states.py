"""The states of a Slurm job: all of them, in words, and which of them are the end.

Slurm's own documentation (squeue(1), "JOB STATE CODES") says what each means. The set of
terminal states is ours: the one of `sfapi_client` lacks NODE_FAIL, BOOT_FAIL, DEADLINE and
REVOKED, which are what is seen when a machine breaks down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the values are Slurm's own words."""

    BOOT_FAIL = "BOOT_FAIL"
    """The nodes did not start."""
    CANCELLED = "CANCELLED"
    """Somebody ended it."""
    COMPLETED = "COMPLETED"
    """Its script ended with exit code 0."""
    CONFIGURING = "CONFIGURING"
    """Its nodes are being prepared."""
    COMPLETING = "COMPLETING"
    """Its script has ended, its nodes are cleaned up."""
    DEADLINE = "DEADLINE"
    """It could not end before its deadline."""
    FAILED = "FAILED"
    """Its script ended with another exit code."""
    NODE_FAIL = "NODE_FAIL"
    """A node of it broke down."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    """It took more memory than it had."""
    PENDING = "PENDING"
    """It waits in the queue."""
    PREEMPTED = "PREEMPTED"
    """It was ended in favour of another."""
    RUNNING = "RUNNING"
    """It runs."""
    RESV_DEL_HOLD = "RESV_DEL_HOLD"
    """It is held, since its reservation was deleted."""
    REQUEUE_FED = "REQUEUE_FED"
    """It is put in the queue again by a federation of clusters."""
    REQUEUE_HOLD = "REQUEUE_HOLD"
    """It is put in the queue again, and held."""
    REQUEUED = "REQUEUED"
    """It is put in the queue again."""
    RESIZING = "RESIZING"
    """Its number of nodes changes."""
    REVOKED = "REVOKED"
    """Another cluster of a federation has taken it."""
    SIGNALING = "SIGNALING"
    """It is being sent a signal."""
    SPECIAL_EXIT = "SPECIAL_EXIT"
    """It was put in the queue again in a special state, and is held."""
    STAGE_OUT = "STAGE_OUT"
    """Its files are brought out of the burst buffer."""
    STOPPED = "STOPPED"
    """It was stopped by a signal and keeps its processors."""
    SUSPENDED = "SUSPENDED"
    """It is suspended and has given its processors up."""
    TIMEOUT = "TIMEOUT"
    """It came to its time limit."""
    UNKNOWN = "UNKNOWN"
    """Not Slurm's: the queue does not list it, or names a state that is not known here."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in TERMINAL

    @property
    def has_failed(self) -> bool:
        """Whether it is the end, and not a good one."""
        return self in TERMINAL and self is not JobState.COMPLETED


TERMINAL = frozenset(
    {
        JobState.BOOT_FAIL, JobState.CANCELLED, JobState.COMPLETED, JobState.DEADLINE,
        JobState.FAILED, JobState.NODE_FAIL, JobState.OUT_OF_MEMORY, JobState.PREEMPTED,
        JobState.REVOKED, JobState.TIMEOUT,
    }
)  # fmt: skip
"""States that are the end. The job script forbids requeueing, so none of them is left again."""

HELD = frozenset(
    {JobState.RESV_DEL_HOLD, JobState.REQUEUE_HOLD, JobState.SPECIAL_EXIT, JobState.STOPPED}
)
"""States that a person has to end."""


@dataclass(frozen=True, slots=True)
class Words:
    """A state as a person reads it."""

    sentence: str
    """What is so, without a full stop."""
    cause: str = ""
    """Why; empty where the sentence says it."""
    fix: str = ""
    """What to do; empty where nothing is to be done."""


_AGAIN = "It is submitted again when Perlmutter is up; until then it can run on this workstation"
_WORDS = {
    JobState.BOOT_FAIL: Words(
        "The job ended because its nodes did not start", "A fault of the machine", _AGAIN
    ),
    JobState.CANCELLED: Words(
        "The job was cancelled", "Somebody ended it, here or at the machine",
        "Submit it again if that was not meant",
    ),
    JobState.COMPLETED: Words("The job has ended with exit code 0"),
    JobState.CONFIGURING: Words("The job's nodes are being prepared"),
    JobState.COMPLETING: Words("The job has ended and its nodes are cleaned up"),
    JobState.DEADLINE: Words(
        "The job was ended because it cannot meet its deadline",
        "The queue was too long, or an outage came first", _AGAIN,
    ),
    JobState.FAILED: Words(
        "The job has failed", "Its script ended with an error", "Read its log, then submit it again"
    ),
    JobState.NODE_FAIL: Words(
        "The job ended because a node broke down", "A fault of the machine", _AGAIN
    ),
    JobState.OUT_OF_MEMORY: Words(
        "The job ran out of memory", "The scan needs more than the node gives",
        "Submit it with less memory in the recipe or on another kind of node",
    ),
    JobState.PENDING: Words("The job waits in the queue"),
    JobState.PREEMPTED: Words(
        "The job was ended in favour of another", "Its queue may be preempted",
        "Submit it again, or take another queue",
    ),
    JobState.RUNNING: Words("The job runs"),
    JobState.RESV_DEL_HOLD: Words(
        "The job is held", "Its reservation was deleted",
        "Cancel it and submit it without the reservation",
    ),
    JobState.REQUEUE_FED: Words("The job is being put in the queue again"),
    JobState.REQUEUE_HOLD: Words(
        "The job is put in the queue again and held", "Slurm or an administrator holds it",
        "Release it at the machine, or cancel it and submit it again",
    ),
    JobState.REQUEUED: Words("The job is put in the queue again"),
    JobState.RESIZING: Words("The job's number of nodes changes"),
    JobState.REVOKED: Words(
        "The job was taken over by another cluster", "The machines form a federation",
        "Submit it again",
    ),
    JobState.SIGNALING: Words("The job is being sent a signal"),
    JobState.SPECIAL_EXIT: Words(
        "The job is put in the queue again and held", "Its exit code is a special one",
        "Release it at the machine, or cancel it and submit it again",
    ),
    JobState.STAGE_OUT: Words("The job's files are brought out"),
    JobState.STOPPED: Words(
        "The job is stopped", "It was sent a signal to stop",
        "Let it go on at the machine, or cancel it and submit it again",
    ),
    JobState.SUSPENDED: Words("The job is suspended", "The machine needs its processors"),
    JobState.TIMEOUT: Words(
        "The job came to its time limit", "It needs longer than was asked for",
        "Submit it with a longer time; it goes on with what it has",
    ),
    JobState.UNKNOWN: Words(
        "Where the job stands is not known", "The machine does not list it at present",
        "It is asked again; nothing is submitted meanwhile",
    ),
}  # fmt: skip

# What squeue gives as the reason of a waiting job; the first that the text begins with.
_REASONS = (
    ("JobHeldUser", Words(
        "The job is held", "Its owner holds it",
        "Release it with scontrol release, or cancel it",
    )),
    ("JobHeldAdmin", Words(
        "The job is held", "An administrator holds it", "Ask NERSC's help desk"
    )),
    ("ReqNodeNotAvail", Words(
        "The job waits for nodes that are not available", "They are down or in maintenance"
    )),
    ("Reservation", Words("The job waits for its reservation to begin")),
    ("Dependency", Words("The job waits for another job")),
    ("Priority", Words("The job waits in the queue", "Others are before it")),
    ("Resources", Words("The job is next in the queue", "Nodes are not free yet")),
    ("BeginTime", Words("The job waits for its time to begin")),
    ("QOSMax", Words("The job waits", "As many jobs of this queue run as are allowed")),
    ("AssocGrp", Words(
        "The job waits", "The project's allocation is used up",
        "Ask the project's PI for more hours, or take another account",
    )),
    ("InvalidAccount", Words(
        "The job waits", "The account is not known there", "Put the profile's account right"
    )),
    ("InvalidQOS", Words(
        "The job waits", "The queue is not known there", "Put the profile's queue right"
    )),
    ("PartitionDown", Words("The job waits", "The part of the machine it asks for is down")),
    ("PartitionTimeLimit", Words(
        "The job waits for ever", "It asks for more time than the queue gives",
        "Cancel it and submit it with less time or in another queue",
    )),
)  # fmt: skip


def parse_state(text: str | None) -> JobState:
    """Read a state as squeue or sacct prints it.

    Parameters
    ----------
    text
        Such as ``RUNNING``, ``CANCELLED by 1234`` or ``OUT_OF_ME+``, which sacct has cut.

    Returns
    -------
    state
        `JobState.UNKNOWN` for what is not a state.
    """
    found = re.match(r"\s*([A-Z_]+)(\+?)", text or "")
    if found is None:
        return JobState.UNKNOWN
    word, cut = found.groups()
    if word in JobState.__members__:
        return JobState(word)
    fitting = [state for state in JobState if cut and state.startswith(word)]
    return fitting[0] if len(fitting) == 1 else JobState.UNKNOWN


def words_of(state: JobState, reason: str = "") -> Words:
    """Say a state in words.

    Parameters
    ----------
    state
        Where the job stands.
    reason
        Slurm's reason, as squeue prints it; it matters while the job waits.
    """
    if state is JobState.PENDING:
        bare = reason.strip().strip("()")
        for beginning, words in _REASONS:
            if bare.startswith(beginning):
                return words
    return _WORDS[state]


def is_held(state: JobState, reason: str = "") -> bool:
    """Whether the job goes on only when a person acts."""
    if state is JobState.PENDING:
        return reason.strip().strip("()").startswith(("JobHeld", "Invalid", "PartitionTimeLimit"))
    return state in HELD
