"""Nothing lost: agents and services killed at random, and a backlog that is paid."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_bench.soak.drill import SCAN_BYTES, TASK_BYTES_PER_S, drill
from alsct_bench.soak.plan import FULL, QUICK, SHORT
from alsct_bench.soak.play import Soak

GROUP = "soak"
_NOTHING = Target("value", 0, any_size=True)


def measure(bench: Bench) -> Iterator[Measurement]:
    """Play one soak and one drill."""
    yield from _soak(bench)
    yield from _drill(bench)


def _soak(bench: Bench) -> Iterator[Measurement]:
    size = QUICK if bench.quick else FULL if bench.full else SHORT
    seed = bench.seed if bench.seed is not None else int(time.time())
    folder = Path(tempfile.mkdtemp(prefix="alsct-soak-"))
    result = Soak(folder, seed, size).play()
    note = f"--seed {seed}"
    if result.violations:
        rules = ", ".join(sorted({item.rule for item in result.violations}))
        note += f"; {rules}; see {folder}"
    else:
        shutil.rmtree(folder)
    yield _count("violations", len(result.violations), note, _NOTHING)
    for name in (
        "scans", "kills", "fault windows", "goals", "pieces of work", "failures", "events"
    ):  # fmt: skip
        yield _count(name, result.counts[name])
    yield Measurement(GROUP, "whole soak", result.seconds, "s")
    yield Measurement(GROUP, "end of the faults until nothing is owed", result.quiet_s, "s")
    goals = max(1, result.counts["goals"])
    yield Measurement(
        GROUP, "ledger for each goal", result.counts["ledger bytes"] / goals, "bytes",
        target=Target("value", 2000, any_size=True),
    )  # fmt: skip


def _drill(bench: Bench) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="drill-") as name:
        done = drill(Path(name), 40 if bench.quick else 500)
    sizes = f"{SCAN_BYTES / 1e9:g} GB each, {TASK_BYTES_PER_S / 1e6:g} MB/s a task, 3 at a time"
    least = f"simulated clock; the lines alone take {done.least_hours:.2f} h"
    yield _count("drill: violations", len(done.violations), target=_NOTHING)
    yield _count("drill: scans owed after 12 h without NERSC", done.scans, sizes)
    yield _count("drill: Globus tasks", done.tasks)
    yield Measurement(GROUP, "drill: until nothing is owed", done.hours, "h", note=least)


def _count(name: str, value: int, note: str = "", target: Target | None = None) -> Measurement:
    return Measurement(GROUP, name, float(value), "", target=target, note=note)
