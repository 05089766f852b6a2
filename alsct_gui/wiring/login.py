"""A person's login to Globus, with the consents that the places of a policy want."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import GoalKey, Observed, StateKind
from alsct_gui.model.policy import Policy
from alsct_gui.model.profile import Profile
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.superfacility.credentials import GLOBUS_SECRET, Credentials
from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.health.model import LinkName
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience, person_account
from alsct_gui.superfacility.transfer.globus_request import parse_place
from alsct_gui.superfacility.transfer.globus_words import ConsentError
from alsct_gui.wiring.outside import Outside, placed, unset_globus

if TYPE_CHECKING:
    from globus_sdk import TransferClient


@dataclass(frozen=True, slots=True)
class Reached:
    """A place that was looked at after the login."""

    place: str
    """Its name in the policy."""
    trouble: str = ""
    """Why it cannot be used, a sentence; empty when it can."""


def log_in(
    profile: Profile,
    policy: Policy,
    credentials: Credentials,
    *,
    open_page: Callable[[str], None] | None = None,
    ask_code: Callable[[str], str] | None = None,
    patience: Patience | None = None,
) -> tuple[Reached, ...]:
    """Have a person log in, and agree to what the collections of the places ask for.

    Parameters
    ----------
    profile
        Names the client, and the collections.
    policy
        Its places are looked at afterwards.
    credentials
        Where the tokens are kept; the agent reads them there.
    open_page
        Opens a page in the browser.
    ask_code
        Shows an address and returns the code from it, where there is no browser.
    patience
        How long Globus and the person may take.

    Raises
    ------
    UsageError
        No client is named, or it is the beamline's own, which needs no person.
    NeedsPersonError
        Nobody logged in, or Globus said no.
    LinkDownError
        Globus cannot be reached.
    """
    known, waits = profile.globus, patience or Patience()
    if not known.client_id:
        raise unset_globus(UsageError)
    if known.account != "person":
        raise UsageError(
            "the beamline's own client logs in by itself", where="profile: globus.account",
            fix=f"If it is not accepted, renew its secret: alsct agent secret {GLOBUS_SECRET}",
        )  # fmt: skip
    transfer = GlobusTransfer(
        lambda: person_account(
            known.client_id, credentials, waits, open_page=open_page, ask_code=ask_code
        ),
        patience=waits,
    )  # fmt: skip
    addresses = _addresses(profile, policy)
    with closing(transfer):
        transfer.login()
        reached, scopes = _look(transfer, addresses)
        if scopes:
            transfer.login(scopes)
            reached, _ = _look(transfer, addresses)
    return reached


def waits_for_login(observed: Observed, policy: Policy) -> list[str]:
    """Return the goals that are blocked at places which Globus leads to; a login may help them."""
    through = {place.name for place in policy.places if LinkName.GLOBUS in place.links}
    return [
        key for key, record in observed.goals.items()
        if record.state.kind is StateKind.BLOCKED and GoalKey.parse(key).place in through
    ]  # fmt: skip


def _addresses(profile: Profile, policy: Policy) -> dict[str, str]:
    """What Globus calls each place; those whose collection is not set up are left out."""
    outside = Outside(profile, time.time)
    found = {}
    for place in placed(policy, profile).places:
        try:
            if place.collection:
                found[place.name] = outside.address(place)
        except BlockedError:
            continue
    return found


def _look(
    transfer: GlobusTransfer, addresses: dict[str, str]
) -> tuple[tuple[Reached, ...], list[str]]:
    """List every place once; which can be used, and which scopes are lacking."""
    reached: list[Reached] = []
    scopes: set[str] = set()
    for name, address in addresses.items():
        collection, base = parse_place(address)

        def read(client: TransferClient, at: str = collection, folder: str = base) -> object:
            return client.operation_ls(at, folder or "/", limit=1)

        try:
            transfer.ask(name, read)
            reached.append(Reached(name))
        except ConsentError as error:
            scopes.update(error.scopes)
            reached.append(Reached(name, error.sentence))
        except RefusedError as error:
            reached.append(Reached(name, error.sentence))
    return tuple(reached), sorted(scopes)
