"""What a worker tells while it works: stages, progress, and which slices can be looked at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.finding import Finding
from alsct_gui.model.progress import Progress
from alsct_gui.placement.runs.fold import merge_ranges
from alsct_gui.placement.runs.folder import EventLog
from alsct_gui.recon.plan import Plan

PACE_S = 0.2
"""Time between two progress events."""

Range = tuple[int, int]


class Reporter:
    """Turns what the work says into events; safe to call from the threads of a run.

    As a context manager: a thread of its own tells the latest progress every `PACE_S`, so
    that nothing that has happened waits for what comes after it.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.RLock()
        self._stage = ""
        self._pending: Progress | None = None
        self._slices: SliceReport | None = None
        self._error: AlsctError | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_telling, name="alsct-report")

    def stage(self, name: str, **facts: object) -> None:
        """A stage of the work begins."""
        with self._lock:
            self._stage = name
            self._log.append("stage", stage=name, **facts)

    def say(self, text: str) -> None:
        """Tell a sentence."""
        print(text, flush=True)  # noqa: T201 (the worker's output is its log)
        self._log.append("log", text=text)

    def warn(self, findings: Iterable[Finding]) -> None:
        """Tell findings."""
        for item in findings:
            text = f"{item.name}: {item.message} {item.fix}".strip()
            print(f"{item.severity}: {text}", flush=True)  # noqa: T201
            self._log.append("warning", text=text, name=item.name)

    def follow(self, plan: Plan, output: Path) -> None:
        """From now on `show` also tells which slices are stored."""
        self._slices = SliceReport(plan, partial_folder(output))

    def show(self, step: Progress) -> None:
        """Take progress of the work; it is told at the next turn, an end of a stage at once.

        Raises
        ------
        OutputError
            Earlier events could not be written.
        """
        if self._error is not None:
            raise self._error
        with self._lock:
            if step.stage != self._stage:
                self.stage(step.stage)
            if self._slices is not None and step.stage == "slices":
                self._slices.take(step.done)
            self._pending = step
            if step.done == step.total:
                self._tell()
                if step.stage == "slices":
                    self.stage("finish")  # checksum, metadata, name

    def _tell(self) -> None:
        """Write what has not been told."""
        with self._lock:
            step, self._pending = self._pending, None
            if step is None:
                return
            self._log.append(
                "progress", stage=step.stage, done=step.done, total=step.total, eta_s=step.eta_s
            )
            if self._slices is not None and self._slices.fresh:
                self._log.append("slices", **self._slices.told())

    def _keep_telling(self) -> None:
        while not self._over.wait(PACE_S):
            try:
                self._tell()
            except AlsctError as error:
                self._error = error  # raised where the work goes on
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()


class SliceReport:
    """Which slices are in the partial product, by how many there are.

    The run writes the batches of its plan in order and tells the number of slices after each;
    those that an earlier run stored stand in the journal.
    """

    def __init__(self, plan: Plan, partial: Path) -> None:
        self.fresh: list[Range] = []
        """Ranges that were stored and not yet told."""
        self._plan, self._partial = plan, partial
        self._count = 0
        self._batches: Iterator[tuple[Range, int]] | None = None

    def take(self, done: int) -> None:
        """So many slices are stored now."""
        if self._batches is None:  # the first call comes before the first batch
            kept = recorded_ranges(self._partial)
            self._count = sum(stop - first for first, stop in kept)
            self._batches = _wanted(self._plan, kept)
            self.fresh += kept
        while self._count < done:
            batch, new = next(self._batches)
            self._count += new
            self.fresh.append(batch)

    def told(self) -> dict[str, object]:
        """Return the data of an event, and begin anew."""
        ranges, self.fresh = merge_ranges(self.fresh), []
        return {
            "partial": str(self._partial),
            "ranges": ranges,
            "done": self._count,
            "total": self._plan.n_slices,
        }


def recorded_ranges(partial: Path) -> tuple[Range, ...]:
    """Return the slices that the journal of a partial product names; none without one."""
    with suppress(FileNotFoundError, ValueError):
        lines = (partial / "journal.jsonl").read_bytes().split(b"\n")[1:-1]
        return merge_ranges((int(first), int(stop)) for first, stop in map(json.loads, lines))
    return ()


def _wanted(plan: Plan, kept: Sequence[Range]) -> Iterator[tuple[Range, int]]:
    """Batches that a run does, in order, each with how many new slices it brings."""
    stored = {index for first, stop in kept for index in range(first, stop)}
    for slab in plan.slabs:
        for first, stop in slab.batches:
            new = sum(index not in stored for index in range(first, stop))
            if new:
                yield (first, stop), new
