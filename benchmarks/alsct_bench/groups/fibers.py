"""Fibre breaks, held against what the simulator knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.fibres import FibreSpec, make_bundle, paint_bundle
from alsct_gui.simulator.specimens.judge import judge_breaks
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import array_volume

GROUP = "fibers"
_FULL = FibreSpec()
_QUICK = FibreSpec(n_slices=140, n_fibres=110, n_breaks=50)
_CNR_3 = Degradation(blur_px=0.7, cnr=3.0)
_GAP_3 = Degradation(blur_px=0.7, cnr=3.0 * 0.6)
_HARD = Degradation(
    blur_px=0.7, cnr=4.0, correlation_px=1.0, rings_per_slice=1.5, ring_strength=0.4
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Measurement]:
    """Find breaks in specimens of two kinds, and in a third that is noisier than asked for."""
    spec = _QUICK if bench.quick else _FULL
    plain = replace(spec, degradation=_CNR_3)
    noisier = replace(spec, degradation=_GAP_3)
    hard = replace(spec, degradation=_HARD, n_cracks=4, debond_px=6.0)
    yield from _judge(bench, "CNR 3", plain, 2.0, 2.0)
    yield from _judge(bench, "CNR 3 of fibre against gap", noisier, None, None)
    yield from _judge(
        bench, "CNR 4, rings, correlated noise, bridged cracks", hard, 5.0, 10.0
    )  # fmt: skip


def _judge(
    bench: Bench, name: str, spec: FibreSpec, missed: float | None, false: float | None
) -> Iterator[Measurement]:
    specimen = paint_bundle(make_bundle(spec))
    edge = specimen.voxel_um
    volume = array_volume(specimen.values, voxel_um=(edge, edge, edge))
    step = get_step("fibers.breaks")
    began = time.perf_counter()
    made = step.run({"volume": volume}, step.preset(), Reporter(threads=bench.threads))
    seconds = time.perf_counter() - began
    table = made["breaks"]
    places = np.column_stack([table.column(key) for key in ("z_um", "y_um", "x_um")])
    truth = specimen.tables["breaks"]
    verdict = judge_breaks(truth, places, beside_um=spec.radius_px * edge)
    true_um = np.array([row["opening_um"] for row in truth])[verdict.pairs[:, 0]]
    error_px = np.abs(table.column("opening_um")[verdict.pairs[:, 1]] - true_um) / edge
    about = f"{spec.n_fibres} fibres, {spec.n_breaks} breaks, {name}"
    rows = (
        ("breaks missed", 100 * verdict.missed_share, "%", missed),
        ("findings that are no break", 100 * verdict.false_share, "%", false),
        ("error of the opening, median", float(np.median(error_px)), "px",
         None if missed is None else 0.5),
    )  # fmt: skip
    for words, value, unit, bound in rows:
        target = None if bound is None else Target("value", bound, any_size=True)
        yield Measurement(GROUP, f"{about}: {words}", value, unit, target=target)
    yield Measurement(
        GROUP, f"{about}: time for {specimen.values.size / 1e6:.0f} million voxels", seconds, "s"
    )
