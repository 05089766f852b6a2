"""Transfers between folders of this machine: another disk, a mount.

Nothing here touches the two places: processes of their own do (`local_worker`), because a
network disk that hangs stops whoever touches it, beyond the reach of any signal. So nobody
here waits for such a process either; what it does is read from its folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from alsct_gui.superfacility.errors import LinkDownError, RefusedError
from alsct_gui.superfacility.transfer.base import (
    Capabilities,
    Evidence,
    Reason,
    Record,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
    check_path,
    check_request,
    fingerprint,
    key_digest,
)
from alsct_gui.superfacility.transfer.watch import Motion, follow, still_s

STALL_S = 120.0
"""For how long nothing may move before a copy counts as stalled."""
_MODULE = "alsct_gui.superfacility.transfer.local_worker"
_PACKAGE_FOLDER = Path(__file__).resolve().parents[3]
_MAX_STATUS_BYTES = 1 << 20
_BEGIN_S = 30.0
"""How long a process that somebody else has started may take to say its first word."""


class LocalTransfer:
    """Copies between folders, each copy in a process that outlives this one.

    A place is the path of a folder.

    Parameters
    ----------
    folder
        For what is known of the copies; on a disk of this machine.
    clock
        Seconds since 1970 UTC.
    stall_s
        For how long nothing may move.
    silence_s
        How long a process that looks at files may say nothing.
    limit_bytes_per_s
        Rate that a copy keeps below; None is none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
        stall_s: float = STALL_S,
        silence_s: float = 60.0,
        limit_bytes_per_s: float | None = None,
    ) -> None:
        self._folder, self._clock = folder, clock
        self._stall_s, self._silence_s, self._limit = stall_s, silence_s, limit_bytes_per_s
        self._lock = threading.Lock()
        self._motions: dict[str, Motion] = {}
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            name="local copy", reads_back=True, verifies_itself=True, max_active=1,
            max_files=2000, max_bytes=1_000_000_000_000,
        )  # fmt: skip

    def submit(self, request: TransferRequest, record: Record) -> str:
        """Set a copy in motion; see `Transfer.submit`.

        Without `TransferRequest.submission` a copy that failed or was cancelled begins again,
        and goes on where it was; with it, one that has ended stays as it is.
        """
        check_request(request)
        for place in (request.source, request.target):
            if not Path(place).is_absolute():
                raise RefusedError("the folder is not given from the root", where=repr(place))
        id = f"local-{key_digest(request.key)}"  # noqa: A001 (the word of the Protocol)
        if request.submission is None:
            record(id)
        folder = self._of(id)
        with self._lock:
            self._reap()
            ended = self._is_over(folder)
            if ended and request.submission is not None:
                return id
            # One that has said its last word may still hold the lock: the next waits for it.
            if not ended and self._is_alive(folder):
                return id
            self._prepare(folder, request)
            self._start(folder)
        return id

    def status(self, id: str) -> TransferStatus:  # noqa: A002 (the word of the Protocol)
        """Say where a copy stands."""
        folder = self._of(id)
        with self._lock:
            self._reap()
            # Before its status is read: it may end in between.
            alive = self._is_alive(folder)
        row = self._read(folder)
        if row is None:
            try:
                age_s = time.time() - (folder / "request.json").stat().st_mtime
            except FileNotFoundError:
                return TransferStatus(id, TransferState.UNKNOWN, sentence="It is not known here")
            status = TransferStatus(id, TransferState.QUEUED, sentence="It is about to begin")
            if alive or 0 <= age_s < _BEGIN_S:
                return status
        else:
            status = _to_status(id, row)
        if status.state.is_final:
            return status
        if not alive:
            return _changed(
                status, TransferState.FAILED, "The copying process has vanished", Reason.LOST,
                "it was killed, or the machine was restarted", "Retry it: it goes on where it was",
            )  # fmt: skip
        now_s = self._clock()
        with self._lock:
            mark = (status.bytes_done, status.files_done)
            motion = follow(self._motions.get(id), mark, status.bytes_done, now_s)
            self._motions[id] = motion
        still = still_s(motion, now_s)
        if still < self._stall_s:
            return status
        return _changed(
            status, TransferState.STALLED, "It is under way, but nothing moves", Reason.STILL,
            f"nothing has moved for {still / 60:.0f} min: one of the disks may hang",
            "Check the mounts; cancel it and retry when they answer",
        )  # fmt: skip

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end; what is copied of a file stays for the next time."""
        folder = self._of(id)
        if not folder.exists():
            raise RefusedError("this copy is not known here", where=id)
        if not self._is_over(folder):
            (folder / "cancel").touch()

    def verify(self, target: str, items: Sequence[TransferItem]) -> tuple[Evidence, ...]:
        """Read each file at the target back; a process of its own does it.

        It takes as long as reading takes, and ends when nothing is said for `silence_s`.

        Raises
        ------
        LinkDownError
            The disk does not answer, or fails.
        """
        for item in items:
            check_path(item.target)
        asked = {"root": target, "targets": [item.target for item in items]}
        rows = {row["target"]: row for row in self._look(asked, target) if "target" in row}
        now_s, found = self._clock(), []
        for item in items:
            row = rows.get(item.target)
            if row is None or "error" in row:
                raise LinkDownError(
                    "the file cannot be looked at", where=f"{target}/{item.target}",
                    fix=str((row or {}).get("error", "Check the disk")).rstrip("."),
                )  # fmt: skip
            found.append(Evidence(
                item.target, row["there"], row.get("size_bytes"), row.get("sha256"), now_s,
                "read back",
            ))  # fmt: skip
        return tuple(found)

    def _of(self, id: str) -> Path:  # noqa: A002
        if not id.startswith("local-") or not id[6:].isalnum():
            raise RefusedError("this is no copy of ours", where=repr(id[:100]))
        return self._folder / id

    def _prepare(self, folder: Path, request: TransferRequest) -> None:
        """Write what is to be done, before anything is started."""
        folder.mkdir(exist_ok=True)
        plain = {
            "key": request.key, "source": request.source, "target": request.target,
            "items": [asdict(item) for item in request.items], "limit_bytes_per_s": self._limit,
            "fingerprint": fingerprint(request),
        }  # fmt: skip
        fresh = folder / "request.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(plain, file)
            file.flush()
            os.fsync(file.fileno())
        (folder / "cancel").unlink(missing_ok=True)
        (folder / "status.json").unlink(missing_ok=True)
        fresh.replace(folder / "request.json")
        self._motions.pop(folder.name, None)

    def _start(self, folder: Path) -> None:
        with (folder / "log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 (a module of ours)
                [sys.executable, "-P", "-m", _MODULE, str(folder)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=_environment(), start_new_session=True, cwd="/",
            )  # fmt: skip
        self._children.append((folder.name, child))

    def _look(self, asked: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
        """Ask a process about files; one that hangs is left to itself."""
        child = subprocess.Popen(  # noqa: S603 (a module of ours)
            [sys.executable, "-P", "-m", _MODULE, "--verify"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
            start_new_session=True, cwd="/", bufsize=0,
        )  # fmt: skip
        with self._lock:
            self._children.append(("", child))
        try:
            text = _converse(child, json.dumps(asked).encode(), self._silence_s)
            rows = [json.loads(line) for line in text.splitlines()]
        except (TimeoutError, ValueError, BrokenPipeError) as error:
            raise LinkDownError(
                "the disk does not answer", where=where, fix="Check the mount; it is tried again"
            ) from error
        finally:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            with suppress(subprocess.TimeoutExpired):  # hung in the system: reaped later
                child.wait(1.0)
        return [row for row in rows if isinstance(row, dict)]

    def _read(self, folder: Path) -> dict[str, Any] | None:
        try:
            with (folder / "status.json").open("rb") as file:
                row = json.loads(file.read(_MAX_STATUS_BYTES))
        except (FileNotFoundError, ValueError):
            return None
        return row if isinstance(row, dict) else None

    def _is_over(self, folder: Path) -> bool:
        row = self._read(folder)
        return row is not None and _to_status(folder.name, row).state.is_final

    def _reap(self) -> None:
        """Let ended processes go; never wait for one."""
        self._children = [pair for pair in self._children if pair[1].poll() is None]

    def _is_alive(self, folder: Path) -> bool:
        """Whether a process is at work on a copy, or about to be."""
        return any(name == folder.name for name, _ in self._children) or _is_locked(folder)


def _converse(child: subprocess.Popen[bytes], question: bytes, silence_s: float) -> bytes:
    """Send a question and read to the end, unless nothing is said for too long."""
    if child.stdin is None or child.stdout is None:
        raise TimeoutError
    child.stdin.write(question)
    child.stdin.close()
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while selector.select(silence_s):
            part = os.read(child.stdout.fileno(), 65_536)
            if not part:
                return b"".join(parts)
            parts.append(part)
    raise TimeoutError


def _is_locked(folder: Path) -> bool:
    """Whether a process is at work on a folder."""
    try:
        with (folder / "lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except FileNotFoundError:
        return False


def _environment() -> dict[str, str]:
    known = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([str(_PACKAGE_FOLDER), *([known] if known else [])])
    return {**os.environ, "PYTHONPATH": search}


def _to_status(id: str, row: Mapping[str, Any]) -> TransferStatus:  # noqa: A002
    """Read what a worker wrote; whatever is not as it should be counts as unknown."""
    words = set(TransferStatus.__dataclass_fields__) - {"id", "state", "reason", "link"}
    try:
        return TransferStatus(
            id, TransferState(row["state"]), reason=Reason(row.get("reason", "")),
            **{name: row[name] for name in words if name in row},
        )  # fmt: skip
    except (KeyError, ValueError, TypeError):
        return TransferStatus(id, TransferState.UNKNOWN, sentence="Its status cannot be read")


def _changed(
    status: TransferStatus,
    state: TransferState,
    sentence: str,
    reason: Reason,
    cause: str,
    fix: str,
) -> TransferStatus:
    return replace(
        status, state=state, sentence=sentence, reason=reason, cause=cause, fix=fix,
        rate_bytes_per_s=None,
    )  # fmt: skip
