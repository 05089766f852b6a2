"""The board: how soon what the agent writes is in the window, also with thousands of scans."""

from __future__ import annotations

from collections.abc import Iterator

from alsct_bench.apart import measured_apart
from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target

GROUP = "board"
_SOON = Target("value", 0.2)
_ROWS = (
    ("feed_latency_s", "s", _SOON, "1000 scans: from the agent's transaction to the snapshot"),
    ("feed_latency_many_s", "s", _SOON, "10,000 scans: the same"),
    ("board_shown_s", "s", None, "1000 scans: from the click on Board to its rows"),
    ("window_latency_s", "s", _SOON, "1000 scans: from the transaction to the cell, drawn"),
    ("heartbeat_p99_ms", "ms", Target("value", 50.0),
     "1000 scans: while 20 goals change a second and the board is scrolled"),
    ("heartbeat_max_ms", "ms", Target("value", 200.0), "the same"),
    ("board_shown_many_s", "s", None, "10,000 scans: from the click on Board to its rows"),
    ("window_latency_many_s", "s", None, "10,000 scans: from the transaction to the cell"),
    ("heartbeat_p99_many_ms", "ms", None, "10,000 scans: as above"),
    ("heartbeat_max_many_ms", "ms", None, "the same"),
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure windows in a process of its own, under Xvfb where there is no screen."""
    folder = bench.folder / "board"
    words = [str(folder), *(["--quick"] if bench.quick else [])]
    yield from measured_apart(GROUP, "alsct_bench.boards", words, folder, _ROWS)
