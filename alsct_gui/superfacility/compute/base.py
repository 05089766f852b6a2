"""Reconstructing somewhere, wherever that is.

A caller (the reconciler) owns the memory: which work is wanted, and the id of the job that does
it. The name of a job is derived from the work, so that a job whose id was lost on the way is
found again by its name and never submitted twice.

Every call returns or raises within a bounded time and may block until then: call it from a
thread.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from alsct_gui.superfacility.compute.progress import RunProgress
from alsct_gui.superfacility.compute.states import JobState, is_held, words_of
from alsct_gui.superfacility.errors import RefusedError

SAFE_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,&-]{0,99}")
"""What a queue, an account or a constraint may be called: these stand in the job script."""
SAFE_PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9_.-]*)+")
"""Form of the few folders that stand in addresses and in the job script."""
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
"""Form of the names of files that go along with a job: those of modules may begin with ``_``."""
MOST_ALONG_BYTES = 100_000_000
"""Most that goes along with a job."""

_NAME = re.compile(r"alsct-[0-9a-f]{20}-[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job asks of the machine; from the profile, but for the time.

    Raises
    ------
    RefusedError
        A word is not of the closed alphabet, or a number is out of bounds.
    """

    queue: str
    """Quality of service, ``-q``: realtime, regular, debug …"""
    account: str
    """Project that pays, ``-A``."""
    constraint: str
    """Kind of node, ``-C``: cpu or gpu."""
    time_s: int
    """Longest time it may run; see `estimate.time_limit_s`."""
    nodes: int = 1
    """Nodes."""
    cpus: int = 64
    """Processors of its one task."""
    memory_gb: float = 100.0
    """Memory the reconstruction may take."""

    def __post_init__(self) -> None:
        for name in ("queue", "account", "constraint"):
            value = getattr(self, name)
            if SAFE_WORD.fullmatch(value) is None:
                raise RefusedError(
                    f"{value[:80]!r} is not a name that Slurm takes", where=f"profile: {name}",
                    fix="Use letters, digits, '_', '-' and '.'", name="unsafe-word",
                )  # fmt: skip
        for name, most in (("time_s", 7 * 86400), ("nodes", 128), ("cpus", 1024)):
            if not 1 <= getattr(self, name) <= most:
                raise RefusedError(
                    f"{getattr(self, name)} is out of bounds", where=f"profile: {name}",
                    fix=f"Take 1 to {most}",
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepCall:
    """A step that a job runs instead of a reconstruction.

    Raises
    ------
    RefusedError
        A file that goes along has a name that is not of the closed alphabet, or is too large.
    """

    step: str
    """Name of an installed step; else the file of somebody's code: one of `files`, or the path of
    one that lies there already."""
    inputs: Mapping[str, str]
    """Paths where the job runs, by the names of the step's inputs."""
    parameters: Mapping[str, Any]
    """Plain data."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files of somebody's code, by their paths below its folder; the job refuses
    others."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that go along with the job, by names of the same kind."""
    along: Mapping[str, str] = field(default_factory=dict)
    """Inputs that are among `files`: their names there, by the names of the step's inputs."""

    def __post_init__(self) -> None:
        for name in self.files:
            if SAFE_NAME.fullmatch(name) is None:
                raise RefusedError(
                    f"the name {name[:200]!r} cannot go along with a job",
                    fix="Rename the file: letters, digits, '_', '-' and '.'", name="unsafe-path",
                )  # fmt: skip
        size_bytes = sum(map(len, self.files.values()))
        if size_bytes > MOST_ALONG_BYTES:
            raise RefusedError(
                f"{size_bytes / 1e6:.0f} MB are too much to go along with a job",
                fix=f"Take files of at most {MOST_ALONG_BYTES / 1e6:.0f} MB in all",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One reconstruction, or one step, that is to be done somewhere.

    Raises
    ------
    RefusedError
        The key is empty or the attempt is out of bounds.
    """

    key: str
    """Made from scan, product and recipe: the same key is the same work."""
    scan: str
    """Path of the raw scan, where the job runs; empty for a step."""
    output: str
    """Path of the product, likewise."""
    resources: Resources
    """What it asks of the machine."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Recipe as plain data; empty for the standard one."""
    options: tuple[str, ...] = ()
    """Further arguments of `alsct recon`, one word each."""
    stage: bool = False
    """Whether to copy the scan to the job's own folder first."""
    slices: int | None = None
    """Slices that the volume must have; None when not known."""
    attempt: int = 1
    """Counts up when a job of this work has ended badly and another is wanted."""
    call: StepCall | None = None
    """The step that is run; None for a reconstruction."""

    def __post_init__(self) -> None:
        if not self.key or not 1 <= self.attempt <= 9999:
            raise RefusedError("the job has no key, or its attempt is out of bounds")

    @property
    def name(self) -> str:
        """Name of the job: of the work and the attempt, in a closed alphabet."""
        return job_name(self.key, self.attempt)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What is known of a job at one moment."""

    id: str
    """As `Compute.submit` returned it."""
    name: str
    """Name of the job; empty when the place does not tell it."""
    state: JobState
    """Where it stands."""
    reason: str = ""
    """Slurm's reason for waiting, as it gives it."""
    sentence: str = ""
    """The state in words, without a full stop."""
    cause: str = ""
    """Why; empty when the sentence says it."""
    fix: str = ""
    """What to do; empty when nothing."""
    starts: float | None = None
    """When it is expected to start or has started, seconds since 1970 UTC; None if not told."""
    elapsed_s: float | None = None
    """How long it has run; None when not told."""
    exit_code: int | None = None
    """Exit code of its script; None when not told."""
    listed: bool = True
    """Whether the place lists it at all."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self.state.is_final

    @property
    def is_held(self) -> bool:
        """Whether it goes on only when a person acts."""
        return is_held(self.state, self.reason)


def status_of(
    id: str,  # noqa: A002 (the word of the trade)
    name: str,
    state: JobState,
    *,
    reason: str = "",
    starts: float | None = None,
    elapsed_s: float | None = None,
    exit_code: int | None = None,
    listed: bool = True,
) -> JobStatus:
    """Put a status together with its words."""
    words = words_of(state, reason)
    return JobStatus(
        id, name, state, reason, words.sentence, words.cause, words.fix, starts, elapsed_s,
        exit_code, listed,
    )  # fmt: skip


Verdict = Literal["going", "done", "failed", "no-output", "incomplete"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job has come to."""

    verdict: Verdict
    """Whether it goes on, made its volume, or how it did not."""
    sentence: str
    """In words, without a full stop."""
    fix: str = ""
    """What to do; empty when nothing."""


def outcome(status: JobStatus, progress: RunProgress | None, slices: int | None = None) -> Outcome:
    """Judge what a job has come to: its state alone proves nothing, the slices do.

    Parameters
    ----------
    status
        Of the job.
    progress
        What its progress file says; None when there is none.
    slices
        Slices the volume must have; None when not known.
    """
    if not status.is_final:
        return Outcome("going", status.sentence, status.fix)
    if status.state.has_failed:
        said = progress.message if progress is not None else ""
        sentence = f"{status.sentence}: {said}" if said else status.sentence
        return Outcome("failed", sentence.rstrip("."), status.fix)
    if progress is None or progress.state != "finished":
        return Outcome(
            "no-output",
            "The job has ended well by its exit code, and no finished product is there",
            "Read its log, then submit it again",
        )
    made = progress.slices
    if slices is not None and made != slices:
        return Outcome(
            "incomplete", f"The volume has {made} slices of {slices}",
            "Submit it again; it goes on with what it has",
        )  # fmt: skip
    whole = "The product is whole" if made is None else f"The volume has its {made} slices"
    return Outcome("done", whole)


@runtime_checkable
class Compute(Protocol):
    """A place where reconstructions run.

    Every method may raise `LinkDownError` (try later; it is not known whether it was done),
    `NeedsPersonError` (a key has expired) or `RefusedError` (trying again is of no use).
    """

    @property
    def place(self) -> str:
        """Name of the place, for people."""
        ...

    def submit(self, job: JobRequest) -> str:
        """Have the work done, once however often it is asked for.

        A job of the same name is looked for first, and again when the answer is lost.

        Returns
        -------
        id
            For the other methods.
        """
        ...

    def find(self, name: str) -> JobStatus | None:
        """Look for a job by its name, waiting, running or ended; None when there is none."""
        ...

    def status(self, id: str) -> JobStatus:  # noqa: A002
        """Say where a job stands; one that is not listed is `JobState.UNKNOWN`."""
        ...

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end at the place itself. One that has ended stays as it is."""
        ...

    def progress(self, name: str) -> RunProgress | None:
        """Read the progress file of a job by its name; None before there is one."""
        ...

    def wait_s(self, job: JobRequest) -> float | None:
        """Say how long a job would wait before it starts; None when the place cannot say."""
        ...

    def close(self) -> None:
        """Let go of everything; jobs go on."""
        ...


def job_name(key: str, attempt: int = 1) -> str:
    """Name of the job for a work: 20 hexadecimal digits of the key's SHA-256, and the attempt."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:20]
    return f"alsct-{digest}-{attempt}"


def is_job_name(name: str) -> bool:
    """Whether a name is of the form that `job_name` gives."""
    return _NAME.fullmatch(name) is not None
