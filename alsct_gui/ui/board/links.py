"""The chain of links as it is shown: a chip for each, and all there is to know of one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alsct_gui.model.placement import Health, LinkState
from alsct_gui.placement.feed import FeedState, Snapshot
from alsct_gui.superfacility.health.model import LINK, LINKS, LinkName
from alsct_gui.ui.board.columns import link_title
from alsct_gui.ui.board.forecast import Outage, calendar
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, count_words, left_words

AGENT = "agent"
"""Key of the chip that stands for the agent itself."""

_SHORT = {
    LinkName.ACQUISITION: "acq",
    LinkName.STREAM: "stream",
    LinkName.WRITING: "files",
    LinkName.ORCHESTRATOR: "flow",
    LinkName.GLOBUS: "globus",
    LinkName.NETWORK: "net",
    LinkName.SPIN: "spin",
    LinkName.SCICAT: "scicat",
    LinkName.JUPYTER: "jupyter",
    LinkName.CFS: "CFS",
    LinkName.PERLMUTTER: "perlmutter",
    LinkName.PERMISSIONS: "rights",
    LinkName.FOLDER: "folder",
    LinkName.PROPOSAL: "proposal",
    LinkName.DISK: "disk",
    LinkName.CLOCK: "clock",
    LinkName.KEY: "key",
}
_MARKS = {
    LinkState.UP: State.MET,
    LinkState.DEGRADED: State.BLOCKED,
    LinkState.DOWN: State.FAILED,
    LinkState.UNKNOWN: State.UNKNOWN,
}
_WORDS = {
    LinkState.UP: "is up",
    LinkState.DEGRADED: "wants a look",
    LinkState.DOWN: "is down",
    LinkState.UNKNOWN: "is not known",
}
_ORDER = {link.name.value: number for number, link in enumerate(LINKS)}
START = "Start the agent"
LOG_IN = "Log in to Globus"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known of a link."""

    name: str
    """A noun."""
    words: str
    """A sentence, or several lines."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One link of the chain."""

    key: str
    """Its name in the ledger, or `AGENT`."""
    short: str
    """Name in the strip."""
    title: str
    """As people call it."""
    state: State
    """Its mark."""
    sentence: str
    """How it is, for the tool tip and the list."""
    facts: tuple[Fact, ...] = ()
    """Everything, for the details."""
    action: str = ""
    """A verb on a button that puts it right; empty when there is none."""

    @property
    def text(self) -> str:
        """Everything as text, to be copied."""
        lines = [f"{fact.name}: {fact.words}" for fact in self.facts]
        return "\n".join([self.sentence, *lines])


def chips_of(
    snapshot: Snapshot, waits: Mapping[str, int], now_s: float, outages: Sequence[Outage] = (),
    *, configured: bool = True, logs_in: bool = False,
) -> tuple[Chip, ...]:  # fmt: skip
    """Return the chain: the agent, then the links in the order in which a scan meets them.

    Parameters
    ----------
    snapshot
        What the ledger says.
    waits
        How many goals wait for each link.
    now_s
        Seconds since 1970.
    outages
        What is announced of the machine at NERSC.
    configured
        Whether a facility is set up here at all; without one nobody misses the agent.
    logs_in
        Whether Globus knows a person here, who can log in.
    """
    observed = snapshot.observed
    stale = snapshot.agent is None
    links = sorted(observed.links.values(), key=_place)
    chips = [
        _chip(health, waits.get(health.link, 0), now_s, outages, stale=stale) for health in links
    ]
    if logs_in:
        chips = [replace(c, action=LOG_IN) if c.key == LinkName.GLOBUS else c for c in chips]
    if not configured and not chips and snapshot.state is not FeedState.OPEN:
        return ()
    return (_agent_chip(snapshot, configured=configured), *chips)


def trouble_words(chips: Sequence[Chip]) -> str:
    """Say which links are not up, in one line; empty when all are."""
    bad = [chip for chip in chips if chip.state in (State.FAILED, State.BLOCKED)]
    return " ".join(chip.sentence for chip in bad)


def _agent_chip(snapshot: Snapshot, *, configured: bool) -> Chip:
    where = Fact("Work", "It looks at every scan, copies, submits and checks; the window does not")
    if snapshot.agent is not None:
        sentence = f"The agent works (process {snapshot.agent})."
        return Chip(AGENT, "agent", "Agent", State.MET, sentence, (where,))
    if not configured:
        sentence = "The agent does not run; no facility is set up here."
        return Chip(AGENT, "agent", "Agent", State.UNKNOWN, sentence, (where,), START)
    means = Fact("Effect", "Nothing is begun, followed or checked; nothing that runs outside ends")
    fix = Fact("To do", "Start it here, or run alsct agent run")
    said = "The agent does not run: scans stay where they are."
    return Chip(AGENT, "agent", "Agent", State.FAILED, said, (where, means, fix), START)


def _chip(
    health: Health, waiting: int, now_s: float, outages: Sequence[Outage], *, stale: bool
) -> Chip:
    title, state = link_title(health.link), _MARKS[health.state]
    since = clock_words(health.since_s, now_s) if health.since_s > 0 else ""
    sentence = f"{title} {_WORDS[health.state]}{f' since {since}' if since else ''}"
    sentence += f": {health.why.rstrip('.')}." if health.why else "."
    if stale:
        sentence = f"Nobody looks while the agent does not run. {sentence}"
    return Chip(
        health.link, _short(health.link), title, State.UNKNOWN if stale else state, sentence,
        tuple(_facts(health, waiting, now_s, outages)),
    )  # fmt: skip


def _facts(health: Health, waiting: int, now_s: float, outages: Sequence[Outage]) -> list[Fact]:
    facts = []
    if health.since_s > 0:
        ago = left_words(max(0.0, now_s - health.since_s))
        facts.append(Fact("Since", f"{clock_words(health.since_s, now_s)}, {ago} ago"))
    if health.why:
        facts.append(Fact("Reason", health.why))
    affects = [health.affects or _affects(health.link)]
    if waiting:
        affects.append(f"{count_words(waiting, 'goal waits', 'goals wait')} for it")
    if health.state is not LinkState.UP:
        facts.append(Fact("Effect", "; ".join(text for text in affects if text)))
    if health.fix:
        facts.append(Fact("To do", health.fix))
    if health.until_s is not None:
        left_s = health.until_s - now_s
        when = clock_words(health.until_s, now_s)
        words = f"{when}, in {left_words(left_s)}" if left_s > 0 else f"{when}, which has passed"
        facts.append(Fact("Until", words))
    if health.link == LinkName.PERLMUTTER:
        lines = calendar(outages, now_s)
        facts.append(Fact("Outages", "\n".join(lines) if lines else "None announced"))
    return facts


def _affects(name: str) -> str:
    return LINK[LinkName(name)].affects if name in _ORDER else ""


def _short(name: str) -> str:
    return _SHORT[LinkName(name)] if name in _ORDER else name


def _place(health: Health) -> tuple[int, str]:
    return (_ORDER.get(health.link, len(_ORDER)), health.link)
