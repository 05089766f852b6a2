"""Centre from full-turn sinograms, also when the axis lies near an edge of the detector.

Every view of a full turn has its opposite, so the second half is the mirror image of the
first, line by line (see `mirror`). When the axis is near an edge only a strip is seen by
both (N. T. Vo et al., "Data processing methods and data acquisition for samples larger
than the field of view in parallel-beam tomography", Opt. Express 29, 17849, 2021); the
correlation counts only that strip, so nothing must be known beforehand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.center.local import LocalEstimate, scatter
from alsct_gui.recon.center.mirror import coarse_peaks, refine
from alsct_gui.recon.center.turns import is_full_turn, opposite

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

METHOD = "sinogram"
OFFSET_SHARE = 0.3
"""An axis within this share of the width from an edge makes an offset scan."""
MAX_LINES = 720
"""Views of all sinograms together that are compared, spread over the scan."""


def full_turn_center(
    sinograms: Float32Array,
    angles_deg: Float64Array,
    *,
    low: float | None = None,
    high: float | None = None,
    threads: int = 1,
) -> LocalEstimate | None:
    """Find the axis from full-turn sinograms.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column).
    angles_deg
        Shape (angle,), rising or falling steadily over about 360 degrees.
    low, high
        Range of columns to look in; None for the whole width.
    threads
        For the FFT.

    Returns
    -------
    estimate
        In columns of the sinograms; None when the scan is no full turn or is empty.
    """
    n_rows, _, n_columns = sinograms.shape
    if not is_full_turn(angles_deg) or n_columns < 16 or n_rows == 0:
        return None
    first, second = _opposite_lines(sinograms, angles_deg)
    low, high = 0.0 if low is None else low, n_columns - 1.0 if high is None else high
    peaks = coarse_peaks(first, second, low, high)
    if not peaks:
        return None
    reach = max(4.0, n_columns / 160)
    column, parts = refine(first, second, peaks[0].column, reach=reach, threads=threads)
    rivals = [peak.score for peak in peaks if abs(peak.column - column) > 2 * reach]
    trust = float(np.clip(2 * (1 - max(rivals, default=0.0) / max(peaks[0].score, 1e-9)), 0, 1))
    return LocalEstimate(METHOD, column, scatter(parts)[1], trust)


def axis_side(column: float, n_columns: int) -> str | None:
    """Return ``left`` or ``right`` when the axis is near that edge, else None.

    A full-turn scan with its axis near an edge is an offset scan: it sees about twice the
    detector's width, once it is stitched to a half turn (`recon.preprocess.stitch`).
    """
    share = (column + 0.5) / n_columns
    if share < OFFSET_SHARE:
        return "left"
    if share > 1 - OFFSET_SHARE:
        return "right"
    return None


def _opposite_lines(
    sinograms: Float32Array, angles_deg: Float64Array
) -> tuple[Float32Array, Float32Array]:
    """Lines (line, column) of the first half turn, and what is seen from the other side.

    Between two views the opposite one is interpolated. The mean over the lines is taken
    off each side, which removes what is fixed to the detector (rings) and keeps the two
    mirror images of each other.
    """
    n_rows, n_angles, n_columns = sinograms.shape
    target = opposite(angles_deg)[: n_angles // 2]
    stride = max(1, target.size * n_rows // MAX_LINES)
    chosen = np.arange(0, target.size, stride)
    below = np.floor(target[chosen]).astype(np.intp)
    part = (target[chosen] - below).astype(np.float32)[None, :, None]
    second = sinograms[:, below % n_angles] * (1 - part)
    second += sinograms[:, (below + 1) % n_angles] * part
    first = sinograms[:, chosen]

    def lines(views: Float32Array) -> Float32Array:
        moving = views - views.mean(axis=1, keepdims=True)
        return np.asarray(moving.reshape(-1, n_columns), dtype=np.float32)

    return lines(first), lines(second)
