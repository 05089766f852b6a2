"""A real Prefect server on loopback, behind a line that the fault desk can break.

The server is Prefect's own, with its database in a folder of its own, which survives it. It
needs the ``prefect`` extra.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from alsct_gui.model.errors import ResourceError
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.http import Handle, Reply, Request, Server

START_S = 120.0
"""Longest time to wait for the server: its first start makes its database."""
_END_S = 10.0
_LOOK_S = 0.1
_ANSWER_S = 60.0
_NOT_FORWARDED = ("host", "connection", "content-length", "accept-encoding")
_QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
}


def prefect_is_there() -> bool:
    """Whether Prefect's server can be started here."""
    return find_spec("prefect") is not None and find_spec("prefect.server") is not None


class PrefectServer:
    """Prefect's own server in a process of its own.

    Parameters
    ----------
    folder
        Where its database and log lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        """Port on 127.0.0.1; the same after a restart."""

    @property
    def api(self) -> str:
        """Address of its API."""
        return f"http://127.0.0.1:{self.port}/api"

    def start(self) -> Self:
        """Start it and wait until it answers; returns itself.

        Raises
        ------
        ResourceError
            It ended, or does not answer.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "server.log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 (a library's own command)
                [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1",
                 "--port", str(self.port), "--no-ui"],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip
        end_s = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end_s:
                self.close()
                raise ResourceError("Prefect's server does not start", where=str(log),
                                    fix="See its log")  # fmt: skip
            time.sleep(_LOOK_S)
        return self

    def environment(self) -> dict[str, str]:
        """Variables for the server and for whoever runs flows on it."""
        database = f"sqlite+aiosqlite:///{self._folder / 'prefect.db'}"
        return {
            **os.environ, **_QUIET, "PREFECT_HOME": str(self._folder),
            "PREFECT_API_DATABASE_CONNECTION_URL": database, "PREFECT_API_URL": self.api,
        }  # fmt: skip

    def close(self) -> None:
        """End it with all that it started; idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, sign)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                continue
            break

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.api}/health", timeout=5.0) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def prefect_line(port: int, desk: FaultDesk) -> Server:
    """Return a server, not yet started, that passes everything on to the real one.

    Parameters
    ----------
    port
        Of the real server.
    desk
        Faults of the line, at ``prefect METHOD /path``.
    """
    return Server("prefect", _forward(port), desk)


def _forward(port: int) -> Handle:
    def handle(request: Request) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
        path = urllib.parse.quote(request.path)
        query = urllib.parse.urlencode(request.query)
        headers = {k: v for k, v in request.headers.items() if k not in _NOT_FORWARDED}
        try:
            connection.request(
                request.method, f"{path}?{query}" if query else path, request.body, headers
            )
            answer = connection.getresponse()
            kind = answer.getheader("Content-Type", "application/json")
            return Reply(answer.read(), answer.status, {"Content-Type": kind})
        except OSError:
            return Reply({"detail": "the server behind is away"}, 502)
        finally:
            connection.close()

    return handle


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
