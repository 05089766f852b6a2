"""The process that runs one step: ``python -m alsct_gui.steps.worker JOBFOLDER``.

It leads a process group of its own, and always says how it ended, unless it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.files.plaintext import read_plain
from alsct_gui.model.background import make_way
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.remote.faults import error_to_plain
from alsct_gui.steps.jobs import request_from_plain
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from alsct_gui.steps.writing import default_name

PACE_S = 0.1
"""Progress of one stage is told so often at most."""
MISTAKE = 70


class Events:
    """Appends lines to ``events.jsonl``."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._told: Progress | None = None
        self._told_s = 0.0

    def append(self, kind: str, **data: Any) -> None:
        """Add an event that happens now."""
        row = {"time_s": time.time(), "kind": kind, "data": data}
        line = memoryview(json.dumps(row, default=str).encode() + b"\n")
        while line:
            line = line[os.write(self._fd, line) :]

    def progress(self, step: Progress) -> None:
        """Add progress, unless there was some just now."""
        same = self._told is not None and self._told.stage == step.stage
        if same and step.done < step.total and time.monotonic() - self._told_s < PACE_S:
            return
        self._told, self._told_s = step, time.monotonic()
        self.append("progress", **to_plain(step))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)


def main(arguments: list[str]) -> int:
    """Run the step in the folder ``arguments[0]``; return the exit code."""
    make_way()
    folder = Path(arguments[0])
    token = CancelToken()
    signal.signal(signal.SIGTERM, lambda *_: token.cancel())
    with Events(folder / "events.jsonl") as events:
        events.append("started", pid=os.getpid())
        try:
            outputs = work(folder, events, token)
        except CancelledError:
            events.append("cancelled")
            return CancelledError.exit_code
        except AlsctError as error:
            print(error.sentence, flush=True)  # noqa: T201 (its output is its log)
            events.append("failed", error=error_to_plain(error))
            return error.exit_code
        except Exception as error:  # noqa: BLE001 - a mistake of a program, said as such
            traceback.print_exc()
            events.append("failed", error=error_to_plain(error))
            return MISTAKE
        events.append("finished", outputs=outputs)
        return 0


def work(folder: Path, events: Events, cancel: CancelToken) -> dict[str, str]:
    """Run what the folder asks for; return the products.

    Raises
    ------
    AlsctError
        It cannot be done, or was cancelled.
    """
    request = request_from_plain(read_plain(folder / "request.json"))
    reporter = Reporter(
        progress=events.progress, cancel=cancel, say=lambda text: events.append("log", text=text),
        threads=request.threads or len(os.sched_getaffinity(0)),
        memory_bytes=request.memory_bytes,
    )  # fmt: skip
    step = get_step(request.step)
    result = run_step(
        step, request.parameters, inputs=request.inputs,
        output=request.output or folder / default_name(step), reporter=reporter,
        overwrite=request.overwrite, resume=request.resume,
    )  # fmt: skip
    return {name: str(path) for name, path in result.outputs.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
