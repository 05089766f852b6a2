"""A process that is not ours: its words kept, its progress told, ended with all that it started."""

from __future__ import annotations

import math
import os
import re
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import EngineUnavailableError, RemoteError
from alsct_gui.steps.reporter import Reporter

PATIENCE_S = 1.5
"""How long it may take to stop before its process group is killed."""
KEPT_CHARACTERS = 20_000
"""So much of the end of what it printed is kept in the provenance."""
_PROGRESS = re.compile(r"\s*PROGRESS\s+(\S+)(?:\s+(.*))?")
_GUARD = ("/bin/sh", "-c", "trap '' TERM; read _; kill -KILL 0")
"""Leads the process group, and ends it when we are gone: its input closes with us."""
_PARTS = 1000
_LOOK_S = 0.1
_STAGE_CHARACTERS = 60
_READ_BYTES = 1 << 16
_LAST_READS = 16


def run_process(
    command: Sequence[str], folder: Path, reporter: Reporter, variables: Mapping[str, str],
    stop: Sequence[str] = (),
) -> str:  # fmt: skip
    """Run a command to its end; its output goes to our standard error.

    A line ``PROGRESS 0.4`` on its standard output, with words behind it if it likes, is told as
    progress. Cancelling ends its process group: SIGTERM, then SIGKILL. The group ends as well
    when this process is killed. What it leaves running in the background ends with it.

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
    stop
        Command that ends what signals to the group do not reach: a container.

    Returns
    -------
    printed
        The end of what it printed, both outputs in the order in which they came.

    Raises
    ------
    CancelledError
        By the reporter.
    EngineUnavailableError
        There is no such program.
    RemoteError
        It ended with an exit code that is not 0; the message holds its last words.
    """
    words = _Words(reporter)
    with _group() as group:
        child = _started(command, folder, variables, group)
        try:
            _follow(child, reporter, words.take)
        except BaseException:
            _signal(group, signal.SIGTERM)
            _ends(child, PATIENCE_S)
            if stop:
                subprocess.run(stop, check=False, capture_output=True)  # noqa: S603 (as above)
            raise
        finally:
            # The leader is not reaped yet: until then the group's number is nobody else's.
            _signal(group, signal.SIGKILL)
            code = child.wait()
            if child.stdout is not None:
                child.stdout.close()
    if code:
        said = next((line for line in reversed(words.kept) if line.strip()), "it said nothing")
        how = f"ended with exit code {code}" if code > 0 else f"was ended by {_signal_name(-code)}"
        raise RemoteError(
            f"{how}: {said[-300:]}", where=Path(command[0]).name,
            fix="Its words are in the log", details=words.text(),
        )  # fmt: skip
    return words.text()


class _Words:
    """What it printed: progress is told, all else goes to the log, the end of it is kept."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._characters = 0
        self.kept: deque[str] = deque()

    def take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if not text or self._progress(text):
            return
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        self.kept.append(text)
        self._characters += len(text) + 1
        while self._characters > KEPT_CHARACTERS and len(self.kept) > 1:
            self._characters -= len(self.kept.popleft()) + 1

    def text(self) -> str:
        return "\n".join(self.kept)[-KEPT_CHARACTERS:]

    def _progress(self, text: str) -> bool:
        match = _PROGRESS.fullmatch(text)
        if match is None:
            return False
        try:
            share = float(match[1])
        except ValueError:  # words that begin like progress
            return False
        if not math.isfinite(share):
            return False
        printable = "".join(letter for letter in match[2] or "" if letter.isprintable())
        stage = printable.strip()[:_STAGE_CHARACTERS] or "own code"
        self._reporter.progress(stage, round(min(1.0, max(0.0, share)) * _PARTS), _PARTS)
        return True


@contextmanager
def _group() -> Iterator[int]:
    """Make a process group that ends with this process; yields its number."""
    guard = subprocess.Popen(  # noqa: S603 (words of ours)
        _GUARD, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        process_group=0,
    )  # fmt: skip
    try:
        yield guard.pid
    finally:
        _signal(guard.pid, signal.SIGKILL)
        guard.wait()
        if guard.stdin is not None:
            guard.stdin.close()


def _started(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], group: int
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 (what a person asks for)
            list(command), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **variables}, process_group=group,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EngineUnavailableError(
            f"cannot be started ({why})", where=command[0],
            fix="Install it, or name it by its whole path",
        ) from error  # fmt: skip


def _follow(
    child: subprocess.Popen[bytes], reporter: Reporter, take: Callable[[bytes], None]
) -> None:
    """Take its lines until it ends, whoever else holds its output, or until it is told to stop."""
    pipe: Any = child.stdout
    os.set_blocking(pipe.fileno(), False)
    rest, gone = b"", False
    with _handle(child) as handle, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        selector.register(handle, selectors.EVENT_READ)
        while not gone:
            reporter.check()
            ready = {key.fileobj for key, _ in selector.select(_LOOK_S)}
            gone = handle in ready
            # What it wrote last lies in the pipe, which something else may go on filling.
            for _ in range(_LAST_READS if gone else 1):
                part = pipe.read(_READ_BYTES)
                if not part:
                    break
                *lines, rest = re.split(rb"[\r\n]", rest + part)
                for line in lines:
                    take(line)
                if len(rest) > _READ_BYTES:
                    take(rest)
                    rest = b""
            if part == b"" and pipe in ready:  # closed: nothing more comes
                selector.unregister(pipe)
        take(rest)


def _ends(child: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether it has ended, or does so shortly; it is not reaped by this."""
    with _handle(child) as handle, selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        return bool(selector.select(within_s))


@contextmanager
def _handle(child: subprocess.Popen[bytes]) -> Iterator[int]:
    handle = os.pidfd_open(child.pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
