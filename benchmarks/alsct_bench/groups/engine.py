"""The engine `fourier`: time a slice, that of the FFTs alone, and its accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_bench.accuracy import oriented, rmse, scale_error
from alsct_bench.context import QUICK, Bench, Comparison, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import Float32Array, SmoothSlices, smooth_slices
from alsct_bench.timing import take_turns, timer
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import SliceGeometry
from alsct_gui.recon.engines.fourier import FourierEngine

GROUP = "engine"
_PEER_SLICES = 4
_OVERSAMPLING = 1.25
_ERRORS = ("rmse as a share of the maximum", "error of the scale")


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure a batch, a single slice, binned, trial centres; then accuracy."""
    sample = smooth_slices(bench.size)
    engine = FourierEngine()
    yield from _bound(bench)
    for threads in bench.thread_counts:
        batch = _batch(bench, engine, sample, threads, fresh=False)
        yield from batch.rows
        if threads == 1:
            yield from _accuracy(batch, sample, "")
        yield from _batch(bench, engine, sample, threads, fresh=True).rows
    for threads in bench.thread_counts:
        yield from bench.compare(
            GROUP,
            f"one slice by itself, {_words(threads)}",
            partial(_reconstruct, engine, sample.sinograms[:1], sample, threads, None),
            threads=threads,
            target=Target("value", 150.0) if threads == 1 else None,
        ).rows
    yield from _backprojection(bench, engine)
    yield from _binned(bench, engine, sample)
    yield from _trial_centers(bench, engine, sample)


def _batch(
    bench: Bench, engine: FourierEngine, sample: SmoothSlices, threads: int, *, fresh: bool
) -> Comparison[Float32Array]:
    """Compare with gridrec at the size of the run."""
    few = _arrays(sample, _PEER_SLICES)
    options = {"center_px": sample.center_px, "fresh": fresh}
    n_slices, _, n_columns = sample.sinograms.shape
    out = None if fresh else np.zeros((n_slices, n_columns, n_columns), np.float32)
    memory = "fresh memory" if fresh else "kept memory"
    return bench.compare(
        GROUP,
        f"a slice in a batch of {n_slices}, {_words(threads)}, {memory}",
        partial(_reconstruct, engine, sample.sinograms, sample, threads, out),
        items=n_slices,
        threads=threads,
        tasks=[
            Task("gridrec-production", few, options, _PEER_SLICES, target=Target("ratio", 4.0),
                 note="gridrec with edge padding and Butterworth, as in production"),
            Task("gridrec", few, options, _PEER_SLICES, note="gridrec plain, ramp, no padding"),
        ],
        keep=threads == 1 and not fresh,
    )  # fmt: skip


def _backprojection(bench: Bench, engine: FourierEngine) -> Iterator[Measurement]:
    """Compare with filtered back-projection, which takes minutes a slice at full size."""
    sample = smooth_slices(QUICK)
    size = f"{QUICK.n_columns} columns x {QUICK.n_angles} angles"
    comparison = bench.compare(
        GROUP,
        f"a slice of {size}, 1 thread",
        partial(_reconstruct, engine, sample.sinograms, sample, 1, None),
        items=len(sample.sinograms),
        tasks=[Task("fbp", _arrays(sample, 1), {"center_px": sample.center_px}, repeats=2)],
        keep=True,
        note="a small slice: back-projection in space takes minutes at full size",
    )
    yield from comparison.rows
    yield from _accuracy(comparison, sample, f" at {size}")


def _arrays(sample: SmoothSlices, count: int) -> dict[str, NDArray[Any]]:
    return {"sinograms": sample.sinograms[:count], "angles_deg": sample.angles_deg}


def _bound(bench: Bench) -> Iterator[Measurement]:
    """Time scipy at the FFTs of the same size, two real slices in one complex."""
    n_columns, n_angles = bench.size.n_columns, bench.size.n_angles
    rays = np.zeros((n_angles, scipy.fft.next_fast_len(2 * n_columns)), np.complex64)
    edge = scipy.fft.next_fast_len(int(_OVERSAMPLING * n_columns))
    grid = np.zeros((edge, edge), np.complex64)
    for threads in bench.thread_counts:

        def work(workers: int = threads) -> None:
            scipy.fft.fft(rays, axis=1, workers=workers)
            scipy.fft.ifft2(grid, workers=workers)

        work()
        (timing,) = take_turns([timer(work)], [bench.repeats])
        yield Measurement(
            GROUP, f"the FFTs alone, by scipy, {_words(threads)}", timing.median_s * 1e3 / 2, "ms",
            spread=timing.spread,
            note=f"{n_angles} x {rays.shape[1]} along the rays and {edge} x {edge}, two real "
            "slices in a complex one: the lower bound of gridding over scipy; the engine has its "
            "own FFT",
        )  # fmt: skip


def _accuracy(
    batch: Comparison[Float32Array], sample: SmoothSlices, where: str
) -> Iterator[Measurement]:
    """Compare with the analytic phantom; peers are turned as they fit best."""
    note = "smooth analytic phantom, within 0.98 of the circle"
    own = _errors(batch.result[0], sample)
    bounds = (3e-4, 1e-3)
    for name, error, bound in zip(_ERRORS, own, bounds, strict=True):
        yield Measurement(
            GROUP, name + where, error, "", target=Target("value", bound, any_size=True), note=note
        )
    for rival in batch.rivals:
        if rival.answer.result is None:
            continue
        theirs = _errors(oriented(rival.answer.result[0], sample.truth), sample)
        label = f"{rival.peer.label}, {rival.task.name}"
        for name, error, other in zip(_ERRORS, own, theirs, strict=True):
            yield Measurement(
                GROUP, name + where, error, "", peer=label, peer_value=other, ratio=other / error
            )


def _errors(picture: Float32Array, sample: SmoothSlices) -> tuple[float, float]:
    return rmse(picture, sample.truth), abs(scale_error(picture, sample.truth))


def _binned(bench: Bench, engine: FourierEngine, sample: SmoothSlices) -> Iterator[Measurement]:
    from alsct_gui.recon.preprocess.binning import bin_picture

    small = bin_picture(sample.sinograms[0], 2)[np.newaxis]
    geometry = SliceGeometry(
        sample.angles_deg[: 2 * small.shape[1] : 2],
        small.shape[2],
        (sample.center_px - 0.5) / 2,
    )
    yield from bench.compare(
        GROUP,
        "one slice binned by 2, 1 thread",
        lambda: engine.reconstruct(small, geometry, EngineSettings()),
        target=Target("value", 50.0),
        note="columns binned by 2, every second angle",
    ).rows


def _trial_centers(
    bench: Bench, engine: FourierEngine, sample: SmoothSlices
) -> Iterator[Measurement]:
    """Eight centres of one slice, against eight slices of one centre."""
    same = np.ascontiguousarray(
        np.broadcast_to(sample.sinograms[0], (8, *sample.sinograms[0].shape))
    )
    trials = sample.center_px + np.linspace(-2, 2, 8)
    centers = SliceGeometry(sample.angles_deg, same.shape[2], trials)
    slices = SliceGeometry(sample.angles_deg, same.shape[2], sample.center_px)
    out = np.zeros((8, same.shape[2], same.shape[2]), np.float32)
    timings = take_turns(
        [
            timer(lambda: engine.reconstruct(same, centers, EngineSettings(), out=out)),
            timer(lambda: engine.reconstruct(same, slices, EngineSettings(), out=out)),
        ],
        [bench.repeats] * 2,
    )
    ours, plain = (timing.median_s * 1e3 for timing in timings)
    yield Measurement(
        GROUP, "eight trial centres at once, 1 thread", ours, "ms",
        peer="eight slices of one centre",
        peer_value=plain, ratio=plain / ours, spread=timings[0].spread,
    )  # fmt: skip


def _reconstruct(
    engine: FourierEngine,
    sinograms: Float32Array,
    sample: SmoothSlices,
    threads: int,
    out: Float32Array | None,
) -> Float32Array:
    geometry = SliceGeometry(sample.angles_deg, sinograms.shape[2], sample.center_px)
    return engine.reconstruct(sinograms, geometry, EngineSettings(), out=out, threads=threads)


def _words(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}"
