"""What a worker tells while it works: stages, progress, and which slices can be looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.finding import Finding
from alsct_gui.model.progress import Progress
from alsct_gui.placement.runs.fold import merge_ranges
from alsct_gui.placement.runs.folder import EventLog
from alsct_gui.recon.plan import Plan

PACE_S = 0.2
"""Least time between two progress events."""

Range = tuple[int, int]


class Reporter:
    """Turns what the work says into events; safe to call from the threads of a run."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._last_s = -PACE_S
        self._stage = ""
        self._slices: SliceReport | None = None

    def stage(self, name: str, **facts: object) -> None:
        """A stage of the work begins."""
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
        """Progress of the work; every so often an event."""
        if step.stage != self._stage:
            self.stage(step.stage)
            self._last_s = -PACE_S
        if self._slices is not None and step.stage == "slices":
            self._slices.take(step.done)
        now = time.monotonic()
        if now - self._last_s < PACE_S and step.done < step.total:
            return
        self._last_s = now
        self._log.append(
            "progress", stage=step.stage, done=step.done, total=step.total, eta_s=step.eta_s
        )
        if self._slices is not None and self._slices.fresh:
            self._log.append("slices", **self._slices.told())
        if step.stage == "slices" and step.done == step.total:
            self._log.append("stage", stage="finish")  # checksum, metadata, its name


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
