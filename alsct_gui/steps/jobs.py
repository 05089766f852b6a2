"""A step in a process of its own: asked for, followed, cancelled.

One folder a job, as for reconstructions (docs/decisions/0011-runs.md)::

    <id>/
        request.json    what was asked for
        events.jsonl    what happened; only the worker appends
        log.txt         what the worker printed
        <product>       what it makes, when no other place was named
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from alsct_gui.files.plaintext import write_plain
from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import AlsctError, OutputError, RemoteError
from alsct_gui.model.progress import Progress
from alsct_gui.remote.faults import error_from_plain
from alsct_gui.steps.reporter import DEFAULT_MEMORY_BYTES

FOLDER_VARIABLE = "ALSCT_STEPS"
"""Environment variable that names another folder for jobs."""
PATIENCE_S = 10.0
"""How long a job that was told to stop may take before its process group is killed."""
WORKER = "alsct_gui.steps.worker"

_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]
_TAIL_BYTES = 4000

State = Literal["running", "finished", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class StepRequest:
    """A step that is to be run."""

    step: str
    """Name of an installed step."""
    parameters: Mapping[str, object]
    """Plain data."""
    inputs: Mapping[str, str]
    """Absolute paths by the names of the step's inputs."""
    output: str
    """Absolute path of the product; empty for one within the job's folder."""
    threads: int = field(default=0, metadata={"min": 0, "max": 4096})
    """0 for all processors."""
    memory_bytes: int = field(default=DEFAULT_MEMORY_BYTES, metadata={"min": 1})
    overwrite: bool = False
    resume: bool = False


def request_from_plain(data: object) -> StepRequest:
    """Build and check a request.

    Raises
    ------
    RecipeError
        Names what is wrong by its path.
    """
    return from_plain(StepRequest, data, where="request")


@dataclass(frozen=True, slots=True)
class JobView:
    """All that there is to show of a job."""

    state: State = "running"
    progress: Progress | None = None
    """How far the present stage is; None before there is one."""
    outputs: Mapping[str, Path] = field(default_factory=dict)
    """Products by the names of the step's outputs, once it is finished."""
    said: tuple[str, ...] = ()
    """Sentences of the step."""
    error: AlsctError | None = None
    """Why it failed."""

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more."""
        return self.state != "running"


def default_folder() -> Path:
    """Return the folder of this user's jobs, which need not exist."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "alsct-gui" / "steps"


class StepJob:
    """A step at work. Ask `look` now and then; nothing here waits, but `close`.

    Parameters
    ----------
    request
        What is asked for.
    jobs
        Folder in which the job's own is made; `default_folder` for None.

    Raises
    ------
    OutputError
        The folder cannot be written.
    RemoteError
        The process cannot be started.
    """

    def __init__(self, request: StepRequest, jobs: Path | None = None) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
        self.folder = (jobs or default_folder()) / name
        self._view = JobView()
        self._read_bytes = 0
        self._told_s: float | None = None
        try:
            self.folder.mkdir(parents=True)
            write_plain(self.folder / "request.json", to_plain(request))
            (self.folder / "events.jsonl").touch()
            with (self.folder / "log.txt").open("wb") as log:
                self._child = _start(self.folder, log)
        except OSError as error:
            raise OutputError(
                f"the folder of jobs cannot be written ({error.strerror or error})",
                where=str(self.folder),
                fix=f"Free space, or name another folder in {FOLDER_VARIABLE}",
            ) from error

    @property
    def log(self) -> Path:
        """What the worker printed."""
        return self.folder / "log.txt"

    def look(self) -> JobView:
        """Read what happened since the last time."""
        gone = self._child.poll() is not None  # asked first: what it said last is then read
        for kind, data in self._new_events():
            self._view = _fold(self._view, kind, data)
        if gone and not self._view.ended:
            self._view = self._lost()
        elif self._told_s is not None and time.monotonic() - self._told_s > PATIENCE_S:
            self._signal(signal.SIGKILL)
        return self._view

    def cancel(self) -> None:
        """Tell it to stop; its process group is killed when it does not within `PATIENCE_S`."""
        if self._told_s is None and not self._view.ended:
            self._told_s = time.monotonic()
            self._signal(signal.SIGTERM)

    def close(self, patience_s: float = 2.0) -> None:
        """End it, whatever it does, and wait until it is gone."""
        self.cancel()
        try:
            self._child.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                if number is signal.SIGKILL:
                    os.killpg(self._child.pid, number)
                else:
                    self._child.send_signal(number)  # it tells its own children

    def _new_events(self) -> list[tuple[str, dict[str, Any]]]:
        with (self.folder / "events.jsonl").open("rb") as file:
            file.seek(self._read_bytes)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        rows = [json.loads(line) for line in whole.splitlines()]
        return [(row["kind"], row["data"]) for row in rows]

    def _lost(self) -> JobView:
        if self._told_s is not None:
            return replace(self._view, state="cancelled")
        tail = self.log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
        error = RemoteError(
            f"its process ended with {self._child.returncode} and no word", where=str(self.log),
            fix="Often memory ran out: allow the step less, or close other programs",
            details=tail,
        )  # fmt: skip
        return replace(self._view, state="failed", error=error)


def _start(folder: Path, log: Any) -> subprocess.Popen[bytes]:
    known = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([str(_PACKAGE_FOLDER), *([known] if known else [])])
    blas = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        return subprocess.Popen(  # noqa: S603 (a module of ours)
            [sys.executable, "-P", "-m", WORKER, str(folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**blas, **os.environ, "PYTHONPATH": search}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise RemoteError(
            f"its process cannot be started ({error})", where=sys.executable
        ) from error


def _fold(view: JobView, kind: str, data: Mapping[str, Any]) -> JobView:
    if kind == "progress":
        return replace(view, progress=Progress(**data))
    if kind == "log":
        return replace(view, said=(*view.said, str(data["text"])))
    if kind == "finished":
        outputs = {name: Path(path) for name, path in data["outputs"].items()}
        return replace(view, state="finished", outputs=outputs)
    if kind == "failed":
        return replace(view, state="failed", error=error_from_plain(data["error"]))
    return replace(view, state="cancelled") if kind == "cancelled" else view
