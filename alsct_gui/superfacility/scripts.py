"""Running scripts of this program at a place: fixed text, and data that no shell reads.

A script gets its data as one word of base64, an alphabet in which nothing has a meaning to a
shell. Its text goes up first, under a name made from its checksum, so that what runs is what
is in `resources/nersc` and an older version of the program runs its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
from collections.abc import Sequence
from typing import Any, Protocol

from alsct_gui.files.resources import resource_path
from alsct_gui.superfacility.compute.base import SAFE_PATH
from alsct_gui.superfacility.compute.session import Access, Session
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

MAX_WORD_BYTES = 60_000
"""Longest word of data; Linux allows 131072 bytes for one argument."""
_LOCAL_S = 60.0


class Scripts(Protocol):
    """Whoever runs scripts at a place."""

    def run(self, name: str, parts: Sequence[str]) -> str:
        """Run a script of `resources/nersc` on parts of text; return what it printed.

        Raises
        ------
        RefusedError
            A part holds a zero byte, or all of them are too long.
        OutsideError
            As for every service.
        """
        ...


class NerscScripts:
    """Scripts at NERSC, through the Superfacility API.

    Parameters
    ----------
    access
        Where the service is and who asks.
    folder
        Where the scripts are put; of the closed alphabet of `compute.base.SAFE_PATH`.

    Raises
    ------
    RefusedError
        The folder is not usable.
    """

    def __init__(self, access: Access, folder: str) -> None:
        if SAFE_PATH.fullmatch(folder) is None:
            raise RefusedError(
                f"{folder[:200]!r} is not a folder that scripts can use", where="profile",
                fix="Give an absolute path of letters, digits, '_', '-' and '.'",
                name="unsafe-path",
            )  # fmt: skip
        self._session, self._access, self._folder = Session(access), access, folder
        self._there: set[str] = set()

    def run(self, name: str, parts: Sequence[str]) -> str:
        """Run a script; see `Scripts.run`."""
        word, text = word_of(parts), _text(name)
        path = f"{self._folder}/alsct-{hashlib.sha256(text).hexdigest()[:16]}.sh"
        if path not in self._there:
            self._command(f"mkdir -p -- {self._folder}")
            self._upload(path, text)
            self._there.add(path)
        return self._command(f"bash {path} {word}")

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def _command(self, words: str) -> str:
        async def run(client: Any) -> str:
            compute = await client.compute(self._access.machine)
            task = await compute.run_task(words)
            await task
            return "" if task.result is None else str(task.result.output or "")

        return self._session.call("command", run, self._access.submit_s)

    def _upload(self, path: str, content: bytes) -> None:
        async def put(client: Any) -> Any:
            answer = await client.put(
                f"utilities/upload/{self._access.machine}/{path}",
                files={"file": ("upload", io.BytesIO(content))},
            )
            return answer.json()

        answer = self._session.call("upload", put)
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            said = answer.get("error") if isinstance(answer, dict) else answer
            raise RefusedError(
                f"NERSC does not take the script: {str(said)[:300]}", where=path,
                fix="See whether the profile's folder exists and has room", name="upload-failed",
            )  # fmt: skip


class HereScripts:
    """Scripts on this machine, for folders that it can change itself."""

    def run(self, name: str, parts: Sequence[str]) -> str:
        """Run a script; see `Scripts.run`."""
        command = ["bash", str(resource_path("nersc", f"{name}.sh")), word_of(parts)]
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


def _text(name: str) -> bytes:
    return resource_path("nersc", f"{name}.sh").read_bytes()
