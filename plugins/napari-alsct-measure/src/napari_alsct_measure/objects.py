"""Particles or pores: told apart, numbered, and measured in micrometres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import LazyArray
from napari_alsct_measure.basins import Basins, climb, number_by_first
from napari_alsct_measure.blocks import Mask, Room
from napari_alsct_measure.census import Census, surface_um2
from napari_alsct_measure.distance import edge_ratio, squared_distance
from napari_alsct_measure.passes import merge

Float64Array = NDArray[np.float64]
Voxel = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Objects:
    """Numbered objects of a volume."""

    labels: NDArray[np.uint32]
    """Number of each voxel's object, from 1 in the order of a scan; shape (slice, y, x)."""
    count: int
    """How many there are."""
    n_dropped: int
    """How many were left out because they are too small."""


def tell_apart(
    mask: Mask,
    voxel_um: Voxel | None,
    room: Room,
    *,
    neck: float = 0.8,
    depth_px: float = 0.5,
    smallest_voxels: int = 27,
) -> Objects:
    """Number the objects of a foreground; those that touch are cut at their necks.

    Parameters
    ----------
    mask
        Shape (slice, y, x), True in the foreground.
    voxel_um
        Edges of a voxel; None when unknown.
    room
        Memory, threads, progress and cancel.
    neck
        Two parts are one object when the neck between them is at least so wide, as a share
        of the narrower part's width. 0: whatever touches is one object.
    depth_px
        Also when the narrower part is less than so much wider than the neck (in radius).
    smallest_voxels
        Smaller objects are left out.
    """
    ratio = edge_ratio(voxel_um)
    squared = squared_distance(mask, ratio, room)
    basins = climb(squared, ratio, room)
    room.free(squared)
    del squared
    object_of = merge(basins.summits, basins.pairs, basins.passes, neck, depth_px)
    return _numbered(basins, object_of, smallest_voxels, room)


def _numbered(basins: Basins, object_of: NDArray[np.int64], smallest: int, room: Room) -> Objects:
    labels, n = basins.labels, int(object_of.max(initial=0))
    sizes = np.zeros(n + 1, np.int64)
    parts = room.slabs(len(labels))
    for start, stop in parts:
        sizes += np.bincount(object_of[labels[start:stop]].ravel(), minlength=n + 1)
        room.step("objects", stop, 2 * len(labels), labels)
    kept = sizes >= smallest
    kept[0] = False
    target = np.where(kept[object_of], object_of, 0)
    number, used = np.zeros(n + 1, np.uint32), 0
    for start, stop in parts:
        slab = np.asarray(labels[start:stop])
        used = number_by_first(slab, target, number, used)
        labels[start:stop] = slab
        room.step("objects", len(labels) + stop, 2 * len(labels), labels)
    return Objects(labels, used, n - used)


def take_census(
    labels: LazyArray | NDArray[Any],
    count: int,
    room: Room,
    grey: LazyArray | NDArray[Any] | None = None,
) -> Census:
    """Count all that is needed of objects numbered 1 to ``count``, slab by slab."""
    census = Census.start(count)
    n_slices = labels.shape[0]
    for start, stop in room.slabs(n_slices):
        part = np.asarray(labels[start : min(n_slices, stop + 1)], np.uint32)
        values = None if grey is None else np.asarray(grey[start:stop], np.float32)
        census.add(part, stop - start, start, values)
        room.step("figures", stop, n_slices)
    return census


COLUMNS = (
    Column("label", "", "Number of the object in the labels."),
    Column("volume_um3", "µm³", "Voxels times the volume of one."),
    Column("diameter_um", "µm", "Diameter of the ball of the same volume."),
    Column("surface_um2", "µm²", "Surface, by Crofton's formula in 13 directions."),
    Column("sphericity", "", "Surface of the ball of the same volume over the object's own."),
    Column("z_um", "µm", "Centre of mass, along the slices."),
    Column("y_um", "µm", "Centre of mass."),
    Column("x_um", "µm", "Centre of mass."),
    Column("length_um", "µm", "Longest axis of the ellipsoid with the same moments of inertia."),
    Column("width_um", "µm", "Its middle axis."),
    Column("thickness_um", "µm", "Its shortest axis."),
    Column("tilt_deg", "°", "Angle of the longest axis from z, 0 to 90."),
    Column("azimuth_deg", "°", "Direction of the longest axis in a slice, from x towards y, "
           "0 to 180."),
    Column("mean", "", "Mean grey value; empty when there is no grey volume."),
    Column("touches_edge", "", "1 when the object reaches the edge of the volume, and may be cut."),
    Column("weight", "", "For distributions: 1 over the chance that an object of this extent lies "
           "clear of the edges; 0 for those that touch them."),
)  # fmt: skip
"""What stands in a table of objects, lengths in µm."""


def object_table(
    census: Census,
    voxel_um: Voxel | None,
    shape: tuple[int, ...],
    *,
    units: str = "",
    objects: str = "objects",
) -> Table:
    """Return the figures of each object; lengths are in voxels when `voxel_um` is None.

    Parameters
    ----------
    census
        Of `take_census`.
    voxel_um
        Edges of a voxel (z, y, x).
    shape
        Of the volume.
    units
        Of the grey values.
    objects
        Output that holds the labels; see `Table.objects`.
    """
    edges = np.array(voxel_um or (1.0, 1.0, 1.0))
    found = np.flatnonzero(census.count[1:]) + 1
    count = census.count[found]
    volume = count * edges.prod()
    surface = surface_um2(census, (edges[0], edges[1], edges[2]))[found]
    center = census.first[found] / count[:, None] * edges
    axes, tilt, azimuth = _ellipsoids(census, found, edges)
    cut = (census.low[found] <= 0) | (census.high[found] >= np.array(shape) - 1)
    touches = np.asarray(cut.any(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        grey = census.grey[found] / census.n_grey[found]
        sphericity = math.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface
    values = (
        found, volume, (6 * volume / math.pi) ** (1 / 3), surface, sphericity,
        center[:, 0], center[:, 1], center[:, 2], axes[:, 2], axes[:, 1], axes[:, 0],
        tilt, azimuth, grey, touches.astype(np.int64), _weights(census, found, shape, touches),
    )  # fmt: skip
    columns = tuple(
        Column(item.name, units if item.name == "mean" else item.unit, item.meaning)
        for item in COLUMNS
    )  # fmt: skip
    return Table(columns, values, {"voxel_um": [float(edge) for edge in edges]}, objects)


def _ellipsoids(
    census: Census, found: NDArray[np.int64], edges: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Axes (ascending, full lengths) of the equivalent ellipsoids, tilt and azimuth in degrees."""
    count = census.count[found][:, None]
    mean = census.first[found] / count
    second = census.second[found] / count
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    spread = np.empty((len(found), 3, 3))
    for column, (a, b) in enumerate(pairs):
        moment = second[:, column] - mean[:, a] * mean[:, b]
        if a == b:
            moment = moment + 1 / 12  # a voxel has an extent of its own
        spread[:, a, b] = spread[:, b, a] = moment * edges[a] * edges[b]
    values, vectors = np.linalg.eigh(spread)
    axes = 2 * np.sqrt(5 * np.clip(values, 0, None))
    longest = vectors[:, :, 2]
    tilt = np.rad2deg(np.arccos(np.clip(np.abs(longest[:, 0]), 0, 1)))
    azimuth = np.rad2deg(np.arctan2(longest[:, 1], longest[:, 2])) % 180
    return axes, tilt, azimuth


def _weights(
    census: Census, found: NDArray[np.int64], shape: tuple[int, ...], touches: NDArray[np.bool_]
) -> Float64Array:
    """Correction of edge effects after Miles and Lantuéjoul: a large object is cut more often."""
    extent = census.high[found] - census.low[found] + 1
    room = np.array(shape) - 2 - extent + 1
    chance = np.clip(room / np.array(shape), 1e-6, 1).prod(axis=1)
    return np.where(touches, 0.0, 1 / chance)
