"""What happened to a scan, event by event, in words, with the ids that others know it by. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from alsct_gui.model.placement import Flow, GoalKey, ScanFacts, StepState
from alsct_gui.model.policy import Product
from alsct_gui.placement.asking import FLOWS
from alsct_gui.placement.events import Event, EventKind, evidence_from, state_from
from alsct_gui.ui.board.cells import MARKS, evidence_words, state_words
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.rows import taken_s
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, count_words, size_words

_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
_NO_SCAN = ScanFacts("", "", 0, "")


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the providers show more; ``{id}`` stands for the id. Empty for no page."""

    globus: str = "https://app.globus.org/activity/{id}"
    """A transfer."""
    job: str = "https://my.nersc.gov/completedjobs.php"
    """Jobs at NERSC; the page lists one's own."""
    scicat: str = ""
    """A dataset; from the profile."""


@dataclass(frozen=True, slots=True)
class OutsideId:
    """By what somebody outside knows a thing."""

    noun: str
    """What it is an id of: “Globus task”."""
    text: str
    """The id, to be copied."""
    page: str = ""
    """Address of the provider's own page; empty when there is none."""
    run: str = ""
    """Run on this workstation whose log can be read; empty for none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened."""

    time_s: float
    """Seconds since 1970."""
    title: str
    """What, in a few words."""
    words: str = ""
    """More about it; empty when the title says it all."""
    state: State = State.UNKNOWN
    """Its mark."""
    ids: tuple[OutsideId, ...] = ()
    """By what it is known outside."""
    seq: int = 0
    """Number of the event; 0 for what the scan itself says."""

    def text(self, now_s: float) -> str:
        """Everything as text, to be copied."""
        more = f": {self.words}" if self.words else ""
        ids = "".join(f"\n    {i.noun} {i.text} {i.page}".rstrip() for i in self.ids)
        return f"{clock_words(self.time_s, now_s)}  {self.title}{more}{ids}"


def entries_of(
    events: Iterable[Event], part: str, scan: ScanFacts | None, names: Names,
    pages: Pages | None = None,
) -> tuple[Entry, ...]:  # fmt: skip
    """Tell the story of a scan, oldest first.

    Parameters
    ----------
    events
        Those that mention it (`placement.feed.timeline_of`).
    part
        `scan_part` of its identity; goals of other scans in the same event are left out.
    scan
        What is known of it; None while it is none.
    names
        What places are called.
    pages
        Where the providers show more.
    """
    teller = _Teller(part, scan or _NO_SCAN, names, pages or Pages())
    told = [entry for event in events for entry in teller.tell(event)]
    if scan is not None and scan.metadata.get("start_time"):
        begun_s = taken_s(scan)
        if not told or begun_s <= told[0].time_s:
            told.insert(0, Entry(begun_s, "Exposed", _who(scan), State.MET))
    return tuple(told)


def story(entries: Sequence[Entry], scan: ScanFacts | None, now_s: float) -> str:
    """Return a whole timeline as text, to be copied."""
    head = []
    if scan is not None:
        head = [scan.path, f"identity {scan.id}", f"SHA-256 {scan.sha256}", ""]
    return "\n".join([*head, *(entry.text(now_s) for entry in entries)])


class _Teller:
    """Tells one event after another; an id outside belongs to the work it was given for."""

    def __init__(self, part: str, scan: ScanFacts, names: Names, pages: Pages) -> None:
        self._part, self._scan, self._names, self._pages = part, scan, names, pages
        self._works: dict[str, tuple[GoalKey, int]] = {}
        self._told_scan = False

    def tell(self, event: Event) -> tuple[Entry, ...]:
        """Return what an event means for the scan; several when it is about several goals."""
        try:
            return self._known(event)
        except (KeyError, TypeError, ValueError, IndexError):
            return self._unknown(event)

    def _known(self, event: Event) -> tuple[Entry, ...]:
        match event.kind:
            case EventKind.ASKED:
                return self._asked(event)
            case EventKind.ARRIVAL:
                return self._arrival(event)
            case EventKind.SCAN:
                return self._admitted(event)
            case EventKind.STATE | EventKind.FAILED:
                return self._stands(event)
            case EventKind.MET:
                return self._met(event)
            case EventKind.AUDITED:
                return self._audited(event)
            case EventKind.LOST:
                return self._lost(event)
            case EventKind.INTENT:
                return self._intent(event)
            case EventKind.SUBMISSION:
                return self._submission(event)
            case EventKind.OUTSIDE:
                return self._outside(event)
            case EventKind.ENDED:
                return self._ended(event)
            case EventKind.FLOW:
                return self._flow(event)
            case _:
                return self._unknown(event)

    def _entry(
        self, event: Event, title: str, words: str = "", state: State = State.UNKNOWN,
        ids: tuple[OutsideId, ...] = (),
    ) -> Entry:  # fmt: skip
        return Entry(event.time_s, title, words, state, ids, event.seq)

    def _own(self, event: Event) -> list[GoalKey]:
        return [GoalKey.parse(key) for key in event.keys if key.startswith(self._part)]

    def _goal(self, key: GoalKey) -> str:
        words = self._names.goal(key)
        return f"{words[:1].upper()}{words[1:]}"

    # What a person asked, and the file before it was a scan

    def _asked(self, event: Event) -> tuple[Entry, ...]:
        what = str(event.data["what"])
        if what == "admit":
            more = "never leaves: export-controlled" if event.data.get("export_controlled") else ""
            return (self._entry(event, "Handed over", more, State.WAITING),)
        if what == "priority":
            return (self._entry(event, f"Priority set to {event.data['priority']:+d}"),)
        if what == "owner":
            return self._owner(event)
        if what == "proposal":
            return (self._entry(event, f"Proposal set to {event.data['proposal'] or 'none'}"),)
        goals = ", ".join(self._names.goal(key) for key in self._own(event)) or self._aim(event)
        verb = _ASKED.get(what, what)
        state = State.HELD if what == "hold" else State.UNKNOWN
        return (self._entry(event, f"A person asked: {verb}", goals, state),)

    def _owner(self, event: Event) -> tuple[Entry, ...]:
        owner = str(event.data["owner"]).removeprefix(FLOWS)
        if owner:
            return (self._entry(event, "Handed over to a flow", owner, State.WAITING),)
        return (self._entry(event, "The agent works for it again"),)

    def _flow(self, event: Event) -> tuple[Entry, ...]:
        flow = Flow(**event.data["flow"])
        words = ". ".join(part for part in (flow.sentence, flow.fix) if part)
        ids = (OutsideId("Flow run", flow.run, flow.page),) if flow.run else ()
        title = f"Flow {flow.owner.removeprefix(FLOWS)}: {flow.state}"
        return (self._entry(event, title, words, FLOW_MARKS.get(flow.state, State.MOVING), ids),)

    def _aim(self, event: Event) -> str:
        """What a wish is about that names the ending of a goal in place of goals."""
        suffix = str(event.data.get("suffix", ""))
        return self._names.goal(GoalKey.parse(suffix)) if suffix else ""

    def _arrival(self, event: Event) -> tuple[Entry, ...]:
        if event.data.get("known"):
            return (self._entry(event, "Seen again under this name"),)
        state = state_from(event.data["state"])
        words = state_words(state, self._names, event.time_s)
        return (self._entry(event, "Not a scan yet", words, _mark(state)),)

    def _admitted(self, event: Event) -> tuple[Entry, ...]:
        facts = event.data["scan"]
        title = "Known better" if self._told_scan else "Admitted"
        self._told_scan = True
        words = f"{size_words(facts['size_bytes'])}, SHA-256 {facts['sha256'][:12]}…"
        return (self._entry(event, title, words, State.MET),)

    # Goals

    def _stands(self, event: Event) -> tuple[Entry, ...]:
        state = state_from(event.data["state"])
        words = state_words(state, self._names, event.time_s)
        return tuple(
            self._entry(event, self._goal(key), words, _mark(state)) for key in self._own(event)
        )

    def _met(self, event: Event) -> tuple[Entry, ...]:
        evidence = evidence_from(event.data["evidence"])
        made = []
        for key in self._own(event):
            words = evidence_words(key.product, evidence, event.time_s)
            ids: tuple[OutsideId, ...] = ()
            if key.product is Product.METADATA and evidence.record:
                pid = evidence.record.split()[0]
                ids = (OutsideId("Dataset", pid, _page(self._pages.scicat, pid)),)
            made.append(self._entry(event, f"{self._goal(key)} is there", words, State.MET, ids))
        return tuple(made)

    def _audited(self, event: Event) -> tuple[Entry, ...]:
        return tuple(
            self._entry(event, f"{self._goal(key)} looked at again", "Still there", State.MET)
            for key in self._own(event)
        )

    def _lost(self, event: Event) -> tuple[Entry, ...]:
        state = state_from(event.data["state"])
        words = state_words(state, self._names, event.time_s)
        return tuple(
            self._entry(event, f"{self._goal(key)} is gone", words, State.FAILED)
            for key in self._own(event)
        )

    # Work outside

    def _intent(self, event: Event) -> tuple[Entry, ...]:
        own = self._own(event)
        self._works[event.data["work"]] = (own[0], len(event.keys))
        others = len(event.keys) - len(own)
        words = f"With {count_words(others, 'other scan')}" if others else ""
        title = f"{self._goal(own[0])} decided on"
        return (self._entry(event, title, words, State.WAITING),)

    def _submission(self, event: Event) -> tuple[Entry, ...]:
        own = OutsideId("Submission", str(event.data["submission"]))
        return (self._entry(event, "Announced outside", "", State.WAITING, (own,)),)

    def _outside(self, event: Event) -> tuple[Entry, ...]:
        known = self._works.get(event.data["work"])
        key = known[0] if known is not None else None
        own = self._id(str(event.data["id"]), key)
        title = f"{self._goal(key)} under way" if key is not None else "Under way outside"
        return (self._entry(event, title, "", State.MOVING, (own,)),)

    def _ended(self, event: Event) -> tuple[Entry, ...]:
        how = str(event.data["how"])
        known = self._works.get(event.data["work"])
        noun = f"Work on {self._names.goal(known[0])}" if known is not None else "Work"
        return (self._entry(event, f"{noun} ended", _HOW.get(how, how), _ENDS.get(how, _QUIET)),)

    def _id(self, text: str, key: GoalKey | None) -> OutsideId:
        """Tell by who works on the way to the place whose id it is."""
        worker = self._names.worker(key.place) if key is not None else ""
        if worker == "nersc":
            return OutsideId("Job", text, _page(self._pages.job, text))
        if worker == "globus":
            return OutsideId("Globus task", text, _page(self._pages.globus, text))
        if key is not None and key.product is Product.RECONSTRUCTION:
            return OutsideId("Run", text, run=text)
        return OutsideId("Id", text)

    def _unknown(self, event: Event) -> tuple[Entry, ...]:
        """Something that a later version wrote, or that makes no sense."""
        return (self._entry(event, f"Something else ({event.kind[:40]})"),)


FLOW_MARKS = {
    "scheduled": State.WAITING, "late": State.WAITING, "waiting": State.WAITING,
    "paused": State.BLOCKED, "blocked": State.BLOCKED, "completed": State.MET,
    "failed": State.FAILED, "crashed": State.FAILED, "cancelled": State.HELD,
    "unknown": State.UNKNOWN,
}  # fmt: skip
"""Marks of the states of a flow run; those that are left out move."""
_QUIET = State.UNKNOWN
_ENDS = {"done": State.MET, "failed": State.FAILED, "refused": State.BLOCKED}
_HOW = {
    "done": "Everything it was for is there",
    "failed": "Not everything it was for is there",
    "cancelled": "It was ended",
    "refused": "It was refused outside",
}
_ASKED = {
    "retry": "try again",
    "hold": "hold back",
    "release": "go on",
    "cancel": "end it there",
    "want": "want this",
    "unwant": "do not want this",
}


def _mark(state: StepState) -> State:
    return MARKS[state.kind]


def _page(template: str, text: str) -> str:
    """Fill an id into an address, unless it is of a form that no id has."""
    if not template or _PLAIN_ID.fullmatch(text) is None:
        return ""
    return template.replace("{id}", quote(text, safe=""))


def _who(scan: ScanFacts) -> str:
    known = scan.metadata
    parts = [known.get("beamline", ""), known.get("experiment_lead", ""), scan.proposal]
    return " · ".join(part for part in parts if part)
