"""The rotation axis: how fast, and how far from the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alsct_bench.context import Bench, Task
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


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure the sinogram method with much and with little light, and opposite views."""
    for words, photons, beside in (
        ("much light", BRIGHT_PHOTONS, bench.quick),
        ("noise", FEW_PHOTONS, True),
    ):
        raw = raw_frames(bench.size, photons=photons)
        sinograms = corrected_sinograms(raw)[:1]
        angles = raw.angles_deg
        yield from _one(
            bench,
            f"sinogram method, {words}",
            lambda s=sinograms, a=angles: wedge_center(s, a, threads=1),  # type: ignore[misc]
            raw.center_px,
            # The last of the angles is opposite to the first: the libraries want it.
            Task("center-vo", {"sinogram": sinograms[0]}, repeats=1) if beside else None,
            note=f"{photons:.0f} photons a pixel, one row",
            target=Target("value", 1.0),
        )
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


def _one(
    bench: Bench,
    name: str,
    find: Callable[[], LocalEstimate | None],
    truth_px: float,
    task: Task | None,
    *,
    note: str,
    target: Target,
) -> Iterator[Measurement]:
    comparison = bench.compare(
        GROUP, f"centre by {name}, 1 thread", find, unit="s", tasks=[task] if task else [],
        target=target, note=note,
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
