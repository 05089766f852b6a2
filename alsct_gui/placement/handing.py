"""Scans that are handed over to an orchestrator: begun there once, followed, and taken back.

A lease says who works for a scan (`model.placement.Lease`). For one that names a deployment
the agent has a flow run begun, under a key made from that lease, and looks at nothing else of
the scan until the run has ended. Then it gives the lease up and sees for itself what is there:
that a run is completed proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import Flow, Lease, Observed, ScanFacts, StateKind, idempotency_key
from alsct_gui.placement.asking import FLOWS
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.goals.base import BlockedError, Clock
from alsct_gui.placement.troubles import mistakes_told, state_of

if TYPE_CHECKING:
    from alsct_gui.superfacility.orchestrator.base import FlowRun, Orchestrator

LINK = "orchestrator"
"""The link of the chain that this goes through."""
POLL_S = 10.0
"""Time between two looks at a run."""
AGAIN_S = 30.0
"""Time until something that failed is tried again."""
PERSON_S = 60.0
"""The same where a person has to do something first."""

Tell = Callable[..., None]
"""Writes events into the ledger, and takes them in."""
Met = Callable[[str, AlsctError | None], None]
"""Takes what work met on a link."""


class Handing:
    """Flow runs of the scans that are leased to deployments.

    Parameters
    ----------
    orchestrator
        Returns it; None when there is none.
    parameters
        What a deployment is given for a scan.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        orchestrator: Callable[[], Orchestrator] | None,
        parameters: Callable[[str, ScanFacts], Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        self._orchestrator, self._parameters, self._clock = orchestrator, parameters, clock
        self._due_s: dict[str, float] = {}

    def turn(self, observed: Observed, tell: Tell, met: Met) -> None:
        """Do what is due: begin runs, look at them, end those of scans that were taken back."""
        for part, lease in list(observed.leases.items()):
            if lease.owner.startswith(FLOWS) and self._is_due(part):
                self._follow(part, lease, observed, tell, met)
        for part, flow in list(observed.flows.items()):
            now = observed.leases.get(part)
            kept = now is not None and now.seq == flow.lease
            if flow.run and not flow.final and not kept and self._is_due(part):
                self._end(part, flow, tell, met)

    def _is_due(self, part: str) -> bool:
        now_s = self._clock()
        if now_s < self._due_s.get(part, 0.0):
            return False
        self._due_s[part] = now_s + POLL_S
        return True

    def _follow(
        self, part: str, lease: Lease, observed: Observed, tell: Tell, met: Met
    ) -> None:  # fmt: skip
        known = observed.flows.get(part)
        flow = known if known is not None and known.lease == lease.seq else None
        flow = flow or Flow(lease.owner, lease.seq)

        def ask() -> FlowRun:
            service = self._service()
            if flow.run:
                return service.run(flow.run)
            scan, deployment = observed.scans[part], lease.owner.removeprefix(FLOWS)
            key = idempotency_key((part, lease.owner), lease.seq)
            return service.hand_over(deployment, self._parameters(deployment, scan), key)

        now = self._asked(part, flow, ask, met)
        given_back = event(EventKind.ASKED, what="owner", scans=[part], owner="", until_s=None)
        self._say(part, known, now, tell, *([given_back] if now.final else []))

    def _end(self, part: str, flow: Flow, tell: Tell, met: Met) -> None:
        """End a run whose scan was taken back."""

        def ask() -> FlowRun:
            service = self._service()
            service.cancel(flow.run)
            return service.run(flow.run)

        self._say(part, flow, self._asked(part, flow, ask, met), tell)

    def _service(self) -> Orchestrator:
        if self._orchestrator is None:
            raise BlockedError(
                "no orchestrator is set up", where="profile: prefect.url",
                fix="Name it in the profile, or take the scan back",
            )  # fmt: skip
        return self._orchestrator()

    def _asked(self, part: str, flow: Flow, ask: Callable[[], FlowRun], met: Met) -> Flow:
        """Ask, and return how the run stands; an error is a state, too, and not the end."""
        try:
            with mistakes_told():
                run = ask()
        except AlsctError as error:
            met(LINK, error)
            state = state_of(error)
            by_person = state.kind is StateKind.BLOCKED
            self._due_s[part] = self._clock() + (PERSON_S if by_person else AGAIN_S)
            said = "blocked" if by_person else "waiting"
            return replace(flow, state=said, sentence=state.cause, fix=state.fix)
        met(LINK, None)
        sentence = f"{run.sentence}: {run.cause}" if run.cause else run.sentence
        return replace(
            flow, run=run.id, state=run.state.value, sentence=sentence, fix=run.fix,
            page=run.page, final=run.state.is_final,
        )  # fmt: skip

    def _say(self, part: str, known: Flow | None, now: Flow, tell: Tell, *more: Event) -> None:
        """Write down how it stands, if that is otherwise than before."""
        if now != known or more:
            tell(event(EventKind.FLOW, scans=[part], flow=lean(now)), *more)
