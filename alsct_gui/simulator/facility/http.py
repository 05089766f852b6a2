"""An HTTP server on loopback for the stand-ins, with the faults of the line built in.

A stand-in is a function from `Request` to `Reply`; sockets, threads and faults are here.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from alsct_gui.simulator.facility.faults import STATUS_FAULTS, Fault, FaultDesk, FaultName

MAX_BODY_BYTES = 1 << 28
"""Longest body of a request."""
_READ_TIMEOUT_S = 10.0
"""How long a client may take to send what it announced."""
_LOOK_S = 0.1
_ACCEPT_S = 0.02  # how soon it stops listening when told

_BEFORE = (FaultName.RESET_BEFORE, FaultName.STALL, *STATUS_FAULTS)
_AFTER = (
    FaultName.RESET_AFTER, FaultName.STALL_AFTER, FaultName.TRUNCATED, FaultName.GARBLED,
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, as a stand-in sees it."""

    method: str
    """GET, POST, …"""
    path: str
    """Path, percent-decoded."""
    query: Mapping[str, str]
    """Words of the query; the last of equal names counts."""
    headers: Mapping[str, str]
    """Headers by name in lower case."""
    body: bytes
    """As it came."""
    raw_path: str = ""
    """Path as it came, for who has to tell a slash from one that is part of a name."""

    def json(self) -> Any:
        """Body read as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def form(self) -> dict[str, str]:
        """Body read as a form (application/x-www-form-urlencoded)."""
        pairs = urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict(pairs)


@dataclass(frozen=True)
class Reply:
    """One answer."""

    body: Any = None
    """Bytes as they are; anything else goes out as JSON."""
    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""

    def data(self) -> bytes:
        """Body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


Handle = Callable[[Request], Reply]
ErrorReply = Callable[[int, Fault], Reply]
"""Words of an HTTP error in the manner of the service."""


def plain_error(status: int, fault: Fault) -> Reply:
    """Error without the manner of any service."""
    headers = {}
    if fault.value is not None and status in (429, 503):
        headers["Retry-After"] = str(int(fault.value))
    return Reply({"error": f"simulated {status}"}, status, headers)


class Server:
    """Serves one stand-in on a free port of 127.0.0.1, from threads of its own.

    Parameters
    ----------
    name
        First word of the place that faults are matched with: ``name METHOD /path``.
    handle
        Answers a request; called from several threads.
    desk
        Faults; None for a service that has none.
    error
        Words of an HTTP error.
    port
        Port to listen on; 0 is any that is free.
    """

    def __init__(
        self,
        name: str,
        handle: Handle,
        desk: FaultDesk | None = None,
        *,
        error: ErrorReply = plain_error,
        port: int = 0,
    ) -> None:
        self.name = name
        self._handle, self._desk, self._error = handle, desk, error
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._counting = threading.Lock()
        self._served = 0
        self._http: _Listener | None = None
        self._ended: list[_Listener] = []
        self._thread: threading.Thread | None = None
        self._holder: socket.socket | None = _bound(port)
        self.port: int = self._holder.getsockname()[1]
        """Number of the port; stays the same while nobody listens."""
        self._unlisten: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        """Address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def served(self) -> int:
        """Requests that came in."""
        return self._served

    def start(self) -> Self:
        """Begin to listen; returns itself."""
        if self._desk is not None:
            self._unlisten = self._desk.listen(self._look)
        self._look()
        return self

    def close(self) -> None:
        """Stop listening and end all threads; idempotent."""
        self._closing.set()
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        with self._lock:
            self._stop()
            if self._holder is not None:
                self._holder.close()
                self._holder = None
            ended, self._ended = self._ended, []
        for listener in ended:
            listener.server_close()  # waits for the threads that still answer

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def refresh(self) -> None:
        """Look at the desk again: for faults whose window begins or ends by the clock."""
        self._look()

    def _look(self) -> None:
        """Listen or not, as the desk says."""
        refused = self._desk is not None and self._desk.on(FaultName.REFUSED, self.name)
        with self._lock:
            if self._closing.is_set():
                return
            if refused:
                self._stop()
            elif self._http is None:
                self._listen()

    def _listen(self) -> None:
        holder, self._holder = self._holder or _bound(self.port), None
        self._http = _Listener(holder, self)
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(_ACCEPT_S,), name=f"stand-in-{self.name}"
        )
        self._thread.start()

    def _stop(self) -> None:
        """Stop listening; the port stays ours, so that it is refused and not another's."""
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._thread.join()
        self._http.socket.close()
        self._ended.append(self._http)  # what it still answers goes on
        self._http = self._thread = None
        if not self._closing.is_set():
            self._holder = _bound(self.port)

    def answer(self, handler: _Handler) -> None:
        """Answer one connection; in a thread of its own."""
        request = handler.read()
        if request is None:
            return
        with self._counting:
            self._served += 1
        where = f"{self.name} {request.method} {request.path}"
        before = self._strike(_BEFORE, where)
        if before is not None:
            if before.name in STATUS_FAULTS:
                handler.write(self._error(STATUS_FAULTS[before.name], before))
                return
            if before.name is FaultName.STALL:
                self._stall(before.name, where)
            handler.reset()
            return
        reply = self._handle(request)
        after = self._strike(_AFTER, where)
        if after is None:
            handler.write(reply)
        elif after.name is FaultName.TRUNCATED:
            handler.write(reply, cut=True)
        elif after.name is FaultName.GARBLED:
            half = reply.data()[: len(reply.data()) // 2]
            handler.write(
                Reply(half, reply.status, {"Content-Type": "application/json", **reply.headers})
            )
        else:
            if after.name is FaultName.STALL_AFTER:
                self._stall(after.name, where)
            handler.reset()

    def _strike(self, names: tuple[FaultName, ...], where: str) -> Fault | None:
        return None if self._desk is None else self._desk.strike(names, where)

    def _stall(self, name: FaultName, where: str) -> None:
        """Hold the line until the fault is off or this server closes."""
        desk = self._desk
        while desk is not None and desk.on(name, where) and not self._closing.is_set():
            desk.wait_changed(_LOOK_S)


class _Listener(ThreadingHTTPServer):
    """Takes connections on a socket that is bound already."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, bound: socket.socket, server: Server) -> None:
        super().__init__(bound.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.owner = server
        self.server_activate()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is what this is for; others are told."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request and writes one answer on a connection."""

    protocol_version = "HTTP/1.1"
    timeout = _READ_TIMEOUT_S
    server: _Listener

    def handle(self) -> None:
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65_537)
        if self.raw_requestline and len(self.raw_requestline) <= 65_536 and self.parse_request():
            self.close_connection = True
            self.server.owner.answer(self)

    def read(self) -> Request | None:
        """Read what the head announces; None when that is not acceptable."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY_BYTES:
            self.write(Reply({"error": "bad length"}, 400))
            return None
        parts = urllib.parse.urlsplit(self.path)
        return Request(
            method=self.command,
            path=urllib.parse.unquote(parts.path),
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            raw_path=parts.path,
        )

    def write(self, reply: Reply, *, cut: bool = False) -> None:
        """Send an answer, or announce the whole and send half."""
        data = reply.data()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)

    def reset(self) -> None:
        """End the connection at once, so that the client sees a reset."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Say nothing: the fault desk and the stand-in keep count."""


def _bound(port: int) -> socket.socket:
    """Return a socket that has the port; connections to it are refused until it listens."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    return taken
