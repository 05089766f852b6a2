"""Model-based reconstruction of few views, beside filtered back-projection at its best."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from alsct_bench import fewangles
from alsct_bench.accuracy import rmse
from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_gui.files.open import open_scan
from alsct_gui.model.recipe import FilterName
from alsct_gui.recon.engines.mbir_engine import MbirEngine
from alsct_gui.simulator.truth import truth_slices

GROUP = "views"
_VIEWS = 64
_SCAN_ROWS, _ROW = 16, 7
_FILTERS: tuple[tuple[FilterName, float], ...] = (
    ("ramp", 1.0), ("shepp-logan", 1.0), ("hann", 1.0), ("hann", 0.7), ("hann", 0.5),
    ("hann", 0.35), ("butterworth", 0.05), ("butterworth", 0.07), ("butterworth", 0.1),
    ("butterworth", 0.14), ("butterworth", 0.2),
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Measurement]:
    """Reconstruct one slice in both ways; where svmbir is not installed, in none."""
    if not MbirEngine().check().ok:
        return
    path = fewangles.scan_of(bench.folder, fewangles.UNSEEN_SEED, _SCAN_ROWS)
    rows = range(_ROW, _ROW + 1)
    (truth,) = truth_slices(path, slice(_ROW, _ROW + 1), oversample=4)
    plain = fewangles.recipe_of(step=fewangles.VIEWS // _VIEWS)
    with open_scan(path) as scan:
        filtered = []
        for name, cutoff in _FILTERS:
            recipe = replace(plain, engine=replace(plain.engine, filter=name, cutoff=cutoff))
            (made,) = fewangles.reconstruct(scan, recipe, rows)
            filtered.append((rmse(made, truth), f"{name}, cut-off {cutoff:g}"))
        recipe = replace(plain, engine=replace(plain.engine, name="mbir", algorithm=""))
        began = time.perf_counter()
        (made,) = fewangles.reconstruct(scan, recipe, rows)
        seconds = time.perf_counter() - began
    best, how = min(filtered)
    found = rmse(made, truth)
    yield Measurement(
        GROUP, f"MBIR at {_VIEWS} views: rmse as a share of the maximum", found, "",
        peer=f"filtered back-projection, {how}", peer_value=best, ratio=best / found,
        target=Target("ratio", 1.8, any_size=True, quality="exact"),
        note=f"best of {len(filtered)} filters, chosen by the truth; MBIR as it is by default; "
        f"{fewangles.COLUMNS} columns, noise of the simulated camera",
    )  # fmt: skip
    yield Measurement(GROUP, f"MBIR at {_VIEWS} views: time of a slice", seconds, "s")
