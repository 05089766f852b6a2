"""Looks at the links: each measures one thing and has it judged."""

from __future__ import annotations

import email.utils
import os
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alsct_gui.superfacility.errors import OutsideError
from alsct_gui.superfacility.health.judge import (
    UP,
    judge_clock,
    judge_disk,
    judge_error,
    judge_folder,
    judge_key,
    judge_proposal,
    judge_quiet,
)
from alsct_gui.superfacility.health.model import Health, LinkName, Reading

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class SimpleProbe:
    """A link and a function that looks at it: measuring and judging in one call."""

    name: LinkName
    """Which link."""
    measure: Callable[[], Reading]
    """Looks; raises nothing but `OutsideError`."""

    def look(self) -> Reading:
        """Look; a service's error is a reading, too."""
        try:
            return self.measure()
        except OutsideError as error:
            return judge_error(error)


def host_probe(name: LinkName, host: str, port: int, timeout_s: float = 3.0) -> SimpleProbe:
    """Whether somebody listens: for the acquisition system, the stream and the network."""

    def measure() -> Reading:
        try:
            socket.create_connection((host, port), timeout_s).close()
        except OSError as error:
            said = error.strerror or str(error) or type(error).__name__
            return Reading(
                Health.DOWN, f"Nobody answers at {host}:{port} ({said})",
                "See whether it runs and the network is up",
            )  # fmt: skip
        return UP

    return SimpleProbe(name, measure)


def page_probe(name: LinkName, url: str, timeout_s: float = 5.0) -> SimpleProbe:
    """Whether a service answers: for the orchestrator (``…/api/health``) and the like.

    Raises
    ------
    ValueError
        The address is not of http or https.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not an address of a service: {url!r}")

    def measure() -> Reading:
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - see above
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            return Reading(
                Health.DOWN if error.code >= 500 else Health.DEGRADED,
                f"It answers with HTTP {error.code}", "See its own log", page=url,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            return Reading(
                Health.DOWN, f"It does not answer ({reason})", "See whether it runs", page=url
            )
        return UP

    return SimpleProbe(name, measure)


def answer_probe(name: LinkName, url: str, timeout_s: float = 5.0) -> SimpleProbe:
    """Whether a service answers at all, be it with a refusal: for one that wants a login.

    Raises
    ------
    ValueError
        The address is not of http or https.
    """
    asked = page_probe(name, url, timeout_s)

    def measure() -> Reading:
        reading = asked.look()
        return UP if reading.health is Health.DEGRADED else reading

    return SimpleProbe(name, measure)


def sign_probe(
    name: LinkName, last: Callable[[], float | None], expected_s: float, what: str,
    clock: Clock = time.time,
) -> SimpleProbe:  # fmt: skip
    """Whether something was heard of lately: for the stream and the writing of files.

    Parameters
    ----------
    name
        Which link.
    last
        When there was a sign of it, seconds since 1970 UTC; None for never.
    expected_s
        Longest time between two signs.
    what
        The source, with its article.
    clock
        Seconds since 1970 UTC.
    """
    return SimpleProbe(name, lambda: judge_quiet(last(), clock(), expected_s, what))


def disk_probe(folder: Path, per_scan_bytes: int, needed_bytes: int = 2 << 30) -> SimpleProbe:
    """Whether there is room for scans."""

    def measure() -> Reading:
        try:
            free_bytes = shutil.disk_usage(folder).free
        except OSError as error:
            why = f"The folder {str(folder)!r} cannot be looked at ({error.strerror})"
            return Reading(Health.UNKNOWN, why, "See whether it is mounted")
        return judge_disk(free_bytes, needed_bytes, per_scan_bytes)

    return SimpleProbe(LinkName.DISK, measure)


def writing_probe(folder: Path) -> SimpleProbe:
    """Whether files can be written where scans arrive, by the file system's own account."""

    def measure() -> Reading:
        if not folder.is_dir():
            return Reading(Health.DOWN, f"There is no folder {str(folder)!r}", "Mount or make it")
        if not os.access(folder, os.W_OK | os.X_OK):
            return Reading(
                Health.DOWN, f"Nothing can be written in {str(folder)!r}",
                "See who owns it and whether it is mounted read-only",
            )  # fmt: skip
        return UP

    return SimpleProbe(LinkName.WRITING, measure)


def clock_probe(url: str, timeout_s: float = 5.0, clock: Clock = time.time) -> SimpleProbe:
    """Whether this machine's time is right, by the date of a server's answer.

    Raises
    ------
    ValueError
        The address is not of http or https.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not an address of a service: {url!r}")

    def measure() -> Reading:
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - see above
                date = answer.headers.get("Date")
        except urllib.error.HTTPError as error:
            date = error.headers.get("Date")
            error.close()
        except (OSError, ValueError):
            return judge_clock(None)
        return judge_clock(offset_s(date, clock()))

    return SimpleProbe(LinkName.CLOCK, measure)


def offset_s(date: str | None, now_s: float) -> float | None:
    """How far this machine is ahead of a ``Date`` header; None for what is no date."""
    try:
        return now_s - email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


class KeyHolder(Protocol):
    """What knows when the key expires; `compute.nersc.Nersc` is one."""

    def key_expires(self) -> float | None:
        """Seconds since 1970 UTC; None when nobody tells."""
        ...


def key_probe(holder: KeyHolder, page: str = "", clock: Clock = time.time) -> SimpleProbe:
    """Whether the key lasts."""
    return SimpleProbe(LinkName.KEY, lambda: judge_key(holder.key_expires(), clock(), page=page))


def folder_probe(last_scan: Callable[[], Path | None], raw: Path, pattern: str) -> SimpleProbe:
    """Whether the last scan lies in a proposal's folder.

    Parameters
    ----------
    last_scan
        Path of the last scan; None before the first.
    raw
        Folder of raw data.
    pattern
        Form of a proposal's folder, a regular expression from the profile.
    """
    form = re.compile(pattern)

    def measure() -> Reading:
        path = last_scan()
        if path is None:
            return Reading(Health.UNKNOWN, "There is no scan yet")
        matches = any(form.fullmatch(part) for part in path.parent.parts)
        return judge_folder(path.parent.name, matches=matches, inside=path.is_relative_to(raw))

    return SimpleProbe(LinkName.FOLDER, measure)


def proposal_probe(named: Callable[[], tuple[str | None, str | None]]) -> SimpleProbe:
    """Whether folder and scan name one proposal; ``named`` tells the two."""
    return SimpleProbe(LinkName.PROPOSAL, lambda: judge_proposal(*named()))


def permission_probe(denied: Callable[[], tuple[str, ...]]) -> SimpleProbe:
    """Whether data are where their owners see them; ``denied`` tells what could not be opened."""

    def measure() -> Reading:
        places = denied()
        if not places:
            return UP
        return Reading(
            Health.DEGRADED, f"{len(places)} places refuse access, the first is {places[0]!r}",
            "See group and access list of that folder",
        )  # fmt: skip

    return SimpleProbe(LinkName.PERMISSIONS, measure)
