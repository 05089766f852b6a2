"""The process that copies: ``python -m alsct_gui.superfacility.transfer.local_worker FOLDER``.

It knows nothing of who started it and outlives it. Its folder holds ``request.json``, a lock
that it holds while it lives, ``cancel`` once somebody asks for its end, and ``status.json``,
which it replaces as it goes. A disk that hangs hangs this process alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import CancelledError
from alsct_gui.superfacility.transfer.base import TransferItem, TransferState
from alsct_gui.superfacility.transfer.copying import (
    CopyError,
    Throttle,
    copy_file,
    read_sha256,
    say_os_error,
)

_TELL_S = 0.2
"""How often the status is written."""
_WINDOW_S = 5.0
"""Over how long the rate is taken."""
_NAP_S = 0.1
_LOCK_TRIES = 20


def main(arguments: list[str]) -> int:
    """Copy as a folder says, or look at files; return the exit code."""
    if arguments[0] == "--verify":
        return verify(json.load(sys.stdin))
    folder = Path(arguments[0])
    with (folder / "lock").open("ab") as lock:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_NAP_S)  # somebody looks whether we live, or another is at it
                continue
            return _work(folder)
    return 0


def verify(asked: Mapping[str, Any]) -> int:
    """Print, as lines of JSON, what is found of each file; a line now and then meanwhile."""
    root = Path(asked["root"])

    class Alive:
        last_s = time.monotonic()

        def check(self) -> None:
            if time.monotonic() - self.last_s > 1.0:
                self.last_s = time.monotonic()
                print("{}", flush=True)  # noqa: T201 (a sign of life on a pipe)

        def moved(self, n_bytes: int) -> None: ...
        def pause(self, n_bytes: int) -> None: ...

    for name in asked["targets"]:
        path, row = root / name, {"target": name, "there": False}
        try:
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                row = {**row, "there": True, "size_bytes": path.stat().st_size}
                row["sha256"] = read_sha256(path, Alive())
        except OSError as error:
            row = {"target": name, "error": say_os_error(error, path).sentence}
        print(json.dumps(row), flush=True)  # noqa: T201 (the answer, on a pipe)
    return 0


def _work(folder: Path) -> int:
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    items = [TransferItem(**row) for row in request["items"]]
    teller = _Teller(folder, items, request.get("limit_bytes_per_s"))
    source, target = Path(request["source"]), Path(request["target"])
    try:
        for item in items:
            teller.check()
            teller.begin()
            copied = copy_file(source, target, item, request["key"], teller)
            teller.arrived(copied.size_bytes, was_there=copied.was_there)
    except CancelledError:
        teller.end(TransferState.CANCELLED, "It was cancelled")
        return CancelledError.exit_code
    except CopyError as error:
        teller.fail(error)
        return 1
    except OSError as error:
        teller.fail(say_os_error(error, target))
        return 1
    teller.end(TransferState.SUCCEEDED, "All files are there and were read back")
    return 0


class _Teller:
    """Writes the status; also looks whether the copy is to end, and keeps it below a rate."""

    def __init__(self, folder: Path, items: list[TransferItem], limit: float | None) -> None:
        self._folder, self._throttle = folder, Throttle(limit)
        self._whole_bytes = self._part_bytes = self._files = 0
        self._told_s = self._window_s = time.monotonic()
        self._window_bytes = 0
        self._rate: float | None = None
        sizes = [item.size_bytes for item in items]
        self._facts: dict[str, Any] = {
            "files_total": len(items), "started": time.time(),
            "bytes_total": None if None in sizes else sum(size or 0 for size in sizes),
        }  # fmt: skip
        self._tell(TransferState.ACTIVE, "Bytes move")

    def check(self) -> None:
        if (self._folder / "cancel").exists():
            raise CancelledError("cancelled")
        if time.monotonic() - self._told_s >= _TELL_S:
            self._tell(TransferState.ACTIVE, "Bytes move")

    def begin(self) -> None:
        self._part_bytes = 0

    def moved(self, n_bytes: int) -> None:
        self._part_bytes += n_bytes
        self.check()

    def pause(self, n_bytes: int) -> None:
        end_s = time.monotonic() + self._throttle.wait_s(n_bytes)
        while (left_s := end_s - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left_s, _NAP_S))

    def arrived(self, size_bytes: int, *, was_there: bool) -> None:
        self._whole_bytes += size_bytes
        self._part_bytes = 0
        self._files += 1

    def end(self, state: TransferState, sentence: str) -> None:
        self._tell(state, sentence, completed=time.time())

    def fail(self, error: CopyError) -> None:
        self._tell(
            TransferState.FAILED, "It ended with an error", completed=time.time(), faults=1,
            cause=f"{error.where}: {error.what}", fix=error.fix, reason=error.reason.value,
        )  # fmt: skip

    def _tell(self, state: TransferState, sentence: str, **more: object) -> None:
        now_s, done = time.monotonic(), self._whole_bytes + self._part_bytes
        if now_s - self._window_s >= _WINDOW_S or (self._rate is None and now_s > self._window_s):
            self._rate = (done - self._window_bytes) / (now_s - self._window_s)
            self._window_s, self._window_bytes = now_s, done
        self._told_s = now_s
        row = {
            **self._facts, "state": state.value, "sentence": sentence, "bytes_done": done,
            "files_done": self._files, "rate_bytes_per_s": self._rate, "pid": os.getpid(), **more,
        }  # fmt: skip
        fresh = self._folder / "status.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(row, file)
            if state.is_final:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(self._folder / "status.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
