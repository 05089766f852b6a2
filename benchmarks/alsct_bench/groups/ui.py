"""The window: how soon it is there, how soon it answers, whether it ever stutters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from alsct_bench.apart import measured_apart
from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import band_file
from alsct_gui.files.writers.base import create_volume

GROUP = "ui"
_SLICES = 64
_ROWS = (
    ("window_shown_s", "s", None, "from the start of the process to the first window"),
    ("window_usable_s", "s", Target("value", 3.0), "the viewer is there too; caches are warm"),
    ("first_slice_s", "s", None, "from opening a scan to its first slice, centre found"),
    ("slider_to_slice_s", "s", Target("value", 0.5), "full resolution, on the canvas"),
    ("scroll_rate", "slices/s", None, "volume from the page cache, each slice drawn; aim: 30"),
    ("scroll_rate_under_load", "slices/s", None, "while both processors reconstruct"),
    ("heartbeat_p50_ms", "ms", None, "while a scan is reconstructed, 200 rows change a second "
     "and a volume is scrolled"),
    ("heartbeat_p99_ms", "ms", Target("value", 50.0), "the same"),
    ("heartbeat_max_ms", "ms", Target("value", 200.0), "the same"),
    ("window_memory_gb", "GB", None, "peak of the window's own process"),
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure a window in a process of its own, under Xvfb where there is no screen."""
    scan = band_file(bench.folder, bench.size)
    folder = bench.folder / "window"
    volume = _volume(bench)
    words = [str(scan.path), str(volume), str(folder), *(["--quick"] if bench.quick else [])]
    yield from measured_apart(GROUP, "alsct_bench.window", words, folder, _ROWS)


def _volume(bench: Bench) -> Path:
    """Make a volume of full width, or find the one that an earlier run made."""
    edge_px = bench.size.n_columns
    path = bench.folder / f"volume-{edge_px}x{_SLICES}.zarr"
    if path.exists():
        return path
    y, x = np.mgrid[:edge_px, :edge_px].astype(np.float32)
    base = np.sin(x / 37) * np.cos(y / 53)
    noise = np.random.default_rng(5).normal(0, 0.1, base.shape).astype(np.float32)
    shape, voxel_um = (_SLICES, edge_px, edge_px), (0.65, 0.65, 0.65)
    with create_volume(path, shape=shape, dtype=np.float32, voxel_um=voxel_um) as writer:
        for first in range(0, _SLICES, 16):
            shifted = [np.roll(noise, first + k) + base for k in range(16)]
            writer.write(first, np.stack(shifted))
        return writer.finish()
