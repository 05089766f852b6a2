"""What a volume shows along its fibres, gathered slice by slice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter
from napari_alsct_fibers.paths import Paths
from napari_alsct_fibers.sampling import (
    CORE,
    RING,
    azimuthal_means,
    disc_points,
    mean_about,
    ring_points,
)

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_BLOCK_BYTES = 1 << 28
_Z_WINDOW, _RADIUS_WINDOW = 31, 17
"""Scanner's rings are what stands out within so many slices and pixels of the radius."""
_CALM_PX = 24
"""Nearer to the axis a ring is shorter than a few fibres are wide; nothing is corrected."""


@dataclass(frozen=True, eq=False)
class FibreProfiles:
    """Grey values along fibres, each of shape (fibre, slice); NaN where there is no fibre."""

    core: Float32Array
    """Mean over the core of the cross-section."""
    bright: Float32Array
    """Mean over the brighter half of the core: a gap is dark all over, a ring of the scanner or
    a crack beside the fibre darkens a part."""
    ring: Float32Array
    """Mean over a ring about it: matrix and neighbours."""


def fibre_profiles(
    volume: LazyArray,
    paths: Paths,
    radius_px: float,
    reporter: Reporter,
    *,
    axis_px: tuple[float, float] | None = None,
) -> FibreProfiles:
    """Read the grey values along all fibres; the volume is read once.

    Parameters
    ----------
    volume
        Shape (slice, y, x), fibres along the first axis.
    paths
        Of the fibres.
    radius_px
        Of a fibre.
    reporter
        Threads, progress and cancel.
    axis_px
        (y, x) of the rotation axis in the slices: rings about it are taken out, slice by
        slice. None leaves them.
    """
    n_slices, n_y, n_x = volume.shape
    core = np.empty((n_slices, paths.n_fibres), np.float32)
    bright, ring, unused = (np.empty_like(core) for _ in range(3))
    core_points = disc_points(CORE * radius_px)
    about = ring_points(RING[0] * radius_px, RING[1] * radius_px)
    distance = counts = np.empty(0, np.intp)
    means = np.empty((0, 0), np.float32)
    if axis_px is not None:
        y, x = np.ogrid[:n_y, :n_x]
        distance = np.rint(np.hypot(y - axis_px[0], x - axis_px[1])).astype(np.intp).ravel()
        counts = np.bincount(distance)
        means = np.empty((n_slices, len(counts)), np.float32)

    def read(index: int, picture: Float32Array) -> None:
        places = np.ascontiguousarray(paths.places[:, index])
        mean_about(picture, places, core_points, core[index], bright[index])
        mean_about(picture, places, about, ring[index], unused[index])
        if axis_px is not None:
            means[index] = azimuthal_means(picture, distance, counts)

    step = max(1, min(64, _BLOCK_BYTES // (4 * n_y * n_x)))
    with ThreadPoolExecutor(reporter.threads, "alsct-fibres") as pool:
        for start in reporter.each(range(0, n_slices, step), "grey values"):
            block = np.asarray(volume[start : start + step], np.float32)
            list(pool.map(read, range(start, start + len(block)), block))
    if axis_px is not None:
        extra = _scanner_rings(means)
        in_core = _rings_at(extra, paths.places, core_points, axis_px)
        core -= in_core
        bright -= in_core
        ring -= _rings_at(extra, paths.places, about, axis_px)
    return FibreProfiles(*(np.ascontiguousarray(part.T) for part in (core, bright, ring)))


def _scanner_rings(means: Float32Array) -> Float32Array:
    """What stands out of azimuthal means over a few slices and a few pixels."""
    from scipy.ndimage import median_filter

    window = min(_Z_WINDOW, 2 * (len(means) // 2) + 1)
    sudden = means - median_filter(means, (window, 1), mode="nearest")
    extra: Float32Array = sudden - median_filter(sudden, (1, _RADIUS_WINDOW), mode="nearest")
    extra[:, :_CALM_PX] = 0
    return extra


def _rings_at(
    extra: Float32Array, places: Float64Array, points: Float64Array, axis_px: tuple[float, float]
) -> Float32Array:
    """Mean of the rings over the points about each fibre, shape (slice, fibre)."""
    n_slices, n = extra.shape
    out = np.zeros((n_slices, len(places)), np.float32)
    for index in range(n_slices):
        at = places[:, index, None] + points[None] - axis_px
        distance = np.nan_to_num(np.hypot(at[..., 0], at[..., 1]))
        low = np.minimum(distance.astype(np.intp), n - 2)
        share = np.minimum(distance - low, 1.0)
        row = extra[index]
        out[index] = ((1 - share) * row[low] + share * row[low + 1]).mean(axis=1)
    return out
