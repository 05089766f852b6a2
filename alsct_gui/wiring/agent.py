"""An agent with everything that it works with, from profile, policy and secrets."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from alsct_gui.model.placement import GoalKey, Health, Observed
from alsct_gui.model.policy import Policy
from alsct_gui.model.profile import Profile
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.goals.base import Clock, Goals
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.notices import Notices
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.placement.outlook import Outlook
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means, local_transfers
from alsct_gui.placement.telling import Limits
from alsct_gui.superfacility.credentials import Credentials
from alsct_gui.superfacility.notify.post import Post, ways_of
from alsct_gui.wiring.flowruns import FlowRuns, parameters_of
from alsct_gui.wiring.links import Links, Slips
from alsct_gui.wiring.makers import Makers
from alsct_gui.wiring.outside import Outside, Waits, placed

if TYPE_CHECKING:
    from alsct_gui.placement.admission import Admission

CATALOG = "catalog.sqlite"
"""Name of the catalogue beside the ledger, where no other is named."""


class Wiring:
    """Services of an agent; use as a context, in which the chain is looked at.

    Parameters
    ----------
    profile, policy
        The beamline, and what is wanted of its scans.
    ledger
        Its file; what is known of copies and the catalogue lie beside it.
    runs
        Folder of the runs; None for that of this user.
    threads
        Processor threads of a run; 0 for all.
    secrets
        Where secrets are; None for those of this user.
    clock
        Seconds since 1970 UTC.
    waits
        How long services may take.
    """

    def __init__(
        self,
        profile: Profile,
        policy: Policy,
        ledger: Path,
        *,
        runs: Path | None = None,
        threads: int = 0,
        secrets: Callable[[], Credentials] | None = None,
        clock: Clock = time.time,
        waits: Waits | None = None,
    ) -> None:
        self.policy = placed(policy, profile)
        self.outside = Outside(profile, clock, secrets, waits)
        self._slips = Slips(profile)
        self._links = Links(self.outside, self.policy, self._slips, clock)
        self._outlook = Outlook(self._links.chain(), self._links.forecast(), clock=clock)
        self._runs = FlowRuns(self.outside, clock)
        self._observed = Observed()
        self._post = Post(ways_of(profile.notify, self.outside.secrets))
        limits = Limits(profile.notify.settle_s, profile.notify.per_minute)
        notices = Notices(self.policy, self._post, limits, clock)
        steps = ledger.with_name(f"{ledger.name}.steps")
        makers = Makers(self.outside, self.policy, ledger.with_name(CATALOG), steps)
        self._means = Means(
            self.policy, clock, RunQueue(runs), local_transfers(self.policy, ledger),
            makers=makers.makers(), threads=threads, readers=makers.readers(),
            steps=lambda: self.outside.here(steps),
        )  # fmt: skip
        self.services = Services(
            self.policy, self._goals, _examine, self._health, clock, self._outlook.met,
            self._notes, self.outside.prefect if profile.prefect.url else None,
            lambda deployment, scan: parameters_of(profile, deployment, scan), notices.turn,
        )  # fmt: skip
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._links.close)
            stack.callback(self.outside.close)
            stack.enter_context(self._outlook)
            stack.enter_context(self._runs)
            stack.enter_context(self._post)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _goals(self, observed: Observed) -> Callable[[GoalKey], Goals]:
        self._observed = observed
        return self._means.goals(observed)

    def _notes(self) -> Mapping[str, Mapping[str, Any]]:
        return {**self._outlook.notes(), **self._runs.notes()}

    def _health(self) -> Mapping[str, Health]:
        self._slips.update(self._observed)
        return self._outlook.health()


def serve(
    ledger: Path, policy: str, profile: str = "als-8.3.2", runs: Path | None = None,
    threads: int = 0,
) -> None:  # fmt: skip
    """Be the agent of a ledger until SIGTERM or SIGINT.

    Raises
    ------
    UsageError
        Another agent works on it.
    AlsctError
        The profile, the policy or the ledger is not usable.
    """
    from alsct_gui.files.profiles import load_profile
    from alsct_gui.placement.policy import load_policy

    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    known, wanted = load_profile(profile), load_policy(policy)
    with (
        AgentLock(ledger),
        Ledger(ledger) as opened,
        Wiring(known, wanted, ledger, runs=runs, threads=threads) as wiring,
    ):
        sys.stderr.write(f"alsct agent: works on {ledger}\n")
        sys.stderr.flush()
        Agent(opened, wiring.services).run(stop)


def _examine(path: Path, clock: Clock) -> Admission:
    """Look at a file that is handed over; what reads files is imported with the first."""
    from alsct_gui.placement.admission import examine_scan

    return examine_scan(path, clock)
