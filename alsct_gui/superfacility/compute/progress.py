"""How far a job is, in a file of one line that is replaced whole.

`--progress-file` of `alsct recon` and `alsct step run` writes it; whoever watches, here or over
a service, reads it and never sees half of it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from alsct_gui.model.errors import AlsctError, CancelledError, OutputError
from alsct_gui.model.progress import Progress

MAX_BYTES = 1 << 16
"""Largest file that is read; ours have some hundred bytes."""
EVERY_S = 1.0
"""Least time between two states of the file, except for the last."""

RunState = Literal["running", "finished", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What the file says."""

    state: RunState
    """Whether it goes on, and how it ended otherwise."""
    stage: str = ""
    """Stage that it is in, of a reconstruction ``projections`` or ``slices``; empty before the
    first."""
    done: int = 0
    """Units of the stage that are finished."""
    total: int = 0
    """Units of the stage in all."""
    elapsed_s: float = 0.0
    """Time since the stage began."""
    eta_s: float | None = None
    """Time that is left in the stage; None before there is a pace."""
    at: float = 0.0
    """When this was written, seconds since 1970 UTC."""
    slices: int | None = None
    """Slices of the finished volume, counted in the volume; None before its end, and of what is no
    volume."""
    message: str = ""
    """What went wrong, in a sentence; empty otherwise."""

    @property
    def fraction(self) -> float:
        """Part of the stage that is finished, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


def parse_progress(text: str) -> RunProgress | None:
    """Read the line; None for what is no such line, which a foreign file may hold."""
    try:
        data = json.loads(text[:MAX_BYTES])
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("state") not in _STATES:
        return None
    return RunProgress(
        state=data["state"],
        stage=_text(data.get("stage")),
        done=_count(data.get("done")) or 0,
        total=_count(data.get("total")) or 0,
        elapsed_s=_number(data.get("elapsed_s")) or 0.0,
        eta_s=_number(data.get("eta_s")),
        at=_number(data.get("at")) or 0.0,
        slices=_count(data.get("slices")),
        message=_text(data.get("message")),
    )


def read_progress(path: Path) -> RunProgress | None:
    """Read the file; None when it is absent or none of ours.

    Raises
    ------
    OSError
        It is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            return parse_progress(file.read(MAX_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        return None


class ProgressFile:
    """Writes the file while a run goes on, and its end whatever that is.

    Parameters
    ----------
    path
        Where to write; None writes nothing.
    clock
        Monotonic seconds.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._written_s = -math.inf
        self._last = RunProgress("running")

    def __enter__(self) -> Self:
        self._write(self._last)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        last = self._last
        cancelled = isinstance(error, CancelledError)
        sentence = error.sentence if isinstance(error, AlsctError) else repr(error)
        # The error itself is what the person must see, even on a disk that is full.
        with suppress(OutputError):
            self._write(
                RunProgress(
                    "cancelled" if cancelled else "failed", last.stage, last.done, last.total,
                    last.elapsed_s, message=sentence[:2000],
                )
            )  # fmt: skip

    def show(self, step: Progress) -> None:
        """Take a step of the run; the file follows once a second.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        self._last = RunProgress(
            "running", step.stage, step.done, step.total, step.elapsed_s, step.eta_s
        )
        if self._clock() - self._written_s >= EVERY_S:
            self._write(self._last)

    def finish(self, slices: int | None = None) -> None:
        """Say that the product is whole.

        Parameters
        ----------
        slices
            Slices of a volume, counted in it.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        last = self._last
        self._write(
            RunProgress("finished", last.stage, last.total, last.total, last.elapsed_s,
                        eta_s=0.0, slices=slices)
        )  # fmt: skip

    def _write(self, progress: RunProgress) -> None:
        if self._path is None:
            return
        self._written_s = self._clock()
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.partial")
        line = json.dumps({**_to_plain(progress), "at": time.time()}) + "\n"
        try:
            beside.write_text(line, encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            raise OutputError(
                f"the progress file cannot be written ({error.strerror})", where=str(self._path),
                fix="Give another place for it, or leave --progress-file out",
            ) from error  # fmt: skip


_STATES = ("running", "finished", "failed", "cancelled")


def _to_plain(progress: RunProgress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in RunProgress.__slots__}


def _text(value: object) -> str:
    return value[:2000] if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e18 else None
