"""Pieces of work: begun once, asked after, ended, and what they leave written down.

::

    intent  --(1)-->  act  --(2)-->  id recorded  --(3)-->  poll ... --(4)-->  seen, ended

A kill at (1) leads to the same act under the same key, at (2) to an act that finds its first
self, at (3) to a poll, at (4) to another poll.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    Evidence,
    GoalKey,
    Health,
    LinkState,
    StateKind,
    Step,
    StepKind,
    StepState,
    Work,
    failed,
    idempotency_key,
)
from alsct_gui.model.policy import Lane, Policy, Product
from alsct_gui.placement.book import Book
from alsct_gui.placement.events import Event, EventKind, event, lean, scans_of
from alsct_gui.placement.goals.base import Clock, Goals, Intent
from alsct_gui.placement.ledger import LedgerError
from alsct_gui.placement.throughput import Throughput
from alsct_gui.placement.troubles import fallen, mistakes_told, state_of

PROGRESS_S = 2.0
"""Time between two notes of how far a piece of work is."""


class Hook(Protocol):
    """Told of every boundary between two effects; tests end the process there."""

    def __call__(self, boundary: str) -> None:
        """`boundary` is behind us, and what comes next has not begun."""
        ...


def no_hook(boundary: str) -> None:
    """Do nothing at a boundary."""


class Works:
    """The pieces of work of one agent.

    Parameters
    ----------
    book
        Where it is written down.
    policy, clock
        What is wanted, and seconds since 1970.
    finder
        Finds who sees to a goal.
    throughput
        Adds up what moves.
    progress
        Keeps how far a piece of work is.
    met
        Takes what work met on a link: an error, or None when it went well.
    health
        How the links are.
    hook
        For tests.
    """

    def __init__(
        self,
        book: Book,
        policy: Policy,
        clock: Clock,
        finder: Callable[[GoalKey], Goals],
        throughput: Throughput,
        progress: Callable[[str, StepState], None],
        met: Callable[[str, AlsctError | None], None],
        health: Callable[[], Mapping[str, Health]],
        hook: Hook = no_hook,
    ) -> None:
        self._book, self._policy, self._clock = book, policy, clock
        self._goals, self._throughput, self._progress = finder, throughput, progress
        self._told, self._health, self._hook = met, health, hook
        self._lanes = {lane.name: lane for lane in policy.lanes}
        self._places = {place.name: place for place in policy.places}
        # What is forgotten with the process: when to ask next, and when was asked last.
        self._due_s: dict[str, float] = {}
        self._noted_s: dict[str, float] = {}
        self._stumbles: dict[str, int] = {}
        self._shut: set[str] = set()

    def open_ways(self) -> None:
        """Begin another turn, in which each way is tried again."""
        self._shut.clear()

    def reaches(self, place: str) -> bool:
        """Whether no link to a place was found down in this turn."""
        return not self._shut.intersection(self._links(place))

    def met(self, place: str, error: AlsctError | None = None) -> None:
        """Tell how it went to work at a place; the first of its links is what work goes through.

        What is down by now is not asked again in this turn: each answer that does not come
        takes its time.
        """
        links = self._links(place)
        if not links:
            return
        self._told(links[0], error)
        if error is not None:
            health = self._health().values()
            self._shut.update(link.link for link in health if link.state is LinkState.DOWN)

    def next_s(self) -> float | None:
        """Return when a piece of work is to be asked after next; None when none is."""
        now_s = self._clock()
        return min((due_s for due_s in self._due_s.values() if due_s > now_s), default=None)

    def _links(self, place: str) -> tuple[str, ...]:
        known = self._places.get(place)
        return known.links if known is not None else ()

    def do(self, step: Step) -> None:
        """Do what a step says, unless the way there has been found shut in this turn."""
        if not self.reaches(step.place):
            return
        if step.kind is StepKind.ACT:
            self._begin(step)
            return
        work = self._book.observed.works.get(step.work)
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
            self.met(step.place, error)
            self._stumble(self._book.observed.works.get(work.id, work), error)
        else:
            self.met(step.place)
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
            self.met(step.place, error)
            self._book.tell(*self._fallen(step.keys, state_of(error)))
            return
        self._hook("observed")
        self._book.tell(*told_of(seen))
        missing = tuple(key for key in step.keys if key not in seen)
        if not missing:
            return
        records = self._book.observed.goals
        tries = sum(records[key].tries for key in missing if key in records)
        work_id = idempotency_key(missing, tries)
        if not self._book.decide(work_id, missing):
            return
        self._throughput.begun(work_id)
        self._hook("intent")
        try:
            with mistakes_told():
                self._act(goals, self._book.observed.works[work_id])
        except LedgerError:
            raise
        except AlsctError as error:
            self.met(step.place, error)
            self._stumble(self._book.observed.works[work_id], error)
        else:
            self.met(step.place)

    def _act(self, goals: Goals, work: Work) -> None:
        """Do what the intent says, and write down under which id the outside knows it."""

        def record(submission: str) -> None:
            self._book.tell(_about(work, EventKind.SUBMISSION, submission=submission))
            self._hook("submission")

        intent = Intent(work.id, work.keys, work.intent_s, work.submission)
        outside_id = goals.act(intent, record)
        self._hook("acted")
        self._book.tell(_about(work, EventKind.OUTSIDE, id=outside_id))
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
        self._book.set(work.keys, replace(state, done=0, total=0))
        self._moved(work, state.done)
        now_s = self._clock()
        if state.total and now_s - self._noted_s.get(work.id, -PROGRESS_S) >= PROGRESS_S:
            self._noted_s[work.id] = now_s
            self._progress(work.id, state)

    def _moved(self, work: Work, done: int) -> None:
        """Count what work has moved so far, where it can be added up."""
        unit = self._unit(work)
        if unit:
            self._throughput.moved(work.id, self._lane(work).name, unit, done)

    def _unit(self, work: Work) -> str:
        """What the progress of work counts: slices where they are made, else bytes.

        Steps count whatever they like, which adds up to nothing. What is brought is bytes.
        """
        key = GoalKey.parse(work.keys[0])
        place = self._places.get(key.place)
        if place is not None and place.source:
            return "bytes"
        return {Product.ANALYSIS: "", Product.RECONSTRUCTION: "slices"}.get(key.product, "bytes")

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
            self._moved(work, self._whole(work, seen))
        said = said or failed("it says that it is done, but the product is not there")
        fallen = self._fallen(missing, said)
        self._book.tell(*told_of(seen), *fallen, _about(work, EventKind.ENDED, how=how))
        self._forget(work)
        self._hook("ended")

    def _whole(self, work: Work, seen: Mapping[str, Evidence]) -> int:
        """How much a piece of work has moved in all, by what it has left."""
        evidence = seen.values()
        if self._unit(work) == "slices":
            return sum(each.slices or 0 for each in evidence)
        return sum(each.size_bytes or 0 for each in evidence)

    def _cancel(self, goals: Goals, work: Work) -> None:
        asked = any(self._book.observed.goals[key].cancel_asked for key in work.keys)
        if not work.outside_id and asked:
            # It is not known whether it was begun; to be ended it must have an id. What is
            # not wanted, or forbidden, is not begun even for that.
            self._act(goals, work)
        outside_id = self._book.observed.works[work.id].outside_id
        if outside_id:
            goals.cancel(outside_id)
        self._hook("cancelled")
        self._book.tell(_about(work, EventKind.ENDED, how="cancelled"))
        self._forget(work)

    def _stumble(self, work: Work, error: AlsctError) -> None:
        """Something about work under way has failed.

        Work that was refused is over. In all other cases it may be under way outside: it
        stays, under its key, and the same is asked again, later and later.
        """
        state = state_of(error)
        if state.kind is StateKind.BLOCKED and not work.outside_id:
            self._book.tell(
                *self._fallen(work.keys, state),
                _about(work, EventKind.ENDED, how="refused"),
            )
            self._forget(work)
            return
        count = self._stumbles[work.id] = self._stumbles.get(work.id, 0) + 1
        wait_s = self._policy.patience.wait_s(count)
        self._due_s[work.id] = self._clock() + max(wait_s, self._lane(work).poll_s)
        self._book.set(work.keys, state)

    def _fallen(self, keys: Sequence[str], state: StepState) -> list[Event]:
        """Events of goals that have failed; each says when it is tried again."""
        return fallen(self._book.observed, self._policy.patience, keys, state, self._clock())

    def _forget(self, work: Work) -> None:
        self._throughput.ended(work.id)
        for known in (self._due_s, self._noted_s, self._stumbles):
            known.pop(work.id, None)


def _about(work: Work, kind: EventKind, **data: str) -> Event:
    """Return an event about work; it names the scans, whose timelines it belongs to."""
    return event(kind, work=work.id, scans=list(scans_of(work.keys)), **data)


def told_of(seen: Mapping[str, Evidence]) -> list[Event]:
    """Return the events of goals whose evidence was seen."""
    return [
        event(EventKind.MET, keys=[key], evidence=lean(evidence)) for key, evidence in seen.items()
    ]
