"""From events to what is known: `advance` takes in one event after another.

It depends on nothing but the events, so that reading a ledger anew, or a snapshot and what
came after it, ends in the same. An event of a kind that this version does not know counts its
number and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from alsct_gui.model.placement import (
    MET,
    MOVING,
    Arrival,
    Asked,
    Flow,
    GoalRecord,
    Lease,
    Observed,
    StateKind,
    StepState,
    Work,
    scan_part,
    waiting,
)
from alsct_gui.placement.events import (
    Event,
    EventKind,
    evidence_from,
    health_from,
    lean,
    scan_from,
    state_from,
)

TURN = waiting("its turn")
"""State of a goal that can be begun at the next look."""
CANCELLED = waiting("you", "cancelled by a person; retry begins it again")
ARRIVED = waiting("a look at the file")
_NOTHING = Asked()


def fold(events: Iterable[Event], observed: Observed | None = None) -> Observed:
    """Return what is known after all events."""
    observed = observed or Observed()
    for item in events:
        advance(observed, item)
    return observed


def advance(observed: Observed, event: Event) -> None:
    """Take in one event, the next one.

    Raises
    ------
    ValueError
        It is not the next one.
    """
    if event.seq != observed.seq + 1:
        raise ValueError(f"event {event.seq} does not follow event {observed.seq}")
    rule = _RULES.get(event.kind)
    if rule is not None:
        rule(observed, event)
    observed.seq = event.seq


def _scan(observed: Observed, event: Event) -> None:
    scan = scan_from(event.data["scan"])
    observed.scans[scan_part(scan.id)] = scan
    observed.arrivals.pop(event.data.get("path", scan.path), None)


def _arrival(observed: Observed, event: Event) -> None:
    path = event.data["path"]
    known = observed.arrivals.get(path)
    if known is None:
        return
    if event.data.get("known"):
        del observed.arrivals[path]  # the same scan under a second name, or once more
        return
    attempts = known.attempts + 1
    observed.arrivals[path] = replace(
        known, state=state_from(event.data["state"]), attempts=attempts
    )


def _state(observed: Observed, event: Event) -> None:
    state = state_from(event.data["state"])
    for key in event.keys:
        _put(observed, key, event.time_s, state=state)


def _intent(observed: Observed, event: Event) -> None:
    work = event.data["work"]
    observed.works[work] = Work(work, event.keys, event.time_s)
    for key in event.keys:
        known = observed.goals.get(key)
        tries = known.tries + 1 if known is not None else 1
        _put(observed, key, event.time_s, state=MOVING, work=work, tries=tries)


def _submission(observed: Observed, event: Event) -> None:
    _work(observed, event, submission=event.data["submission"])


def _outside(observed: Observed, event: Event) -> None:
    _work(observed, event, outside_id=event.data["id"])


def _work(observed: Observed, event: Event, **changes: Any) -> None:
    work = observed.works.get(event.data["work"])
    if work is not None:
        observed.works[work.id] = replace(work, **changes)


def _ended(observed: Observed, event: Event) -> None:
    work = observed.works.pop(event.data["work"], None)
    for key in work.keys if work is not None else ():
        record = observed.goals[key]
        if record.work != event.data["work"]:
            continue
        state = record.state
        if state.kind in (StateKind.MOVING, StateKind.WAITING, StateKind.BLOCKED):
            state = CANCELLED if record.cancel_asked else TURN
        _put(
            observed, key, event.time_s, state=state, work="", cancel_asked=False,
            held=record.held or record.cancel_asked,
        )  # fmt: skip


def _met(observed: Observed, event: Event) -> None:
    evidence = evidence_from(event.data["evidence"])
    for key in event.keys:
        _put(
            observed, key, event.time_s, state=MET, evidence=evidence, attempts=0, work="",
            cancel_asked=False,
        )  # fmt: skip


def _audited(observed: Observed, event: Event) -> None:
    for key in event.keys:
        record = observed.goals.get(key)
        if record is not None and record.evidence is not None:
            evidence = replace(record.evidence, observed_s=event.time_s)
            observed.goals[key] = replace(record, evidence=evidence)


def _failed(observed: Observed, event: Event) -> None:
    state = state_from(event.data["state"])
    for key in event.keys:
        known = observed.goals.get(key)
        attempts = known.attempts + 1 if known is not None else 1
        _put(observed, key, event.time_s, state=state, evidence=None, attempts=attempts, work="")


def _lost(observed: Observed, event: Event) -> None:
    state = state_from(event.data["state"])
    for key in event.keys:
        _put(observed, key, event.time_s, state=state, evidence=None)


def _asked(observed: Observed, event: Event) -> None:
    wish = _WISHES.get(event.data.get("what", ""))
    if wish is not None:
        wish(observed, event)


def _asked_admit(observed: Observed, event: Event) -> None:
    path = event.data["path"]
    observed.arrivals[path] = Arrival(
        path, ARRIVED, event.data.get("export_controlled") is True,
        str(event.data.get("proposal", "")), since_s=event.time_s,
    )  # fmt: skip


def _asked_retry(observed: Observed, event: Event) -> None:
    for key in event.keys:
        known = observed.goals.get(key)
        if known is not None and known.state.kind is not StateKind.MET and not known.work:
            _put(observed, key, event.time_s, state=TURN, attempts=0, held=False)
    arrival = observed.arrivals.get(event.data.get("path", ""))
    if arrival is not None:
        observed.arrivals[arrival.path] = replace(arrival, state=ARRIVED, attempts=0)


def _asked_hold(observed: Observed, event: Event) -> None:
    for key in event.keys:
        _put(observed, key, event.time_s, held=True)


def _asked_release(observed: Observed, event: Event) -> None:
    for key in event.keys:
        _put(observed, key, event.time_s, held=False)


def _asked_cancel(observed: Observed, event: Event) -> None:
    for key in event.keys:
        known = observed.goals.get(key)
        if known is not None and known.work:
            _put(observed, key, event.time_s, cancel_asked=True)
        elif known is None or known.state.kind is not StateKind.MET:
            _put(observed, key, event.time_s, state=CANCELLED, held=True)


def _asked_priority(observed: Observed, event: Event) -> None:
    for part in event.data.get("scans", ()):
        scan = observed.scans.get(part)
        if scan is not None:
            observed.scans[part] = replace(scan, priority=int(event.data["priority"]))


def _asked_proposal(observed: Observed, event: Event) -> None:
    for part in event.data.get("scans", ()):
        scan = observed.scans.get(part)
        if scan is not None:
            observed.scans[part] = replace(scan, proposal=str(event.data["proposal"]))


def _asked_want(observed: Observed, event: Event) -> None:
    recipe, suffix = event.data.get("recipe"), event.data["suffix"]
    if recipe is not None:
        observed.recipes[suffix.rpartition("/")[2]] = recipe
    observed.recipes.update(event.data.get("recipes", {}))
    for part in event.data["scans"]:
        known = observed.asked.get(part, _NOTHING)
        observed.asked[part] = Asked(known.wanted | {suffix}, known.unwanted - {suffix})


def _asked_unwant(observed: Observed, event: Event) -> None:
    suffix = event.data["suffix"]
    for part in event.data["scans"]:
        known = observed.asked.get(part, _NOTHING)
        observed.asked[part] = Asked(known.wanted - {suffix}, known.unwanted | {suffix})


def _asked_owner(observed: Observed, event: Event) -> None:
    owner, until_s = event.data["owner"], event.data.get("until_s")
    for part in event.data["scans"]:
        known = observed.leases.pop(part, None)
        if known is not None and known.owner == owner and known.lasts(event.time_s):
            observed.leases[part] = replace(known, until_s=until_s)
        elif owner:
            observed.leases[part] = Lease(owner, until_s, event.seq, event.time_s)


def _flow(observed: Observed, event: Event) -> None:
    for part in event.data["scans"]:
        observed.flows[part] = Flow(**event.data["flow"])


def _link(observed: Observed, event: Event) -> None:
    health = health_from(event.data["health"])
    observed.links[health.link] = health


def _put(observed: Observed, key: str, time_s: float, **changes: Any) -> None:
    """Change a goal's record, or begin it."""
    known = observed.goals.get(key)
    if known is None:
        known = GoalRecord(key, TURN, time_s)
    state = changes.get("state", known.state)
    since_s = known.since_s if state == known.state else time_s
    observed.goals[key] = replace(known, since_s=since_s, **changes)


_RULES: dict[str, Callable[[Observed, Event], None]] = {
    EventKind.SCAN: _scan,
    EventKind.ARRIVAL: _arrival,
    EventKind.STATE: _state,
    EventKind.INTENT: _intent,
    EventKind.SUBMISSION: _submission,
    EventKind.OUTSIDE: _outside,
    EventKind.ENDED: _ended,
    EventKind.MET: _met,
    EventKind.AUDITED: _audited,
    EventKind.FAILED: _failed,
    EventKind.LOST: _lost,
    EventKind.ASKED: _asked,
    EventKind.LINK: _link,
    EventKind.FLOW: _flow,
}
_WISHES: dict[str, Callable[[Observed, Event], None]] = {
    "admit": _asked_admit,
    "retry": _asked_retry,
    "hold": _asked_hold,
    "release": _asked_release,
    "cancel": _asked_cancel,
    "priority": _asked_priority,
    "proposal": _asked_proposal,
    "want": _asked_want,
    "unwant": _asked_unwant,
    "owner": _asked_owner,
}
"""What a person can ask for."""
WISHES = tuple(_WISHES)


def observed_to_plain(observed: Observed) -> dict[str, Any]:
    """Return all that is known as plain data for a snapshot."""
    return {
        "seq": observed.seq,
        "scans": [lean(scan) for scan in observed.scans.values()],
        "goals": [lean(record) for record in observed.goals.values()],
        "works": [lean(work) for work in observed.works.values()],
        "arrivals": [lean(arrival) for arrival in observed.arrivals.values()],
        "links": [lean(health) for health in observed.links.values()],
        "asked": {
            part: [sorted(asked.wanted), sorted(asked.unwanted)]
            for part, asked in observed.asked.items()
        },
        "recipes": {mark: dict(recipe) for mark, recipe in observed.recipes.items()},
        "leases": {part: lean(lease) for part, lease in observed.leases.items()},
        "flows": {part: lean(flow) for part, flow in observed.flows.items()},
    }


def observed_from_plain(plain: dict[str, Any]) -> Observed:
    """Read a snapshot back."""
    states: dict[tuple[Any, ...], StepState] = {}  # most goals share a few

    def state(data: dict[str, Any]) -> StepState:
        mark = tuple(data.items())
        if mark not in states:
            states[mark] = state_from(data)
        return states[mark]

    scans = [scan_from(item) for item in plain["scans"]]
    goals = {}
    for item in plain["goals"]:
        evidence = item.get("evidence")
        if evidence is not None:
            item["evidence"] = evidence_from(evidence)
        item["state"] = state(item["state"])
        goals[item["key"]] = GoalRecord(**item)
    works = [Work(**{**item, "keys": tuple(item["keys"])}) for item in plain["works"]]
    arrivals = [Arrival(**{**item, "state": state(item["state"])}) for item in plain["arrivals"]]
    return Observed(
        plain["seq"],
        {scan_part(scan.id): scan for scan in scans},
        goals,
        {work.id: work for work in works},
        {arrival.path: arrival for arrival in arrivals},
        {item["link"]: health_from(item) for item in plain.get("links", ())},
        {
            part: Asked(frozenset(wanted), frozenset(unwanted))
            for part, (wanted, unwanted) in plain.get("asked", {}).items()
        },
        plain.get("recipes", {}),
        {part: Lease(**item) for part, item in plain.get("leases", {}).items()},
        {part: Flow(**item) for part, item in plain.get("flows", {}).items()},
    )
