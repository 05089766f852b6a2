"""What is measured in a picture: profiles, statistics, histogram. Pure, without Qt.

Points are (row, column) in pixels of the image; the centre of a pixel is a whole number, so
the first pixel reaches from -0.5 to 0.5. Lengths are in µm when the edges of a pixel are known,
else in pixels. What is not finite counts as “no value” and is left out of every figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Edges = tuple[float, float] | None
Float64Array = NDArray[np.float64]

AUTO_SHARES = (0.5, 99.5)
"""Percentiles of the values that “Auto” shows as black and as white."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Values over a distance."""

    distance: Float64Array
    """Ascending, shape (n,), from 0."""
    length_unit: str
    """``µm`` or ``px``."""
    values: Float64Array
    """Shape (n,); NaN where there is no value."""
    deviation: Float64Array | None = None
    """Standard deviation of what was averaged, shape (n,); None for a single line."""
    counts: NDArray[np.int64] | None = None
    """Pixels that were averaged, shape (n,); None for a single line."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of a region."""

    rows: int
    columns: int
    n: int
    """Pixels with a value."""
    n_missing: int
    """Pixels without one (NaN or infinite)."""
    mean: float
    std: float
    """Standard deviation of the population."""
    minimum: float
    maximum: float
    median: float
    area_um2: float | None
    """None when the edges of a pixel are not known."""
    width_um: float | None
    height_um: float | None


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur, told from a bounded number of pixels."""

    edges: Float64Array
    """Of the bins, shape (bins + 1,)."""
    counts: NDArray[np.int64]
    """Pixels of the sample in each bin, shape (bins,)."""
    n_sample: int
    """Pixels of the sample that have a value, within the bins or not."""
    minimum: float
    """Of the whole image; NaN when it has no value."""
    maximum: float
    low: float
    """Robust limit: `AUTO_SHARES` of the sample."""
    high: float


def sample(image: NDArray[Any], rows: Float64Array, columns: Float64Array) -> Float64Array:
    """Values between pixels, bilinear; NaN beyond the centres of the outermost pixels.

    Parameters
    ----------
    image
        Shape (row, column).
    rows, columns
        Where, in pixels, both of one shape.
    """
    n_rows, n_columns = image.shape
    inside = (rows >= 0) & (rows <= n_rows - 1) & (columns >= 0) & (columns <= n_columns - 1)
    row = np.where(inside, rows, 0.0)
    column = np.where(inside, columns, 0.0)
    top, left = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
    bottom, right = np.minimum(top + 1, n_rows - 1), np.minimum(left + 1, n_columns - 1)
    down, across = row - top, column - left
    total = np.zeros(np.shape(row))
    for y, x, weight in (
        (top, left, (1 - down) * (1 - across)), (top, right, (1 - down) * across),
        (bottom, left, down * (1 - across)), (bottom, right, down * across),
    ):  # fmt: skip
        # A neighbour without weight must not make the sum NaN.
        corner = np.where(weight > 0, image[y, x], 0)
        with np.errstate(invalid="ignore"):  # the infinities about a place may cancel
            total += weight * corner
    return np.where(inside, total, np.nan)


def line_profile(
    image: NDArray[Any], start: Point, end: Point, width_px: float = 1, pixel_um: Edges = None
) -> Profile:
    """Values along a line, at least one for each pixel.

    Parameters
    ----------
    image
        Shape (row, column).
    start, end
        Ends of the line.
    width_px
        Parallel lines over this width, one pixel apart, are averaged.
    pixel_um
        Edges of a pixel (row, column).
    """
    down, across = end[0] - start[0], end[1] - start[1]
    length_px = math.hypot(down, across)
    share = np.linspace(0.0, 1.0, max(2, math.ceil(length_px) + 1))
    lines = max(1, round(width_px))
    # Along the normal of the line, in pixels.
    normal = (across / length_px, -down / length_px) if length_px else (0.0, 0.0)
    offsets = np.arange(lines) - (lines - 1) / 2
    rows = start[0] + share * down + offsets[:, None] * normal[0]
    columns = start[1] + share * across + offsets[:, None] * normal[1]
    mean, deviation, counts = _mean_over(sample(image, rows, columns))
    edges = pixel_um or (1.0, 1.0)
    length = math.hypot(down * edges[0], across * edges[1])
    unit = "px" if pixel_um is None else "µm"
    if lines == 1:
        return Profile(share * length, unit, mean)
    return Profile(share * length, unit, mean, deviation, counts)


def radial_profile(
    image: NDArray[Any], center: Point, radius_px: float, pixel_um: Edges = None
) -> Profile:
    """Mean and standard deviation over the distance from a point.

    Pixels belong to the ring whose distance, a whole number of pixels, is nearest to that of
    their centre.

    Parameters
    ----------
    image
        Shape (row, column).
    center
        The point.
    radius_px
        How far, in pixels along a row.
    pixel_um
        Edges of a pixel (row, column).
    """
    edges = pixel_um or (1.0, 1.0)
    step = edges[1]
    rows = _within(center[0], radius_px * step / edges[0], image.shape[0])
    columns = _within(center[1], radius_px, image.shape[1])
    part = image[rows, columns]
    down = (np.arange(rows.start, rows.stop) - center[0]) * (edges[0] / step)
    across = np.arange(columns.start, columns.stop) - center[1]
    distance = np.hypot(down[:, None], across[None, :])
    rings = int(radius_px) + 1
    kept = np.isfinite(part) & (distance < rings - 0.5)
    ring = np.rint(distance[kept]).astype(np.intp)
    values = part[kept].astype(np.float64)
    counts = np.bincount(ring, minlength=rings)[:rings]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(ring, values, minlength=rings)[:rings] / counts
        spread = np.bincount(ring, (values - mean[ring]) ** 2, minlength=rings)[:rings] / counts
    unit = "px" if pixel_um is None else "µm"
    reach = np.asarray(np.arange(rings) * step, np.float64)
    return Profile(reach, unit, np.asarray(mean, np.float64), np.sqrt(spread), counts)


def region_statistics(
    image: NDArray[Any], first: Point, second: Point, pixel_um: Edges = None
) -> Statistics:
    """Figures of the pixels whose centres lie in a rectangle.

    Parameters
    ----------
    image
        Shape (row, column).
    first, second
        Opposite corners.
    pixel_um
        Edges of a pixel (row, column).
    """
    part = region_of(image, first, second)
    values = part[np.isfinite(part)].astype(np.float64)
    height, width = part.shape
    edges = pixel_um or (math.nan, math.nan)
    known = pixel_um is not None
    some = bool(values.size)
    return Statistics(
        rows=height,
        columns=width,
        n=int(values.size),
        n_missing=int(part.size - values.size),
        mean=float(values.mean()) if some else math.nan,
        std=float(values.std()) if some else math.nan,
        minimum=float(values.min()) if some else math.nan,
        maximum=float(values.max()) if some else math.nan,
        median=float(np.median(values)) if some else math.nan,
        area_um2=part.size * edges[0] * edges[1] if known else None,
        width_um=width * edges[1] if known else None,
        height_um=height * edges[0] if known else None,
    )


def region_of(image: NDArray[Any], first: Point, second: Point) -> NDArray[Any]:
    """Return the pixels whose centres lie in a rectangle between two opposite corners."""
    rows = _between(first[0], second[0], image.shape[0])
    columns = _between(first[1], second[1], image.shape[1])
    return image[rows, columns]


def histogram(image: NDArray[Any], bins: int = 256, most: int = 1 << 18) -> Histogram:
    """Histogram of a picture, whatever is in it.

    The bins reach over all values, but for the outermost thousandth at each end when that lies
    far out: one hot pixel must not squeeze everything else into one bin. Bins of whole numbers
    are a whole number wide, so that none is empty for that alone.

    Parameters
    ----------
    image
        Shape (row, column), any real type.
    bins
        Bins at most.
    most
        Pixels that are looked at, at most; the smallest and the largest value are those of
        the whole image.
    """
    step = 1
    while image[::step, ::step].size > most:
        step += 1
    part = image[::step, ::step]
    values = part[np.isfinite(part)].astype(np.float64)
    minimum, maximum = _extremes(image)
    if not values.size:
        none = np.zeros(bins, np.int64)
        return Histogram(np.linspace(0, 1, bins + 1), none, 0, minimum, maximum, 0.0, 1.0)
    outer_low, low, high, outer_high = np.percentile(values, (0.1, *AUTO_SHARES, 99.9))
    margin = (outer_high - outer_low) / 4
    first, last = max(minimum, outer_low - margin), min(maximum, outer_high + margin)
    edges = _edges(first, last, bins, whole=image.dtype.kind in "iub")
    counts, _ = np.histogram(values, edges)
    return Histogram(
        edges, counts.astype(np.int64), int(values.size), minimum, maximum, float(low), float(high)
    )


def _edges(first: float, last: float, bins: int, *, whole: bool) -> Float64Array:
    if whole:
        width = max(1, math.ceil((math.floor(last) - math.ceil(first) + 1) / bins))
        count = max(1, math.ceil((math.floor(last) - math.ceil(first) + 1) / width))
        return np.asarray(math.ceil(first) - 0.5 + width * np.arange(count + 1), np.float64)
    if last - first <= 1e-9 * max(abs(first), abs(last), 1e-30):
        # All values are one: a bin of some width about it.
        half = max(abs(first), 1.0) * 1e-3
        first, last = first - half, last + half
    return np.linspace(first, last, bins + 1)


def _extremes(image: NDArray[Any]) -> tuple[float, float]:
    if not image.size:
        return math.nan, math.nan
    if image.dtype.kind != "f":
        return float(image.min()), float(image.max())
    low, high = float(image.min()), float(image.max())
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    values = image[np.isfinite(image)]
    return (float(values.min()), float(values.max())) if values.size else (math.nan, math.nan)


def _mean_over(
    lines: Float64Array,
) -> tuple[Float64Array, Float64Array, NDArray[np.int64]]:
    """Mean, standard deviation and number along the first axis, without what is not finite."""
    known = np.isfinite(lines)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, lines, 0).sum(axis=0) / counts
        spread = np.where(known, (lines - mean) ** 2, 0).sum(axis=0) / counts
    return mean, np.sqrt(spread), counts.astype(np.int64)


def _between(first: float, second: float, size: int) -> slice:
    """Pixels whose centres lie between two places, both included."""
    low, high = sorted((first, second))
    start = min(max(0, math.ceil(low)), size)
    return slice(start, max(start, min(size, math.floor(high) + 1)))


def _within(center: float, reach: float, size: int) -> slice:
    return _between(center - reach - 1, center + reach + 1, size)
