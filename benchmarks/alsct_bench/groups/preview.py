"""From opening a full-size scan to its first slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import tall_file
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.recon.preview import preview

GROUP = "preview"


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure the standard recipe at full size and binned by 2, the file in the page cache."""
    scan = tall_file(bench.folder, bench.size)
    row = sum(scan.rows) // 2
    for words, binning, seconds in (("full size", 1, 1.0), ("binned by 2", 2, None)):
        for threads in bench.thread_counts:
            yield from bench.compare(
                GROUP,
                f"open, find the centre, one slice, {words}, "
                f"{threads} thread{'s' * (threads != 1)}",
                partial(_first_slice, scan.path, row, binning, threads),
                unit="s",
                threads=threads,
                hold_blas=False,
                target=Target("value", seconds) if seconds else None,
                note="standard recipe, file in the page cache",
            ).rows


def _first_slice(path: Path, row: int, binning: int, threads: int) -> NDArray[np.float32]:
    recipe = load_recipe("standard-8.3.2")
    recipe = replace(recipe, region=replace(recipe.region, binning=binning))
    with open_scan(path) as scan:
        return preview(scan, recipe, row, threads=threads).picture
