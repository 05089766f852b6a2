"""Writing slices, beside writing the same bytes into one plain file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement
from alsct_bench.timing import take_turns, timer
from alsct_gui.files.writers.base import create_volume

GROUP = "write"
_SLICES, _BATCH = 32, 16


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure both formats, pyramid and final rename included."""
    edge = bench.size.n_columns
    noise = np.random.default_rng(4).normal(size=(_BATCH, edge, edge)).astype(np.float32)
    axis = np.arange(edge) - (edge - 1) / 2
    noise *= np.hypot(axis[:, None], axis) < edge / 2  # the circular mask of a real slice
    cases: tuple[tuple[Literal["ome-zarr", "tiff"], str], ...] = (
        ("ome-zarr", "float32"),
        ("ome-zarr", "uint16"),
        ("ome-zarr", "uint8"),
        ("tiff", "float32"),
    )
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="write-") as name:
        folder = Path(name)
        for format_, dtype in cases:
            slices = noise if dtype == "float32" else _integers(noise, dtype)
            yield _beside_plain(bench, folder, slices, format_)


def _beside_plain(
    bench: Bench, folder: Path, slices: NDArray[Any], format_: Literal["ome-zarr", "tiff"]
) -> Measurement:
    numbers = count()

    def ours() -> None:
        path = folder / f"volume-{next(numbers)}"
        shape = (_SLICES, *slices.shape[1:])
        with create_volume(
            path, shape=shape, dtype=slices.dtype, format=format_, threads=bench.threads
        ) as writer:
            for first in range(0, _SLICES, _BATCH):
                writer.write(first, slices)
            writer.finish()

    def plain() -> None:
        with (folder / "plain").open("wb") as file:
            for _ in range(0, _SLICES, _BATCH):
                file.write(slices.data)

    def clean() -> None:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    repeats = min(3, bench.repeats)
    for work in (ours, plain):
        work()
    own, other = take_turns([timer(ours, clean), timer(plain, clean)], [repeats, repeats])
    clean()
    value, bound = (timing.median_s * 1e3 / _SLICES for timing in (own, other))
    threads = bench.threads
    return Measurement(
        GROUP,
        f"{format_} {slices.dtype}, a slice, {threads} thread{'s' * (threads != 1)}",
        value,
        "ms",
        peer="the same bytes into one plain file",
        peer_value=bound,
        ratio=bound / value,
        spread=own.spread,
        note="noise, which does not compress; into the page cache, not waiting for the disk",
    )


def _integers(noise: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    top = np.iinfo(dtype).max
    return np.clip((noise + 4) * (top / 8), 0, top).astype(dtype)
