from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.fibres import (
    Bundle,
    FibreSpec,
    LoadStep,
    make_bundle,
    paint_bundle,
)
from alsct_gui.simulator.specimens.specimen import Specimen, write_specimen
from alsct_gui.steps.running import run_step

PLAIN = FibreSpec(
    n_slices=120, n_fibres=80, n_breaks=36, degradation=Degradation(blur_px=0.7, cnr=3.0)
)  # fmt: skip
"""80 fibres, 36 breaks, CNR 3."""
HARD = replace(
    PLAIN, n_cracks=3, debond_px=6.0, seed=2,
    degradation=Degradation(
        blur_px=0.7, cnr=4.0, correlation_px=1.0, rings_per_slice=1.5, ring_strength=0.4
    ),
)  # fmt: skip
"""The same with rings, correlated noise and cracks that fibres bridge, at CNR 4."""

Painted = Callable[..., Specimen]


@pytest.fixture(scope="session")
def painted() -> Painted:
    """Paints specimens; the same call gives the same one."""

    @cache
    def bundle(spec: FibreSpec) -> Bundle:
        return make_bundle(spec)

    @cache
    def paint(spec: FibreSpec = PLAIN, step: LoadStep = LoadStep()) -> Specimen:  # noqa: B008
        return paint_bundle(bundle(spec), step)

    return paint


FIRST, SECOND = LoadStep(0.4, 0.7), LoadStep(1.0, 1.0, 0.003, (2.6, 2.0, -4.5), 0.8)
"""Two loads: the specimen has moved, turned and grown longer in between."""


@pytest.fixture(scope="session")
def results(painted: Painted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Volumes at two loads, and what `fibers.breaks` makes of them; by their names."""
    folder = tmp_path_factory.mktemp("loads")
    found = {}
    for name, step in (("93", FIRST), ("151", SECOND)):
        found[f"volume {name}"] = write_specimen(folder / f"f{name}.zarr", painted(PLAIN, step))
        run_step(
            "fibers.breaks", {}, inputs={"volume": found[f"volume {name}"]},
            output=folder / f"breaks{name}",
        )  # fmt: skip
        found[name] = folder / f"breaks{name}"
    return found
