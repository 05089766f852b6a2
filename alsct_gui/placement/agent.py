"""The reconciler: look, find the difference, do what is to be done, write down what happened.

One agent works on one ledger, by a lock that ends with its process. It may be killed at any
time. What it decides is in the ledger before it is done, and carries a key by which the
outside knows it again; so the next agent takes up what runs and begins only what does not.

::

    intent  --(1)-->  act  --(2)-->  id recorded  --(3)-->  poll ... --(4)-->  seen, ended

A kill at (1) leads to the same act under the same key, at (2) to an act that finds its first
self, at (3) to a poll, at (4) to another poll.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    Arrival,
    Evidence,
    GoalKey,
    Health,
    LinkState,
    Observed,
    StateKind,
    Step,
    StepKind,
    StepState,
    Work,
    failed,
    idempotency_key,
    scan_part,
)
from alsct_gui.model.policy import Lane, Policy, Product
from alsct_gui.placement import throughput
from alsct_gui.placement.auditing import AGAIN_S, SOON_S, AuditList, is_unread
from alsct_gui.placement.diff import diff
from alsct_gui.placement.events import Event, EventKind, event, lean, scans_of
from alsct_gui.placement.fold import ARRIVED, advance
from alsct_gui.placement.goals.base import Clock, Goals, Intent, NotYetError
from alsct_gui.placement.handing import Handing
from alsct_gui.placement.ledger import SNAPSHOT_EVERY, Ledger, LedgerError, LedgerMovedError
from alsct_gui.placement.troubles import fallen, mistakes_told, state_of

ARRIVAL_S = 10.0
"""Time between two looks at a file that is still being written."""
PROGRESS_S = 2.0
"""Time between two notes of how far a piece of work is."""
_WAKE_S = 0.1  # how often it is looked for what others have written
_IDLE_S = 5.0  # longest time between two turns


if TYPE_CHECKING:
    from alsct_gui.model.placement import ScanFacts
    from alsct_gui.placement.admission import Examine  # brings libraries that read files
    from alsct_gui.superfacility.orchestrator.base import Orchestrator


class Hook(Protocol):
    """Told of every boundary between two effects; tests end the process there."""

    def __call__(self, boundary: str) -> None:
        """`boundary` is behind us, and what comes next has not begun."""
        ...


def no_hook(boundary: str) -> None:
    """Do nothing at a boundary."""


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
        self.observed = ledger.observed()
        self._goals = services.goals(self.observed)
        self._lanes = {lane.name: lane for lane in self._policy.lanes}
        self._places = {place.name: place for place in self._policy.places}
        # What is forgotten with the process: when to ask next, and when was asked last.
        self._due_s: dict[str, float] = {}
        self._noted_s: dict[str, float] = {}
        self._looked_s: dict[str, float] = {}
        self._audits = AuditList(self._policy.audit_days)
        self._stumbles: dict[str, int] = {}
        self._shut: set[str] = set()
        self._notes = ledger.notes()
        samples = self._notes.get(throughput.NOTE, {}).get("samples", ())
        self._throughput = throughput.Throughput(samples, self._clock())

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; wakes when somebody else writes into the ledger."""
        self._tell(event(EventKind.AGENT, what="started"))
        self.work(stop, lambda: False)
        self._tell(event(EventKind.AGENT, what="stopped"))
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
        self._catch_up()
        health = self._services.health()
        if not self._owner:
            self._admit()
            self._tell(*self._changed_links(health))
            self._flows.turn(self.observed, self._tell, self._services.met)
        steps = diff(self._policy, self.observed, health, self._clock(), self._owner)
        self._tell(*self._stand(steps))
        self._shut.clear()
        for step in steps:
            if not self._shut.intersection(self._links(step.place)):
                self._do(step)
        if not self._owner:
            self._audit(health)
            self._keep_notes()
        if self.observed.seq - self._ledger.snapshot_seq() >= SNAPSHOT_EVERY:
            self._ledger.keep_snapshot(self.observed)
        return self.observed.seq != before

    def _tell(self, *events: Event) -> None:
        """Write events down, and know them."""
        if not events:
            return
        stored = self._ledger.append(events)
        if stored[0].seq != self.observed.seq + 1:
            self._catch_up()  # somebody else was quicker; ours are among them
            return
        for item in stored:
            advance(self.observed, item)

    def _catch_up(self) -> None:
        for item in self._ledger.tail(self.observed.seq):
            advance(self.observed, item)

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
                self._tell(event(EventKind.ARRIVAL, path=arrival.path, state=state))
            return
        self._looked_s.pop(arrival.path, None)
        part = scan_part(found.scan.id)
        if part in self.observed.scans:
            self._tell(event(EventKind.ARRIVAL, path=arrival.path, known=True, scans=[part]))
            return
        scan = replace(
            found.scan,
            export_controlled=found.scan.export_controlled or arrival.export_controlled,
            proposal=arrival.proposal or found.scan.proposal,
        )
        key = GoalKey(part, Product.RAW, self._policy.admitted).text
        self._tell(
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

    def _links(self, place: str) -> tuple[str, ...]:
        known = self._places.get(place)
        return known.links if known is not None else ()

    def _met(self, place: str, error: AlsctError | None = None) -> None:
        """Tell how it went to work at a place; the first of its links is what work goes through.

        What is down by now is not asked again in this turn: each answer that does not come
        takes its time.
        """
        links = self._links(place)
        if not links:
            return
        self._services.met(links[0], error)
        if error is not None:
            health = self._services.health().values()
            self._shut.update(link.link for link in health if link.state is LinkState.DOWN)

    def _keep_notes(self) -> None:
        notes = dict(self._services.notes())
        if self._throughput.sample(self._clock()):
            notes[throughput.NOTE] = self._throughput.note()
        for name, note in notes.items():
            if self._notes.get(name) != note:
                self._ledger.note(name, note)
                self._notes[name] = dict(note)

    # Steps

    def _stand(self, steps: Iterable[Step]) -> list[Event]:
        """Events of goals that stand otherwise than the ledger says, by what is decided now."""
        told = []
        for step in steps:
            if step.kind not in (StepKind.WAIT, StepKind.DROP):
                continue
            changed = [key for key in step.keys if self._state(key) != step.state]
            if changed:
                told.append(event(EventKind.STATE, keys=changed, state=lean(step.state)))
        return told

    def _state(self, key: str) -> StepState | None:
        record = self.observed.goals.get(key)
        return record.state if record is not None else None

    def _do(self, step: Step) -> None:
        if step.kind is StepKind.ACT:
            self._begin(step)
            return
        work = self.observed.works.get(step.work)
        if work is None or not self._is_due(work):
            return
        try:
            with mistakes_told():
                goals = self._goals(GoalKey.parse(work.keys[0]))
                if step.kind is StepKind.RESUME:
                    self._act(goals, work)
                elif step.kind is StepKind.POLL:
                    self._poll(goals, work)
                elif step.kind is StepKind.CANCEL:
                    self._cancel(goals, work)
        except LedgerError:
            raise
        except AlsctError as error:
            self._met(step.place, error)
            self._stumble(self.observed.works.get(work.id, work), error)
        else:
            self._met(step.place)
            self._stumbles.pop(work.id, None)

    def _is_due(self, work: Work) -> bool:
        """Whether to ask about work now; it is asked once in the time of its lane."""
        now_s = self._clock()
        if now_s < self._due_s.get(work.id, 0.0):
            return False
        self._due_s[work.id] = now_s + self._lane(work).poll_s
        return True

    def _lane(self, work: Work) -> Lane:
        known = self._places.get(GoalKey.parse(work.keys[0]).place)
        return self._lanes[known.lane] if known is not None else Lane("")  # not in the policy

    def _begin(self, step: Step) -> None:
        """Look once more what is there, and begin work for what is not."""
        try:
            with mistakes_told():
                goals = self._goals(GoalKey.parse(step.keys[0]))
                seen = goals.observe(step.keys)
        except AlsctError as error:
            self._met(step.place, error)
            self._tell(*self._fallen(step.keys, state_of(error)))
            return
        self._hook("observed")
        self._tell(*_seen(seen))
        missing = tuple(key for key in step.keys if key not in seen)
        if not missing:
            return
        records = self.observed.goals
        tries = sum(records[key].tries for key in missing if key in records)
        work_id = idempotency_key(missing, tries)
        if not self._decide(work_id, missing):
            return
        self._throughput.begun(work_id)
        self._hook("intent")
        try:
            with mistakes_told():
                self._act(goals, self.observed.works[work_id])
        except LedgerError:
            raise
        except AlsctError as error:
            self._met(step.place, error)
            self._stumble(self.observed.works[work_id], error)
        else:
            self._met(step.place)

    def _decide(self, work: str, keys: tuple[str, ...]) -> bool:
        """Write down that work is to be done; not when somebody else has taken a scan of it.

        Nobody can take one between the look and the writing: it is one transaction.
        """
        intent = event(EventKind.INTENT, work=work, keys=list(keys))
        while True:
            leases, now_s = self.observed.leases, self._clock()
            for part in scans_of(keys):
                lease = leases.get(part)
                owner = lease.owner if lease is not None and lease.lasts(now_s) else ""
                if owner != self._owner:
                    return False
            try:
                (stored,) = self._ledger.append([intent], after=self.observed.seq)
            except LedgerMovedError:
                self._catch_up()
                continue
            advance(self.observed, stored)
            return True

    def _act(self, goals: Goals, work: Work) -> None:
        """Do what the intent says, and write down under which id the outside knows it."""

        def record(submission: str) -> None:
            self._tell(_about(work, EventKind.SUBMISSION, submission=submission))
            self._hook("submission")

        intent = Intent(work.id, work.keys, work.intent_s, work.submission)
        outside_id = goals.act(intent, record)
        self._hook("acted")
        self._tell(_about(work, EventKind.OUTSIDE, id=outside_id))
        self._hook("recorded")

    def _poll(self, goals: Goals, work: Work) -> None:
        state = goals.poll(work.outside_id)
        self._hook("polled")
        if state.kind is StateKind.MET:
            self._close(goals, work, None)
        elif state.kind is StateKind.RETRY:
            self._close(goals, work, state)
        else:
            self._note(work, state)

    def _note(self, work: Work, state: StepState) -> None:
        """Keep how far it is; an event only when it stands otherwise than before."""
        self._set(work.keys, replace(state, done=0, total=0))
        self._throughput.moved(work.id, self._lane(work).name, self._unit(work), state.done)
        now_s = self._clock()
        if state.total and now_s - self._noted_s.get(work.id, -PROGRESS_S) >= PROGRESS_S:
            self._noted_s[work.id] = now_s
            self._ledger.note_progress(work.id, state)

    def _unit(self, work: Work) -> str:
        """What the progress of work counts: slices where they are made, else bytes."""
        key = GoalKey.parse(work.keys[0])
        place = self._places.get(key.place)
        made = key.product is Product.RECONSTRUCTION and not (place and place.source)
        return "slices" if made else "bytes"

    def _close(self, goals: Goals, work: Work, said: StepState | None) -> None:
        """Work has ended outside: look what is there, and write both down at once.

        Parameters
        ----------
        goals, work
            Who sees to it, and what has ended.
        said
            Why it failed; None when it says that all is done.
        """
        seen = goals.observe(work.keys)
        self._hook("seen")
        missing = [key for key in work.keys if key not in seen]
        how = "done" if not missing else "failed"
        if not missing:
            self._throughput.moved(
                work.id, self._lane(work).name, self._unit(work), self._whole(work, seen)
            )
        said = said or failed("it says that it is done, but the product is not there")
        fallen = self._fallen(missing, said)
        self._tell(*_seen(seen), *fallen, _about(work, EventKind.ENDED, how=how))
        self._forget(work)
        self._hook("ended")

    def _whole(self, work: Work, seen: Mapping[str, Evidence]) -> int:
        """How much a piece of work has moved in all, by what it has left."""
        evidence = seen.values()
        if self._unit(work) == "slices":
            return sum(each.slices or 0 for each in evidence)
        return sum(each.size_bytes or 0 for each in evidence)

    def _cancel(self, goals: Goals, work: Work) -> None:
        asked = any(self.observed.goals[key].cancel_asked for key in work.keys)
        if not work.outside_id and asked:
            # It is not known whether it was begun; to be ended it must have an id. What is
            # not wanted, or forbidden, is not begun even for that.
            self._act(goals, work)
        outside_id = self.observed.works[work.id].outside_id
        if outside_id:
            goals.cancel(outside_id)
        self._hook("cancelled")
        self._tell(_about(work, EventKind.ENDED, how="cancelled"))
        self._forget(work)

    def _stumble(self, work: Work, error: AlsctError) -> None:
        """Something about work under way has failed.

        Work that was refused is over. In all other cases it may be under way outside: it
        stays, under its key, and the same is asked again, later and later.
        """
        state = state_of(error)
        if state.kind is StateKind.BLOCKED and not work.outside_id:
            self._tell(
                *self._fallen(work.keys, state),
                _about(work, EventKind.ENDED, how="refused"),
            )
            self._forget(work)
            return
        count = self._stumbles[work.id] = self._stumbles.get(work.id, 0) + 1
        wait_s = self._policy.patience.wait_s(count)
        self._due_s[work.id] = self._clock() + max(wait_s, self._lane(work).poll_s)
        self._set(work.keys, state)

    def _fallen(self, keys: Sequence[str], state: StepState) -> list[Event]:
        """Events of goals that have failed; each says when it is tried again."""
        return fallen(self.observed, self._policy.patience, keys, state, self._clock())

    def _set(self, keys: Sequence[str], state: StepState) -> None:
        """Write down how goals stand, if that is otherwise than before."""
        changed = [key for key in keys if self._state(key) != state]
        if changed:
            self._tell(event(EventKind.STATE, keys=changed, state=lean(state)))

    def _forget(self, work: Work) -> None:
        self._throughput.ended(work.id)
        for known in (self._due_s, self._noted_s, self._stumbles):
            known.pop(work.id, None)

    # Looking again

    def _audit(self, health: Mapping[str, Health]) -> None:
        """Look again at what was met: it may be gone, or be known better."""
        down = {name for name, link in health.items() if link.state is LinkState.DOWN} | self._shut
        for key in self._audits.due(
            self.observed, lambda place: not down.intersection(self._links(place)), self._clock()
        ):
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
            self._met(key.split("/")[2], error)
            self._audits.later(key, now_s + AGAIN_S)
            return
        self._hook("audited")
        self._audits.looked(key, now_s)
        if key not in seen:
            gone = failed("it was there, and is not any more as it should be")
            self._tell(event(EventKind.LOST, keys=[key], state=lean(gone)))
        elif is_unread(self.observed.goals[key]) and seen[key].sha256:
            self._tell(*_seen(seen))
        else:
            self._tell(event(EventKind.AUDITED, keys=[key]))

    def _pause_s(self) -> float:
        """How long there is nothing to do, as far as can be known."""
        now_s = self._clock()
        ends = [record.state.until_s for record in self.observed.goals.values()]
        times = [end_s - now_s for end_s in ends if end_s is not None and end_s > now_s]
        times += [due_s - now_s for due_s in self._due_s.values() if due_s > now_s]
        return max(0.0, min([*times, _IDLE_S]))


def _about(work: Work, kind: EventKind, **data: str) -> Event:
    """Return an event about work; it names the scans, whose timelines it belongs to."""
    return event(kind, work=work.id, scans=list(scans_of(work.keys)), **data)


def _seen(seen: Mapping[str, Evidence]) -> list[Event]:
    return [
        event(EventKind.MET, keys=[key], evidence=lean(evidence)) for key, evidence in seen.items()
    ]
