"""The chain of a beamline: a probe for every link that the profile names something for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.model.placement import Observed, ScanFacts, StateKind
from alsct_gui.model.policy import Policy, Product
from alsct_gui.model.profile import Profile, split_host
from alsct_gui.placement.goals.base import BlockedError, Clock
from alsct_gui.superfacility.health.breaker import Limits
from alsct_gui.superfacility.health.chain import Chain
from alsct_gui.superfacility.health.forecast import Forecast, Forecaster
from alsct_gui.superfacility.health.model import Health, LinkName, Probe, Reading
from alsct_gui.superfacility.health.probes import (
    SimpleProbe,
    answer_probe,
    clock_probe,
    disk_probe,
    folder_probe,
    host_probe,
    key_probe,
    page_probe,
    permission_probe,
    proposal_probe,
    writing_probe,
)
from alsct_gui.wiring.outside import Outside

if TYPE_CHECKING:
    from alsct_gui.superfacility.health.nersc import NerscStatus

SCAN_BYTES = 65_000_000_000
"""Room that a full scan takes with its reconstruction."""
_STATUS = "status/perlmutter"
"""Of NERSC's API; answers without a key."""


class Slips:
    """What the ledger shows of operators' slips: folders, proposals, rights.

    The agent's thread brings it up to date, probes read it.
    """

    def __init__(self, profile: Profile) -> None:
        self._form = re.compile(profile.naming.proposal_folder)
        self._last: ScanFacts | None = None
        self._denied: tuple[str, ...] = ()

    def update(self, observed: Observed) -> None:
        """Take in what the ledger knows."""
        scans = observed.scans.values()
        self._last = max(scans, key=lambda scan: scan.admitted_s, default=None)
        mark = f"/{Product.ACCESS}/"
        self._denied = tuple(
            key for key, record in observed.goals.items()
            if mark in key and record.state.kind is StateKind.BLOCKED
        )  # fmt: skip

    def last_scan(self) -> Path | None:
        """Path of the scan that was admitted last."""
        return Path(self._last.path) if self._last is not None else None

    def proposals(self) -> tuple[str | None, str | None]:
        """Proposal of the last scan by its folder, and by itself."""
        if self._last is None:
            return None, None
        return self._of_folder(Path(self._last.path)), self._last.proposal or None

    def denied(self) -> tuple[str, ...]:
        """Goals of access that wait for a person."""
        return self._denied

    def _of_folder(self, path: Path) -> str | None:
        for part in path.parent.parts:
            found = self._form.fullmatch(part)
            if found is not None:
                named = found.groupdict()
                return f"{named.get('prefix', '')}-{named.get('number', '')}".strip("-") or part
        return None


class Links:
    """Probes and forecast of one beamline.

    Parameters
    ----------
    outside
        Clients of the services, and the profile.
    policy
        Its places have their roots.
    slips
        What the ledger shows.
    clock
        Seconds since 1970 UTC.
    """

    def __init__(self, outside: Outside, policy: Policy, slips: Slips, clock: Clock) -> None:
        self._outside, self._policy, self._slips, self._clock = outside, policy, slips, clock
        self._status: NerscStatus | None = None

    def chain(self) -> Chain:
        """Return the chain, with a probe wherever the profile names what to look at."""
        look_s = self._outside.profile.look_s
        limits = Limits(first_s=look_s / 2, longest_s=5 * look_s)
        return Chain(self._probes(), every_s=look_s, limits=limits, clock=self._clock)

    def forecast(self) -> Callable[[], Forecast] | None:
        """Return what asks NERSC for what is to be expected."""
        if not self._policy_has("nersc"):
            return None

        def ask() -> Forecast:
            wait_s = self._wait_s if self._outside.has_nersc else None
            machine = self._outside.profile.nersc.machine
            return Forecaster(machine, self._nersc_status(), wait_s, self._clock).ask()

        return ask

    def close(self) -> None:
        """End the connection."""
        if self._status is not None:
            self._status.close()

    def _probes(self) -> Iterator[Probe]:
        profile, slips = self._outside.profile, self._slips
        hosts = profile.hosts
        for name, host in (
            (LinkName.ACQUISITION, hosts.acquisition), (LinkName.STREAM, hosts.stream),
            (LinkName.NETWORK, hosts.network),
        ):  # fmt: skip
            if host:
                yield host_probe(name, *split_host(host))
        raw = next((p.root for p in self._policy.places if p.name == self._policy.admitted), "")
        if raw:
            yield writing_probe(Path(raw))
            yield disk_probe(Path(raw), SCAN_BYTES)
            yield folder_probe(slips.last_scan, Path(raw), profile.naming.proposal_folder)
        yield proposal_probe(slips.proposals)
        yield permission_probe(slips.denied)
        if profile.prefect.url:
            url = profile.prefect.url.rstrip("/")
            yield page_probe(LinkName.ORCHESTRATOR, f"{url}/health")
        if profile.scicat.url:
            yield answer_probe(LinkName.SCICAT, profile.scicat.url)
        if self._policy_has("nersc") or self._policy_has("globus"):
            yield clock_probe(f"{profile.nersc.api_url}/{_STATUS}", clock=self._clock)
            yield SimpleProbe(LinkName.GLOBUS, self._globus)
            for name in (LinkName.SPIN, LinkName.JUPYTER, LinkName.CFS, LinkName.PERLMUTTER):
                yield SimpleProbe(name, lambda name=name: self._nersc(name))  # type: ignore[misc]
        if self._outside.has_nersc:
            yield key_probe(_Key(self._outside), clock=self._clock)

    def _nersc(self, name: LinkName) -> Reading:
        """How a link is by NERSC's own account."""
        from alsct_gui.superfacility.health.nersc import NerscProbe

        return NerscProbe(self._nersc_status(), name, self._clock).look()

    def _globus(self) -> Reading:
        """How Globus is: by NERSC's account of it, and whether it answers us."""
        said = self._nersc(LinkName.GLOBUS)
        if said.health is Health.DOWN or not self._outside.has_globus:
            return said
        try:
            self._outside.globus().count_active()
        except BlockedError as error:
            return Reading(Health.DEGRADED, error.what, error.fix)
        return said if said.health is Health.DEGRADED else Reading(Health.UP)

    def _nersc_status(self) -> NerscStatus:
        from alsct_gui.superfacility.health.nersc import NerscStatus

        if self._status is None:
            self._status = NerscStatus(self._outside.access(with_key=False))
        return self._status

    def _wait_s(self) -> float | None:
        """How long a usual job would wait now."""
        from alsct_gui.superfacility.compute.base import JobRequest

        scan = ScanFacts("0" * 64, "/usual.h5", 8_500_000_000, "")
        site = self._outside.site()
        job = JobRequest(
            "forecast", f"{site.folder}/usual.h5", f"{site.folder}/usual",
            self._outside.resources(scan),
        )  # fmt: skip
        return self._outside.nersc().wait_s(job)

    def _policy_has(self, by: str) -> bool:
        return any(lane.by == by for lane in self._policy.lanes)


class _Key:
    """Asks when the key expires, by a client that is built when it is asked."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def key_expires(self) -> float | None:
        """Seconds since 1970 UTC; None when nobody tells."""
        return self._outside.nersc().key_expires()
