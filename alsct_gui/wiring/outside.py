"""Clients of the services outside, each built when it is first needed.

What is not set up says so in a sentence, and stops nothing else. The libraries are imported
with the client that needs them: an agent without such goals starts without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Place, Policy
from alsct_gui.model.profile import Collection, Groups, Profile
from alsct_gui.placement.goals.base import BlockedError, Clock
from alsct_gui.superfacility.credentials import (
    GLOBUS_SECRET,
    PREFECT_SECRET,
    Credentials,
    open_secrets,
)
from alsct_gui.superfacility.proposals import ProposalGroups

if TYPE_CHECKING:
    from alsct_gui.superfacility.compute.base import Resources
    from alsct_gui.superfacility.compute.here import Here
    from alsct_gui.superfacility.compute.nersc import Nersc
    from alsct_gui.superfacility.compute.script import Site
    from alsct_gui.superfacility.compute.session import Access
    from alsct_gui.superfacility.metadata.scicat import Scicat
    from alsct_gui.superfacility.orchestrator.prefect import Prefect
    from alsct_gui.superfacility.transfer.globus import GlobusTransfer
    from alsct_gui.superfacility.transfer.globus_login import Account, Patience

T = TypeVar("T")
_Refusal = TypeVar("_Refusal", bound=AlsctError)
_KEY_FIX = "Make a key at https://iris.nersc.gov/profile and name its file in the profile"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long services may take; a beamline takes these, tests shorter ones."""

    globus_http_s: float = 20.0
    """For one read or one connection of Globus."""
    globus_call_s: float = 60.0
    """For one call of Globus, all its retries included."""
    globus_retries: int = 2
    """How often its library tries again by itself."""
    globus_backoff_s: float = 0.5
    """How long it waits before it does."""
    nersc_answer_s: float = 30.0
    """For one answer of NERSC."""
    nersc_submit_s: float = 120.0
    """For a submission or a command, which NERSC carries out as a task."""
    nersc_pause_s: float = 5.0
    """Between two looks for a job whose answer was lost."""
    scicat_answer_s: float = 20.0
    """Between two bytes of an answer of SciCat."""
    scicat_call_s: float = 60.0
    """For one call of SciCat."""


class Outside:
    """Clients of one profile; may be used from several threads.

    Parameters
    ----------
    profile
        Says where the services are and who asks.
    clock
        Seconds since 1970 UTC.
    secrets
        Where secrets are; None for those of this user, when the first is needed.
    waits
        How long services may take.
    """

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        secrets: Callable[[], Credentials] | None = None,
        waits: Waits | None = None,
    ) -> None:
        self.profile, self._clock, self._waits = profile, clock, waits or Waits()
        self._open_secrets = secrets or open_secrets
        self._lock = RLock()
        self._built: dict[str, object] = {}
        self._stack = ExitStack()

    @property
    def has_globus(self) -> bool:
        """Whether transfers by Globus are set up."""
        return bool(self.profile.globus.client_id)

    @property
    def has_nersc(self) -> bool:
        """Whether computing at NERSC is set up."""
        return bool(self.profile.nersc.key_file and self.profile.nersc.jobs_folder)

    def secrets(self) -> Credentials:
        """Where secrets are kept."""
        return self._once("secrets", self._open_secrets)

    def globus(self) -> GlobusTransfer:
        """Transfers by Globus.

        Raises
        ------
        BlockedError
            They are not set up.
        """
        if not self.has_globus:
            raise unset_globus(BlockedError)

        def build() -> GlobusTransfer:
            from alsct_gui.superfacility.transfer.globus import GlobusTransfer

            transfer = GlobusTransfer(
                self._account, clock=self._clock, patience=self._globus_patience()
            )
            self._stack.callback(transfer.close)
            return transfer

        return self._once("globus", build)

    def nersc(self) -> Nersc:
        """Computing at NERSC.

        Raises
        ------
        BlockedError
            It is not set up.
        """
        access, site = self.access(), self.site()

        def build() -> Nersc:
            from alsct_gui.superfacility.compute.nersc import Nersc

            nersc = Nersc(
                access, site, clock=self._clock,
                pause=lambda: time.sleep(self._waits.nersc_pause_s),
            )  # fmt: skip
            self._stack.callback(nersc.close)
            return nersc

        return self._once("nersc", build)

    def prefect(self) -> Prefect:
        """The orchestrator.

        Raises
        ------
        BlockedError
            It is not set up.
        """
        known = self.profile.prefect
        if not known.url:
            raise BlockedError(
                "Prefect is not set up", where="profile: prefect.url",
                fix="Enter the address of its API in the profile",
            )  # fmt: skip

        def build() -> Prefect:
            from alsct_gui.superfacility.orchestrator.prefect import Prefect, PrefectAccess

            key = self.secrets().get(PREFECT_SECRET) or ""
            return Prefect(PrefectAccess(known.url.rstrip("/"), key, pages=known.page))

        return self._once("prefect", build)

    def scicat(self) -> Scicat:
        """Records in SciCat.

        Raises
        ------
        BlockedError
            They are not set up.
        RefusedError
            The address cannot be used.
        """
        known = self.profile.scicat
        lacks = next((n for n in ("url", "pid_prefix", "contact") if not getattr(known, n)), "")
        if lacks:
            raise BlockedError(
                "SciCat is not set up", where=f"profile: scicat.{lacks}",
                fix="Enter the address of its API, the prefix of keys and a contact",
            )  # fmt: skip

        def build() -> Scicat:
            from alsct_gui.superfacility.metadata.scicat import Scicat
            from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess

            access = ScicatAccess(
                known.url, known.user, api=known.api, login=known.login, page=known.page,
                answer_s=self._waits.scicat_answer_s, call_s=self._waits.scicat_call_s,
            )  # fmt: skip
            scicat = Scicat(access, self.secrets())
            self._stack.callback(scicat.close)
            return scicat

        return self._once("scicat", build)

    def access(self, *, with_key: bool = True) -> Access:
        """Return where NERSC's API is and who asks.

        Parameters
        ----------
        with_key
            Whether it is for more than status and outages.

        Raises
        ------
        BlockedError
            There is no key in the profile.
        """
        from alsct_gui.superfacility.compute.session import Access

        known = self.profile.nersc
        if with_key and not known.key_file:
            raise BlockedError(
                "no key for NERSC is set up", where="profile: nersc.key_file", fix=_KEY_FIX
            )
        key = Path(known.key_file).expanduser() if with_key else None
        return Access(
            known.api_url, known.token_url, key, known.machine, self._waits.nersc_answer_s,
            self._waits.nersc_submit_s,
        )  # fmt: skip

    def site(self) -> Site:
        """Return how jobs run at NERSC.

        Raises
        ------
        BlockedError
            It is not said where their files lie.
        RefusedError
            A folder cannot be used.
        """
        from alsct_gui.superfacility.compute.script import Site

        known = self.profile.nersc
        if not known.jobs_folder:
            raise BlockedError(
                "there is no folder for jobs at NERSC", where="profile: nersc.jobs_folder",
                fix="Enter one on pscratch or CFS that the key's account can write",
            )  # fmt: skip
        return Site(
            known.jobs_folder, known.runtime, known.image, known.mounts, known.program,
            known.steps, known.longest_s, known.zone,
        )  # fmt: skip

    def resources(self, scan: ScanFacts) -> Resources:
        """Return what the job of a scan asks of the machine.

        Raises
        ------
        RefusedError
            It takes longer than the queue gives.
        """
        from alsct_gui.superfacility.compute.estimate import Speed, size_from, time_limit_s

        known = self.profile.nersc
        size = size_from(scan.metadata, scan.size_bytes)
        time_s = time_limit_s(size, Speed(), stage=known.stage, longest_s=known.longest_s)
        return self._resources(time_s)

    def step_resources(self, scan: ScanFacts) -> Resources:
        """Return what the job of a step may ask of the machine: the longest time of its queue.

        How much of it is asked for is told from what runs of the step took; see `steptime`.
        """
        return self._resources(self.profile.nersc.longest_s)

    def here(self, folder: Path) -> Here:
        """Return what runs steps on this workstation, in a folder for its jobs.

        Raises
        ------
        RefusedError
            The path of the folder cannot be used by jobs.
        """

        def build() -> Here:
            from alsct_gui.superfacility.compute.here import Here

            here = Here(folder, clock=self._clock)
            self._stack.callback(here.close)
            return here

        return self._once("here", build)

    def address(self, place: Place) -> str:
        """Return what Globus calls a place.

        Raises
        ------
        BlockedError
            Its collection is not in the profile, has no UUID, or does not hold its folder.
        """
        found = collection_of(self.profile, place)
        if found is None or not found.uuid:
            name = place.collection or place.name
            raise BlockedError(
                f"the collection {name} has no UUID", where="profile: collections",
                fix="Copy it from the collection's page at app.globus.org",
            )  # fmt: skip
        inner = place.root.removeprefix(found.root.rstrip("/")).strip("/")
        if place.root and not f"{place.root}/".startswith(f"{found.root.rstrip('/')}/"):
            raise BlockedError(
                f"the collection {found.name} does not hold the folder of {place.name}",
                where=place.root, fix=f"Its root is {found.root!r}: put one of them right",
            )  # fmt: skip
        return f"{found.uuid}:/{inner}"

    def close(self) -> None:
        """Close what was built."""
        with self._lock:
            self._stack.close()
            self._built.clear()

    def _resources(self, time_s: int) -> Resources:
        from alsct_gui.superfacility.compute.base import Resources

        known = self.profile.nersc
        return Resources(
            known.queue, known.account, known.constraint, time_s, known.nodes, known.cpus,
            known.memory_gb,
        )  # fmt: skip

    def _account(self) -> Account:
        from alsct_gui.superfacility.transfer.globus_login import person_account, service_account

        known, patience = self.profile.globus, self._globus_patience()
        if known.account == "person":
            return person_account(known.client_id, self.secrets(), patience)
        secret = self.secrets().get(GLOBUS_SECRET)
        if secret is None:
            raise BlockedError(
                "the secret of the Globus client is not known", where=GLOBUS_SECRET,
                fix=f"Store it: alsct agent secret {GLOBUS_SECRET}",
            )  # fmt: skip
        return service_account(known.client_id, secret, self.secrets(), patience)

    def _globus_patience(self) -> Patience:
        from alsct_gui.superfacility.transfer.globus_login import Patience

        waits = self._waits
        return Patience(
            http_s=waits.globus_http_s, call_s=waits.globus_call_s, retries=waits.globus_retries,
            backoff_s=waits.globus_backoff_s,
        )  # fmt: skip

    def _once(self, name: str, build: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._built:
                self._built[name] = build()
            return self._built[name]  # type: ignore[return-value]  # it is what `build` of that name returned


def collection_of(profile: Profile, place: Place) -> Collection | None:
    """Return the collection that a place lies in; None when it is not in the profile."""
    return next((found for found in profile.collections if found.name == place.collection), None)


def unset_globus(kind: type[_Refusal]) -> _Refusal:
    """Return the words that say that no client is named, as one of two errors."""
    return kind(
        "Globus is not set up", where="profile: globus.client_id",
        fix="Register a client with Globus and enter its id in the profile",
    )  # fmt: skip


def placed(policy: Policy, profile: Profile) -> Policy:
    """Return a policy whose places without a root have that of their collection."""
    places = []
    for place in policy.places:
        found = collection_of(profile, place)
        root = place.root or (found.root if found is not None else "")
        places.append(replace(place, root=root))
    return replace(policy, places=tuple(places))


def groups_of(groups: Groups) -> ProposalGroups:
    """Return the groups of proposals as services take them.

    Raises
    ------
    RefusedError
        The pattern is no regular expression, or the template does not fit it.
    """
    return ProposalGroups(groups.pattern, groups.group, groups.table)
