"""What the Fourier engine prepares once per geometry, and the memory it will need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines import gridding, kernel, raster, spectra
from alsct_gui.recon.engines.base import Float32Array, SliceGeometry
from alsct_gui.recon.engines.filters import edge_spectra, frequency_response
from alsct_gui.recon.engines.lanes_fft import ELEMENT, good_length, make_plan
from alsct_gui.recon.engines.simd import LANES
from alsct_gui.recon.engines.weights import angle_weights

FloatArray = NDArray[np.float64]
PlanArrays = tuple[NDArray[np.int64], Float32Array]


@dataclass(frozen=True, eq=False)
class LaneProjections:
    """How projections are dealt out to blocks of eight lanes."""

    block_stride: int
    """Numbers from a block's first projection to the next one's."""
    lane_stride: int
    """Numbers from one lane's projection to the next one's."""
    counts: NDArray[np.int64]
    """Lanes in use, shape (block,)."""
    shifts_px: FloatArray
    """Column that the slice's middle is seen in, shape (block, lane)."""
    weights: FloatArray
    """Shape (block, lane)."""
    signs: Float32Array
    """Shape (block, lane); -1 where the ray was turned by half a turn."""


@dataclass(frozen=True, eq=False)
class LaneLines:
    """How lines of slices are dealt out to blocks of eight lanes."""

    block_stride: int
    lane_stride: int
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything of a geometry and its settings that no slice changes."""

    n_columns: int
    """Columns of a projection."""
    size: int
    """Edge of the slice, pixels."""
    grid: int
    """Edge of the grid, points."""
    length: int
    """Padded length of a projection."""
    directions: FloatArray
    """Direction of each ray, shape (angle, 2), x not negative."""
    weights: FloatArray
    """Weight of each projection, shape (angle,)."""
    offsets_px: FloatArray
    """Where the slice's middle is seen beside the axis, shape (angle,)."""
    signs: Float32Array
    """-1 where a ray was turned by half a turn, shape (angle,)."""
    response: Float32Array
    """The filter, shape (frequency,)."""
    use_edges: bool
    """Whether projections continue with their edge values."""
    edges: Float32Array
    """Spectra of the continuation, flat (frequency, 4)."""
    ray_plan: PlanArrays
    ray_split: Float32Array
    taps: Float32Array
    column_plan: PlanArrays
    rows: NDArray[np.int64]
    """Place of each of the slice's rows in the transform along y."""
    row_gains: Float32Array
    row_plan: PlanArrays
    row_split: Float32Array
    first_column: int
    """Place of the slice's first column in the transform along x."""
    column_gains: Float32Array

    @property
    def n_angles(self) -> int:
        """Number of projections."""
        return int(self.weights.size)

    @property
    def n_frequencies(self) -> int:
        """Samples on a ray."""
        return self.length // 2 + 1

    def lanes(self, centers_px: FloatArray) -> LaneProjections:
        """Lanes are slices: block a is projection a of all of them."""
        n_slices = centers_px.size
        centers = np.full(LANES, centers_px[0])
        centers[:n_slices] = centers_px
        shape = (self.n_angles, LANES)
        return LaneProjections(
            block_stride=self.n_columns,
            lane_stride=self.n_angles * self.n_columns,
            counts=np.full(self.n_angles, n_slices),
            shifts_px=self.offsets_px[:, None] + centers[None, :],
            weights=np.ascontiguousarray(np.broadcast_to(self.weights[:, None], shape)),
            signs=np.ascontiguousarray(np.broadcast_to(self.signs[:, None], shape)),
        )

    def lanes_alone(self, centers_px: FloatArray) -> LaneProjections:
        """Lanes are projections: block b is the projections 8b to 8b + 7 of one slice."""
        n_blocks = -(-self.n_angles // LANES)
        pad = n_blocks * LANES - self.n_angles

        def deal(values: NDArray[np.generic]) -> NDArray[np.generic]:
            return np.pad(values, (0, pad)).reshape(n_blocks, LANES)

        return LaneProjections(
            block_stride=LANES * self.n_columns,
            lane_stride=self.n_columns,
            counts=_eights(self.n_angles),
            shifts_px=deal(self.offsets_px + centers_px[0]),  # type: ignore[arg-type]
            weights=deal(self.weights),  # type: ignore[arg-type]
            signs=deal(self.signs),  # type: ignore[arg-type]
        )

    def lines(self, n_slices: int) -> LaneLines:
        """Lanes are slices: block i is line i of all of them."""
        return LaneLines(self.size, self.size * self.size, np.full(self.size, n_slices))

    def lines_alone(self) -> LaneLines:
        """Lanes are lines: block b is the lines 8b to 8b + 7 of one slice."""
        return LaneLines(LANES * self.size, self.size, _eights(self.size))


def _eights(count: int) -> NDArray[np.int64]:
    """How many of `count` things each block of eight has."""
    return np.minimum(LANES, count - np.arange(0, count, LANES))


def _check_sizes(geometry: SliceGeometry) -> None:
    if geometry.n_columns < 1 or geometry.size < 1:
        raise InputError(
            f"{geometry.n_columns} columns and {geometry.size} pixels cannot be reconstructed",
            where="geometry", fix="Both must be at least 1",
        )  # fmt: skip


def checked_centers(geometry: SliceGeometry, n_slices: int) -> FloatArray:
    """One finite centre per slice, shape (slice,).

    Raises
    ------
    InputError
        When a centre is not a number, or lies more than a detector's width outside.
    """
    centers = geometry.centers(n_slices)
    width = geometry.n_columns
    if not np.all((centers > -width) & (centers < 2 * width)):
        raise InputError(
            "a rotation centre is not a number or far off the detector", where="center_px",
            fix=f"Give columns of this sinogram, 0 to {width - 1}",
        )  # fmt: skip
    return centers


def _lengths(n_columns: int, size: int) -> tuple[int, int]:
    """Padded length of a projection and edge of the grid.

    Twice the columns make the filter's convolution linear; the other bound keeps the far
    corner of the slice from seeing the detector again, cyclically.
    """
    length = good_length(max(2 * n_columns, n_columns + math.ceil(size / math.sqrt(2.0))))
    return length, good_length(math.ceil(kernel.OVERSAMPLING * size))


def prepare(geometry: SliceGeometry, settings: EngineSettings) -> Tables:
    """Tables of a geometry and settings; kept for the last few."""
    _check_sizes(geometry)
    angles = np.ascontiguousarray(geometry.angles_deg, dtype=np.float64)
    return _prepare(
        angles.tobytes(), geometry.n_columns, geometry.size, settings.filter, settings.cutoff,
        settings.order, settings.padding == "edge",
    )  # fmt: skip


@lru_cache(maxsize=8)
def _prepare(
    angle_bytes: bytes, n_columns: int, size: int, filter_name: str, cutoff: float,
    order: float, use_edges: bool,
) -> Tables:  # fmt: skip
    angles_deg = np.frombuffer(angle_bytes)
    length, grid = _lengths(n_columns, size)
    radians = np.deg2rad(angles_deg)
    directions = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    # Pixel centres of an even slice lie half a pixel beside the whole numbers of the grid.
    half_pixel = 0.5 if size % 2 == 0 else 0.0
    offsets_px = half_pixel * directions.sum(axis=1)
    signs = np.where(directions[:, 0] < 0, -1.0, 1.0)
    response = frequency_response(filter_name, length, cutoff, order)  # type: ignore[arg-type]
    edges = np.zeros((response.size, 4))
    if use_edges:
        left, right = edge_spectra(filter_name, n_columns, length, cutoff, order)  # type: ignore[arg-type]
        edges = np.stack([left.real, left.imag, right.real, right.imag], axis=1)
    rows = (size - 1) // 2 - np.arange(size)
    columns = np.arange(size) - size // 2
    # Rows of the grid start at the lowest ky, which turns the sign of every other output.
    row_gains = np.where(rows % 2 == 0, 1.0, -1.0) / kernel.transform(rows / grid)
    column_gains = 1.0 / (kernel.transform(columns / grid) * length)
    return Tables(
        n_columns=n_columns,
        size=size,
        grid=grid,
        length=length,
        directions=directions * signs[:, None],
        weights=angle_weights(angles_deg),
        offsets_px=offsets_px,
        signs=signs.astype(np.float32),
        response=response.astype(np.float32),
        use_edges=use_edges,
        edges=edges.astype(np.float32).ravel(),
        ray_plan=_plan(length // 2),
        ray_split=_circle(-1.0, length),
        taps=kernel.tap_table(),
        column_plan=_plan(grid),
        rows=rows % grid,
        row_gains=row_gains.astype(np.float32),
        row_plan=_plan(grid // 2),
        row_split=_circle(1.0, grid),
        first_column=-(size // 2) % grid,
        column_gains=column_gains.astype(np.float32),
    )


def _plan(length: int) -> PlanArrays:
    plan = make_plan(length)
    return plan.radices, plan.twiddles


def _circle(sign: float, length: int) -> Float32Array:
    """exp(sign 2 pi i k / length) for k up to half of it, flat (k, re and im)."""
    points = np.exp(sign * 2j * np.pi * np.arange(length // 2 + 1) / length)
    return np.stack([points.real, points.imag], axis=1).astype(np.float32).ravel()


def memory_bytes(geometry: SliceGeometry, n_lanes: int, alone_up_to: int, threads: int) -> int:
    """Bytes of work space for so many slices at once (copies of input and output included)."""
    _check_sizes(geometry)
    n_angles, n_columns, size = geometry.angles_deg.size, geometry.n_columns, geometry.size
    length, grid = _lengths(n_columns, size)
    alone = n_lanes <= alone_up_to
    n_projections = -(-n_angles // LANES) if alone else n_angles
    n_lines = -(-size // LANES) if alone else size
    spectrum = n_projections * (length // 2 + 1) * ELEMENT
    halfway = gridding.halfway_size(grid, n_lines, 1 if alone else LANES)
    scratch = max(
        spectra.scratch_size(length),
        gridding.scratch_size(grid, 1 if alone else LANES),
        raster.scratch_size(grid),
    )
    per_slice = n_angles * n_columns + size * size
    copies = (1 if alone else n_lanes) * per_slice
    lane_tables = n_projections * LANES * (8 + 8 + 4)
    return 4 * (spectrum + halfway + threads * scratch + copies) + lane_tables + (4 << 20)
