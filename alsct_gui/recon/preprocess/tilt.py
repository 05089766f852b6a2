"""Frames turned so that the rotation axis is parallel to the detector's columns.

The tilt is positive clockwise as a frame is shown (row 0 on top): the axis crosses row r at
column ``center - (r - middle_row) tan(tilt)``. Frames are turned back about the middle of the
detector. The one stored value of the centre is the axis's column at the middle row of frames
as taken; after turning, the axis is nearer to the detector's middle by a share of
``1 - cos(tilt)``, see `center_after_turning`.
"""

from __future__ import annotations

from math import ceil, cos, radians, sin, tan

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from alsct_gui.recon.center.local import confidence, scatter
from alsct_gui.recon.center.mirror import coarse_peaks, refine
from alsct_gui.recon.center.phase_correlation import OppositeViews
from alsct_gui.recon.parallel import run_split, split

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

BANDS = 12
"""Bands of rows in which the axis is looked for to estimate the tilt."""
PASSES = 3
"""How often the tilt is estimated, each time on frames turned by what is known so far."""


def turn_frames(
    frames: Float32Array,
    tilt_deg: float,
    *,
    pivot_row: float | None = None,
    pivot_column: float | None = None,
    order: int = 3,
    threads: int = 1,
) -> Float32Array:
    """Turn frames so that an axis with this tilt becomes vertical.

    Parameters
    ----------
    frames
        Shape (angle, row, column), float32.
    tilt_deg
        Positive clockwise, see the module's text.
    pivot_row, pivot_column
        Point that stays, in rows and columns of the frames; None for their middle. For
        cropped frames give the middle of the full detector.
    order
        Of the spline: 1 is faster, 3 keeps details.
    threads
        Frames are shared among so many threads.

    Returns
    -------
    turned
        Same shape; beyond the edges the nearest value is repeated.
    """
    if tilt_deg == 0.0:
        return frames
    n_angles, n_rows, n_columns = frames.shape
    row = (n_rows - 1) / 2 if pivot_row is None else pivot_row
    column = (n_columns - 1) / 2 if pivot_column is None else pivot_column
    c, s = cos(radians(tilt_deg)), sin(radians(tilt_deg))
    # From a place in the turned frame to its place in the frame as taken.
    matrix = np.array([[c, s], [-s, c]])
    pivot = np.array([row, column])
    shift = pivot - matrix @ pivot
    turned = np.empty_like(frames)

    def work(start: int, stop: int) -> None:
        for angle in range(start, stop):
            scipy.ndimage.affine_transform(
                frames[angle], matrix, shift, output=turned[angle], order=order, mode="nearest"
            )

    run_split(n_angles, threads, work)
    return turned


def margin_rows(tilt_deg: float, n_columns: int) -> int:
    """Return how many more rows above and below a block are needed to turn it."""
    return ceil(n_columns / 2 * abs(tan(radians(tilt_deg)))) + 2 if tilt_deg else 0


def center_after_turning(center: float, n_columns: int, tilt_deg: float) -> float:
    """Return the axis's column after turning, from its column at the middle row before."""
    middle = (n_columns - 1) / 2
    return middle + (center - middle) * cos(radians(tilt_deg))


def center_before_turning(center: float, n_columns: int, tilt_deg: float) -> float:
    """Return the axis's column at the middle row before turning, from its column after."""
    middle = (n_columns - 1) / 2
    return middle + (center - middle) / cos(radians(tilt_deg))


def estimate_tilt(views: OppositeViews, *, threads: int = 1) -> tuple[float, float] | None:
    """Estimate the tilt from two opposite views.

    Parameters
    ----------
    views
        Line integrals (row, column) of both, not turned; whole frames.
    threads
        For the FFT.

    Returns
    -------
    tilt_deg, confidence
        The slope of the axis over bands of rows, refined on turned frames; a confidence of
        one half means an error that moves the axis by 0.25 columns at the ends of the frame.
        None when there is nothing to compare, or fewer than eight rows.
    """
    n_rows = views.first.shape[0]
    if n_rows < 8:
        return None
    tilt_deg, error_px = 0.0, float("inf")
    for _ in range(PASSES):
        first, second = turn_frames(np.stack([views.first, views.second]), tilt_deg, order=1)
        bands = _axis_by_band(first, second, threads)
        if bands is None:
            return None
        slope, error = _line(*bands)
        tilt_deg -= float(np.degrees(np.arctan(slope)))
        error_px = error * n_rows / 2
    return tilt_deg, confidence(error_px, 1.0)


def _axis_by_band(
    first: Float32Array, second: Float32Array, threads: int
) -> tuple[Float64Array, Float64Array] | None:
    """Middle row and axis of each band, both (band,)."""
    n_rows, n_columns = first.shape
    peaks = coarse_peaks(first, second, 0.0, n_columns - 1.0)
    if not peaks:
        return None
    reach = max(4.0, n_columns / 100)
    rows, columns = [], []
    for start, stop in split(n_rows, min(BANDS, n_rows // 2)):
        band = slice(start, stop)
        column, _ = refine(first[band], second[band], peaks[0].column, reach=reach, threads=threads)
        rows.append((start + stop - 1) / 2)
        columns.append(column)
    return np.array(rows), np.array(columns)


def _line(rows: Float64Array, columns: Float64Array) -> tuple[float, float]:
    """Slope through the points and its standard error, by the median of all slopes.

    The estimator of Theil and Sen: a few wild bands (nothing in them) do no harm.
    """
    i, j = np.triu_indices(rows.size, 1)
    slope = float(np.median((columns[j] - columns[i]) / (rows[j] - rows[i])))
    _, error = scatter(columns - slope * rows)
    # `scatter` gives the error of a median; a slope has that of one over the rows' spread.
    return slope, error / max(float(np.std(rows)), 1e-9)
