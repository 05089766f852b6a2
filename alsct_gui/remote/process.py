"""One life of a process that we talk to through pipes."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path

from alsct_gui.model.errors import RemoteError
from alsct_gui.remote.wire import Message, WireError, enlarge, receive, send

_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]
_LOOK_S = 0.5  # how often silence is looked for
_GARBLED_S = 0.2  # how long is waited to see whether what is garbled was just cut short
_END_S = 2.0  # how long a process may take to end once its output is closed
_TAIL_BYTES = 16_384
_TAIL_LINES = 30


class SilentError(Exception):
    """The process said nothing for too long; the text says for how long."""


class Process:
    """Starts a module in a fresh interpreter, writes to it, reads from it, reaps it.

    Parameters
    ----------
    command
        Module and its arguments.
    nice
        How much it steps back for others.
    name
        For the names of the threads.
    on_message
        Called with each message, in the reading thread.
    silent
        Says for how long the process has kept silent where it should not; None if it is
        well. Asked in the reading thread, about twice a second.
    on_end
        Called with this object, how it ended and its last words, as the last act of the
        reading thread; always called, once.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        nice: int,
        name: str,
        on_message: Callable[[Message], None],
        silent: Callable[[], float | None],
        on_end: Callable[[Process, str, str], None],
    ) -> None:
        self._command, self._nice, self._name = tuple(command), nice, name
        self._on_message, self._silent, self._on_end = on_message, silent, on_end
        self._outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._tail = bytearray()
        self._reader = threading.Thread(target=self._live, name=f"{name}-reader", daemon=True)

    @property
    def pid(self) -> int | None:
        """Number of the process; None before it runs."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start it, from a thread of its own."""
        self._reader.start()

    def write(self, message: Message) -> None:
        """Send a message as soon as it can be taken."""
        self._outgoing.put(message)

    def close(self, timeout_s: float) -> None:
        """Close its stdin, by which it ends; kill it when it does not. Waits for the threads."""
        self._outgoing.put(None)
        if threading.current_thread() is self._reader:
            return  # asked for in a callback: it ends as soon as that returns
        self._reader.join(timeout_s)
        if self._reader.is_alive():
            self._kill()
            self._reader.join()

    def _kill(self) -> None:
        """End it, and whatever it has started."""
        with self._lock:
            self._killed = True
            if self._child is not None and self._child.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # it has just ended
                    os.killpg(self._child.pid, signal.SIGKILL)

    def _live(self) -> None:
        """Run from the start of the process to its end."""
        try:
            child = self._launch()
        except OSError as error:
            self._on_end(self, f"could not be started ({error})", "")
            return
        pipes = [_raw(child.stdin), _raw(child.stdout), _raw(child.stderr)]
        writer = threading.Thread(
            target=self._write, args=(pipes[0],), name=f"{self._name}-writer", daemon=True
        )
        writer.start()
        how = ""
        try:
            how = self._read(child, pipes[1], pipes[2])
        finally:
            how = self._reap(child, how)
            self._outgoing.put(None)
            writer.join()
            self._drain(pipes[2])
            for pipe in pipes[1:]:
                pipe.close()
            lines = self._tail.decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
            self._on_end(self, how, "\n".join(lines))

    def _launch(self) -> subprocess.Popen[bytes]:
        known = os.environ.get("PYTHONPATH")
        search = os.pathsep.join([str(_PACKAGE_FOLDER), *([known] if known else [])])
        child = subprocess.Popen(  # noqa: S603 (a module of ours)
            [sys.executable, "-m", *self._command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env={**os.environ, "PYTHONPATH": search},
            start_new_session=True,  # Ctrl-C is for us alone; and it ends with all it started
        )  # fmt: skip
        if self._nice:
            with suppress(OSError):  # it may have ended already, which the reader tells
                os.setpriority(os.PRIO_PROCESS, child.pid, self._nice)
        with self._lock:
            self._child = child
            killed = self._killed
        if killed:
            self._kill()
        return child

    def _write(self, pipe: FileIO) -> None:
        enlarge(pipe)
        try:
            while (message := self._outgoing.get()) is not None:
                send(pipe, message)
        except BrokenPipeError:
            pass  # it has ended, which the reader tells
        except RemoteError as error:
            self._note(f"a request could not be sent: {error.sentence}")
            self._kill()
        finally:
            with suppress(BrokenPipeError):
                pipe.close()

    def _read(self, child: subprocess.Popen[bytes], pipe: FileIO, errors: FileIO) -> str:
        """Take messages until there are no more; returns what was wrong, if anything."""
        enlarge(pipe)
        os.set_blocking(errors.fileno(), False)
        look = select.poll()
        look.register(pipe, select.POLLIN)
        look.register(errors, select.POLLIN)

        def wait() -> None:
            while True:
                ready = dict(look.poll(_LOOK_S * 1000))
                if errors.fileno() in ready and not self._drain(errors):
                    look.unregister(errors)
                if pipe.fileno() in ready:
                    return
                silence_s = self._silent()
                if silence_s is not None:
                    raise SilentError(f"said nothing for {silence_s:g} s and was ended")

        try:
            while (message := receive(pipe, wait)) is not None:
                self._on_message(message)
        except SilentError as silence:
            self._kill()
            return str(silence)
        except (WireError, KeyError, TypeError) as error:
            if self._ends(child, _GARBLED_S):
                return ""  # it ended within a message: how is for its exit code to say
            self._kill()
            words = error.what if isinstance(error, WireError) else repr(error)
            return f"sent what is no message ({words}) and was ended"
        return ""

    def _ends(self, child: subprocess.Popen[bytes], within_s: float) -> bool:
        """Whether the process has ended, or does so shortly; it is not reaped by this."""
        handle = os.pidfd_open(child.pid)
        try:
            return bool(select.select([handle], [], [], within_s)[0])
        finally:
            os.close(handle)

    def _reap(self, child: subprocess.Popen[bytes], how: str) -> str:
        """Wait for the end of the process and of what it started; returns how it ended."""
        if not self._ends(child, _END_S):
            how = how or "closed its output and was ended"
        self._kill()  # before it is reaped: until then its number belongs to nobody else
        with self._lock:
            code = child.wait()
        if how:
            return how
        if code < 0:
            return f"was ended by {_signal_name(-code)}"
        return f"ended with exit code {code}"

    def _drain(self, errors: FileIO) -> bool:
        """Keep the last of what it says on stderr; False at its end."""
        while True:
            try:
                part = errors.read(65_536)
            except OSError:
                return False
            if part is None:
                return True
            if not part:
                return False
            self._note(part.decode("utf-8", "replace"))

    def _note(self, text: str) -> None:
        self._tail += text.encode()
        del self._tail[:-_TAIL_BYTES]


def _raw(pipe: object) -> FileIO:
    if not isinstance(pipe, FileIO):
        raise TypeError("the pipe is buffered")
    return pipe


def _signal_name(number: int) -> str:
    try:
        return f"signal {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
