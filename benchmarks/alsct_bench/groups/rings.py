"""The ring filters, and whether they give what the libraries give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from alsct_bench.accuracy import differing_share, largest_difference
from alsct_bench.context import Bench, Comparison, Rival, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import Float32Array, corrected_sinograms, raw_frames
from alsct_gui.model.recipe import RingFilter
from alsct_gui.recon.preprocess.rings.apply import filter_sinogram

GROUP = "rings"
_SLOW = frozenset({"vo-all"})
"""Seconds a slice in the libraries: one repeat."""
_GOALS = {"vo-all": 8.0, "sorting": 5.0, "wavelet-fourier": 2.0}
_REFERENCE = {
    "vo-all": "algotom",
    "sorting": "algotom",
    "wavelet-fourier": "tomopy",
    "titarenko": "tomopy",
}
"""The library that filters by the same rules; another's result may differ by design."""
_BY_DESIGN = {
    "wavelet-fourier": "padded by edge values here, by zeros in tomopy: they differ by design",
    "titarenko": "the strength means something else in tomopy: they differ by design",
}


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure each filter with its default settings on a noisy sinogram with stripes."""
    sinogram = _told_apart(corrected_sinograms(raw_frames(bench.size))[0])
    for method in ("vo-all", "sorting", "wavelet-fourier", "titarenko"):
        comparison = _compare(bench, sinogram, RingFilter(method=method))
        yield from comparison.rows
        for rival in comparison.rivals:
            yield from _difference(method, comparison.result, rival)


def _compare(bench: Bench, sinogram: Float32Array, ring: RingFilter) -> Comparison[Float32Array]:
    work = np.empty_like(sinogram)

    def renew() -> None:
        work[:] = sinogram

    def ours() -> Float32Array:
        filter_sinogram(work, ring)
        return work.copy()

    goal = _GOALS.get(ring.method)
    return bench.compare(
        GROUP,
        f"{ring.method} of a slice, 1 thread",
        ours,
        before=renew,
        tasks=[
            Task(
                f"rings-{ring.method}",
                {"sinogram": sinogram},
                {name: value for name, value in asdict(ring).items() if name != "method"},
                repeats=1 if ring.method in _SLOW else 2,
                target=Target("ratio", goal) if goal else None,
            )
        ],
        keep=True,
    )


def _told_apart(sinogram: Float32Array) -> Float32Array:
    """Add a trace of noise, so that no two values of a column are equal.

    Camera counts make many equal values, which a library's sort orders by chance: two right
    results could not be compared.
    """
    noise = np.random.default_rng(3).normal(0, 1e-4, sinogram.shape)
    return (sinogram + noise).astype(np.float32)


def _difference(method: str, ours: Float32Array, rival: Rival) -> Iterator[Measurement]:
    if rival.answer.result is None or rival.peer.library != _REFERENCE[method]:
        return
    note = _BY_DESIGN.get(method, "")
    yield Measurement(
        GROUP, f"{method}: largest difference, as a share of the largest value",
        largest_difference(ours, rival.answer.result), "", peer=rival.peer.label, note=note,
    )  # fmt: skip
    yield Measurement(
        GROUP, f"{method}: share of values that differ by more than 1e-5 of the largest",
        differing_share(ours, rival.answer.result), "", peer=rival.peer.label, note=note,
        target=None if note else Target("value", 1e-3, any_size=True),
    )  # fmt: skip
