"""The reconciler: look, find the difference, do what is to be done, write down what happened.

One agent works on one ledger, by a lock that ends with its process. It may be killed at any
time. What it decides is in the ledger before it is done, and carries a key by which the
outside knows it again (`placement.works`); so the next agent takes up what runs and begins
only what does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    Arrival,
    GoalKey,
    Health,
    LinkState,
    Observed,
    StateKind,
    Step,
    StepKind,
    failed,
    scan_part,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement import throughput
from alsct_gui.placement.auditing import AGAIN_S, SOON_S, AuditList, is_unread
from alsct_gui.placement.book import Book
from alsct_gui.placement.diff import diff
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.fold import ARRIVED
from alsct_gui.placement.goals.base import Clock, Goals, NotYetError
from alsct_gui.placement.handing import Handing
from alsct_gui.placement.ledger import SNAPSHOT_EVERY, Ledger
from alsct_gui.placement.troubles import mistakes_told
from alsct_gui.placement.works import Hook, Works, no_hook, told_of

ARRIVAL_S = 10.0
"""Time between two looks at a file that is still being written."""
_WAKE_S = 0.1  # how often it is looked for what others have written
_IDLE_S = 5.0  # longest time between two turns


if TYPE_CHECKING:
    from alsct_gui.model.placement import ScanFacts
    from alsct_gui.placement.admission import Examine  # brings libraries that read files
    from alsct_gui.superfacility.orchestrator.base import Orchestrator


@dataclass(frozen=True, slots=True)
class Services:
    """What the agent works with."""

    policy: Policy
    goals: Callable[[Observed], Callable[[GoalKey], Goals]]
    """Makes, for what is known, the function that finds who sees to a goal. It raises
    `BlockedError` when nobody does."""
    examine: Examine
    """Looks at files that are handed over."""
    health: Callable[[], Mapping[str, Health]]
    """How the links are."""
    clock: Clock
    """Gives seconds since 1970."""
    met: Callable[[str, AlsctError | None], None] = lambda link, error: None
    """Takes what work met on a link: an error, or None when it went well."""
    notes: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    """What is to be kept in the ledger as notes, by name; the same objects while it is."""
    orchestrator: Callable[[], Orchestrator] | None = None
    """Returns the orchestrator that scans can be handed over to; None when there is none."""
    flow_parameters: Callable[[str, ScanFacts], Mapping[str, Any]] = lambda deployment, scan: {}
    """What a deployment is given for a scan; raises `BlockedError` for one that is not known."""
    tell: Callable[[Observed, Ledger], None] = lambda observed, ledger: None
    """Tells people what is worth telling, once each turn; waits for nobody."""


class Agent:
    """The reconciler of one ledger; the caller holds the `onlyone.AgentLock`.

    Parameters
    ----------
    ledger
        Opened by this thread.
    services
        What it works with.
    hook
        For tests.
    owner
        Name by which scans are leased to it, if it works for those alone and is not the agent
        of the ledger. It then admits nothing and tells nothing of the chain.
    """

    def __init__(
        self, ledger: Ledger, services: Services, hook: Hook = no_hook, owner: str = ""
    ) -> None:
        self._ledger, self._services, self._hook = ledger, services, hook
        self._owner = owner
        self._flows = Handing(services.orchestrator, services.flow_parameters, services.clock)
        self._policy, self._clock = services.policy, services.clock
        self._book = Book(ledger, services.clock, owner)
        self._goals = services.goals(self._book.observed)
        self._notes = ledger.notes()
        samples = self._notes.get(throughput.NOTE, {}).get("samples", ())
        self._throughput = throughput.Throughput(samples, self._clock())
        self._works = Works(
            self._book, services.policy, services.clock, lambda key: self._goals(key),
            self._throughput, ledger.note_progress, services.met, services.health, hook,
        )  # fmt: skip
        self._audits = AuditList(self._policy.audit_days)
        self._looked_s: dict[str, float] = {}

    @property
    def observed(self) -> Observed:
        """All that is known."""
        return self._book.observed

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; wakes when somebody else writes into the ledger."""
        self._book.tell(event(EventKind.AGENT, what="started"))
        self.work(stop, lambda: False)
        self._book.tell(event(EventKind.AGENT, what="stopped"))
        self._ledger.keep_snapshot(self.observed)

    def work(self, stop: threading.Event, done: Callable[[], bool]) -> None:
        """Work until told to stop, or until it is done: asked after each turn."""
        while not stop.is_set():
            changes = self._ledger.changes()
            busy = self.turn()
            if done():
                return
            waited_s = 0.0
            while not busy and waited_s < self._pause_s() and not stop.wait(_WAKE_S):
                waited_s += _WAKE_S
                if self._ledger.changes() != changes:
                    break

    def turn(self) -> bool:
        """Look once at everything and do what is to be done; whether anything has happened."""
        before = self.observed.seq
        self._book.catch_up()
        health = self._services.health()
        if not self._owner:
            self._admit()
            self._book.tell(*self._changed_links(health))
            self._flows.turn(self.observed, self._book.tell, self._services.met)
        steps = diff(self._policy, self.observed, health, self._clock(), self._owner)
        self._book.tell(*self._stand(steps))
        self._works.open_ways()
        for step in steps:
            self._works.do(step)
        if not self._owner:
            self._audit(health)
            self._keep_notes()
            self._services.tell(self.observed, self._ledger)
        if self.observed.seq - self._ledger.snapshot_seq() >= SNAPSHOT_EVERY:
            self._ledger.keep_snapshot(self.observed)
        return self.observed.seq != before

    # Files that are handed over

    def _admit(self) -> None:
        now_s = self._clock()
        for arrival in list(self.observed.arrivals.values()):
            looked_s = self._looked_s.get(arrival.path, -ARRIVAL_S)
            waits = arrival.state.kind is not StateKind.BLOCKED and now_s - looked_s >= ARRIVAL_S
            if arrival.state == ARRIVED or waits:
                self._looked_s[arrival.path] = now_s
                self._look_at(arrival)

    def _look_at(self, arrival: Arrival) -> None:
        found = self._services.examine(Path(arrival.path), self._clock)
        self._hook("examined")
        if found.scan is None or found.evidence is None:
            if found.state is not None and found.state != arrival.state:
                state = lean(found.state)
                self._book.tell(event(EventKind.ARRIVAL, path=arrival.path, state=state))
            return
        self._looked_s.pop(arrival.path, None)
        part = scan_part(found.scan.id)
        if part in self.observed.scans:
            self._book.tell(event(EventKind.ARRIVAL, path=arrival.path, known=True, scans=[part]))
            return
        scan = replace(
            found.scan,
            export_controlled=found.scan.export_controlled or arrival.export_controlled,
            proposal=arrival.proposal or found.scan.proposal,
        )
        key = GoalKey(part, Product.RAW, self._policy.admitted).text
        self._book.tell(
            event(EventKind.SCAN, scan=lean(scan), path=arrival.path),
            event(EventKind.MET, keys=[key], evidence=lean(found.evidence)),
        )
        self._hook("admitted")

    def _changed_links(self, health: Mapping[str, Health]) -> list[Event]:
        """Events of links that are otherwise than the ledger says; when it began is no change."""
        known = self.observed.links
        return [
            event(EventKind.LINK, health=lean(now))
            for name, now in health.items()
            if name not in known or replace(known[name], since_s=now.since_s) != now
        ]

    def _keep_notes(self) -> None:
        notes = dict(self._services.notes())
        if self._throughput.sample(self._clock()):
            notes[throughput.NOTE] = self._throughput.note()
        for name, note in notes.items():
            if self._notes.get(name) != note:
                self._ledger.note(name, note)
                self._notes[name] = dict(note)

    def _stand(self, steps: Iterable[Step]) -> list[Event]:
        """Events of goals that stand otherwise than the ledger says, by what is decided now."""
        told = []
        for step in steps:
            if step.kind not in (StepKind.WAIT, StepKind.DROP):
                continue
            changed = [key for key in step.keys if self._book.state(key) != step.state]
            if changed:
                told.append(event(EventKind.STATE, keys=changed, state=lean(step.state)))
        return told

    # Looking again

    def _audit(self, health: Mapping[str, Health]) -> None:
        """Look again at what was met: it may be gone, or be known better."""
        down = {name for name, link in health.items() if link.state is LinkState.DOWN}
        shut = {
            place.name for place in self._policy.places
            if down.intersection(place.links) or not self._works.reaches(place.name)
        }  # fmt: skip
        for key in self._audits.due(self.observed, lambda place: place not in shut, self._clock()):
            if self._book.is_mine(key.partition("/")[0]):
                self._audit_one(key)

    def _audit_one(self, key: str) -> None:
        """Look at one goal; where that fails nothing is known, and nothing changes."""
        now_s = self._clock()
        try:
            with mistakes_told():
                seen = self._goals(GoalKey.parse(key)).observe((key,))
        except NotYetError:
            self._audits.later(key, now_s + SOON_S)
            return
        except AlsctError as error:
            self._works.met(key.split("/")[2], error)
            self._audits.later(key, now_s + AGAIN_S)
            return
        self._hook("audited")
        self._audits.looked(key, now_s)
        if key not in seen:
            gone = failed("it was there, and is not any more as it should be")
            self._book.tell(event(EventKind.LOST, keys=[key], state=lean(gone)))
        elif is_unread(self.observed.goals[key]) and seen[key].sha256:
            self._book.tell(*told_of(seen))
        else:
            self._book.tell(event(EventKind.AUDITED, keys=[key]))

    def _pause_s(self) -> float:
        """How long there is nothing to do, as far as can be known."""
        now_s = self._clock()
        ends = [record.state.until_s for record in self.observed.goals.values()]
        times = [end_s - now_s for end_s in ends if end_s is not None and end_s > now_s]
        next_s = self._works.next_s()
        times += [next_s - now_s] if next_s is not None else []
        return max(0.0, min([*times, _IDLE_S]))
