"""The answering end: a process that takes requests from its stdin.

Requests are read in one thread and worked on in lanes, each with threads of its own, so that
a quick one need not wait behind a slow one. A request may name a channel: it then takes the
place of the one before it on that channel, which is dropped or told to stop.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import select
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from io import FileIO
from typing import Any, NoReturn

from numpy.typing import NDArray

from alsct_gui.model.errors import RemoteError
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.remote.faults import error_to_plain
from alsct_gui.remote.wire import Message, enlarge, receive, send

Facts = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]
Handler = Callable[[dict[str, Any], "Call"], tuple[Facts, Arrays]]
"""Answers one kind of request: gets the arguments as they came, returns facts and arrays."""

BEAT_S = 1.0
"""While there is work, a sign of life is sent so often."""
LOST_S = 300.0
"""A process that held its own lock for so long ends itself, for it would not notice that
nobody waits for it any more."""


class Call:
    """One request, as its handler sees it."""

    def __init__(self, server: Server, header: Facts) -> None:
        self._server = server
        self.id: int = int(header["id"])
        self.kind = str(header["kind"])
        self.arguments: dict[str, Any] = dict(header["arguments"])
        self.channel: str | None = header.get("channel")
        self.cancel = CancelToken()
        """To be looked at by whatever takes long."""

    def progress(self, step: Progress) -> None:
        """Say how far it is; also proves that the work is alive."""
        self._server.say({"type": "progress", "id": self.id, "progress": asdict(step)})

    def partial(self, facts: Facts, arrays: Arrays | None = None) -> None:
        """Send a part of the answer ahead of the rest."""
        if not self.cancel.cancelled:
            self._server.say({"type": "partial", "id": self.id, "facts": facts}, arrays)


class Server:
    """Takes requests until its stdin closes.

    Parameters
    ----------
    handlers
        What answers each kind of request.
    threads
        Threads of the lane without a name; every other lane has one.
    """

    def __init__(self, handlers: Mapping[str, Handler], *, threads: int = 1) -> None:
        self._handlers = dict(handlers)
        self._threads = threads
        self._lanes: dict[str, queue.SimpleQueue[Call]] = {}
        self._calls: dict[int, Call] = {}
        self._channels: dict[str, Call] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        # Whatever prints, here or in a library, prints on stderr; nobody else reads stdin.
        self._in = FileIO(os.dup(0), "rb")
        self._out = FileIO(os.dup(1), "wb")
        os.dup2(2, 1)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a device)
            os.dup2(nothing.fileno(), 0)
        enlarge(self._out)

    def run(self) -> None:
        """Read requests until stdin closes; then every call is told to stop.

        Raises
        ------
        WireError
            What arrives is no message.
        """
        while (message := receive(self._in, self._wait)) is not None:
            self._take(message.header)
        with self._lock:
            for call in self._calls.values():
                call.cancel.cancel()

    def emit(self, facts: Facts, arrays: Arrays | None = None) -> None:
        """Send something that nobody asked for."""
        self.say({"type": "event", "facts": facts}, arrays)

    def say(self, header: Facts, arrays: Arrays | None = None) -> None:
        """Send a message of the protocol."""
        message = Message(header, arrays or {})
        # A reader that has left closed our stdin too, and `run` ends by that.
        with self._sending, suppress(BrokenPipeError):
            send(self._out, message)

    def _wait(self) -> None:
        """Wait for a request, with a sign of life while others are worked on."""
        while True:
            faulthandler.dump_traceback_later(LOST_S, exit=True)
            if select.select([self._in], [], [], BEAT_S)[0]:
                return
            # Without the lock: when a long answer is being sent, that is sign enough.
            if self._calls and self._sending.acquire(blocking=False):
                self._sending.release()
                self.say({"type": "beat"})

    def _take(self, header: Facts) -> None:
        if header.get("type") == "cancel":
            with self._lock:
                call = self._calls.get(header["id"])
            if call is not None:
                call.cancel.cancel()
            return
        call = Call(self, header)
        with self._lock:
            self._calls[call.id] = call
            if call.channel is not None:
                older = self._channels.get(call.channel)
                self._channels[call.channel] = call
                if older is not None:
                    older.cancel.cancel()
        self._lane(str(header.get("lane", ""))).put(call)

    def _lane(self, name: str) -> queue.SimpleQueue[Call]:
        if name not in self._lanes:
            waiting: queue.SimpleQueue[Call] = queue.SimpleQueue()
            self._lanes[name] = waiting
            for _ in range(1 if name else self._threads):
                threading.Thread(
                    target=self._work, args=(waiting,), name=f"lane-{name}", daemon=True
                ).start()
        return self._lanes[name]

    def _work(self, waiting: queue.SimpleQueue[Call]) -> None:
        while True:
            call = waiting.get()
            try:
                self._answer(call)
            finally:
                with self._lock:
                    self._calls.pop(call.id, None)
                    if call.channel is not None and self._channels.get(call.channel) is call:
                        del self._channels[call.channel]

    def _answer(self, call: Call) -> None:
        try:
            call.cancel.check()
            self.say({"type": "begun", "id": call.id})
            handler = self._handlers.get(call.kind)
            if handler is None:
                raise RemoteError(f"there is no request {call.kind[:80]!r}")
            facts, arrays = handler(call.arguments, call)
            call.cancel.check()
            self.say({"type": "answer", "id": call.id, "facts": facts}, arrays)
        except Exception as error:  # noqa: BLE001 - told to whoever asked, with its traceback
            self.say({"type": "error", "id": call.id, "error": error_to_plain(error)})


def serve(
    handlers: Mapping[str, Handler],
    *,
    threads: int = 1,
    on_start: Callable[[Server], None] | None = None,
    on_close: Callable[[], None] | None = None,
) -> NoReturn:
    """Answer requests until stdin closes, then end this process.

    Parameters
    ----------
    handlers
        What answers each kind of request.
    threads
        Threads of the lane without a name; every other lane has one.
    on_start
        Called with the server before the first request is read.
    on_close
        Called at the end, when calls may still be at work.
    """
    faulthandler.enable()
    server = Server(handlers, threads=threads)
    if on_start is not None:
        on_start(server)
    try:
        server.run()
    except Exception:  # noqa: BLE001 - the last words of this process
        traceback.print_exc()
        code = 1
    else:
        code = 0
    if on_close is not None:
        on_close()
    sys.stderr.flush()
    os._exit(code)  # threads may be deep in C; an orderly end would wait for them
