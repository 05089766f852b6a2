"""A Superfacility API on loopback that the real `sfapi_client` talks to.

It really runs the scripts that are submitted (`sfapi_slurm`), and its files are those below one
folder. Faults of the line strike at ``sfapi METHOD /api/v1.2/…``, those of jobs at ``sfapi job
NAME``, outages at the names of `outages.RESOURCES`.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import stat
import subprocess
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.http import Reply, Request, Server
from alsct_gui.simulator.facility.memory import Kept
from alsct_gui.simulator.facility.outages import CFS, MACHINES, RESOURCES, outage_of
from alsct_gui.simulator.facility.sfapi_jobs import (
    USER,
    WAITING,
    Queue,
    SbatchError,
    is_of_today,
    sacct_row,
    slurm_time,
    squeue_row,
)
from alsct_gui.simulator.facility.sfapi_slurm import Slurm
from alsct_gui.simulator.facility.sfapi_status import status_reply, utc
from alsct_gui.simulator.facility.sfapi_tokens import CLIENT_ID, Tokens

PREFIX = "/api/v1.2"
TOKEN_PATH = "/c2id/token"  # noqa: S105 (a path)
_COMMAND_S = 20.0


class SuperfacilityStandIn:
    """The service; use it as a context.

    Parameters
    ----------
    root
        Folder that stands for the machine's file systems; paths are as they are here.
    desk
        Faults, and the clock.
    queue_wait_s
        How long jobs wait.
    collections
        Root folders by Globus UUID, for ``storage/globus``.
    queue
        What runs the jobs; None runs them as local processes.
    cfs
        Folder of the community file system; what lies there is out of reach in its outages.
    key_file
        Key of the client; None has one of its own.
    memory
        File in which tasks outlive a kill; None is none. Jobs always outlive it.
    port
        Port to listen on; 0 is any that is free.
    """

    def __init__(
        self,
        root: Path,
        desk: FaultDesk,
        *,
        queue_wait_s: float = 0.0,
        collections: Mapping[str, Path] | None = None,
        queue: Queue | None = None,
        cfs: Path | None = None,
        key_file: Path | None = None,
        memory: Path | None = None,
        port: int = 0,
    ) -> None:
        self.root, self._desk, self._cfs = root.resolve(), desk, cfs
        self.slurm: Queue = queue or Slurm(self.root / ".slurm", desk, queue_wait_s=queue_wait_s)
        self.tokens = Tokens(desk.clock, key_file)
        self.status: dict[str, str] = dict.fromkeys(RESOURCES, "active")
        """Status of each resource while no outage is on."""
        self._collections = dict(collections or {})
        self._transfers: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, dict[str, Any]] = {}
        self._kept = None if memory is None else Kept(memory, self._plain)
        known = (self._kept.recall() if self._kept else None) or {}
        self._transfers.update(known.get("transfers", {}))
        self._tasks.update(known.get("tasks", {}))
        self._numbers = itertools.count(1 + len(self._transfers) + len(self._tasks))
        self.server = Server("sfapi", self._handle, desk, error=_error, port=port)

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return self.server.url + PREFIX

    @property
    def token_url(self) -> str:
        """Where tokens are given out."""
        return self.server.url + TOKEN_PATH

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and kill the jobs that run."""
        self.server.close()
        self.slurm.close()

    def _handle(self, request: Request) -> Reply:
        if request.path == TOKEN_PATH:
            return self.tokens.endpoint(request, self.token_url)
        if not request.path.startswith(PREFIX + "/"):
            return _not_found()
        head, _, rest = request.path.removeprefix(PREFIX + "/").partition("/")
        if head == "status":
            return status_reply(self._desk, self.status, rest) or _not_found()
        if not self.tokens.accepts(request):
            return Reply({"detail": "Unauthorized"}, 401)
        route = {
            "account": self._account, "compute": self._compute, "tasks": self._task,
            "utilities": self._utilities, "storage": self._storage,
        }.get(head)  # fmt: skip
        reply = _not_found() if route is None else route(request, rest)
        if self._kept is not None and request.method != "GET":
            self._kept.keep()
        return reply

    def _plain(self) -> dict[str, Any]:
        return {"tasks": dict(self._tasks), "transfers": dict(self._transfers)}

    # Accounts

    def _account(self, request: Request, rest: str) -> Reply:
        if rest == "":
            return Reply({"uid": 1234, "name": USER, "firstname": "Beam", "lastname": "Line",
                          "email": "beamline@example.org"})  # fmt: skip
        if rest == "clients":
            return Reply([{"name": "beamline", "clientId": CLIENT_ID, "comments": "red",
                           "expiresAt": utc(self.tokens.expires_s)}])  # fmt: skip
        return _not_found()

    # Jobs and tasks

    def _compute(self, request: Request, rest: str) -> Reply:
        parts = rest.split("/")
        if parts[0] != "jobs" or len(parts) < 2 or parts[1] not in MACHINES:
            return _not_found()
        if outage_of(self._desk, parts[1]):
            return Reply({"detail": f"{parts[1]} is unavailable"}, 503)
        if request.method == "POST" and len(parts) == 2:
            return self._submit(request)
        if request.method == "GET":
            return self._rows(request.query)
        if request.method == "DELETE" and len(parts) == 3:
            found = self.slurm.cancel(parts[2])
            return Reply({"status": "OK"}) if found else _not_found()
        return _not_found()

    def _submit(self, request: Request) -> Reply:
        pairs = urllib.parse.parse_qsl(request.body.decode("utf-8"), keep_blank_values=True)
        form = dict(pairs)
        arguments = [value for name, value in pairs if name == "args"]
        script = form.get("job", "")
        try:
            if form.get("isPath", "").lower() == "true":
                script = self._inside(script).read_text(encoding="utf-8")
            job = self.slurm.submit(script, arguments)
        except OSError as error:
            return self._done({"status": "error", "jobid": None, "error": str(error)})
        except SbatchError as error:
            return self._done({"status": "error", "jobid": None, "error": str(error)})
        if self._desk.strike((FaultName.JOB_NOT_FOUND,), "sfapi submit"):
            error_text = f"Job not found: {job.id}"
            return self._done({"status": "error", "jobid": None, "error": error_text})
        return self._done({"status": "ok", "jobid": job.id, "error": None})

    def _rows(self, query: Mapping[str, str]) -> Reply:
        sacct = query.get("sacct", "").lower() == "true"
        name, _, value = query.get("kwargs", "").partition("=")
        jobs = self.slurm.jobs()
        if name == "jobid":
            wanted = value.split(",")
            jobs = [job for job in jobs if job.id in wanted]
            if self._desk.strike((FaultName.JOB_NOT_FOUND,), "sfapi jobs"):
                jobs = []
        elif name == "user":
            now_s = self._desk.clock()
            jobs = [job for job in jobs if value == USER and (not sacct or is_of_today(job, now_s))]
        if sacct:
            return Reply({"status": "OK", "output": [sacct_row(job) for job in jobs],
                          "error": None})  # fmt: skip
        rows = [squeue_row(job) for job in jobs if job.state in WAITING]
        if name == "jobid" and not rows:
            return Reply({"status": "ERROR", "output": [],
                          "error": "slurm_load_jobs error: Invalid job id specified"})  # fmt: skip
        return Reply({"status": "OK", "output": rows, "error": None})

    def _done(self, result: Mapping[str, Any], status: str = "completed") -> Reply:
        """Keep a task that is finished, and say so."""
        number = str(next(self._numbers))
        self._tasks[number] = {"id": number, "status": status, "result": json.dumps(result)}
        return Reply({"task_id": number, "status": "OK", "error": None})

    def _task(self, request: Request, rest: str) -> Reply:
        if not rest:
            return Reply({"tasks": list(self._tasks.values())})
        return Reply(self._tasks[rest]) if rest in self._tasks else _not_found()

    # Files and commands

    def _utilities(self, request: Request, rest: str) -> Reply:
        verb, _, rest = rest.partition("/")
        machine, _, path = rest.partition("/")
        if machine not in MACHINES:
            return _not_found()
        if outage_of(self._desk, machine):
            return Reply({"detail": f"{machine} is unavailable"}, 503)
        if verb == "command" and request.method == "POST":
            return self._command(request.form().get("executable", ""))
        try:
            place = self._inside(path)
            if verb == "ls":
                return Reply({"status": "OK", "entries": _entries(place), "error": None})
            if verb == "download":
                return _download(place, request.query.get("binary", ""))
            if verb == "upload" and request.method == "PUT":
                place.write_bytes(_multipart(request))
                return Reply({"status": "OK", "output": str(place), "error": None})
        except OSError as error:
            said = f"{path}: {error.strerror}"
            return Reply({"status": "ERROR", "entries": [], "output": None, "error": said})
        return _not_found()

    def _command(self, words: str) -> Reply:
        if words.startswith("sbatch --test-only "):
            return self._test_only(words.split()[2])
        done = subprocess.run(  # noqa: S603 - running it is what the service is for
            ["bash", "-c", words], cwd=self.root, capture_output=True, text=True,  # noqa: S607
            timeout=_COMMAND_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        return self._done(
            {"status": "ok" if done.returncode == 0 else "error", "output": done.stdout,
             "error": done.stderr or None, "exit_code": done.returncode}
        )  # fmt: skip

    def _test_only(self, script: str) -> Reply:
        try:
            self.slurm.test(self._inside(script).read_text(encoding="utf-8"))
        except (OSError, SbatchError) as error:
            return self._done(
                {"status": "error", "output": "", "error": str(error), "exit_code": 1}
            )
        starts = slurm_time(self._desk.clock() + self.slurm.queue_wait_s)
        said = f"sbatch: Job 1 to start at {starts} using 64 processors on nodes nid001001\n"
        return self._done({"status": "ok", "output": "", "error": said, "exit_code": 0})

    def _inside(self, path: str) -> Path:
        """Return a path of the file systems.

        Raises
        ------
        OSError
            It leads outside the folder that stands for them, or its file system is away.
        """
        place = Path(os.path.normpath("/" + path.lstrip("/")))
        if not place.is_relative_to(self.root):
            raise PermissionError(13, "Permission denied")
        away = self._cfs is not None and place.is_relative_to(self._cfs)
        if away and outage_of(self._desk, CFS):
            raise OSError(5, "Input/output error")
        return place

    # Globus through the API: copies at once

    def _storage(self, request: Request, rest: str) -> Reply:
        number = rest.removeprefix("globus/transfer").strip("/")
        if request.method == "GET" and number in self._transfers:
            return Reply({"status": "OK", "reason": None, **self._transfers[number]})
        if request.method != "POST" or number:
            return _not_found()
        form = request.form()
        try:
            source, target = (
                self._collections[form[f"{end}_uuid"]] / form[f"{end}_dir"].strip("/")
                for end in ("source", "target")
            )
            shutil.copytree(source, target, dirs_exist_ok=True)
        except (KeyError, OSError) as error:
            return Reply({"transfer_id": "", "status": "ERROR", "reason": str(error)})
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
        number = str(next(self._numbers))
        self._transfers[number] = {
            "globus_status": "SUCCEEDED", "bytes_transferred": size,
            "completion_time": utc(self._desk.clock()), "effective_bytes_per_second": size,
        }  # fmt: skip
        return Reply({"transfer_id": number, "status": "OK", "reason": None})


def _entries(place: Path) -> list[dict[str, Any]]:
    """List as ``ls -la`` does: a folder with its dots, a file as itself."""
    if not place.is_dir():
        return [_entry(str(place), place.lstat())]
    rows = [_entry(".", place.stat()), _entry("..", place.parent.stat())]
    return [*rows, *(_entry(p.name, p.lstat()) for p in sorted(place.iterdir()))]


def _entry(name: str, found: os.stat_result) -> dict[str, Any]:
    return {
        "perms": stat.filemode(found.st_mode), "hardlinks": found.st_nlink, "user": USER,
        "group": "als", "size": found.st_size, "date": utc(found.st_mtime), "name": name,
    }  # fmt: skip


def _download(place: Path, binary: str) -> Reply:
    data = place.read_bytes()
    if binary.lower() == "true":
        text = base64.b64encode(data).decode()
        return Reply({"status": "OK", "file": text, "is_binary": True, "error": None})
    text = data.decode("utf-8", "replace")
    return Reply({"status": "OK", "file": text, "is_binary": False, "error": None})


def _multipart(request: Request) -> bytes:
    """Take the one file out of a multipart body."""
    boundary = request.headers.get("content-type", "").partition("boundary=")[2].strip('"')
    _, _, rest = request.body.partition(b"\r\n\r\n")
    content, end, _ = rest.rpartition(b"\r\n--" + boundary.encode() + b"--")
    if not boundary or not end:
        raise OSError(22, "Invalid argument")
    return content


def _not_found() -> Reply:
    return Reply({"detail": "Not Found"}, 404)


def _error(status: int, fault: Fault) -> Reply:
    """Errors in the manner of this service."""
    headers = {} if fault.value is None else {"Retry-After": str(int(fault.value))}
    return Reply({"detail": f"simulated {status}"}, status, headers)
