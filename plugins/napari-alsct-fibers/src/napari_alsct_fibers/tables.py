"""Fibres, breaks and their number over the height, as tables in micrometres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.table import Column, Table
from napari_alsct_fibers.analysis import Composite
from napari_alsct_fibers.breaks import Breaks
from napari_alsct_fibers.clusters import Clusters
from napari_alsct_fibers.direction import in_volume, turned_edges

Float64Array = NDArray[np.float64]
Voxel = tuple[float, float, float]

BREAK_COLUMNS = (
    Column("break", "", "Number of the break, in the order of the height."),
    Column("fibre", "", "Number of the fibre."),
    Column("slice", "", "Slice along the fibres in which the middle of the gap lies."),
    Column("z_um", "µm", "Middle of the gap."),
    Column("y_um", "µm", "Middle of the gap."),
    Column("x_um", "µm", "Middle of the gap."),
    Column("along_um", "µm", "Height along the fibres' axis of the volume."),
    Column("opening_um", "µm", "How wide the gap stands open along the fibres."),
    Column("depth", "", "How dark it is, from 0 (as the fibre) to 1 (as a gap)."),
    Column("z_score", "", "How far it stands out of the noise, in standard deviations."),
    Column("around", "", "How dark its surroundings are: a crack of the matrix, neighbours."),
    Column("certainty", "", "From 0 (just a break) to 1; an order for review, no probability."),
    Column("cluster", "", "Number of the cluster; 0 for a break by itself."),
)


def fibre_table(found: Composite, voxel_um: Voxel) -> Table:
    """Return a row for each fibre; places are at the middle slice that it passes."""
    edges = turned_edges(voxel_um, found.axis)
    places = found.paths.places
    known = np.isfinite(places[:, :, 0])
    n_fibres, n_slices = known.shape
    middle = np.array([int(np.median(np.flatnonzero(row))) for row in known], np.intp)
    first = known.argmax(axis=1)
    last = n_slices - 1 - known[:, ::-1].argmax(axis=1)
    rows = np.arange(n_fibres)
    center = np.column_stack([middle, places[rows, middle]]) * edges
    run = np.column_stack([last - first, places[rows, last] - places[rows, first]]) * edges
    lengths = np.linalg.norm(run, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        tilt = np.rad2deg(np.arccos(np.clip(run[:, 0] / lengths, -1, 1)))
    broken = np.bincount(found.found.breaks.fibre, minlength=n_fibres)
    core = np.array([np.nanmedian(row) for row in found.profiles.core], np.float64)
    z, y, x = in_volume(center, found.axis).T
    # Where every fibre crosses one common slice: the pattern that loads are matched by.
    common = np.full((n_fibres, 2), np.nan)
    at = n_slices // 2
    common[:] = places[:, at] * edges[1:]
    return Table(
        (
            Column("fibre", "", "Number of the fibre."),
            Column("z_um", "µm", "Place in the middle of its course."),
            Column("y_um", "µm", "Place in the middle of its course."),
            Column("x_um", "µm", "Place in the middle of its course."),
            Column("length_um", "µm", "From end to end within the volume, straight."),
            Column("tilt_deg", "°", "Angle from the axis of the volume that fibres run along."),
            Column("first_um", "µm", "Where it begins along that axis."),
            Column("last_um", "µm", "Where it ends along that axis."),
            Column("across_1_um", "µm", "Where it crosses the middle of the volume, on the first "
                   "axis across the fibres; empty where it does not."),
            Column("across_2_um", "µm", "The same on the second axis."),
            Column("mean", "", "Median grey value of its core."),
            Column("n_breaks", "", "Breaks that were found on it."),
        ),
        (rows + 1, z, y, x, lengths, tilt, first * edges[0], last * edges[0], common[:, 0],
         common[:, 1], core, broken),
        {
            "axis": found.axis,
            "diameter_um": 2 * found.radius_px * edges[1],
            "slices": n_slices,
            "slice_um": edges[0],
            "gap_depth": found.found.gap_depth,
            "noise": found.found.noise,
        },
    )  # fmt: skip


def break_table(
    breaks: Breaks, found: Composite, voxel_um: Voxel, clusters: Clusters | None = None
) -> Table:
    """Return a row for each break, in the order of the height."""
    edges = turned_edges(voxel_um, found.axis)
    order = np.argsort(breaks.slice, kind="stable")
    fibre, height = breaks.fibre[order], breaks.slice[order]
    place = np.column_stack([height, places_of(breaks, found)[order]]) * edges
    z, y, x = in_volume(place, found.axis).T
    number = np.zeros(len(order), np.int64) if clusters is None else clusters.number[order]
    return Table(
        BREAK_COLUMNS,
        (
            np.arange(1, len(order) + 1), fibre + 1, np.rint(height).astype(np.int64), z, y, x,
            place[:, 0], breaks.opening[order] * edges[0], breaks.depth[order],
            breaks.z_score[order], breaks.around[order], breaks.certainty[order], number,
        ),
        {
            "axis": found.axis,
            "slices": found.paths.places.shape[1],
            "slice_um": edges[0],
            "diameter_um": 2 * found.radius_px * edges[1],
            "voxel_um": list(voxel_um),
        },
    )  # fmt: skip


def places_of(breaks: Breaks, found: Composite) -> Float64Array:
    """Return where fibres are at the middle of their breaks, in voxels across them."""
    last = found.paths.places.shape[1] - 1
    at = np.clip(np.rint(breaks.slice).astype(np.intp), 0, last)
    return np.asarray(found.paths.places[breaks.fibre, at])


def count_table(
    along_um: list[Float64Array], names: list[str], slices: int, slice_um: float, bins: int
) -> Table:
    """Return how many breaks there are in each range of slices, at each load.

    Parameters
    ----------
    along_um
        Heights of the breaks along the fibres, for each load.
    names
        Heading of each load's column.
    slices, slice_um
        Number of slices along the fibres, and their distance.
    bins
        How many ranges.
    """
    edges = np.linspace(0, slices, bins + 1)
    counts = [np.histogram(heights / slice_um + 0.5, edges)[0] for heights in along_um]
    return Table(
        (
            Column("slice_from", "", "First slice of the range."),
            Column("slice_to", "", "Slice where the next one begins."),
            Column("along_um", "µm", "Height of its middle along the fibres."),
            *(Column(name, "", "Breaks in the range.") for name in names),
            *(Column(f"{name}_below", "", "Breaks up to its end.") for name in names),
        ),
        (edges[:-1], edges[1:], (edges[:-1] + edges[1:] - 1) / 2 * slice_um, *counts,
         *(np.cumsum(count) for count in counts)),
    )  # fmt: skip
