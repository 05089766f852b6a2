"""The embedded engine: filtered backprojection in the Fourier domain, by gridding.

By the projection-slice theorem a filtered projection's spectrum is a ray of the slice's. The
samples of all rays are spread on a Cartesian grid by a short kernel, the grid is transformed
back, and the kernel's shape divided out (O'Sullivan 1985; as a non-uniform FFT: Barnett,
Magland and af Klinteberg 2019). Three stages, each on blocks that threads share out:
`spectra.project`, `gridding.grid_slices` (or `grid_one`), `raster.draw`. Why so, and the
figures: docs/decisions/0003-fourier-engine.md.

A slice's values do not depend on the batch it is in nor on the number of threads, to the bit.
"""

from __future__ import annotations

import os
import threading
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.arguments import check_shapes, choose_algorithm, prepare_output
from alsct_gui.recon.engines.base import (
    Availability,
    Capabilities,
    Float32Array,
    SliceGeometry,
)

_GROUP = 8
"""Slices that go together, one in each SIMD lane."""
_ALONE_UP_TO = 2
"""So many slices left over are quicker one by one than as a group with empty lanes."""

_CAPABILITIES = Capabilities(
    name="fourier",
    title="Fourier gridding (built in): fast, quantitative, the default",
    algorithms=("fbp",),
    filters=(
        "ramp", "shepp-logan", "cosine", "hann", "hamming", "butterworth", "parzen", "none",
    ),
)  # fmt: skip


class FourierEngine:
    """Fulfils `alsct_gui.recon.engines.base.Engine`; see this module's text.

    An instance may be used by several threads at once. It keeps the work space of its last
    call (`memory_needed` bytes) for the next one; `release` gives it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Float32Array] = {}

    def capabilities(self) -> Capabilities:
        """Say what it can do."""
        return _CAPABILITIES

    def check(self) -> Availability:
        """It needs numba, which every installation has."""
        return Availability(ok=True, version=f"numba {version('numba')}")

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """Bytes beside input and output, with as many threads as there are processors.

        It grows up to eight slices; more take no more. A contiguous copy of eight input
        or output slices is counted too, although contiguous arrays need none.
        """
        from alsct_gui.recon.engines import setup

        threads = os.cpu_count() or 1
        return setup.memory_bytes(geometry, min(n_slices, _GROUP), _ALONE_UP_TO, threads)

    def release(self) -> None:
        """Give back the work space of the last call."""
        with self._lock:
            self._kept = {}

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """Reconstruct a batch of slices; see `Engine.reconstruct`.

        A NaN or infinity in a sinogram spreads over that slice, and over no other.

        Raises
        ------
        RecipeError
            When the settings ask for an algorithm or filter that there is none of.
        InputError
            When an angle or a centre is not a number.
        ValueError
            When shapes or types of the arrays do not belong together.
        """
        from alsct_gui.recon.engines import setup

        choose_algorithm(settings, _CAPABILITIES)
        check_shapes(sinograms, geometry)
        n_slices = sinograms.shape[0]
        slices = prepare_output(out, n_slices, geometry)
        tables = setup.prepare(geometry, settings)
        centers = setup.checked_centers(geometry, n_slices)
        with self._lock:
            kept, self._kept = self._kept, {}
        done = 0
        while done < n_slices:
            count = min(_GROUP, n_slices - done)
            count = 1 if count <= _ALONE_UP_TO else count
            part = slice(done, done + count)
            _reconstruct_group(
                sinograms[part], centers[part], tables, slices[part], kept, max(1, threads)
            )
            done += count
        with self._lock:
            self._kept = kept
        return slices


def _reconstruct_group(
    sinograms: Float32Array,
    centers_px: NDArray[np.float64],
    tables: Any,
    slices: Float32Array,
    kept: dict[str, Float32Array],
    threads: int,
) -> None:
    """Reconstruct one slice, or up to eight in the lanes."""
    from alsct_gui.recon.engines import gridding, raster, spectra
    from alsct_gui.recon.engines.blocks import run_blocks

    rows = np.ascontiguousarray(sinograms).reshape(-1)
    lines = slices if slices.flags.c_contiguous else np.empty(slices.shape, np.float32)
    _size, grid, n_columns = tables.size, tables.grid, tables.n_columns
    alone = slices.shape[0] == 1
    projections = tables.lanes_alone(centers_px) if alone else tables.lanes(centers_px)
    lines_in_lanes = tables.lines_alone() if alone else tables.lines(slices.shape[0])
    n_blocks = projections.counts.size
    spectrum = _array(kept, "spectra", n_blocks * tables.n_frequencies * 16)
    n_line_blocks, n_lanes = lines_in_lanes.counts.size, slices.shape[0]
    halfway = _array(kept, "halfway", gridding.halfway_size(grid, n_line_blocks, n_lanes))
    places = gridding.column_places(grid, n_line_blocks, n_lanes)
    width = gridding.strip_width(n_lanes)

    def project(start: int, stop: int, scratch: Float32Array) -> None:
        spectra.project(
            start, stop, scratch, rows, n_columns, projections.block_stride,
            projections.lane_stride, projections.counts, projections.shifts_px,
            projections.weights, projections.signs, tables.length, *tables.ray_plan,
            tables.ray_split, tables.response, tables.edges, tables.use_edges, spectrum,
        )  # fmt: skip

    def spread(start: int, stop: int, scratch: Float32Array) -> None:
        kernel = gridding.grid_one if alone else gridding.grid_slices
        kernel(
            start, stop, scratch, spectrum, tables.directions, grid / tables.length,
            tables.n_frequencies, tables.taps, grid, *tables.column_plan, tables.rows,
            tables.row_gains, halfway,
        )  # fmt: skip

    def draw(start: int, stop: int, scratch: Float32Array) -> None:
        raster.draw(
            start, stop, scratch, halfway, places, width, grid, *tables.row_plan, tables.row_split,
            tables.first_column, tables.column_gains, lines_in_lanes.block_stride,
            lines_in_lanes.lane_stride, lines_in_lanes.counts, lines.reshape(-1),
        )  # fmt: skip

    n_strips = gridding.count_strips(grid, n_lanes)
    run_blocks(project, n_blocks, 32, spectra.scratch_size(tables.length), threads)
    run_blocks(spread, n_strips, 1, gridding.scratch_size(grid, n_lanes), threads)
    run_blocks(draw, n_line_blocks, 32, raster.scratch_size(grid), threads)
    if lines is not slices:
        slices[...] = lines


def _array(kept: dict[str, Float32Array], name: str, count: int) -> Float32Array:
    """A kept array of at least `count` numbers, or a new one."""
    if name not in kept or kept[name].size < count:
        kept.pop(name, None)  # free the old one before the new one is made
        kept[name] = np.empty(count, np.float32)
    return kept[name]
