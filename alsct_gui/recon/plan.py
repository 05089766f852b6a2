"""What a reconstruction will do, computed before anything starts.

`make_plan` is pure: sizes and a budget go in, a frozen `Plan` comes out. Its rules:

* A **batch** is what the engine gets at once: so many slices that the threads and the
  vector units are busy, and no more than fit. Its size is part of the product's identity,
  because some engines pair neighbouring slices.
* A **slab** is what is read at once: several batches, because a file is read faster in thick
  slabs of rows; never more than a quarter of the memory budget.
* Two slabs (one being read), two batches of sinograms and two of slices exist at a time, and
  the flats all the while.
* Work on whole projections (phase retrieval, tilt) makes a first pass over all frames into
  a scratch file of float32 line integrals; slabs are then read from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alsct_gui.model.errors import RecipeError, ResourceError
from alsct_gui.model.recipe import Output, Recipe, Region

BATCH_SLICES = 16
SLAB_SLICES = 64
DEFAULT_BUDGET_BYTES = 4_000_000_000
FIRST_PASS_BYTES = 128_000_000
"""Projections, as float32, that are worked on at once when they are worked on as a whole."""
_BASE_BYTES = 400_000_000  # interpreter, libraries, compiled kernels, a block being checksummed
_RING_COPIES = 6  # of a thread's sinogram, inside the filters
_FIRST_PASS_COPIES = 5  # of the projections worked on: as stored, corrected, padded, turned
_ITEM_BYTES = {"float32": 4, "uint16": 2, "uint8": 1}


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of the detector and of the turn that is used, with nothing left open."""

    rows: tuple[int, int]
    """First and one past the last detector row."""
    columns: tuple[int, int]
    """First and one past the last detector column."""
    angles: tuple[int, int]
    """First and one past the last projection."""
    angle_step: int
    """Every n-th projection."""
    row_step: int
    """Every n-th row (of binned rows)."""
    binning: int
    """Detector pixels averaged along rows and columns."""

    @property
    def n_angles(self) -> int:
        """Projections used."""
        return -(-(self.angles[1] - self.angles[0]) // self.angle_step)

    @property
    def n_columns(self) -> int:
        """Columns of a sinogram, after binning."""
        return (self.columns[1] - self.columns[0]) // self.binning

    @property
    def n_slices(self) -> int:
        """Slices that come out."""
        return -(-((self.rows[1] - self.rows[0]) // self.binning) // self.row_step)

    def detector_rows(self, index: int) -> tuple[int, int]:
        """Detector rows [start, stop) that make slice ``index``."""
        start = self.rows[0] + index * self.row_step * self.binning
        return start, start + self.binning


@dataclass(frozen=True, slots=True)
class Slab:
    """Slices that are read together, and the batches they are worked on in."""

    start: int
    """First slice."""
    stop: int
    """One past the last slice."""
    batches: tuple[tuple[int, int], ...]
    """[start, stop) of each batch, covering the slab."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reconstruction will do."""

    extent: Extent
    """What is read of the scan."""
    size_px: int
    """Edge of a slice."""
    slabs: tuple[Slab, ...]
    """In the order in which they are worked on."""
    first_pass: bool
    """True when projections are worked on as a whole before slicing."""
    threads: int
    """Threads of each stage."""
    memory_bytes: int
    """Peak memory that is expected."""
    scratch_bytes: int
    """Disk space needed while it runs, beside the output."""
    output_bytes: int
    """Disk space of the product, pyramid included, before compression."""

    @property
    def n_slices(self) -> int:
        """Slices that come out."""
        return self.extent.n_slices

    @property
    def batch_slices(self) -> int:
        """Slices of a full batch."""
        return self.slabs[0].batches[0][1] - self.slabs[0].batches[0][0]


def resolve_extent(region: Region, shape: tuple[int, int, int]) -> Extent:
    """Fill in a region from the scan's shape (angle, row, column).

    Raises
    ------
    RecipeError
        The region lies outside the scan, or nothing is left of it.
    """
    n_angles, n_rows, n_columns = shape
    bounds = {}
    for axis, pair, count in (
        ("angles", region.angles, n_angles),
        ("rows", region.rows, n_rows),
        ("columns", region.columns, n_columns),
    ):
        start, stop = pair if pair is not None else (0, count)
        if not 0 <= start < stop <= count:
            raise RecipeError(
                f"[{start}, {stop}) lies outside the scan, which has {count} {axis}",
                where=f"recipe.region.{axis}",
                fix=f"Give a range within [0, {count})",
            )
        bounds[axis] = (start, stop)
    extent = Extent(
        rows=bounds["rows"],
        columns=bounds["columns"],
        angles=bounds["angles"],
        angle_step=region.angle_step,
        row_step=region.row_step,
        binning=region.binning,
    )
    if extent.n_slices < 1 or extent.n_columns < 2 or extent.n_angles < 2:
        raise RecipeError(
            f"leaves {extent.n_slices} slices, {extent.n_columns} columns and "
            f"{extent.n_angles} projections",
            where="recipe.region",
            fix="Bin less, or take a larger region",
        )
    return extent


def make_plan(
    extent: Extent,
    *,
    output: Output,
    n_columns: int,
    frame_item_bytes: int,
    first_pass: bool,
    engine_bytes: Callable[[int], int],
    threads: int,
    budget_bytes: int = DEFAULT_BUDGET_BYTES,
    batch_slices: int = BATCH_SLICES,
    flat_groups: int = 1,
    halo_rows: int = 0,
) -> Plan:
    """Cut the work into slabs and batches that fit the memory budget.

    Parameters
    ----------
    extent
        What is used of the scan.
    output
        Stored type of the product.
    n_columns
        Columns of a sinogram as the engine gets it (after stitching).
    frame_item_bytes
        Bytes of a stored detector value.
    first_pass
        Whether projections are worked on as a whole first.
    engine_bytes
        Memory that the engine needs beside input and output for a batch of n slices.
    threads
        Threads of each stage.
    budget_bytes
        Memory not to be exceeded.
    batch_slices
        Slices of a batch, if they fit; a replay gives those of the first run.
    flat_groups
        Groups of flats, of each of which the mean is held.
    halo_rows
        Detector rows that are read beyond a slab on either side.

    Raises
    ------
    ResourceError
        Not even one slice at a time fits.
    """
    n_rows, width = extent.rows[1] - extent.rows[0], extent.columns[1] - extent.columns[0]
    if first_pass:
        detector_row, slice_rows, halo = extent.n_angles * extent.n_columns * 4, 1, 0
    else:
        detector_row = extent.n_angles * width * frame_item_bytes
        slice_rows, halo = extent.binning, 2 * halo_rows
    raw_row = detector_row * slice_rows
    binned_row = extent.n_angles * extent.n_columns * 4 if slice_rows > 1 else 0
    sinogram = extent.n_angles * max(n_columns, extent.n_columns) * 4
    picture = n_columns * n_columns * 4
    frame = n_rows * width * 4
    fixed = _BASE_BYTES + (flat_groups + 1) * frame // extent.binning**2 + 3 * frame
    # Each thread works on one projection at least.
    at_once = min(max(FIRST_PASS_BYTES, threads * frame), extent.n_angles * frame)
    whole = _FIRST_PASS_COPIES * at_once if first_pass else 0

    def peak(batch: int, slab: int) -> int:
        slabs = 2 * (slab * raw_row + halo * detector_row) + slab * binned_row
        rows = batch * raw_row if halo else 0  # a batch, cut out of the halo
        # The writer makes the coarser levels of a batch, and brings it to the stored type.
        batches = 2 * batch * (sinogram + picture) + batch * picture
        filters = _RING_COPIES * threads * sinogram
        return fixed + max(whole, slabs + rows + batches + filters + engine_bytes(batch))

    batch = min(batch_slices, extent.n_slices)
    while batch > 1 and peak(batch, batch) > budget_bytes:
        batch = max(1, batch // 2)
    if peak(batch, batch) > budget_bytes:
        raise ResourceError(
            f"one slice of {n_columns} x {n_columns} from {extent.n_angles} projections needs "
            f"{peak(batch, batch) / 1e9:.1f} GB, more than the {budget_bytes / 1e9:.1f} GB allowed",
            fix="Raise the memory budget, bin, or take a smaller region",
        )
    slab = batch
    while (
        slab + batch <= min(SLAB_SLICES, extent.n_slices + batch - 1)
        and (slab + batch) * raw_row <= budget_bytes // 4
        and peak(batch, slab + batch) <= budget_bytes
    ):
        slab += batch

    n = extent.n_slices
    slabs = tuple(
        Slab(
            start,
            min(start + slab, n),
            tuple((at, min(at + batch, n)) for at in range(start, min(start + slab, n), batch)),
        )
        for start in range(0, n, slab)
    )
    stored_rows = n_rows // extent.binning
    return Plan(
        extent=extent,
        size_px=n_columns,
        slabs=slabs,
        first_pass=first_pass,
        threads=threads,
        memory_bytes=peak(batch, slab),
        scratch_bytes=stored_rows * extent.n_angles * extent.n_columns * 4 if first_pass else 0,
        # Each pyramid level holds an eighth of the one below it.
        output_bytes=n * n_columns * n_columns * _ITEM_BYTES[output.dtype] * 8 // 7,
    )


def needs_first_pass(recipe: Recipe) -> bool:
    """Whether projections have to be worked on as a whole before slicing."""
    return recipe.phase is not None or recipe.rotation.tilt_deg != 0.0
