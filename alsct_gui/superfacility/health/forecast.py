"""What is to be expected of a machine: how long a job would wait now, and its outages."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from alsct_gui.superfacility.errors import OutsideError
from alsct_gui.superfacility.health.judge import Outage


class StatusPage(Protocol):
    """What tells the outages of a machine; `health.nersc.NerscStatus` is one."""

    def outages(self, resource: str) -> tuple[Outage, ...]:
        """Tell the outages of a resource, active and planned."""
        ...


@dataclass(frozen=True, slots=True)
class AnnouncedOutage:
    """An outage that is on, or to come."""

    start_s: float | None
    """When it begins or began, seconds since 1970; None when that is not told."""
    end_s: float | None
    """When it ends, likewise."""
    what: str
    """As the facility describes it."""
    planned: bool
    """Whether it is still to come."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a machine says of the time to come."""

    machine: str
    """Which."""
    wait_s: float | None
    """How long a usual job would wait if it were submitted now; None when that is not known."""
    outages: tuple[AnnouncedOutage, ...]
    """Those that are on and those to come, the earliest first."""
    asked_s: float
    """When it was asked, seconds since 1970."""
    why: str = ""
    """Why something is not known, a sentence without a full stop; empty when all is."""

    def to_plain(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "outages": [asdict(outage) for outage in self.outages]}


class Forecaster:
    """Asks a machine what is to be expected; may block, so ask it from a thread.

    Parameters
    ----------
    machine
        Its name to the facility.
    page
        Where outages are told; None when nobody tells.
    wait_s
        Asks how long a usual job would wait; None without an account.
    clock
        Seconds since 1970 UTC.
    """

    def __init__(
        self,
        machine: str,
        page: StatusPage | None,
        wait_s: Callable[[], float | None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._machine, self._page, self._wait_s, self._clock = machine, page, wait_s, clock

    def ask(self) -> Forecast:
        """Ask; what cannot be asked is not known, and why is told."""
        outages: tuple[AnnouncedOutage, ...] = ()
        wait_s, whys = None, []
        if self._page is not None:
            try:
                outages = coming(self._page.outages(self._machine), self._clock())
            except OutsideError as error:
                whys.append(error.what)
        if self._wait_s is not None:
            try:
                wait_s = self._wait_s()
            except OutsideError as error:
                whys.append(error.what)
        why = "; ".join(dict.fromkeys(whys))
        return Forecast(self._machine, wait_s, outages, self._clock(), why)


def coming(outages: tuple[Outage, ...], now_s: float) -> tuple[AnnouncedOutage, ...]:
    """Return the outages that are on or to come, the earliest first."""
    found = [
        AnnouncedOutage(
            each.start, each.end, each.what, each.start is not None and each.start > now_s
        )
        for each in outages
        if each.state != "over" and (each.end is None or each.end > now_s)
    ]
    return tuple(sorted(found, key=lambda each: each.start_s or 0.0))
