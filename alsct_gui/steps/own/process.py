"""A process that is not ours: its words kept, its progress told, ended with all that it started."""

from __future__ import annotations

import os
import re
import select
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import EngineUnavailableError, RemoteError
from alsct_gui.steps.reporter import Reporter

PATIENCE_S = 5.0
"""How long it may take to stop before its process group is killed."""
_PROGRESS = re.compile(rb"^\s*PROGRESS\s+([0-9.]+)\s*(.*)$")
_PARTS = 1000
_LOOK_S = 0.1
_TAIL_LINES = 20


def run_process(
    command: Sequence[str], folder: Path, reporter: Reporter, variables: Mapping[str, str]
) -> None:
    """Run a command to its end; its output goes to our standard error.

    A line ``PROGRESS 0.4`` on its standard output, with words behind it if it likes, is told as
    progress. Cancelling ends its process group: SIGTERM, then SIGKILL.

    Parameters
    ----------
    command
        Words.
    folder
        Where it runs.
    reporter
        Told the progress; its cancel ends the process.
    variables
        Environment variables besides ours.

    Raises
    ------
    CancelledError
        By the reporter.
    EngineUnavailableError
        There is no such program.
    RemoteError
        It ended with an exit code that is not 0; the message holds its last words.
    """
    try:
        child = subprocess.Popen(  # noqa: S603 (what a person asks for)
            list(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **variables}, process_group=0,
        )  # fmt: skip
    except OSError as error:
        raise EngineUnavailableError(
            f"cannot be started ({error.strerror or error})", where=command[0],
            fix="Install it, or name it by its whole path",
        ) from error  # fmt: skip
    words: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        _follow(child, reporter, words)
        while not _ends(child, _LOOK_S):
            reporter.check()
    except BaseException:
        _signal(child, signal.SIGTERM)
        _ends(child, PATIENCE_S)
        raise
    finally:
        # Before it is reaped: until then its number belongs to nobody else.
        _signal(child, signal.SIGKILL)
        code = child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if code:
        said = next((line for line in reversed(words) if line.strip()), "it said nothing")
        raise RemoteError(
            f"ended with exit code {code}: {said[-300:]}", where=Path(command[0]).name,
            fix="Its words are in the log", details="\n".join(words),
        )  # fmt: skip


def _follow(child: subprocess.Popen[bytes], reporter: Reporter, words: deque[str]) -> None:
    """Take its lines until it closes its output, or until it is told to stop."""
    pipe: Any = child.stdout
    os.set_blocking(pipe.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            reporter.check()
            if not selector.select(_LOOK_S):
                continue
            part = pipe.read(65_536)
            if part is None:
                continue
            *lines, rest = (rest + part).split(b"\n")
            for line in lines if part else [*lines, rest]:
                _take(line, reporter, words)
            if not part:
                return


def _take(line: bytes, reporter: Reporter, words: deque[str]) -> None:
    match = _PROGRESS.match(line)
    if match is not None:
        with suppress(ValueError):
            share = min(1.0, max(0.0, float(match[1])))
            stage = match[2].decode("utf-8", "replace").strip() or "own code"
            reporter.progress(stage, round(share * _PARTS), _PARTS)
            return
    if line:
        text = line.decode("utf-8", "replace").rstrip("\r")
        words.append(text)
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _ends(child: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether it has ended, or does so shortly; it is not reaped by this."""
    handle = os.pidfd_open(child.pid)
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
