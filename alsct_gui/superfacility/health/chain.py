"""The chain: looks at each link when it is due, leaves alone what fails, keeps what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from alsct_gui.superfacility.health.breaker import Breaker, Limits, Position
from alsct_gui.superfacility.health.model import (
    LINK,
    LINKS,
    Health,
    LinkHealth,
    LinkName,
    Probe,
    Reading,
    fold,
)

UNSEEN = Reading(Health.UNKNOWN, "Nobody looks at it here", "Name it in the profile")
AGAIN = Reading(Health.UNKNOWN, "It has failed, and is tried again")
NOT_YET = Reading(Health.UNKNOWN, "It has not been looked at yet")


class Chain:
    """All links; may be used from several threads, and has none of its own.

    A link is down when a probe finds it so, or when work has met it down so often that its
    breaker is open. While it is, a probe that cannot tell changes nothing.

    Parameters
    ----------
    probes
        At most one for each link; links without one are known by the work that uses them.
    every_s
        How often a link is looked at.
    limits
        Of the breakers.
    clock
        Seconds since 1970 UTC.
    """

    def __init__(
        self,
        probes: Iterable[Probe],
        *,
        every_s: float = 60.0,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._probes = {probe.name: probe for probe in probes}
        self._every_s, self._clock = every_s, clock
        self._lock = threading.Lock()
        limits = limits or Limits()
        self._breakers = {link.name: Breaker(limits) for link in LINKS}
        self._due: dict[LinkName, float] = {}
        now_s = clock()
        self._links = {
            link.name: fold(None, link, NOT_YET if link.name in self._probes else UNSEEN, now_s)
            for link in LINKS
        }

    def look(self) -> tuple[LinkHealth, ...]:
        """Look at the links that are due, one after the other; returns all of them."""
        for name, probe in self._probes.items():
            now_s = self._clock()
            with self._lock:
                if self._due.get(name, now_s) > now_s or not self._breakers[name].allows(now_s):
                    continue
                self._due[name] = now_s + self._every_s
                self._breakers[name] = self._breakers[name].asked(now_s)
            self._take(name, _look(probe))
        self._let_through()
        return self.links()

    def links(self) -> tuple[LinkHealth, ...]:
        """All links as they were found last, in the order of the chain."""
        with self._lock:
            return tuple(self._links[link.name] for link in LINKS)

    def health(self) -> Mapping[LinkName, Health]:
        """Health by link, as a decision needs it."""
        return {item.link.name: item.reading.health for item in self.links()}

    def allows(self, name: LinkName) -> bool:
        """Whether work may use a link now: it is not known to be down."""
        with self._lock:
            down = self._links[name].reading.health is Health.DOWN
            return not down and self._breakers[name].allows(self._clock())

    def tell(self, name: LinkName, reading: Reading) -> None:
        """Take in what work met that used the link: news that no probe had to fetch.

        One failure of work is no outage: the link counts as degraded until its breaker opens.
        """
        with self._lock:
            breaker = self._breakers[name]
            first = reading.health is Health.DOWN and breaker.position is Position.CLOSED
            if first and breaker.failures + 1 < breaker.limits.failures:
                self._breakers[name] = breaker.failed(self._clock())
                if self._links[name].reading.health is not Health.DOWN:
                    self._fold(name, replace(reading, health=Health.DEGRADED))
                return
        self._take(name, reading)

    def worked(self, name: LinkName) -> None:
        """Take in that work has gone through a link: what failed before was no outage."""
        with self._lock:
            breaker, down = self._breakers[name], self._links[name].reading.health is Health.DOWN
            if breaker.failures and not down:
                self._breakers[name] = breaker.succeeded()
                self._fold(name, Reading(Health.UP))

    def _let_through(self) -> None:
        """Let work try links that nobody looks at, once they were left alone long enough."""
        now_s = self._clock()
        with self._lock:
            for name, breaker in self._breakers.items():
                if name in self._probes or breaker.position is not Position.OPEN:
                    continue
                if breaker.allows(now_s):
                    self._breakers[name] = breaker.asked(now_s)
                    self._fold(name, AGAIN)

    def _take(self, name: LinkName, reading: Reading) -> None:
        now_s = self._clock()
        with self._lock:
            breaker = self._breakers[name]
            opened = breaker.position is not Position.CLOSED
            if reading.health in (Health.UP, Health.DEGRADED):
                self._breakers[name] = breaker.succeeded()
            elif reading.health is Health.DOWN or opened:
                self._breakers[name] = breaker.failed(now_s)
            if reading.health is Health.UNKNOWN and opened:
                reading = self._links[name].reading  # what is not known does not make it well
            self._fold(name, reading)

    def _fold(self, name: LinkName, reading: Reading) -> None:
        self._links[name] = fold(self._links[name], LINK[name], reading, self._clock())


def _look(probe: Probe) -> Reading:
    """Look at a link; a mistake in a probe is a reading, and stops no other probe."""
    try:
        return probe.look()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        return Reading(
            Health.UNKNOWN, f"A mistake in the program ({type(error).__name__}: {error})",
            "Report it with the agent's log",
        )  # fmt: skip
