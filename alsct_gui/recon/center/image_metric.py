"""Centre from trial slices: the one whose picture is best.

T. Donath et al., "Automated determination of the center of rotation in tomography data",
J. Opt. Soc. Am. A 23, 1048 (2006): around the true centre a slice has the least integral of
absolute values, the least negative values and the least entropy, because a wrong centre
smears edges into half rings of both signs. The three are taken as three opinions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.geometry import Window
from alsct_gui.recon.center.local import LocalEstimate, scatter
from alsct_gui.recon.center.mirror import bin_columns, lowest

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

Reconstruct = Callable[[Float32Array, Float64Array, Float64Array], Float32Array]
"""``reconstruct(sinogram, angles_deg, centers) -> slices``: one sinogram (angle, column), as
many slices (center, y, x) as centres, which are columns of that sinogram."""

METHOD = "image-metric"
LEVELS = (256, 768)
"""Columns to which the sinograms are binned, coarse then fine."""
TRIALS = 17
"""Centres that are tried at each level."""
HISTOGRAM_BINS = 256


def image_metric(
    sinograms: Float32Array,
    angles_deg: Float64Array,
    reconstruct: Reconstruct,
    start: float,
    *,
    reach: float,
) -> LocalEstimate | None:
    """Find the axis from trial slices.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column); rings are best removed before.
    angles_deg
        Shape (angle,), over a half or a full turn.
    reconstruct
        Makes one slice for each of several centres.
    start
        Column in the middle of the search.
    reach
        Half width of the search, in columns.

    Returns
    -------
    estimate
        In columns of the sinograms; its error comes from the rows and the three metrics.
        None without rows.
    """
    if len(sinograms) == 0:
        return None
    n_columns = sinograms.shape[2]
    column, opinions, trust = start, np.empty(0), 0.0
    for level in LEVELS:
        window = Window(0, max(1, n_columns // level))
        curves, trials = _curves(sinograms, angles_deg, reconstruct, window, column, reach)
        opinions = np.array([window.to_full(lowest(trials, curve)) for curve in curves])
        column, _ = scatter(opinions)
        trust = _depth(curves)
        reach = 4.0 * window.binning
    return LocalEstimate(METHOD, column, scatter(opinions)[1], trust)


def _curves(
    sinograms: Float32Array,
    angles_deg: Float64Array,
    reconstruct: Reconstruct,
    window: Window,
    middle: float,
    reach: float,
) -> tuple[Float64Array, Float64Array]:
    """Metrics (row and metric, trial) over trial centres in columns of the window."""
    stride = max(1, angles_deg.size * window.binning // (2 * sinograms.shape[2]))
    half = reach / window.binning
    step = max(2 * half / (TRIALS - 1), 0.125)
    count = round(half / step)
    trials = window.to_local(middle) + step * np.arange(-count, count + 1)
    curves = []
    for sinogram in sinograms:
        lines = bin_columns(np.ascontiguousarray(sinogram[::stride]), window.binning)
        inner = trials[(trials > 0) & (trials < lines.shape[1] - 1)]
        slices = reconstruct(lines, angles_deg[::stride], inner)
        curves.append(metrics(slices))
    return np.concatenate(curves), inner


def metrics(slices: Float32Array) -> Float64Array:
    """Return (metric, slice): mean absolute value, mean negative part, entropy; least is best.

    Only the inner part of the circle that the detector sees counts. The entropy uses the
    same histogram range for all slices.
    """
    size = slices.shape[-1]
    at = np.arange(size) - (size - 1) / 2
    inside = slices[:, np.hypot(at[:, None], at[None, :]) < 0.45 * size].astype(np.float64)
    absolute = np.abs(inside).mean(axis=1)
    negative = np.maximum(-inside, 0.0).mean(axis=1)
    low, high = np.percentile(inside, (0.1, 99.9))
    if high <= low:
        high = low + 1.0
    entropy = np.empty(len(slices))
    for k, values in enumerate(inside):
        counts, _ = np.histogram(np.clip(values, low, high), HISTOGRAM_BINS, (low, high))
        share = counts[counts > 0] / values.size
        entropy[k] = -(share * np.log(share)).sum()
    return np.stack([absolute, negative, entropy])


def _depth(curves: Float64Array) -> float:
    """Share of the curves whose minimum lies inside the range of trials."""
    at = np.argmin(curves, axis=1)
    return float(np.mean((at > 0) & (at < curves.shape[1] - 1)))
