"""Rich text of the board's side panels. Everything that comes from outside is escaped. Pure.

Qt's rich text knows tables and a little of CSS; so a list is a table with a mark, and words
beside it. Addresses that begin with ``do:`` are commands of the panel that shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote, unquote

from alsct_gui.ui.board.catchup import CatchUp, Line
from alsct_gui.ui.board.flows import FlowRow
from alsct_gui.ui.board.links import Chip
from alsct_gui.ui.board.timeline import Entry, OutsideId
from alsct_gui.ui.theme.tokens import Tokens
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words, count_words

SHOW, COPY, LOG = "do:show/", "do:copy/", "do:log/"
"""Beginnings of addresses: show scans, copy a text, show the log of a run."""


def mark(state: State, share: float | None = None) -> str:
    """Return the address of a mark's picture."""
    part = "" if share is None else f"/{round(100 * share)}"
    return f"mark:{state.name.lower()}{part}"


def mark_of(address: str) -> tuple[State, float | None] | None:
    """Read the address of a mark's picture back; None when it is none."""
    scheme, _, rest = address.partition(":")
    name, _, share = rest.partition("/")
    if scheme != "mark" or name.upper() not in State.__members__:
        return None
    return State[name.upper()], int(share) / 100 if share.isdecimal() else None


def target(address: str, beginning: str) -> str:
    """Return what an address with a beginning is about; empty when it begins otherwise."""
    return unquote(address.removeprefix(beginning)) if address.startswith(beginning) else ""


def scans_in(address: str) -> tuple[str, ...]:
    """Return the rows that an address wants to be shown."""
    listed = address.removeprefix(SHOW) if address.startswith(SHOW) else ""
    return tuple(unquote(scan) for scan in listed.split(",") if scan)


def catch_up_markup(view: CatchUp, now: Tokens) -> str:
    """Return what is owed, moves, and waits for a person."""
    parts = [
        _heading("Owed", now),
        _lines(view.owed, now) if view.owed else _faint("Nothing outside lacks anything.", now),
        _heading("Moving", now),
        _lines(view.moving, now) if view.moving else _faint("Nothing is under way.", now),
    ]
    if view.troubles:
        parts += [_heading("Needs you", now), _lines(view.troubles, now)]
    if view.further:
        parts.append(_faint(f"and {count_words(view.further, 'other cause')}", now))
    return "".join(parts)


def flows_markup(rows: Sequence[FlowRow], trouble: str, now: Tokens) -> str:
    """Return the latest flow runs, and why there are none."""
    parts = [_faint(trouble, now)] if trouble else []
    shown = []
    for row in rows:
        page = _link(row.page, "open page", now) if _is_page(row.page) else ""
        shown.append(_row(mark(row.state), f"{_bold(row.title)}&nbsp; {page}",
                          [_words(row.words, now)]))  # fmt: skip
    return "".join([*parts, _table(shown) if shown else ""])


def _is_page(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def now_markup(goals: Iterable[tuple[str, State, float | None, Sequence[str]]], now: Tokens) -> str:
    """Return how it stands with each goal of a scan.

    Parameters
    ----------
    goals
        Name, mark, share, and paragraphs of each.
    now
        Colours.
    """
    rows = [
        _row(mark(state, share), _bold(title), [_words(text, now) for text in words])
        for title, state, share, words in goals
    ]
    return _heading("Now", now) + _table(rows) if rows else ""


def timeline_markup(entries: Sequence[Entry], now_s: float, now: Tokens) -> str:
    """Return the story of a scan, oldest first."""
    rows = []
    for entry in entries:
        when = f'<span style="color:{now.faint}">{escape(clock_words(entry.time_s, now_s))}</span>'
        below = [_words(entry.words, now)] if entry.words else []
        below += [_id(item, now) for item in entry.ids]
        rows.append(_row(mark(entry.state), f"{when}&nbsp; {_bold(entry.title)}", below))
    return _heading("History", now) + _table(rows) if rows else ""


def chip_markup(chip: Chip, now: Tokens) -> str:
    """Return all there is to know of a link."""
    rows = [
        f'<tr><td style="color:{now.faint}; padding-right:16px">{escape(fact.name)}</td>'
        f"<td>{_broken(fact.words)}</td></tr>"
        for fact in chip.facts
    ]
    head = _table([_row(mark(chip.state), _bold(chip.title), [escape(chip.sentence)])])
    return f'{head}<table cellspacing="0" cellpadding="3">{"".join(rows)}</table>'


def _lines(lines: Sequence[Line], now: Tokens) -> str:
    rows = []
    for line in lines:
        below = _words(line.words, now)
        if line.scans:
            address = SHOW + ",".join(quote(scan, safe="") for scan in line.scans)
            below += f" &nbsp;{_link(address, 'show', now)}"
        rows.append(_row(mark(line.state, line.share), _bold(line.title), [below]))
    return _table(rows)


def _id(item: OutsideId, now: Tokens) -> str:
    """An id: its noun, the id itself, and what can be done with it."""
    links = [_link(f"{COPY}{quote(item.text, safe='')}", "copy", now)]
    if item.page:
        links.append(_link(item.page, "open page", now))
    if item.run:
        links.append(_link(f"{LOG}{quote(item.run, safe='')}", "show log", now))
    text = f'<span style="font-family:monospace; font-size:11px">{escape(item.text)}</span>'
    noun = f'<span style="color:{now.faint}">{escape(item.noun)}</span>'
    return f"{noun} &nbsp;{' &nbsp;'.join(links)}<br>{text}"


def _row(picture: str, title: str, below: Sequence[str]) -> str:
    more = "".join(f"<br>{text}" for text in below)
    return (
        '<tr><td width="22" style="padding:5px 8px 3px 0">'
        f'<img src="{picture}" width="14" height="14"></td>'
        f'<td style="padding:3px 0 3px 0">{title}{more}</td></tr>'
    )


def _table(rows: Sequence[str]) -> str:
    return f'<table width="100%" cellspacing="0" cellpadding="0">{"".join(rows)}</table>'


def _heading(text: str, now: Tokens) -> str:
    return (
        f'<p style="color:{now.faint}; font-size:11px; '
        f'margin-top:10px; margin-bottom:2px">{escape(text)}</p>'
    )


def _faint(text: str, now: Tokens) -> str:
    return f'<p style="color:{now.faint}; margin:0">{escape(text)}</p>'


def _words(text: str, now: Tokens) -> str:
    return f'<span style="color:{now.faint}">{_broken(text)}</span>'


def _bold(text: str) -> str:
    return f'<span style="font-weight:600">{escape(text)}</span>'


def _link(address: str, words: str, now: Tokens) -> str:
    style = f"color:{now.accent}; text-decoration:none"
    return f'<a style="{style}" href="{escape(address)}">{escape(words)}</a>'


def _broken(text: str) -> str:
    return escape(text).replace("\n", "<br>")
