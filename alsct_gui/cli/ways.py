"""Commands of `alsct agent` about its ways to others: secrets, logins, people to be told."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from alsct_gui.cli.console import err, out
from alsct_gui.cli.ledgers import (
    LedgerOption,
    PolicyOption,
    ProfileOption,
    ledger_path,
    open_ledger,
)
from alsct_gui.model.errors import UsageError

if TYPE_CHECKING:
    from alsct_gui.superfacility.credentials import Credentials

_TELL_S = 60.0


def secret(
    name: Annotated[str, typer.Argument(help="globus-client, scicat, or notify-NAME.")],
    forget: Annotated[bool, typer.Option("--forget", help="Take it away.")] = False,
) -> None:
    """Store a secret that the agent logs in with; it is read from the input."""
    secrets = _secrets()
    if forget:
        secrets.remove(name)
        return
    text = typer.prompt("secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    if not text.strip():
        raise UsageError("the secret is empty", where=name, fix="Type it, or pipe it in")
    secrets.put(name, text.strip())


def login(
    code: Annotated[
        bool, typer.Option("--code", help="Without a browser: shows an address, asks for a code.")
    ] = False,
    ledger: LedgerOption = None,
    policy: PolicyOption = "als-8.3.2",
    profile: ProfileOption = "als-8.3.2",
) -> None:
    """Log in to Globus as a person, agree to what places ask for, and try again what waited."""
    import webbrowser

    from alsct_gui.files.profiles import load_profile
    from alsct_gui.placement.asking import ask_of_goals
    from alsct_gui.placement.policy import load_policy
    from alsct_gui.wiring.login import log_in, waits_for_login

    def open_page(address: str) -> None:
        out.print(f"Log in at\n{address}", markup=False, soft_wrap=True)
        webbrowser.open(address)

    def ask_code(address: str) -> str:
        out.print(f"Log in at\n{address}", markup=False, soft_wrap=True)
        return str(typer.prompt("code"))

    wanted, secrets = load_policy(policy), _secrets()
    reached = log_in(
        load_profile(profile), wanted, secrets,
        open_page=None if code else open_page, ask_code=ask_code if code else None,
    )  # fmt: skip
    for place in reached:
        out.print(f"{place.place}: {place.trouble or 'can be used'}", markup=False)
    if ledger_path(ledger).exists():
        with open_ledger(ledger) as opened:
            if keys := waits_for_login(opened.observed(), wanted):
                ask_of_goals(opened, "retry", keys)
    out.print("Logged in.")


def tell(profile: ProfileOption = "als-8.3.2") -> int:
    """Send a trial message by every way to people that the profile names."""
    from alsct_gui.files.profiles import load_profile
    from alsct_gui.model.message import Message
    from alsct_gui.superfacility.credentials import open_secrets
    from alsct_gui.superfacility.notify.post import Post, ways_of

    ways = ways_of(load_profile(profile).notify, open_secrets)
    if not ways:
        raise UsageError("the profile names nobody to tell", where=profile,
                         fix="See docs/notifications.md")  # fmt: skip
    with Post(ways) as post:
        message = Message("A trial", "The agent will tell what is grave by this way.", time.time())
        for way in ways:
            post.put(way, message)
        post.settle(_TELL_S * len(ways))
        found = {outcome.way: outcome.why for outcome in post.outcomes()}
    for way in ways:
        why = found.get(way, f"no answer within {_TELL_S:g} s")
        out.print(f"{way}: {why or 'sent'}", style="red" if why else None, markup=False)
    return 1 if any(found.get(way, "late") for way in ways) else 0


def _secrets() -> Credentials:
    """Open the secrets, and say what a person should know of where they are."""
    from alsct_gui.superfacility.credentials import open_secrets

    secrets = open_secrets()
    if secrets.warning:
        err.print(secrets.warning, style="yellow", markup=False)
    return secrets
