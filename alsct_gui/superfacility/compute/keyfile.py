"""The key of a Superfacility API client: a file for its owner alone.

Form: the client's id, 13 characters, on the first line and a private key below, in PEM or as a
JSON Web Key; or, with the suffix ``.json``, ``{"client_id": …, "secret": …}``.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alsct_gui.superfacility.errors import NeedsPersonError

KEYS_PAGE = "https://iris.nersc.gov/profile"
"""Where a person makes and renews keys."""
MAX_BYTES = 1 << 16
"""Largest key file that is read."""
_ID = re.compile(r"[A-Za-z0-9]{13}")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A client's id and its private key; the key is not shown when this is printed."""

    client_id: str
    """13 letters and digits."""
    secret: str | dict[str, Any] = field(repr=False)
    """PEM, or a JSON Web Key."""


def read_key(path: Path) -> ClientKey:
    """Read a key file.

    Raises
    ------
    NeedsPersonError
        It is absent, readable by others, or not of the form.
    """
    try:
        # Open first and ask what was opened, so that nothing is swapped in between.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _wrong(
            path, f"cannot be read ({error.strerror})",
            f"Make a key at {KEYS_PAGE} and put it there",
        ) from error  # fmt: skip
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _wrong(path, "is not a file", "Give the path of the key file")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise _wrong(
                path, "can be read by others", f"Run: chmod 600 {path}, and consider a new key"
            )
        text = file.read(MAX_BYTES).decode("utf-8", "replace")
    key = _parse_json(text) if path.suffix == ".json" else _parse_lines(text)
    if key is None:
        raise _wrong(
            path, "is not a key of the Superfacility API",
            "It has the client's id of 13 characters on the first line and the key below",
        )  # fmt: skip
    return key


def _parse_lines(text: str) -> ClientKey | None:
    first, _, rest = text.strip().partition("\n")
    client_id, rest = first.strip(), rest.strip()
    if _ID.fullmatch(client_id) is None:
        return None
    if rest.startswith("{"):
        web_key = _object(rest)
        return None if web_key is None else ClientKey(client_id, web_key)
    return ClientKey(client_id, rest + "\n") if rest.startswith("-----BEGIN ") else None


def _parse_json(text: str) -> ClientKey | None:
    data = _object(text)
    if data is None:
        return None
    client_id, secret = data.get("client_id"), data.get("secret")
    if not isinstance(client_id, str) or _ID.fullmatch(client_id.strip()) is None:
        return None
    if isinstance(secret, dict) or (isinstance(secret, str) and "-----BEGIN " in secret):
        return ClientKey(client_id.strip(), secret)
    return None


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _wrong(path: Path, what: str, fix: str) -> NeedsPersonError:
    return NeedsPersonError(
        f"the key file {what}", where=str(path), fix=fix, name="nersc-key", link=KEYS_PAGE
    )
