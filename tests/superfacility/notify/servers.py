"""Real servers on loopback that take what is told: a webhook, and mail."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CANARY = "T0KEN-canary"
WAIT_S = 20.0


class Hooks(ThreadingHTTPServer):
    """Takes posts; answers with the statuses that it was given, then 200, once a gate is open."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.gate: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/{CANARY}?x=1"


class _Hook(BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        if self.server.gate is not None:
            assert self.server.gate.wait(WAIT_S)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.taken.append((self.path, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Letters(socketserver.ThreadingTCPServer):
    """A small mail server; `refuses` is a code that it answers a command with."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Letter)
        self.taken: list[bytes] = []
        self.to: list[str] = []
        self.refuses: dict[str, str] = {}
        self.offers = ["AUTH PLAIN"]

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Letter(socketserver.StreamRequestHandler):
    server: Letters

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline():
            word = line.decode().strip()
            verb = word.split(" ")[0].upper()
            if verb in self.server.refuses:
                self._say(self.server.refuses[verb])
            elif verb == "EHLO":
                self._say("250-loopback")
                for offer in self.server.offers:
                    self._say(f"250-{offer}")
                self._say("250 OK")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.taken.append(self._letter())
                self._say("250 taken")
            elif verb == "AUTH":
                self._say("235 welcome")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    self.server.to.append(word)
                self._say("250 OK")

    def _letter(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
