"""The chain: looks at each link when it is due, leaves alone what fails, keeps what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

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


class Chain:
    """All links; may be used from several threads, and has none of its own.

    Parameters
    ----------
    probes
        At most one for each link; links without one are unknown.
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
        self._links = {link.name: fold(None, link, UNSEEN, now_s) for link in LINKS}

    def look(self) -> tuple[LinkHealth, ...]:
        """Look at the links that are due, one after the other; returns all of them."""
        for name, probe in self._probes.items():
            now_s = self._clock()
            with self._lock:
                if self._due.get(name, now_s) > now_s or not self._breakers[name].allows(now_s):
                    continue
                self._due[name] = now_s + self._every_s
                self._breakers[name] = self._breakers[name].asked(now_s)
            self._take(name, probe.look())
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
        """Take in what somebody met who used the link: news that no probe had to fetch."""
        self._take(name, reading)

    def _take(self, name: LinkName, reading: Reading) -> None:
        now_s = self._clock()
        with self._lock:
            breaker = self._breakers[name]
            if reading.health in (Health.UP, Health.DEGRADED):
                self._breakers[name] = breaker.succeeded()
            elif reading.health is Health.DOWN or breaker.position is not Position.CLOSED:
                self._breakers[name] = breaker.failed(now_s)
            self._links[name] = fold(self._links[name], LINK[name], reading, now_s)
