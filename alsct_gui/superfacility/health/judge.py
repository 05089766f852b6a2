"""From what was measured to how a link is: pure functions.

A sentence says what is so, not how long it still is: that is in `Reading.until`, from which
whoever shows it counts. So a sentence stays the same until something happens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, OutsideError
from alsct_gui.superfacility.health.model import Health, Reading

UP = Reading(Health.UP)
HOUR_S = 3600.0
KEY_WARNINGS_H = (12, 4, 1)
"""Hours before its end at which a key is spoken of, ever more urgently."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a resource is not there."""

    start: float | None
    """Seconds since 1970 UTC; None when not told."""
    end: float | None
    """Likewise."""
    what: str
    """As the facility describes it."""
    state: Literal["planned", "active", "over"]
    """Where it stands, by the facility."""


def judge_error(error: OutsideError) -> Reading:
    """Judge a link by the error that its service gave."""
    if isinstance(error, LinkDownError):
        return Reading(Health.DOWN, error.what, error.fix, page=error.link)
    if isinstance(error, NeedsPersonError):
        return Reading(Health.DEGRADED, error.what, error.fix, page=error.link)
    return Reading(Health.DEGRADED, error.what, error.fix, page=error.link)


def judge_resource(
    status: str, notes: str, outages: Iterable[Outage], now_s: float, *, page: str = ""
) -> Reading:
    """Judge a resource of NERSC by its status and outages.

    Parameters
    ----------
    status
        active, unavailable, degraded or other.
    notes
        As NERSC tells them.
    outages
        Active and planned ones.
    now_s
        Seconds since 1970 UTC.
    page
        Where a person sees more.
    """
    known = [each for each in outages if each.state != "over"]
    on = [each for each in known if _is_on(each, now_s)]
    if status == "unavailable" or on:
        first = on[0] if on else None
        why = (first.what if first else "") or notes or "NERSC says that it is unavailable"
        until = first.end if first else None
        return Reading(
            Health.DOWN, why.rstrip("."),
            "Work goes on here; what is owed is paid when it returns", until, page,
        )  # fmt: skip
    coming = sorted(
        (each for each in known if each.start is not None and each.start > now_s),
        key=lambda each: each.start or 0.0,
    )
    if coming and (coming[0].start or 0.0) - now_s <= 24 * HOUR_S:
        start = coming[0].start or 0.0
        return Reading(
            Health.DEGRADED if status != "active" or start - now_s <= 4 * HOUR_S else Health.UP,
            f"{coming[0].what.rstrip('.') or 'An outage'} is announced",
            "Submit what has to be done before", start, page,
        )  # fmt: skip
    if status == "active":
        return UP
    if status == "degraded":
        return Reading(Health.DEGRADED, notes or "NERSC says that it is degraded", page=page)
    return Reading(Health.UNKNOWN, notes or "NERSC does not say how it is", page=page)


def judge_key(expires: float | None, now_s: float, *, page: str = "") -> Reading:
    """Judge a key by its end.

    Parameters
    ----------
    expires, now_s
        Seconds since 1970 UTC; None when nobody tells.
    page
        Where a person makes a new one.
    """
    if expires is None:
        return Reading(Health.UNKNOWN, "NERSC does not tell when the key expires", page=page)
    left_s = expires - now_s
    fix = "Make a new red key and put it in the key file"
    if left_s <= 0:
        return Reading(Health.DOWN, "The key has expired", fix, page=page)
    for hours in sorted(KEY_WARNINGS_H):
        if left_s <= hours * HOUR_S:
            why = f"The key expires within {span(hours * HOUR_S)}"
            return Reading(Health.DEGRADED, why, fix, expires, page)
    return Reading(Health.UP, until=expires)


def judge_disk(free_bytes: int, needed_bytes: int, per_scan_bytes: int) -> Reading:
    """Judge a disk by the room that is left.

    Parameters
    ----------
    free_bytes
        What is free.
    needed_bytes
        What must stay free, or the machine does not work.
    per_scan_bytes
        What a scan and its reconstruction take.
    """
    scans = max(0, free_bytes - needed_bytes) // max(1, per_scan_bytes)
    fix = "Move or delete what is safe elsewhere"
    if scans == 0:
        return Reading(Health.DOWN, "There is no room for another scan", fix)
    if scans < 10:
        return Reading(Health.DEGRADED, "There is room for fewer than 10 scans", fix)
    return UP


def judge_clock(offset_s: float | None) -> Reading:
    """Judge the clock by how far it is ahead of the world's; None when nobody tells."""
    if offset_s is None or not math.isfinite(offset_s):
        return Reading(Health.UNKNOWN, "No server tells the time")
    if abs(offset_s) < 30:
        return UP
    side = "ahead" if offset_s > 0 else "behind"
    health = Health.DOWN if abs(offset_s) >= 300 else Health.DEGRADED
    least_s = 300 if health is Health.DOWN else 30
    return Reading(
        health, f"This machine's clock is more than {span(least_s)} {side}",
        "Have the time synchronised (timedatectl)",
    )  # fmt: skip


def judge_quiet(last: float | None, now_s: float, expected_s: float, what: str) -> Reading:
    """Judge a source by when it was last heard of.

    Parameters
    ----------
    last, now_s
        Seconds since 1970 UTC; None when never.
    expected_s
        Longest time between two signs of life.
    what
        The source, with its article: ``The frame stream``.
    """
    if last is None:
        return Reading(Health.UNKNOWN, f"{what} has not been heard of yet")
    quiet_s = now_s - last
    if quiet_s <= expected_s:
        return UP
    health = Health.DOWN if quiet_s > 3 * expected_s else Health.DEGRADED
    least_s = 3 * expected_s if health is Health.DOWN else expected_s
    return Reading(
        health, f"{what} has been quiet for more than {span(least_s)}", "See whether it runs"
    )  # fmt: skip


def judge_folder(folder: str, *, matches: bool, inside: bool) -> Reading:
    """Judge the folder that scans are written to: an operator's slip.

    Parameters
    ----------
    folder
        Its name, for words.
    matches
        Whether it is named as a proposal's folder.
    inside
        Whether it lies in the folder of raw data.
    """
    if matches and inside:
        return UP
    where = "has not the form of a proposal's" if inside else "lies outside the raw data"
    return Reading(
        Health.DEGRADED, f"The folder {folder!r} {where}",
        "See whether the acquisition writes where it should",
    )  # fmt: skip


def judge_proposal(of_folder: str | None, of_scan: str | None) -> Reading:
    """Judge whether folder and scan name one proposal; None where one names none."""
    if of_folder is None or of_scan is None:
        where = "folder" if of_folder is None else "scan"
        return Reading(
            Health.UNKNOWN, f"The {where} names no proposal", "Enter the proposal at the beamline"
        )
    if of_folder.casefold() == of_scan.casefold():
        return UP
    return Reading(
        Health.DOWN, f"The folder is of {of_folder}, the scan of {of_scan}",
        "Put it right before data are given to anybody",
    )  # fmt: skip


def span(seconds: float) -> str:
    """A span of time as people say it: minutes up to two hours, hours up to two days, days."""
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR_S:.0f} h" if seconds < 48 * HOUR_S else f"{seconds / 86400:.0f} days"


def _is_on(outage: Outage, now_s: float) -> bool:
    if outage.end is not None and outage.end <= now_s:
        return False
    if outage.state == "active":
        return True
    return outage.start is not None and outage.start <= now_s
