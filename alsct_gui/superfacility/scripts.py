"""Running scripts of this program at a place: fixed text, and data that no shell reads.

A script gets its data as one word of base64, an alphabet in which nothing has a meaning to a
shell. Its text goes up first, under a name made from its checksum, so that what runs is what
is in `resources/nersc` and another version of the program runs its own.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from alsct_gui.files.resources import resource_path
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

MAX_WORD_BYTES = 60_000
"""Longest data; Linux allows 131072 bytes for one argument."""
_LOCAL_S = 60.0


@runtime_checkable
class Scripts(Protocol):
    """Whoever runs scripts at a place; `compute.nersc.Nersc` does."""

    def run_script(self, name: str, parts: Sequence[str]) -> str:
        """Run a script of `resources/nersc` on parts of text; return what it printed.

        Raises
        ------
        RefusedError
            A part holds a zero byte, or all of them are too long.
        OutsideError
            As for every service.
        """
        ...


class HereScripts:
    """Scripts on this machine, for folders that it can change itself."""

    def run_script(self, name: str, parts: Sequence[str]) -> str:
        """Run a script; see `Scripts.run_script`."""
        command = ["bash", str(_path(name)), word_of(parts)]
        try:
            done = subprocess.run(  # noqa: S603 - the text is ours, the data one word
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=_LOCAL_S,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LinkDownError(
                f"the script does not end ({type(error).__name__})", where=f"script {name}",
                fix="See whether the disk answers",
            ) from error  # fmt: skip
        return done.stdout.decode("utf-8", "replace")


def script_bytes(name: str) -> bytes:
    """Return the text of a script: the same for everything it works on."""
    return _path(name).read_bytes()


def script_file(name: str) -> str:
    """Name of a script at a place, made from its text, so that another version is another."""
    return f"alsct-{name}-{hashlib.sha256(script_bytes(name)).hexdigest()[:16]}.sh"


def word_of(parts: Sequence[str]) -> str:
    """Return parts of text as one word of base64, each with a zero byte at its end.

    Raises
    ------
    RefusedError
        A part holds a zero byte or is no text, or all of them are too long.
    """
    try:
        data = b"".join(part.encode("utf-8") + b"\0" for part in parts)
    except UnicodeEncodeError:
        data = b""
    if not data or data.count(b"\0") != len(parts) or len(data) > MAX_WORD_BYTES:
        raise RefusedError(
            "this cannot be handed to a script: it holds a zero byte, is no text or is too long",
            where=repr(parts[-1][:200]) if parts else "script", name="hostile-path",
        )  # fmt: skip
    return base64.b64encode(data).decode("ascii")


def _path(name: str) -> Path:
    return resource_path("nersc", f"{name}.sh")
