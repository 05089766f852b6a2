"""Paganin's phase retrieval on whole projections."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alsct_bench.accuracy import largest_difference
from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import opposite_views
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.recipe import Phase
from alsct_gui.recon.preprocess.phase import paganin, paganin_area_m2

GROUP = "phase"
_FRAMES = 2
_PIXEL_UM, _DISTANCE_MM, _ENERGY_KEV = 0.65, 50.0, 25.0


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure a projection; the peer's filter has the same width."""
    first, second, _ = opposite_views(bench.size)
    transmission = np.exp(-np.stack([first, second])[:_FRAMES])
    n_rows, n_columns = first.shape
    geometry = Geometry(
        np.zeros(_FRAMES), n_rows, n_columns, pixel_size_um=_PIXEL_UM, distance_mm=_DISTANCE_MM,
        energy_kev=_ENERGY_KEV,
    )  # fmt: skip
    settings = Phase(delta_beta=500.0)
    options = {
        "pixel_cm": _PIXEL_UM * 1e-4,
        "distance_cm": _DISTANCE_MM / 10,
        "energy_kev": _ENERGY_KEV,
        "alpha": _alpha(paganin_area_m2(settings, geometry)),
    }
    task = Task(
        "paganin", {"projection": transmission[0]}, options, repeats=3, target=Target("ratio", 8.0)
    )
    for threads in bench.thread_counts:
        comparison = bench.compare(
            GROUP,
            f"Paganin of a projection of {n_rows} x {n_columns}, "
            f"{threads} thread{'s' * (threads != 1)}",
            lambda n=threads: paganin(  # type: ignore[misc]
                transmission, settings, geometry, threads=n
            ),
            items=_FRAMES,
            threads=threads,
            tasks=[task],
            keep=threads == 1,
        )
        yield from comparison.rows
        for rival in comparison.rivals:
            if rival.answer.result is not None:
                yield Measurement(
                    GROUP, "Paganin: largest difference, as a share of the largest value",
                    largest_difference(
                        _inner(comparison.result[0]), -np.log(_inner(rival.answer.result))
                    ),
                    "", peer=rival.peer.label,
                    note="in the middle of the frame; the peer's grid of frequencies has no zero",
                )  # fmt: skip


def _inner(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle half of a frame, out of the padding's reach."""
    n_rows, n_columns = frame.shape
    return frame[n_rows // 4 : -n_rows // 4, n_columns // 4 : -n_columns // 4]


def _alpha(area_m2: float) -> float:
    """The peer's parameter for the same filter.

    It damps by 1 / (1 + lambda z f^2 / (4 pi alpha)), f in cycles per cm; ours by
    1 / (1 + a (2 pi f)^2).
    """
    wavelength_cm = 1.239841984e-7 / _ENERGY_KEV
    return wavelength_cm * (_DISTANCE_MM / 10) / (16 * np.pi**3 * area_m2 * 1e4)
