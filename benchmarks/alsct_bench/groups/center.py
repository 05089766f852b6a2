"""The rotation axis: how fast, and how far from the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alsct_bench.context import Bench, Size, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import (
    BRIGHT_PHOTONS,
    FEW_PHOTONS,
    corrected_sinograms,
    opposite_views,
    raw_frames,
)
from alsct_gui.recon.center.local import LocalEstimate
from alsct_gui.recon.center.phase_correlation import OppositeViews, phase_correlation
from alsct_gui.recon.center.sinogram import wedge_center

GROUP = "center"
_TOLERANCE_PX = 0.25
_HALF = Size(n_columns=1280, n_angles=657, n_rows=64, run_rows=32)
"""The libraries take minutes for a sinogram of full size."""
_PEER_REACH_PX = 50
"""Half of the peers' search; ours looks over most of the width."""


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure the sinogram method with much and with little light, and opposite views."""
    yield from _by_sinogram(bench, bench.size, "much light", BRIGHT_PHOTONS)
    yield from _by_sinogram(bench, bench.size, "noise", FEW_PHOTONS)
    yield from _by_sinogram(bench, bench.size, "noise, 8 rows", FEW_PHOTONS, n_rows=8)
    beside = bench.size if bench.quick else _HALF
    words = f"{beside.n_columns} columns, noise"
    yield from _by_sinogram(bench, beside, words, FEW_PHOTONS, peers=True)
    first, second, truth = opposite_views(bench.size)
    yield from _one(
        bench,
        "phase correlation",
        lambda: phase_correlation([OppositeViews(first, second)]),
        truth,
        Task("center-phase-correlation", {"first": first, "second": second}, repeats=2),
        note=f"two views of {bench.size.n_rows} rows",
        target=Target("value", 0.3),
    )


def _by_sinogram(
    bench: Bench, size: Size, words: str, photons: float, *, n_rows: int = 1, peers: bool = False
) -> Iterator[Measurement]:
    raw = raw_frames(size, photons=photons)
    sinograms = corrected_sinograms(raw)[:n_rows]
    # The first and the last angle are opposite, as the libraries want it.
    vo = Task(
        "center-vo", {"sinogram": sinograms[0]}, {"reach_px": _PEER_REACH_PX}, repeats=1,
        threads=bench.threads, note=f"peers search {_PEER_REACH_PX} columns to either side",
    )  # fmt: skip
    yield from _one(
        bench,
        f"sinogram method, {words}",
        lambda: wedge_center(sinograms, raw.angles_deg, threads=1),
        raw.center_px,
        vo if peers else None,
        note=f"{photons:.0f} photons a pixel, {n_rows} row{'s' * (n_rows != 1)}, time a row",
        target=Target("value", 1.0),
        items=n_rows,
    )


def _one(
    bench: Bench,
    name: str,
    find: Callable[[], LocalEstimate | None],
    truth_px: float,
    task: Task | None,
    *,
    note: str,
    target: Target,
    items: int = 1,
) -> Iterator[Measurement]:
    comparison = bench.compare(
        GROUP, f"centre by {name}, 1 thread", find, unit="s", items=items,
        tasks=[task] if task else [], target=target, note=note,
    )  # fmt: skip
    yield from comparison.rows
    estimate = comparison.result
    error = abs(estimate.column - truth_px) if estimate else float("inf")
    yield Measurement(
        GROUP, f"centre by {name}: error", error, "px",
        target=Target("value", _TOLERANCE_PX, any_size=True), note=note,
    )  # fmt: skip
    for rival in comparison.rivals:
        other = abs(rival.answer.facts["center_px"] - truth_px)
        yield Measurement(
            GROUP, f"centre by {name}: error", error, "px", peer=rival.peer.label,
            peer_value=other, note=note,
        )  # fmt: skip
