"""Particles, porosity and thickness, held against what the simulator knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_gui.simulator.specimens.balls import BallSpec, foam, touching_spheres
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.specimen import Specimen
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import array_volume

GROUP = "measure"
_SPHERES = BallSpec()
_FOAM = BallSpec((200, 256, 256), 300, 11.0, 0.4, inside=0.1, outside=1.1)
_QUICK_SPHERES = BallSpec((110, 110, 110), 110, 10.0)
_QUICK_FOAM = BallSpec((80, 100, 100), 40, 8.0, 0.3, inside=0.1, outside=1.1)
_NOISES = (("blurred", Degradation(0.7)), ("CNR 5", Degradation(0.7, 5.0)))


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure the three steps that count voxels."""
    yield from _particles(bench)
    yield from _porosity(bench)
    yield from _thickness(bench)


def _run(bench: Bench, name: str, specimen: Specimen, preset: str = "") -> dict[str, Any]:
    step = get_step(name)
    edge = specimen.voxel_um
    volume = array_volume(specimen.values, voxel_um=(edge, edge, edge))
    reporter = Reporter(threads=bench.threads)
    return dict(step.run({"volume": volume}, step.preset(preset), reporter))


def _particles(bench: Bench) -> Iterator[Measurement]:
    spec = _QUICK_SPHERES if bench.quick else _SPHERES
    for name, how in _NOISES:
        specimen = touching_spheres(replace(spec, degradation=how))
        true_um = 2 * np.array([row["radius_um"] for row in specimen.tables["spheres"]])
        table = _run(bench, "measure.particles", specimen, "noisy")["particles"]
        found_um = table.column("diameter_um")
        yield Measurement(
            GROUP, f"{spec.count} touching spheres, {name}: miscounted",
            100 * abs(len(found_um) - spec.count) / spec.count, "%",
            target=Target("value", 0.5, any_size=True),
        )  # fmt: skip
        yield Measurement(
            GROUP, f"{spec.count} touching spheres, {name}: error of the median diameter",
            100 * abs(float(np.median(found_um) / np.median(true_um)) - 1), "%",
            target=Target("value", 0.5, any_size=True),
        )  # fmt: skip
    comparison = bench.compare(
        GROUP, f"{spec.count} touching spheres told apart and measured",
        lambda: _run(bench, "measure.particles", specimen), unit="s", threads=bench.threads,
        repeats=1,
        tasks=[Task("particles", {"volume": specimen.values}, {"threshold": 0.5}, repeats=1,
                    note="its distance map, h-maxima, watershed and table of regions")],
    )  # fmt: skip
    yield from comparison.rows


def _porosity(bench: Bench) -> Iterator[Measurement]:
    spec = _QUICK_FOAM if bench.quick else _FOAM
    for name, how in _NOISES:
        specimen = foam(replace(spec, degradation=how))
        true = specimen.facts["phase_share"]
        table = _run(bench, "measure.phases", specimen)["phases"]
        found, counted = (
            100 * abs(float(table.column(key)[0]) - true) for key in ("share", "counted_share")
        )  # fmt: skip
        yield Measurement(
            GROUP, f"porosity of a foam, {name}: error, absolute", found, "%",
            peer="counting voxels", peer_value=counted, ratio=counted / max(found, 1e-9),
            target=Target("value", 0.2, any_size=True),
        )  # fmt: skip


def _thickness(bench: Bench) -> Iterator[Measurement]:
    spec = _QUICK_FOAM if bench.quick else _FOAM
    specimen = foam(spec)
    comparison = bench.compare(
        GROUP, f"local thickness in {specimen.values.size / 1e6:.1f} million voxels",
        lambda: _run(bench, "measure.thickness", specimen), unit="s", threads=bench.threads,
        repeats=1,
    )  # fmt: skip
    yield from comparison.rows
