"""What is wanted, minus what was observed, is what is to be done: a pure function.

Rules, in the order in which they are asked of a goal:

1. A goal that is met, or not wanted, asks for nothing; work for it that still runs is ended.
2. Work that is under way is asked how it goes; work whose id is not known is asked for again.
3. A goal that a person holds waits for that person.
4. A goal waits for the goals that it is made from (for all, or for one of a group), for links
   that are down, for the end of its back-off, and for a free slot of its lane. What it waits
   for is said by name.
5. What is left is begun, in batches, the most urgent first.

Nothing is asked of a place whose link is down, not even how it goes or to stop. Where any one
of several places is enough, the first that is in reach is taken; so a reconstruction is made
here while NERSC is away, and what is wanted there all the same stays a debt.

It is one module, longer than others, because each rule reads what those before it have found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alsct_gui.model.placement import (
    MOVING,
    NOT_WANTED,
    GoalKey,
    GoalRecord,
    Health,
    Lease,
    LinkState,
    Observed,
    ScanFacts,
    StateKind,
    Step,
    StepKind,
    StepState,
    Work,
    blocked,
    waiting,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement.slots import Candidate, allot
from alsct_gui.placement.wanted import Aim, Plan, Wanted

HELD = waiting("you", "held back by a person")
_REST = waiting("the scan's other goals", "a raw file goes last of all")
_NO_PROPOSAL = blocked(
    "the proposal of the scan is not known", "Say which proposal it belongs to"
)  # fmt: skip
_SLOT = -1
"""Stands for the state of goals that wait for a slot, which no state has for its number."""
_LATER = (StateKind.RETRY, StateKind.BLOCKED)
_ORDER = {kind: place for place, kind in enumerate(StepKind)}


def diff(
    policy: Policy, observed: Observed, health: Mapping[str, Health], now_s: float, owner: str = ""
) -> tuple[Step, ...]:
    """Return what is to be done now, and what waits for what.

    Parameters
    ----------
    policy
        What is wanted and forbidden.
    observed
        What the ledger knows.
    health
        How the links are, by name; one that is missing counts as unknown, hence is tried.
    now_s
        Seconds since 1970.
    owner
        Who asks: an owner gets steps of the scans that are leased to it alone. The agent of
        the ledger (empty) gets all others; those that another has wait for that.

    Returns
    -------
    tuple of Step
        The most urgent first; the same for the same arguments. Every goal that is wanted and
        not met is in exactly one step, but for those that another owner sees to.
    """
    return _Diff(policy, observed, health, now_s, owner).steps()


@dataclass(slots=True)
class _Wait:
    """Goals that wait for the same."""

    state: StepState
    place: str
    goals: dict[int, list[str]] = field(default_factory=dict)
    """Their keys, by negative priority."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is so of every scan with the same plan that stands the same."""

    seen: tuple[str, ...]
    """Suffixes of the goals that are wanted now."""
    waits: tuple[tuple[Aim, _Wait], ...]
    """What waits, and for what."""
    ready: tuple[Aim, ...]
    """What can be begun."""


class _Diff:
    def __init__(
        self, policy: Policy, observed: Observed, health: Mapping[str, Health], now_s: float,
        owner: str = "",
    ) -> None:  # fmt: skip
        self._observed, self._now_s, self._owner = observed, now_s, owner
        self._leases = {
            part: lease for part, lease in observed.leases.items() if lease.lasts(now_s)
        }
        self._elsewhere = {
            lease.owner: waiting(lease.owner, "it was handed over")
            for lease in self._leases.values()
        }
        self._goals = observed.goals
        self._lanes = {lane.name: lane for lane in policy.lanes}
        self._places = {place.name: place for place in policy.places}
        self._wanted = Wanted(policy, observed.recipes)
        self._down = {
            name: waiting(name, link.why, link.until_s)
            for name, link in health.items()
            if link.state is LinkState.DOWN
        }
        self._seen: set[str] = set()
        self._refused: dict[str, StepState] = {}
        self._needs: dict[tuple[str, ...], StepState] = {}
        self._waits: dict[tuple[str, int], _Wait] = {}
        self._ready: list[Candidate] = []
        self._suffixes: dict[int, tuple[str, ...]] = {}
        self._verdicts: dict[tuple[int, tuple[str, ...], bool], _Verdict] = {}

    def steps(self) -> tuple[Step, ...]:
        for part, scan in self._observed.scans.items():
            mine = self._is_mine(part)
            if self._owner and not mine:
                continue
            plan = self._wanted.plan(scan, self._observed.asked.get(part))
            if not mine:
                self._look_leased(part, scan, plan, self._leases[part])
            elif not self._look_quickly(part, scan, plan):
                self._look(part, scan, plan)
        steps = [*self._of_works(), *self._drops(), *self._begun(), *self._waiting()]
        return tuple(sorted(steps, key=lambda step: (-step.priority, _ORDER[step.kind], step.keys)))

    def _is_mine(self, part: str) -> bool:
        """Whether it is the asker who works for a scan."""
        lease = self._leases.get(part)
        return (lease.owner if lease is not None else "") == self._owner

    def _look_leased(self, part: str, scan: ScanFacts, plan: Plan, lease: Lease) -> None:
        """Say once of the goals of a scan that another one works for it, who then may say more."""
        for aim in (*plan.every, *(aim for group in plan.any_of for aim in group)):
            key = part + aim.suffix
            self._seen.add(key)
            record = self._goals.get(key)
            if record is None or (record.state.kind is not StateKind.MET and not record.work
                                  and record.since_s <= lease.since_s):  # fmt: skip
                state = self._elsewhere[lease.owner]
                if record is None or record.state != state:
                    self._wait(key, aim, scan, state)
        self._seen.update(part + aim.suffix for aim, _ in plan.prunes)

    def _look_quickly(self, part: str, scan: ScanFacts, plan: Plan) -> bool:
        """Sort the goals of a scan as those of another one that stands the same.

        That is so of most: some goals are met, and of the others nothing is known that would
        make a difference. Returns whether it was.
        """
        if plan.prunes or plan.refused:
            return False
        suffixes = self._suffixes.get(id(plan))
        if suffixes is None:
            suffixes = self._suffixes[id(plan)] = _all_suffixes(plan)
        goals, met = self._goals, []
        for suffix in suffixes:
            record = goals.get(part + suffix)
            if record is None:
                continue
            kind = record.state.kind
            if kind is StateKind.MET:
                met.append(suffix)
            elif record.work or record.held or record.attempts or kind in _LATER:
                return False
        mark = (id(plan), tuple(met), not scan.proposal)
        verdict = self._verdicts.get(mark)
        if verdict is None:
            verdict = self._verdicts[mark] = self._judge(part, scan, plan)
        self._seen.update([part + suffix for suffix in verdict.seen])
        for aim, wait in verdict.waits:
            wait.goals.setdefault(-aim.priority - scan.priority, []).append(part + aim.suffix)
        for aim in verdict.ready:
            priority, key = aim.priority + scan.priority, part + aim.suffix
            self._ready.append((-priority, scan.admitted_s, key, aim, scan, 0))
        return True

    def _judge(self, part: str, scan: ScanFacts, plan: Plan) -> _Verdict:
        """Sort the goals of a scan and take them back out, for it and for all like it."""
        seen, ready = self._seen, self._ready
        known, self._waits = self._waits, {}
        self._seen, self._ready = set(), []
        self._look(part, scan, plan)
        aims = {aim.suffix: aim for aim in (*(a for g in plan.any_of for a in g), *plan.every)}
        waits = []
        for mark, wait in self._waits.items():
            kept = known.setdefault(mark, _Wait(wait.state, wait.place))
            waits.append((aims[mark[0]], kept))
        self._waits = known
        suffixes = tuple(sorted(key[len(part) :] for key in self._seen))
        verdict = _Verdict(suffixes, tuple(waits), tuple(item[3] for item in self._ready))
        self._seen, self._ready = seen, ready
        return verdict

    def _look(self, part: str, scan: ScanFacts, plan: Plan) -> None:
        """Sort the goals of one scan."""
        goals, seen, unmet = self._goals, self._seen, False
        pruned = self._pruned(part, plan) if plan.prunes else ()
        for aim in plan.every:
            key = part + aim.suffix
            if pruned and aim.product is Product.RAW and aim.place.name in pruned:
                continue
            seen.add(key)
            record = goals.get(key)
            if record is None or record.state.kind is not StateKind.MET:
                unmet = True
                self._sort(part, key, scan, aim, record)
        for group in plan.any_of:
            unmet |= self._look_any(part, scan, group)
        for suffix, state in plan.refused:
            if part + suffix not in seen:
                self._refused[part + suffix] = state
        for aim, age_s in plan.prunes:
            if self._now_s - scan.admitted_s >= age_s:
                self._look_prune(part, scan, aim, unmet=unmet)

    def _look_any(self, part: str, scan: ScanFacts, group: tuple[Aim, ...]) -> bool:
        """Sort the goals of which one is enough; whether none is met."""
        records = [self._goals.get(part + aim.suffix) for aim in group]
        for aim, record in zip(group, records, strict=True):
            if record is not None and record.state.kind is StateKind.MET:
                self._seen.add(part + aim.suffix)
                return False
        pairs = zip(group, records, strict=True)
        chosen = next((aim for aim, record in pairs if self._open(part, aim, record)), group[0])
        for aim, record in zip(group, records, strict=True):
            # What is under way elsewhere goes on until one of them is there.
            if aim is chosen or (record is not None and record.work):
                key = part + aim.suffix
                if key not in self._seen:
                    self._seen.add(key)
                    self._sort(part, key, scan, aim, record)
        return True

    def _open(self, part: str, aim: Aim, record: GoalRecord | None) -> bool:
        """Whether nothing that lasts stands in a goal's way."""
        if any(link in self._down for link in aim.links) or self._stuck(record):
            return False
        return all(self._in_reach(part, need) for need in aim.needs) and all(
            any(self._is_pursued(part, need) and self._in_reach(part, need) for need in group)
            for group in aim.needs_one
        )

    def _is_pursued(self, part: str, need: str) -> bool:
        """Whether a goal is met, or worked for: groups are sorted after what they need."""
        return part + need in self._seen or self._is_met(part + need)

    def _in_reach(self, part: str, need: str) -> bool:
        """Whether a goal is met, or nothing that lasts stands in its way."""
        if self._is_met(part + need):
            return True
        links = self._places[need.split("/")[2]].links
        down = any(link in self._down for link in links)
        return not down and not self._stuck(self._goals.get(part + need))

    def _is_met(self, key: str) -> bool:
        record = self._goals.get(key)
        return record is not None and record.state.kind is StateKind.MET

    def _stuck(self, record: GoalRecord | None) -> bool:
        return record is not None and (record.held or record.state.kind is StateKind.BLOCKED)

    def _look_prune(self, part: str, scan: ScanFacts, aim: Aim, *, unmet: bool) -> None:
        key = part + aim.suffix
        self._seen.add(key)
        record = self._goals.get(key)
        if record is not None and (record.state.kind is StateKind.MET):
            return
        if unmet and (record is None or not record.work):
            self._wait(key, aim, scan, _REST)
        else:
            self._sort(part, key, scan, aim, record)

    def _pruned(self, part: str, plan: Plan) -> tuple[str, ...]:
        """Places from which the raw file goes, or has gone."""
        records = ((aim, self._goals.get(part + aim.suffix)) for aim, _ in plan.prunes)
        return tuple(
            aim.place.name
            for aim, record in records
            if record is not None and (record.work or record.state.kind is StateKind.MET)
        )

    def _sort(
        self, part: str, key: str, scan: ScanFacts, aim: Aim, record: GoalRecord | None
    ) -> None:
        """Say of one goal that is wanted and not met whether it waits or can be begun."""
        if record is not None and record.work in self._observed.works:
            return  # see `_of_works`
        state = self._hindrance(part, scan, aim, record)
        if state is not None:
            self._wait(key, aim, scan, state)
            return
        attempts = record.attempts if record is not None else 0
        priority = aim.priority + scan.priority
        self._ready.append((-priority, scan.admitted_s, key, aim, scan, attempts))

    def _hindrance(
        self, part: str, scan: ScanFacts, aim: Aim, record: GoalRecord | None
    ) -> StepState | None:
        """What a goal waits for; None when it can be begun."""
        if record is not None and record.held:
            return record.state if record.state.waits_for == HELD.waits_for else HELD
        if aim.requires_proposal and not scan.proposal:
            return _NO_PROPOSAL
        for need in aim.needs:
            if not self._is_met(part + need):
                return self._need((need,))
        for group in aim.needs_one:
            if not any(self._is_met(part + need) for need in group):
                return self._need(group)
        for link in aim.links:
            if link in self._down:
                return self._down[link]
        if record is not None and record.state.kind in _LATER:
            return record.state if (record.state.until_s or 0.0) > self._now_s else None
        return None

    def _need(self, group: tuple[str, ...]) -> StepState:
        """State of a goal that waits for another one, or for one of several."""
        if group not in self._needs:
            self._needs[group] = _waiting_for(group)
        return self._needs[group]

    def _wait(self, key: str, aim: Aim, scan: ScanFacts, state: StepState) -> None:
        found = self._waits.get((aim.suffix, id(state)))
        if found is None:  # it keeps the state, so the number stays that of this state
            found = self._waits[aim.suffix, id(state)] = _Wait(state, aim.place.name)
        found.goals.setdefault(-aim.priority - scan.priority, []).append(key)

    def _of_works(self) -> Iterator[Step]:
        """Steps of the work that is under way."""
        for work in self._observed.works.values():
            if not self._is_mine(work.keys[0].partition("/")[0]):
                continue
            place = self._place_of(work)
            link = next((n for n in self._links(place) if n in self._down), None)
            if link is not None:
                yield Step(StepKind.WAIT, work.keys, self._down[link], place, 0, work.id)
            elif not self._is_wanted(work):
                yield Step(StepKind.CANCEL, work.keys, NOT_WANTED, place, 0, work.id)
            else:
                kind = StepKind.POLL if work.outside_id else StepKind.RESUME
                yield Step(kind, work.keys, MOVING, place, 0, work.id)

    def _is_wanted(self, work: Work) -> bool:
        """Whether all that a piece of work serves is wanted."""
        records = [self._goals.get(key) for key in work.keys]
        asked = any(record is not None and record.cancel_asked for record in records)
        return not asked and all(key in self._seen for key in work.keys)

    def _drops(self) -> Iterator[Step]:
        """Goals that the ledger holds for wanted and that are not any more, or cannot be."""
        gone: dict[tuple[str, StepState], list[str]] = {}
        for key in (self._goals.keys() | self._refused.keys()) - self._seen:
            if self._leases and not self._is_mine(key.partition("/")[0]):
                continue
            record = self._goals.get(key)
            state = self._refused.get(key, NOT_WANTED)
            idle = record is None or record.work not in self._observed.works
            if idle and (record is None or not _stands_so(record.state, state)):
                gone.setdefault((GoalKey.parse(key).place, state), []).append(key)
        for (place, state), keys in gone.items():
            kind = StepKind.DROP if state.kind is StateKind.NOT_WANTED else StepKind.WAIT
            yield Step(kind, tuple(sorted(keys)), state, place)

    def _begun(self) -> Iterator[Step]:
        """Steps that begin work, as far as there are slots; the rest waits for one."""
        used = dict.fromkeys(self._lanes, 0)
        for work in self._observed.works.values():
            place = self._places.get(self._place_of(work))
            if place is not None:
                used[place.lane] += 1
        batches, left = allot(self._ready, self._lanes, used)
        for order, _, key, aim, _, _ in left:
            wait = self._waits.get((aim.suffix, _SLOT))
            if wait is None:
                lane = self._lanes[aim.place.lane]
                full = f"all {lane.active} in use" if lane.active > 1 else "it is in use"
                state = waiting(f"a slot of {lane.name}", full)
                wait = self._waits[aim.suffix, _SLOT] = _Wait(state, aim.place.name)
            wait.goals.setdefault(order, []).append(key)
        for batch in batches:
            place_name = batch.aim.place.name
            yield Step(StepKind.ACT, tuple(batch.keys), MOVING, place_name, batch.priority)

    def _waiting(self) -> Iterator[Step]:
        merged: dict[tuple[str, str, StepState], dict[int, list[str]]] = {}
        for (suffix, _), wait in self._waits.items():
            goals = merged.setdefault((suffix, wait.place, wait.state), {})
            for order, keys in wait.goals.items():
                goals.setdefault(order, []).extend(keys)
        for (_, place, state), goals in merged.items():
            if goals:
                ordered = [key for order in sorted(goals) for key in sorted(goals[order])]
                yield Step(StepKind.WAIT, tuple(ordered), state, place, -min(goals))

    def _place_of(self, work: Work) -> str:
        return GoalKey.parse(work.keys[0]).place

    def _links(self, place: str) -> tuple[str, ...]:
        known = self._places.get(place)
        return known.links if known is not None else ()


def _stands_so(known: StepState, state: StepState) -> bool:
    """Whether a goal that is not pursued is known to stand so; why it once stood so may stay."""
    return known == state or (state == NOT_WANTED and known.kind is StateKind.NOT_WANTED)


def _waiting_for(group: tuple[str, ...]) -> StepState:
    """State of a goal that waits until one of a group of others is met."""
    goals = [GoalKey.parse(suffix) for suffix in group]
    if len(goals) == 1:
        return waiting(f"{goals[0].product} at {goals[0].place}")
    places = " or ".join(goal.place for goal in goals)
    cause = f"at {places}" if places else "none by this recipe is wanted"
    is_analysis = bool(goals) and goals[0].product is Product.ANALYSIS
    return waiting("another analysis" if is_analysis else "a reconstruction", cause)


def _all_suffixes(plan: Plan) -> tuple[str, ...]:
    """Suffixes of all goals that make a difference to a plan."""
    aims = [*plan.every, *(aim for group in plan.any_of for aim in group)]
    names: dict[str, None] = {}
    for aim in aims:
        groups = ((aim.suffix,), aim.needs, *aim.needs_one)
        names.update(dict.fromkeys(name for group in groups for name in group))
    return tuple(names)
