"""What is worth telling people who do not look at the window: decided here, sent elsewhere.

Told are: a link that goes down or returns, what waits for a person, a debt that was paid after
an outage, and a key that expires in 12, 4 or 1 hours. Nothing is told twice; what comes at
once is told at once, in one message, and never more than so many in a minute. A cause that
holds up one scan after the other is told once an hour.

All of it is a pure function of what is known now and what was told before. The latter is plain
data (`told_to_plain`), so that the agent can keep it in the ledger as a note.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from zlib import crc32

from alsct_gui.model.message import Message
from alsct_gui.model.placement import (
    GoalKey,
    Health,
    LinkState,
    Observed,
    StateKind,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.superfacility.health.judge import KEY_WARNINGS_H
from alsct_gui.superfacility.health.model import LINK, LinkName

NOTE = "told"
"""Name of the note in the ledger."""
MINUTE_S, HOUR_S = 60.0, 3600.0
_DEBT = (
    Product.RAW, Product.RECONSTRUCTION, Product.ANALYSIS, Product.METADATA, Product.ACCESS,
)  # fmt: skip
_LINES = 20
"""Lines of one message at most."""
_AGAIN = re.compile(r"^failed \d+ times, at last: ")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is told."""

    settle_s: float = 60.0
    """How long a thing must last before it is told: what comes and goes is no news."""
    per_minute: int = 2
    """Messages in a minute at most; the rest is told together, later."""
    same_s: float = HOUR_S
    """Time between two messages about the same cause; what it holds up meanwhile is told then."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell."""

    title: str
    words: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What was told before."""

    down: frozenset[str] = frozenset()
    """Links that were said to be down."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Goals that were said to wait for a person and are not met since, with a mark of the cause."""
    causes: Mapping[str, float] = field(default_factory=dict)
    """When each cause was last told, by its mark."""
    owed: Mapping[str, int] = field(default_factory=dict)
    """By site: most scans that were owed since it was last said to be away."""
    key_hours: int = 0
    """Last warning about the key, in hours before its end; 0 for none."""
    sent_s: tuple[float, ...] = ()
    """When messages were sent in the last minute."""
    waiting: tuple[News, ...] = ()
    """What is still to be told."""


def beginning(policy: Policy, observed: Observed) -> Told:
    """Return what counts as told for somebody who has just seen everything.

    For a window that opens: what it shows at once is no news.
    """
    down = frozenset(n for n, link in observed.links.items() if link.state is LinkState.DOWN)
    blocked = {key: _mark(observed.goals[key].state.cause) for key in _blocked(observed)}
    return Told(down, blocked, {}, _away(policy, _open(policy, observed), down))


def tell(
    policy: Policy, observed: Observed, told: Told, now_s: float, limits: Limits | None = None
) -> tuple[Told, tuple[Message, ...]]:
    """Decide what is told now.

    Parameters
    ----------
    policy
        Names sites and what leads to them.
    observed
        What is known.
    told
        What was told before.
    now_s
        Seconds since 1970.
    limits
        How much is told.

    Returns
    -------
    tuple
        What was told by then, and messages to be sent: one at most.
    """
    limits = limits or Limits()
    links, told = _of_links(observed, told, now_s, limits)
    debts, told = _of_debts(policy, observed, told)
    persons, told = _of_persons(observed, told, now_s, limits)
    keys, told = _of_key(observed, told, now_s)
    waiting = (*told.waiting, *links, *keys, *persons, *debts)
    sent = tuple(s for s in told.sent_s if now_s - s < MINUTE_S)
    if not waiting or len(sent) >= limits.per_minute:
        return replace(told, waiting=waiting, sent_s=sent), ()
    return replace(told, waiting=(), sent_s=(*sent, now_s)), (_message(waiting, now_s),)


def told_to_plain(told: Told) -> dict[str, Any]:
    """Return what was told as plain data, for a note in the ledger."""
    return {
        "down": sorted(told.down), "blocked": dict(told.blocked), "causes": dict(told.causes),
        "owed": dict(told.owed), "key_hours": told.key_hours, "sent_s": list(told.sent_s),
        "waiting": [[news.title, news.words, news.grave] for news in told.waiting],
    }  # fmt: skip


def told_from_plain(plain: Mapping[str, Any]) -> Told:
    """Read it back; a note that makes no sense is no note."""
    try:
        return Told(
            down=frozenset(map(str, plain.get("down", ()))),
            blocked={str(key): str(mark) for key, mark in dict(plain.get("blocked", {})).items()},
            causes={str(mark): float(s) for mark, s in dict(plain.get("causes", {})).items()},
            owed={str(site): int(count) for site, count in dict(plain.get("owed", {})).items()},
            key_hours=int(plain.get("key_hours", 0)),
            sent_s=tuple(map(float, plain.get("sent_s", ()))),
            waiting=tuple(News(str(t), str(w), bool(g)) for t, w, g in plain.get("waiting", ())),
        )
    except (TypeError, ValueError):
        return Told()


def _message(waiting: tuple[News, ...], now_s: float) -> Message:
    """Put all that is to be told into one message, what is grave first."""
    ordered = sorted(waiting, key=lambda news: not news.grave)
    first, grave = ordered[0], any(news.grave for news in ordered)
    if len(ordered) == 1:
        return Message(first.title, first.words, now_s, grave)
    lines = [f"{news.title}. {news.words}".strip() for news in ordered[:_LINES]]
    if len(ordered) > _LINES:
        lines.append(f"And {len(ordered) - _LINES} more; see the board.")
    return Message(f"{first.title}, and {len(ordered) - 1} more", "\n".join(lines), now_s, grave)


def _of_links(
    observed: Observed, told: Told, now_s: float, limits: Limits
) -> tuple[list[News], Told]:
    news, down = [], set(told.down)
    for name, link in observed.links.items():
        lasts = now_s - link.since_s >= limits.settle_s
        if link.state is LinkState.DOWN and name not in down and lasts:
            down.add(name)
            news.append(News(f"{_title(name)} is down", _why(link), grave=True))
        elif link.state in (LinkState.UP, LinkState.DEGRADED) and name in down and lasts:
            down.discard(name)
            news.append(News(f"{_title(name)} is back", "What waited for it goes on by itself."))
    return news, replace(told, down=frozenset(down))


def _of_persons(
    observed: Observed, told: Told, now_s: float, limits: Limits
) -> tuple[list[News], Told]:
    """What waits for a person, by its cause; the same scan again only for another cause.

    A goal that is blocked is tried now and then all the same, and is then blocked once more.
    """
    over = (StateKind.MET, StateKind.NOT_WANTED)
    known = {
        key: mark for key, mark in told.blocked.items()
        if key in observed.goals and observed.goals[key].state.kind not in over
    }  # fmt: skip
    scans = {(key[:32], mark) for key, mark in known.items()}
    recent = {mark: s for mark, s in told.causes.items() if now_s - s < limits.same_s}
    causes: dict[tuple[str, str], list[str]] = {}
    for key in _blocked(observed):
        record = observed.goals[key]
        mark = _mark(record.state.cause)
        lasts = now_s - record.since_s >= limits.settle_s
        if (key[:32], mark) in scans:
            known[key] = mark  # another goal of a scan that was told of
        elif lasts and mark not in recent:
            known[key] = mark
            causes.setdefault((mark, record.state.fix), []).append(key)
    news = [
        News(
            f"{_scans(keys)} you: {observed.goals[keys[0]].state.cause}",
            f"{fix.rstrip('.')}." if fix else "", grave=True,
        )
        for (_, fix), keys in causes.items()
    ]  # fmt: skip
    recent.update({mark: now_s for mark, _ in causes})
    return news, replace(told, blocked=known, causes=recent)


@lru_cache(maxsize=256)
def _mark(cause: str) -> str:
    """Return what stands for a cause, however often it was met and however long that took."""
    return f"{crc32(_NUMBERS.sub('', _AGAIN.sub('', cause)).encode()):08x}"


def _of_debts(policy: Policy, observed: Observed, told: Told) -> tuple[list[News], Told]:
    """A debt that grew while a link was down is told once it is paid."""
    now = _open(policy, observed)
    owed = _away(policy, now, told.down)
    titles = {site.name: site.title or site.name for site in policy.sites}
    kept = {site: max(count, owed.get(site, 0)) for site, count in told.owed.items()}
    kept.update({site: count for site, count in owed.items() if site not in kept})
    paid = [site for site in kept if not now.get(site)]
    news = [
        News(
            f"All that was owed to {titles.get(site, site)} is there",
            f"At most {kept[site]} {'scan was' if kept[site] == 1 else 'scans were'} owed.",
        )
        for site in paid
    ]
    return news, replace(told, owed={s: count for s, count in kept.items() if s not in paid})


def _of_key(observed: Observed, told: Told, now_s: float) -> tuple[list[News], Told]:
    """A key is spoken of 12, 4 and 1 hours before its end; a new one begins anew."""
    link = observed.links.get(LinkName.KEY)
    if link is None or link.until_s is None or link.state is LinkState.DOWN:
        return [], told
    left_s = link.until_s - now_s
    due = [hours for hours in KEY_WARNINGS_H if left_s <= hours * HOUR_S]
    if not due:
        return [], replace(told, key_hours=0)
    hours = min(due)
    if told.key_hours and hours >= told.key_hours:
        return [], told
    left = f"{math.ceil(left_s / HOUR_S)} h" if left_s > HOUR_S else f"{left_s / 60:.0f} min"
    news = News(f"The key for NERSC expires in {left}", f"{link.fix.rstrip('.')}.", grave=True)
    return [news], replace(told, key_hours=hours)


def _blocked(observed: Observed) -> list[str]:
    return [
        key
        for key, record in observed.goals.items()
        if record.state.kind is StateKind.BLOCKED and not record.held
    ]


def _away(policy: Policy, owed: Mapping[str, int], down: frozenset[str]) -> dict[str, int]:
    """Of scans owed by site, those of sites that something is down on the way to."""
    away = {place.site for place in policy.places if down & set(place.links)}
    return {site: count for site, count in owed.items() if site in away}


def _open(policy: Policy, observed: Observed) -> dict[str, int]:
    """Scans of which anything is owed, by site outside."""
    outside = {site.name for site in policy.sites if site.outside}
    sites = {place.name: place.site for place in policy.places if place.site in outside}
    found: dict[str, set[str]] = {}
    for key, site in _open_goals(observed, sites):
        found.setdefault(site, set()).add(key[:32])
    return {site: len(scans) for site, scans in found.items()}


def _open_goals(observed: Observed, sites: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, record in observed.goals.items():
        if record.state.kind in (StateKind.MET, StateKind.NOT_WANTED) or record.held:
            continue
        goal = GoalKey.parse(key)
        if goal.place in sites and goal.product in _DEBT:
            yield key, sites[goal.place]


def _scans(keys: list[str]) -> str:
    count = len({key[:32] for key in keys})
    return "1 scan needs" if count == 1 else f"{count} scans need"


def _why(link: Health) -> str:
    parts = [link.why, link.affects, link.fix]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _title(name: str) -> str:
    return LINK[LinkName(name)].title if name in set(LinkName) else name
