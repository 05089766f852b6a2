"""Profiles along lines and radii through a volume, figures of boxes, distances and angles.

Places are (z, y, x) in voxels; the centre of a voxel is a whole number, so the first voxel
reaches from -0.5 to 0.5. What is not finite counts as “no value” and is left out of every
figure. In one slice, a line of width 1 gives what the program's own profile gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter

Float64Array = NDArray[np.float64]
Place = tuple[float, float, float]
Voxel = tuple[float, float, float]

_CHUNK_POINTS = 64
"""Points of a line that are read as one box."""
_SLAB_SLICES = 32
MOST_FOR_MEDIAN = 1 << 26
"""Voxels of a box up to which its median is worked out."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Values over a distance."""

    distance_um: Float64Array
    """Ascending, shape (n,)."""
    values: Float64Array
    """Means, NaN where there is no value; shape (n,)."""
    deviation: Float64Array
    """Standard deviation of what was averaged (of the population), shape (n,)."""
    counts: NDArray[np.int64]
    """Samples that were averaged, shape (n,)."""


@dataclass(frozen=True, slots=True)
class BoxFigures:
    """Figures of a box."""

    n: int
    """Voxels with a value."""
    n_missing: int
    """Voxels without one."""
    mean: float
    std: float
    """Standard deviation of the population."""
    minimum: float
    maximum: float
    median: float
    """NaN when the box has more than `MOST_FOR_MEDIAN` voxels."""
    volume_um3: float


def line_profile(
    volume: LazyArray,
    start: Place,
    end: Place,
    voxel_um: Voxel,
    *,
    width_px: float = 1,
    reporter: Reporter | None = None,
) -> Profile:
    """Values along a line, at least one a voxel, trilinear between voxels.

    Parameters
    ----------
    volume
        Shape (slice, y, x); only what the line passes is read.
    start, end
        Ends of the line.
    voxel_um
        Edges of a voxel.
    width_px
        Parallel lines within a cylinder of this diameter, a voxel apart, are averaged.
    reporter
        Told the progress; its cancel ends the work.
    """
    reporter = reporter or Reporter()
    first, last = np.array(start, np.float64), np.array(end, np.float64)
    length_px = float(np.linalg.norm(last - first))
    n = max(2, math.ceil(length_px) + 1)
    share = np.linspace(0.0, 1.0, n)
    offsets = _offsets(last - first, width_px)
    mean, deviation, counts = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64)
    for begin in reporter.each(range(0, n, _CHUNK_POINTS), "profile"):
        part = slice(begin, begin + _CHUNK_POINTS)
        points = first + share[part, None] * (last - first)
        samples = sample(volume, points[:, None] + offsets[None])
        mean[part], deviation[part], counts[part] = _mean_over(samples)
    length_um = float(np.linalg.norm((last - first) * voxel_um))
    return Profile(share * length_um, mean, deviation, counts)


def radial_profile(
    volume: LazyArray,
    center: Place,
    radius_px: float,
    voxel_um: Voxel,
    *,
    half_height_px: float = 0.0,
    reporter: Reporter | None = None,
) -> Profile:
    """Mean over the distance from an axis along z, in an upright cylinder.

    A voxel belongs to the ring whose distance, a whole number of edges along x, is nearest to
    that of its centre.

    Parameters
    ----------
    volume
        Shape (slice, y, x).
    center
        Middle of the cylinder.
    radius_px
        How far, in edges along x.
    voxel_um
        Edges of a voxel.
    half_height_px
        Slices above and below the centre that are averaged too.
    reporter
        Told the progress; its cancel ends the work.
    """
    reporter = reporter or Reporter()
    z, y, x = (
        _between(at - reach, at + reach, size)
        for at, reach, size in zip(
            center,
            (half_height_px, (radius_px + 1) * voxel_um[2] / voxel_um[1], radius_px + 1),
            volume.shape, strict=True,
        )
    )  # fmt: skip
    rings = int(radius_px) + 1
    down = (np.arange(y.start, y.stop) - center[1]) * (voxel_um[1] / voxel_um[2])
    across = np.arange(x.start, x.stop) - center[2]
    distance = np.hypot(down[:, None], across[None, :])
    ring = np.rint(distance).astype(np.intp)
    within = distance < rings - 0.5
    count, total, squares = np.zeros(rings), np.zeros(rings), np.zeros(rings)
    shift = None
    for index in reporter.each(range(z.start, z.stop), "profile"):
        picture = np.asarray(volume[index, y, x], np.float64)
        kept = within & np.isfinite(picture)
        values, at = picture[kept], ring[kept]
        if shift is None and len(values):
            shift = float(values.mean())  # sums of small numbers keep their digits
        values = values - (shift or 0.0)
        count += np.bincount(at, minlength=rings)[:rings]
        total += np.bincount(at, values, minlength=rings)[:rings]
        squares += np.bincount(at, values**2, minlength=rings)[:rings]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        deviation = np.sqrt(np.clip(squares / count - mean**2, 0, None))
    reach = np.asarray(np.arange(rings) * voxel_um[2], np.float64)
    return Profile(reach, mean + (shift or 0.0), deviation, count.astype(np.int64))


def box_figures(
    volume: LazyArray,
    first: Place,
    second: Place,
    voxel_um: Voxel,
    *,
    reporter: Reporter | None = None,
) -> BoxFigures:
    """Figures of the voxels whose centres lie in a box between two opposite corners.

    Raises
    ------
    RecipeError
        No voxel lies in it.
    """
    reporter = reporter or Reporter()
    z, y, x = (
        _between(min(a, b), max(a, b), size)
        for a, b, size in zip(first, second, volume.shape, strict=True)
    )
    size = (z.stop - z.start) * (y.stop - y.start) * (x.stop - x.start)
    if not size:
        raise RecipeError("no voxel lies in the box", where="box", fix="Give other corners")
    kept: list[NDArray[Any]] = []
    n, mean, square, low, high = 0, 0.0, 0.0, math.inf, -math.inf
    for start in reporter.each(range(z.start, z.stop, _SLAB_SLICES), "figures"):
        slab = np.asarray(volume[start : min(z.stop, start + _SLAB_SLICES), y, x])
        values = slab[np.isfinite(slab)]
        if not len(values):
            continue
        part_mean = float(values.mean(dtype=np.float64))
        part_square = float(((values - part_mean) ** 2).sum(dtype=np.float64))
        both = n + len(values)
        square += part_square + (part_mean - mean) ** 2 * n * len(values) / both
        mean += (part_mean - mean) * len(values) / both
        n, low, high = both, min(low, float(values.min())), max(high, float(values.max()))
        if size <= MOST_FOR_MEDIAN:
            kept.append(values)
    median = float(np.median(np.concatenate(kept))) if kept else math.nan
    known = n > 0
    return BoxFigures(
        n, size - n, mean if known else math.nan, math.sqrt(square / n) if known else math.nan,
        low if known else math.nan, high if known else math.nan, median,
        size * math.prod(voxel_um),
    )  # fmt: skip


def distance_um(first: Place, second: Place, voxel_um: Voxel) -> float:
    """Return the distance of two places."""
    return math.dist(*(
        [a * edge for a, edge in zip(place, voxel_um, strict=True)] for place in (first, second)
    ))  # fmt: skip


def angle_deg(first: Place, corner: Place, second: Place, voxel_um: Voxel) -> float:
    """Return the angle at a corner between the ways to two places; NaN when they coincide."""
    one, other = (
        (np.array(place) - np.array(corner)) * voxel_um for place in (first, second)
    )  # fmt: skip
    across = float(np.linalg.norm(np.cross(one, other)))
    along = float(one @ other)
    return math.degrees(math.atan2(across, along)) if across or along else math.nan


def sample(volume: LazyArray, points: Float64Array) -> Float64Array:
    """Values between voxels, trilinear; NaN beyond the centres of the outermost voxels.

    Parameters
    ----------
    volume
        Shape (slice, y, x); one box about all points is read.
    points
        Places (z, y, x), shape (..., 3).

    Returns
    -------
    values
        Shape (...).
    """
    top = np.array(volume.shape) - 1
    inside = ((points >= 0) & (points <= top)).all(axis=-1)
    if not inside.any():
        return np.full(points.shape[:-1], np.nan)
    low = np.floor(points[inside].min(axis=0)).astype(int)
    high = np.minimum(np.floor(points[inside].max(axis=0)).astype(int) + 1, top)
    box = np.asarray(
        volume[tuple(slice(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True))]
    )
    near = np.where(np.asarray(inside, np.bool_)[..., None], points - low, 0.0)
    base = np.floor(near).astype(np.intp)
    further = np.minimum(base + 1, np.array(box.shape) - 1)
    share = near - base
    total = np.zeros(points.shape[:-1])
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, share, 1 - share), axis=-1)
        at = np.where(corner, further, base)
        # A neighbour without weight must not make the sum NaN.
        value = np.where(weight > 0, box[at[..., 0], at[..., 1], at[..., 2]], 0)
        with np.errstate(invalid="ignore"):
            total += weight * value
    return np.where(inside, total, np.nan)


def _offsets(direction: Float64Array, width_px: float) -> Float64Array:
    """Points a voxel apart, in the disc about a line, shape (n, 3)."""
    if width_px <= 1 or not direction.any():
        return np.zeros((1, 3))
    # Two directions across the line; one of them in the slice where that can be.
    unit = direction / np.linalg.norm(direction)
    aside = np.cross(unit, (1.0, 0.0, 0.0) if abs(unit[0]) < 0.999 else (0.0, 0.0, 1.0))
    aside /= np.linalg.norm(aside)
    up = np.cross(unit, aside)
    reach = (round(width_px) - 1) / 2
    steps = np.arange(round(width_px)) - reach
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    within = grid[np.linalg.norm(grid, axis=1) <= max(reach, 0.5) + 0.25]
    return np.asarray(within @ np.stack([aside, up]))


def _mean_over(
    samples: Float64Array,
) -> tuple[Float64Array, Float64Array, NDArray[np.int64]]:
    known = np.asarray(np.isfinite(samples))
    counts = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, samples, 0).sum(axis=1) / counts
        spread = np.where(known, (samples - mean[:, None]) ** 2, 0).sum(axis=1) / counts
    return mean, np.sqrt(spread), counts.astype(np.int64)


def _between(low: float, high: float, size: int) -> slice:
    """Voxels whose centres lie between two places, both included."""
    start = min(max(0, math.ceil(low)), size)
    return slice(start, max(start, min(size, math.floor(high) + 1)))
