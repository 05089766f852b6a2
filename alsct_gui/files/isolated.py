"""Work done in a process of its own, which may hang or crash without harm.

HDF5 and the libraries beneath it are C: a damaged file can make them loop for ever while
they hold the interpreter's lock, or end the process. Nothing inside the process can stop
that, so whatever comes in unseen is looked at from here first.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


class WorkerLostError(Exception):
    """The process hung or crashed; the text says which."""


def run_module(module: str, arguments: Sequence[str], *, silence_s: float) -> bytes:
    """Run a module of this program in a fresh interpreter; see `run_isolated`."""
    known = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([str(_PACKAGE_FOLDER), *([known] if known else [])])
    command = [sys.executable, "-m", module, *arguments]
    return run_isolated(command, silence_s=silence_s, environment={"PYTHONPATH": search})


def run_isolated(
    command: Sequence[str], *, silence_s: float, environment: dict[str, str] | None = None
) -> bytes:
    """Run a command and return what it printed.

    Parameters
    ----------
    command
        Program and arguments; it prints something at least every `silence_s` seconds.
    silence_s
        How long it may say nothing before it is taken for hung and ended.
    environment
        Variables beside those of this process.

    Raises
    ------
    WorkerLostError
        It hung, or did not end with exit code 0.
    """
    with subprocess.Popen(  # noqa: S603 (the command is ours, the path one argument)
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
    ) as process:  # fmt: skip
        try:
            printed = _listen(process, silence_s)
        except BaseException:
            process.kill()
            raise
        try:
            code = process.wait(timeout=silence_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise WorkerLostError("it did not end") from error
    if code != 0:
        raise WorkerLostError(f"it crashed with code {code}")
    return printed


def _listen(process: subprocess.Popen[bytes], silence_s: float) -> bytes:
    """Collect what a process prints until it closes its output."""
    if process.stdout is None:
        raise WorkerLostError("it has no output")
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        deadline = monotonic() + silence_s
        while selector.select(max(0.0, deadline - monotonic())):
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
            deadline = monotonic() + silence_s
    raise WorkerLostError(f"it said nothing for {silence_s:g} s")
