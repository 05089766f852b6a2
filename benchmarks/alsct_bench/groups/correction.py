"""From counts to line integrals in sinogram order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from alsct_bench.accuracy import largest_difference
from alsct_bench.context import Bench, Task
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import Float32Array, RawFrames, raw_frames
from alsct_gui.model.recipe import Correction
from alsct_gui.recon.preprocess.correct import correct_to_sinograms, make_blend
from alsct_gui.recon.preprocess.flatfield import FlatField

GROUP = "correction"


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure flat and dark correction, clamp, logarithm and transposition in one."""
    raw = raw_frames(bench.size)
    n_rows = raw.frames.shape[1]
    field = _flat_field(raw)
    settings = Correction()
    blend = make_blend(field, np.arange(len(raw.frames)), settings)

    out = np.zeros((n_rows, len(raw.frames), raw.frames.shape[2]), np.float32)

    def correct(threads: int) -> Float32Array:
        sinograms, _ = correct_to_sinograms(
            raw.frames, field, blend, frame_row=0, field_row=0, n_rows=n_rows,
            correction=settings, threads=threads, out=out,
        )  # fmt: skip
        return sinograms

    arrays = {"frames": raw.frames, "flats": raw.flats, "darks": raw.darks}
    for threads in bench.thread_counts:
        comparison = bench.compare(
            GROUP,
            f"correction, clamp and logarithm of a slice, {threads} thread{'s' * (threads != 1)}",
            lambda n=threads: correct(n),  # type: ignore[misc]
            items=n_rows,
            threads=threads,
            tasks=[
                Task("correct", arrays, {"fresh": False}, items=n_rows, target=Target("ratio", 8.0))
            ],
            keep=threads == 1,
        )
        yield from comparison.rows
        for rival in comparison.rivals:
            if rival.answer.result is not None:
                yield Measurement(
                    GROUP,
                    "correction: largest difference, as a share of the largest value",
                    largest_difference(comparison.result, rival.answer.result),
                    "",
                    peer=rival.peer.label,
                    target=Target("value", 1e-5, any_size=True),
                )


def _flat_field(raw: RawFrames) -> FlatField:
    dark = raw.darks.mean(axis=0, dtype=np.float32)
    flat = raw.flats.mean(axis=0, dtype=np.float32) - dark
    return FlatField(dark, flat[np.newaxis], np.zeros(1), (0, raw.frames.shape[1]))
