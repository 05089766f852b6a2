"""Beamline profiles: those that come with the program, and anybody's own."""

from __future__ import annotations

import re
from pathlib import Path

from alsct_gui.files.plaintext import read_plain
from alsct_gui.files.resources import named_or_path, resource_names
from alsct_gui.model.codec import from_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.profile import Profile, split_host


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with the program."""
    return resource_names("profiles")


def load_profile(source: str | Path = "als-8.3.2") -> Profile:
    """Load a profile by its name, or from a YAML or JSON file.

    Raises
    ------
    RecipeError
        There is no such profile, or a setting is wrong (named by its path).
    """
    path = named_or_path("profiles", source)
    if path is None:
        raise RecipeError(f"there is no profile {str(source)[:80]!r}",
                          fix=f"Take one of {', '.join(profile_names())}, or a path")  # fmt: skip
    profile = from_plain(Profile, read_plain(path), where="profile")
    for name in ("proposal_folder", "raw_file", "tile_suffix"):
        try:
            re.compile(getattr(profile.naming, name))
        except re.error as error:
            raise RecipeError(f"is no regular expression: {error}",
                              where=f"profile.naming.{name}") from error  # fmt: skip
    _check_addresses(profile)
    _check_ways(profile)
    return profile


def _check_ways(profile: Profile) -> None:
    """Check that ways to people can be told from each other."""
    notify = profile.notify
    names = [*(hook.name for hook in notify.webhooks), *(mail.name for mail in notify.mails)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RecipeError(f"{twice[:80]!r} is there twice", where="profile.notify",
                          fix="Give each way a name of its own")  # fmt: skip


def _check_addresses(profile: Profile) -> None:
    """Check that addresses are such, so that nothing fails later that only looks at them."""
    pages = {
        "nersc.api_url": profile.nersc.api_url, "nersc.token_url": profile.nersc.token_url,
        "scicat.url": profile.scicat.url, "prefect.url": profile.prefect.url,
    }  # fmt: skip
    for name, url in pages.items():
        if url and not url.startswith(("https://", "http://")):
            raise RecipeError(
                f"{url[:80]!r} is no address", where=f"profile.{name}", fix="Begin it with https://"
            )
    for name in ("acquisition", "stream", "network"):
        host = getattr(profile.hosts, name)
        try:
            if host:
                split_host(host)
        except ValueError as error:
            raise RecipeError(
                str(error), where=f"profile.hosts.{name}", fix="Write it as host:port"
            ) from error
