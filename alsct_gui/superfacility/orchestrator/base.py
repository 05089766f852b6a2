"""Handing work to a facility's orchestrator, whoever that is.

A caller owns the memory, as for transfers and jobs: it makes the key of the work before it asks,
and asks with the same key after a crash, so that one piece of work is one flow run.

Every call returns or raises within a bounded time and may block until then: call it from a
thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class FlowState(StrEnum):
    """Where a flow run stands."""

    SCHEDULED = "scheduled"
    """It waits for its time, or for a worker to take it."""
    LATE = "late"
    """Its time has come, and no worker has taken it."""
    PENDING = "pending"
    """A worker prepares it."""
    RUNNING = "running"
    """It runs."""
    PAUSED = "paused"
    """It waits for a person."""
    CANCELLING = "cancelling"
    """Its end was asked for."""
    COMPLETED = "completed"
    """It says that it has done its work."""
    FAILED = "failed"
    """An error ended it."""
    CRASHED = "crashed"
    """What it ran on broke down."""
    CANCELLED = "cancelled"
    """Somebody ended it."""
    UNKNOWN = "unknown"
    """The orchestrator says nothing that can be understood."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in (self.COMPLETED, self.FAILED, self.CRASHED, self.CANCELLED)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A flow that can be run at a facility."""

    id: str
    """As the orchestrator knows it."""
    name: str
    """``flow/deployment``."""
    parameters: tuple[str, ...] = ()
    """Names that it takes; empty when it does not say."""
    required: tuple[str, ...] = ()
    """Those that it cannot do without and has no value of its own for."""
    paused: bool = False
    """Whether its schedules are held back."""
    pool: str = ""
    """Work pool whose workers run it; empty when it is served without one."""


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a flow."""

    id: str
    """As the orchestrator knows it."""
    name: str
    """As it is called there."""
    state: FlowState
    """Where it stands."""
    sentence: str = ""
    """The state in words, without a full stop."""
    cause: str = ""
    """Why, as the orchestrator says; empty when it does not."""
    fix: str = ""
    """What to do; empty when nothing."""
    deployment: str = ""
    """Id of its deployment; empty when it has none."""
    key: str = ""
    """Key that it was asked for with; empty when somebody else began it."""
    expected_s: float | None = None
    """When it is to start, seconds since 1970 UTC; None when not told."""
    started_s: float | None = None
    """When it has started, likewise."""
    ended_s: float | None = None
    """When it has ended, likewise."""
    page: str = ""
    """Address of its page for people; empty when there is none."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What it was given."""


@runtime_checkable
class Orchestrator(Protocol):
    """A facility's orchestrator of flows.

    Every method may raise `LinkDownError` (try later; it is not known whether it was done),
    `NeedsPersonError` (a key is missing or has expired) or `RefusedError` (trying again is of
    no use).
    """

    def deployments(self) -> tuple[Deployment, ...]:
        """Flows that can be run, by name."""
        ...

    def runs(self, limit: int = 50) -> tuple[FlowRun, ...]:
        """Latest runs, the newest first."""
        ...

    def hand_over(
        self, deployment: str, parameters: Mapping[str, Any], key: str, title: str = ""
    ) -> FlowRun:
        """Have a flow run, once however often it is asked for.

        Parameters
        ----------
        deployment
            ``flow/deployment``.
        parameters
            What it is given; names that it does not take are refused.
        key
            Of the work: a run that was asked for with it before is returned as it is.
        title
            For people; empty for a name of the orchestrator's own.
        """
        ...

    def run(self, id: str) -> FlowRun:  # noqa: A002 (the word of the trade)
        """Say where a run stands; raises `NotThereError` for one that is not known."""
        ...

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end there. One that has ended stays as it is."""
        ...
