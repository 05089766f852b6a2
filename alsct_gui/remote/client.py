"""The asking end: a process of our own that is started when it is needed.

`Remote` never blocks its caller: requests are put in a queue, a thread starts the process
and reads its answers, another writes to it. What is called back runs in the reading thread.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from numpy.typing import NDArray

from alsct_gui.model.errors import RemoteError
from alsct_gui.model.progress import Progress, ProgressCallback
from alsct_gui.remote.faults import error_from_plain
from alsct_gui.remote.process import Process
from alsct_gui.remote.wire import Message

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back."""

    facts: Mapping[str, Any]
    """Plain data."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Arrays by name."""


AnswerCallback = Callable[[Answer], None]


@dataclass(eq=False)
class _Request:
    """A request that has no answer yet."""

    id: int
    future: Future[Answer]
    channel: str | None
    on_progress: ProgressCallback | None
    on_partial: AnswerCallback | None
    silence_s: float | None
    begun: bool = False
    heard_s: float = field(default_factory=monotonic)
    """When it was last heard of."""


class Remote:
    """A process that answers requests; started at the first, and anew after a loss.

    Parameters
    ----------
    module
        Run as ``python -m module``; it calls `remote.server.serve`.
    name
        What the process is, for error messages.
    arguments
        Further words of its command line.
    nice
        How much it steps back for others, 0 to 19.
    """

    def __init__(
        self, module: str, *, name: str, arguments: Sequence[str] = (), nice: int = 0
    ) -> None:
        self.name = name
        self._command = (module, *arguments)
        self._nice = nice
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._listeners: list[AnswerCallback] = []
        self._process: Process | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Number of the process; None while there is none."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process unless it runs; `ask` does so by itself."""
        with self._lock:
            if self._closed:
                raise RemoteError("it was closed before", where=self.name)
            if self._process is None:
                self._process = Process(
                    self._command, nice=self._nice, name=self.name, on_message=self._hear,
                    silent=self._silent, on_end=self._lost,
                )  # fmt: skip
                self._process.start()

    def listen(self, on_event: AnswerCallback) -> None:
        """Have a function called with what the process sends unasked; in the reading thread."""
        with self._lock:
            self._listeners.append(on_event)

    def ask(
        self,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        channel: str | None = None,
        lane: str = "",
        on_progress: ProgressCallback | None = None,
        on_partial: AnswerCallback | None = None,
        silence_s: float | None = None,
    ) -> Future[Answer]:
        """Ask for something; returns at once.

        Parameters
        ----------
        kind, arguments
            What is asked for; the arguments are plain data.
        channel
            A newer request on a channel cancels the older one at once.
        lane
            Requests of one lane are answered one after the other.
        on_progress, on_partial
            Called in the reading thread, which waits for them meanwhile; an error in them
            is logged.
        silence_s
            A process that says nothing about this request for so long is ended. While the
            request waits in its lane, any sign of life counts.

        Returns
        -------
        future
            Fails with the error that the handler raised, or with `RemoteError` when the
            process is lost. Its done-callbacks run in the reading thread, or in the one that
            cancels it.
        """
        future: Future[Answer] = Future()
        request = _Request(
            next(self._ids), future, channel, on_progress, on_partial, silence_s
        )  # fmt: skip
        header = {
            "type": "ask", "id": request.id, "kind": kind, "arguments": dict(arguments),
            "channel": channel, "lane": lane,
        }  # fmt: skip
        with self._lock:
            try:
                self.start()
            except RemoteError as error:
                future.set_exception(error)
                return future
            older = [r for r in self._requests.values() if channel and r.channel == channel]
            self._requests[request.id] = request
            if self._process is not None:
                self._process.write(Message(header))
        future.add_done_callback(lambda _: self._settled(request))
        for other in older:
            other.future.cancel()
        return future

    def close(self, timeout_s: float = 2.0) -> None:
        """End the process and the threads, and cancel what is pending; idempotent.

        Parameters
        ----------
        timeout_s
            How long the process may take to end by itself before it is killed.
        """
        with self._lock:
            self._closed = True
            process, pending = self._process, list(self._requests.values())
        for request in pending:
            request.future.cancel()
        if process is not None:
            process.close(timeout_s)

    def _settled(self, request: _Request) -> None:
        """The future is done; when it was cancelled here, the process is told."""
        with self._lock:
            ours = self._requests.pop(request.id, None) is not None
            if ours and self._process is not None:
                self._process.write(Message({"type": "cancel", "id": request.id}))
        if ours:
            request.future.set_running_or_notify_cancel()  # wakes who waits for it

    def _hear(self, message: Message) -> None:
        """Take a message of the process; in the reading thread."""
        header = message.header
        kind = header.get("type")
        if kind == "event":
            for listener in list(self._listeners):
                _call(listener, Answer(header["facts"], message.arrays))
            return
        with self._lock:
            for waiting in self._requests.values():
                if not waiting.begun:
                    waiting.heard_s = monotonic()
            request = self._requests.get(header.get("id", 0))
            if request is None:  # a beat, or the late answer to a cancelled request
                return
            request.heard_s = monotonic()
            request.begun = True
        if kind == "progress" and request.on_progress is not None:
            _call(request.on_progress, Progress(**header["progress"]))
        elif kind == "partial" and request.on_partial is not None:
            _call(request.on_partial, Answer(header["facts"], message.arrays))
        elif kind == "answer":
            self._settle(request, Answer(header["facts"], message.arrays))
        elif kind == "error":
            self._settle(request, error_from_plain(header["error"]))

    def _settle(self, request: _Request, outcome: Answer | Exception) -> None:
        with self._lock:
            if self._requests.pop(request.id, None) is None:
                return  # cancelled before
        if not request.future.set_running_or_notify_cancel():
            return  # cancelled just now
        if isinstance(outcome, Exception):
            request.future.set_exception(outcome)
        else:
            request.future.set_result(outcome)

    def _silent(self) -> float | None:
        """For how long the process has been silent on a request for too long; else None."""
        with self._lock:
            for request in self._requests.values():
                silence_s = request.silence_s
                if silence_s is not None and monotonic() - request.heard_s > silence_s:
                    return silence_s
        return None

    def _lost(self, process: Process, how: str, details: str) -> None:
        """The process has ended; in the reading thread, as its last act."""
        with self._lock:
            if self._process is process:
                self._process = None
            pending = list(self._requests.values())
            closed = self._closed
        if pending and not closed:
            _log.warning("%s: the process %s", self.name, how)
        for request in pending:
            self._settle(
                request,
                RemoteError(
                    f"the process {how}", where=self.name, details=details,
                    fix="Try again: it starts anew. When it happens again, copy the details "
                    "and report them",
                ),
            )  # fmt: skip


def typed(inner: Future[Answer], convert: Callable[[Answer], T]) -> Future[T]:
    """A future of the converted answer; cancelling either cancels both."""
    outer: Future[T] = Future()

    def forward(done: Future[Answer]) -> None:
        if done.cancelled():
            outer.cancel()
            outer.set_running_or_notify_cancel()
            return
        if not outer.set_running_or_notify_cancel():
            return
        try:
            outer.set_result(convert(done.result()))
        except BaseException as error:  # noqa: BLE001 - it is the future's
            outer.set_exception(error)

    def backward(done: Future[T]) -> None:
        if done.cancelled():
            inner.cancel()

    outer.add_done_callback(backward)
    inner.add_done_callback(forward)
    return outer


def _call(function: Callable[[Any], None], value: Any) -> None:
    """Call back; a mistake in there must not end the reading thread."""
    try:
        function(value)
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("a callback failed")
