"""Transfer tasks of the stand-in: they really copy, at a rate told by a clock.

Nothing runs by itself here. `Mover.advance` brings all tasks to what the clock shows, and is
called with every request; so a test that moves its clock by ten seconds sees ten seconds of
copying, at once and always the same. A task's way from submission to its document is told in one
module, a little longer than others.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.collections import Collection, ServiceError
from alsct_gui.simulator.facility.faults import FaultDesk, FaultName
from alsct_gui.simulator.facility.outages import outage_of

MAX_ACTIVE = 3
"""Tasks of a user that move at once; the others wait."""
_BLOCK_BYTES = 1 << 20

# Faults that make an attempt fail, what the task's nice_status is then, and the event's words.
_ATTEMPT = {
    FaultName.PERMISSION_DENIED: ("PERMISSION_DENIED", "permission denied", "Permission denied"),
    FaultName.QUOTA: ("QUOTA_EXCEEDED", "quota exceeded", "Disk quota exceeded"),
    FaultName.DISK_FULL: ("ENDPOINT_ERROR", "endpoint error", "No space left on device"),
}


@dataclass
class Item:
    """One file of a task."""

    source: str
    """Path at the source."""
    target: str
    """Path at the target."""
    sha256: str | None = None
    """Checksum it must have, if one was given."""
    size_bytes: int = 0
    """Size at the source; 0 until it is looked at."""
    done_bytes: int = 0
    """Bytes of it that are written."""
    state: str = "pending"
    """pending, moving, done or skipped."""


@dataclass
class Task:
    """One task."""

    id: str
    """Its UUID."""
    submission_id: str
    """The submission that made it."""
    request: dict[str, Any]
    """The transfer document."""
    items: list[Item]
    """Its files."""
    owner: str
    """Identity that asked for it."""
    requested_s: float
    """When, seconds since 1970 UTC."""
    status: str = "ACTIVE"
    """ACTIVE, INACTIVE, SUCCEEDED or FAILED."""
    nice: tuple[str, str, str] = ("Queued", "queued", "")
    """nice_status, its short description, its details."""
    paused: bool = False
    """Whether a manager has paused it."""
    faults: int = 0
    """Errors met."""
    checked_bytes: int = 0
    """Bytes whose checksum was taken."""
    moved_bytes: int = 0
    """Bytes that were written."""
    fatal: dict[str, str] | None = None
    """Why it failed."""
    completed_s: float | None = None
    """When it ended."""
    rests_until_s: float = 0.0
    """Until when it does nothing, after a failed attempt."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """What happened, oldest first."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in ("SUCCEEDED", "FAILED")


class Mover:
    """All tasks, and what moves them.

    Parameters
    ----------
    collections
        Folders by id.
    desk
        Faults and the clock.
    rate_bytes_per_s
        Speed of each task; None moves everything the next time it is looked at.
    rest_s
        How long a task rests after a failed attempt.
    """

    def __init__(
        self,
        collections: dict[str, Collection],
        desk: FaultDesk,
        rate_bytes_per_s: float | None = None,
        rest_s: float = 0.0,
    ) -> None:
        self.collections, self.desk = collections, desk
        self.rate_bytes_per_s, self.rest_s = rate_bytes_per_s, rest_s
        self.tasks: dict[str, Task] = {}
        self.written: Counter[tuple[str, str]] = Counter()
        """How often each file at each collection was written whole."""
        self._by_submission: dict[str, str] = {}
        self._lock = threading.RLock()
        self._last_s = desk.clock()

    def new_submission(self) -> str:
        """Give out a submission id."""
        return str(uuid.uuid4())

    def submit(self, request: dict[str, Any], owner: str) -> tuple[str, bool]:
        """Make a task; returns its id, and whether the submission id was used before."""
        with self._lock:
            submission = request.get("submission_id")
            if submission in self._by_submission:
                return self._by_submission[submission], True
            try:
                uuid.UUID(str(submission))
            except ValueError as error:
                raise ServiceError(
                    400, "ClientError.BadRequest.InvalidSubmissionId", "no such submission id"
                ) from error
            if not request.get("DATA"):
                raise ServiceError(
                    400, "ClientError.BadRequest.NoTransferItems",
                    "A transfer requires at least one item",
                )  # fmt: skip
            for side in ("source_endpoint", "destination_endpoint"):
                if request.get(side) not in self.collections:
                    raise ServiceError(404, "EndpointNotFound", f"No such endpoint in {side}")
            if len(request.get("label") or "") > 128:
                raise ServiceError(400, "ClientError.BadRequest", "label is too long")
            task = Task(
                str(uuid.uuid4()), str(submission), request,
                [_item(row) for row in request["DATA"]], owner, self.desk.clock(),
            )  # fmt: skip
            self.tasks[task.id] = task
            self._by_submission[task.submission_id] = task.id
            return task.id, False

    def plain(self) -> dict[str, Any]:
        """Tasks and counts as plain data."""
        with self._lock:
            return {
                "tasks": [asdict(task) for task in self.tasks.values()],
                "written": [[*place, count] for place, count in self.written.items()],
            }

    def restore(self, task: Task) -> None:
        """Take up a task from before a restart."""
        with self._lock:
            self.tasks[task.id] = task
            self._by_submission[task.submission_id] = task.id

    def cancel(self, task: Task) -> bool:
        """End a task; False when it was over."""
        with self._lock:
            if task.is_over:
                return False
            self._end(task, "FAILED", {"code": "CANCELED", "description": "canceled"})
            self._event(task, "CANCELED", "canceled", "The task was canceled", is_error=True)
            return True

    def advance(self) -> None:
        """Bring all tasks to what the clock shows."""
        with self._lock:
            now_s = self.desk.clock()
            passed_s, self._last_s = now_s - self._last_s, now_s
            for task in self.tasks.values():
                self._switch(task)
            running = [task for task in self.tasks.values() if task.status == "ACTIVE"]
            for task in [t for t in running if not t.paused][:MAX_ACTIVE]:
                self._work(task, passed_s)

    def document(self, task: Task) -> dict[str, Any]:
        """Task document, as `get_task` answers it."""
        with self._lock:
            return _document(task, self.collections, self.desk.clock())

    def _where(self, task: Task, path: str = "") -> str:
        return f"task {self.collections[task.request['destination_endpoint']].name} {path}"

    def _switch(self, task: Task) -> None:
        """Pause, resume, take away and give back credentials, as the desk says."""
        if task.is_over:
            return
        where = self._where(task)
        expired = self.desk.on(FaultName.CREDENTIALS_EXPIRED, where) is not None
        task.status = "INACTIVE" if expired else "ACTIVE"
        task.paused = self.desk.on(FaultName.PAUSED, where) is not None
        if expired:
            task.nice = ("EXPIRED_CREDENTIALS", "credentials expired", "Credentials have expired")
        elif task.paused:
            task.nice = ("PAUSED_BY_ADMIN", "paused by administrator", "Paused by administrator")
        elif task.nice[0] in ("EXPIRED_CREDENTIALS", "PAUSED_BY_ADMIN"):
            task.nice = ("Queued", "queued", "")

    def _work(self, task: Task, passed_s: float) -> None:
        if self.desk.on(FaultName.STUCK, self._where(task)):
            task.nice = ("OK", "ok", "")
            return
        if self.desk.clock() < task.rests_until_s:
            return
        if not task.events:
            self._event(task, "STARTED", "started", "The task has started")
        rate = self.rate_bytes_per_s
        budget = float("inf") if rate is None else rate * passed_s
        for item in task.items:
            if item.state in ("done", "skipped"):
                continue
            if budget <= 0:
                return
            before = item.done_bytes
            if not self._move(task, item, budget) or item.state == "moving":
                return
            budget -= item.done_bytes - before
        self._end(task, "SUCCEEDED", None)
        self._event(task, "SUCCEEDED", "succeeded", "The task has succeeded")

    def _move(self, task: Task, item: Item, budget: float) -> bool:
        """Write part of a file; False when the task can do nothing more for now."""
        ends = [
            self.collections[task.request[f"{end}_endpoint"]] for end in ("source", "destination")
        ]
        away = next(
            (end for end in ends if end.resource and outage_of(self.desk, end.resource)), None
        )
        if away is not None:
            self._attempt_failed(
                task, "CONNECT_FAILED", "connection failed", f"{away.name} cannot be reached"
            )
            return False
        source, target = ends[0].resolve(item.source), ends[1].resolve(item.target)
        for name, nice in _ATTEMPT.items():
            if self.desk.strike((name,), self._where(task, item.target)):
                self._attempt_failed(task, *nice)
                return False
        try:
            if item.state == "pending" and self._begin(task, item, source, target):
                return True
            whole = self._write(task, item, source, target, budget)
        except FileNotFoundError:
            self._attempt_failed(
                task, "FILE_NOT_FOUND", "file not found", f"No such file: {item.source}"
            )
            return False
        except PermissionError as error:
            self._attempt_failed(task, "PERMISSION_DENIED", "permission denied", str(error))
            return False
        task.nice = ("OK", "ok", "")
        return not whole or self._finish(task, item, source, target)

    def _begin(self, task: Task, item: Item, source: Path, target: Path) -> bool:
        """Look at a file before it moves; True when the target has it already."""
        item.size_bytes = source.stat().st_size
        wanted = task.request.get("sync_level") == 3
        if wanted and target.is_file() and target.stat().st_size == item.size_bytes:
            task.checked_bytes += item.size_bytes
            if _sha256(source) == _sha256(target):
                item.state = "skipped"
                return True
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"")
        item.state, item.done_bytes = "moving", 0
        return False

    def _write(self, task: Task, item: Item, source: Path, target: Path, budget: float) -> bool:
        """Write as much as the budget allows; whether the file is whole then."""
        with source.open("rb") as reader, target.open("r+b") as writer:
            reader.seek(item.done_bytes)
            writer.seek(item.done_bytes)
            while budget > 0 and item.done_bytes < item.size_bytes:
                block = reader.read(int(min(_BLOCK_BYTES, max(1, budget))))
                if not block:
                    break
                writer.write(block)
                item.done_bytes += len(block)
                task.moved_bytes += len(block)
                budget -= len(block)
        return item.done_bytes >= item.size_bytes

    def _finish(self, task: Task, item: Item, source: Path, target: Path) -> bool:
        """Check a file that is written; False when it must be written again."""
        place = task.request["destination_endpoint"]
        if self.desk.strike((FaultName.BAD_CHECKSUM,), self._where(task, item.target)):
            _spoil(target)
        if task.request.get("verify_checksum"):
            task.checked_bytes += item.size_bytes
            arrived = _sha256(target)
            if item.sha256 is not None and _sha256(source) != item.sha256:
                self._end(task, "FAILED", {
                    "code": "VERIFY_CHECKSUM", "description": "external checksum mismatch",
                })  # fmt: skip
                self._event(
                    task, "VERIFY_CHECKSUM", "verify checksum",
                    f"The source does not have the given checksum: {item.source}", is_error=True,
                )  # fmt: skip
                return False
            if arrived != _sha256(source):
                item.state, item.done_bytes = "pending", 0
                task.moved_bytes -= item.size_bytes
                self._attempt_failed(
                    task, "VERIFY_CHECKSUM", "verify checksum", f"Bad checksum: {item.target}"
                )
                return False
        item.state = "done"
        self.written[place, item.target] += 1
        return True

    def _attempt_failed(self, task: Task, code: str, short: str, details: str) -> None:
        task.faults += 1
        task.rests_until_s = self.desk.clock() + self.rest_s
        task.nice = (code, short, details)
        self._event(task, code, short, details, is_error=True)

    def _end(self, task: Task, status: str, fatal: dict[str, str] | None) -> None:
        task.status, task.fatal, task.completed_s = status, fatal, self.desk.clock()
        task.nice = ("", "", "")

    def _event(
        self, task: Task, code: str, short: str, details: str, *, is_error: bool = False
    ) -> None:
        task.events.append({
            "DATA_TYPE": "event", "code": code, "is_error": is_error, "description": short,
            "details": details, "time": stamp(self.desk.clock()),
        })  # fmt: skip


def stamp(time_s: float | None) -> str | None:
    """A time in the form of the service."""
    if time_s is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time_s))


def _item(row: Any) -> Item:
    if not isinstance(row, dict) or row.get("DATA_TYPE") != "transfer_item":
        raise ServiceError(400, "ClientError.BadRequest", "not a transfer_item")
    if row.get("external_checksum") and row.get("checksum_algorithm") != "SHA256":
        raise ServiceError(400, "ClientError.BadRequest", "only SHA256 is simulated")
    return Item(row["source_path"], row["destination_path"], row.get("external_checksum"))


def _spoil(path: Path) -> None:
    """Change one byte, or add one to an empty file."""
    data = bytearray(path.read_bytes() or b"\0")
    data[0] ^= 0xFF
    path.write_bytes(bytes(data))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _document(task: Task, collections: dict[str, Collection], now_s: float) -> dict[str, Any]:
    """Task document with every field that the service answers."""
    request, states = task.request, Counter(item.state for item in task.items)
    seconds = max((task.completed_s or now_s) - task.requested_s, 1.0)
    done, nice = states["done"] + states["skipped"], [text or None for text in task.nice]
    source, target = request["source_endpoint"], request["destination_endpoint"]
    return {
        "DATA_TYPE": "task", "task_id": task.id, "type": "TRANSFER", "status": task.status,
        "label": request.get("label"), "owner_id": task.owner, "command": "API 0.10",
        "request_time": stamp(task.requested_s), "deadline": request.get("deadline"),
        "completion_time": stamp(task.completed_s), "is_paused": task.paused,
        "is_ok": None if task.is_over else task.nice[0] in ("OK", "Queued"),
        "nice_status": nice[0], "nice_status_short_description": nice[1],
        "nice_status_details": nice[2], "nice_status_expires_in": None,
        "fatal_error": task.fatal, "faults": task.faults,
        "source_endpoint_id": source, "destination_endpoint_id": target,
        "source_endpoint_display_name": collections[source].name,
        "destination_endpoint_display_name": collections[target].name,
        "bytes_transferred": task.moved_bytes, "bytes_checksummed": task.checked_bytes,
        "effective_bytes_per_second": int(task.moved_bytes / seconds),
        "files": len(task.items), "files_transferred": states["done"],
        "files_skipped": states["skipped"], "directories": 0, "symlinks": 0,
        "subtasks_total": len(task.items), "subtasks_succeeded": done,
        "subtasks_pending": 0 if task.is_over else len(task.items) - done,
        "subtasks_retrying": 1 if task.faults and not task.is_over else 0,
        "subtasks_failed": 0, "subtasks_expired": 0, "subtasks_skipped_errors": 0,
        "subtasks_canceled": len(task.items) - done if task.fatal else 0,
        "sync_level": request.get("sync_level"),
        "verify_checksum": bool(request.get("verify_checksum")),
        "encrypt_data": bool(request.get("encrypt_data")), "history_deleted": False,
        "preserve_timestamp": bool(request.get("preserve_timestamp")),
        "delete_destination_extra": False, "skip_source_errors": False,
        "fail_on_quota_errors": False, "recursive_symlinks": "ignore", "filter_rules": None,
        "canceled_by_admin": None, "canceled_by_admin_message": None,
    }  # fmt: skip
