"""What NERSC says of the time to come: the wait in the queue, and its outages. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alsct_gui.ui.words import clock_words, left_words

NOTE = "nersc-forecast"
"""Name of the note in the ledger."""
_WORDS_KEPT = 300
_OUTAGES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a machine is not there."""

    start_s: float | None
    """Seconds since 1970; None when not told."""
    end_s: float | None
    """Likewise."""
    what: str
    """As the facility describes it."""
    planned: bool
    """Whether it was announced."""

    def is_on(self, now_s: float) -> bool:
        """Whether it has begun and has not ended."""
        begun = self.start_s is None or self.start_s <= now_s
        return begun and (self.end_s is None or self.end_s > now_s)

    def is_over(self, now_s: float) -> bool:
        """Whether it has ended."""
        return self.end_s is not None and self.end_s <= now_s


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was answered last."""

    machine: str
    """Which machine, such as ``perlmutter``."""
    wait_s: float | None
    """How long a job would wait before it starts; None when nobody says."""
    outages: tuple[Outage, ...]
    """On and to come, the next first."""
    asked_s: float
    """When it was asked, seconds since 1970."""
    why: str = ""
    """Why something is not known; empty when all is."""


def forecast_of(note: Any) -> Forecast | None:
    """Read the note; None when there is none, what makes no sense in it is left out."""
    if not isinstance(note, Mapping):
        return None
    rows = note.get("outages")
    found = [_outage(row) for row in (rows if isinstance(rows, list) else [])[:_OUTAGES_KEPT]]
    known = sorted((o for o in found if o is not None), key=lambda o: o.start_s or 0.0)
    asked_s = _seconds(note.get("asked_s"))
    return Forecast(
        str(note.get("machine") or "")[:40], _seconds(note.get("wait_s")), tuple(known),
        asked_s if asked_s is not None else 0.0, str(note.get("why") or "")[:_WORDS_KEPT],
    )  # fmt: skip


def outage_words(outage: Outage, now_s: float) -> str:
    """Say an outage: “18 Jun 07:00 to 20:00: monthly maintenance”, “until 18:00: …”."""
    what = outage.what.rstrip(".") or ("maintenance" if outage.planned else "an outage")
    if outage.is_on(now_s):
        if outage.end_s is None:
            return f"Now, end not known: {what}"
        left = left_words(outage.end_s - now_s)
        return f"Now, until {clock_words(outage.end_s, now_s)} ({left} left): {what}"
    start = clock_words(outage.start_s, now_s) if outage.start_s is not None else "not known"
    end = f" to {clock_words(outage.end_s, outage.start_s or now_s)}" if outage.end_s else ""
    coming = f", in {left_words(outage.start_s - now_s)}" if outage.start_s else ""
    return f"{start}{end}{coming}: {what}"


def calendar(outages: Sequence[Outage], now_s: float) -> tuple[str, ...]:
    """Say all outages that are on or to come, a line each."""
    return tuple(outage_words(o, now_s) for o in outages if not o.is_over(now_s))


def next_outage(outages: Sequence[Outage], now_s: float, within_s: float) -> Outage | None:
    """Return the outage that is on, or the first that begins within a time."""
    for outage in outages:
        if outage.is_over(now_s):
            continue
        if outage.is_on(now_s) or (outage.start_s or now_s) - now_s <= within_s:
            return outage
    return None


def _outage(row: Any) -> Outage | None:
    if not isinstance(row, Mapping):
        return None
    what = " ".join(str(row.get("what") or "").split())[:_WORDS_KEPT]
    start_s, end_s = _seconds(row.get("start_s")), _seconds(row.get("end_s"))
    if start_s is None and end_s is None and not what:
        return None
    return Outage(start_s, end_s, what, row.get("planned") is True)


def _seconds(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and math.isfinite(value) and value >= 0 else None
