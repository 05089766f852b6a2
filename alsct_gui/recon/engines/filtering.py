"""Ramp filtering of projections for engines that only backproject.

Filtered projections come out on a finer grid of columns (zeros appended to their spectrum),
so that the linear interpolation of a backprojector costs next to no resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import Float32Array, SliceGeometry
from alsct_gui.recon.engines.filters import edge_columns, frequency_response


@dataclass(frozen=True, eq=False)
class FilterPlan:
    """Everything that filtering needs, made once for a geometry."""

    pad: int
    """Columns added on either side."""
    columns: int
    """Columns of a padded projection."""
    length: int
    """Length of the transform: at least twice `columns`, so that it does not wrap around."""
    upsample: int
    """Fine columns to a column."""
    edge: bool
    """Whether the padding repeats the edge values (else zeros)."""
    response: NDArray[np.float32]
    """Shape (length // 2 + 1,); includes the factor that upsampling needs."""

    @property
    def fine_columns(self) -> int:
        """Columns of a filtered projection."""
        return self.columns * self.upsample

    def fine_center(self, center_px: float) -> float:
        """Fine column of the filtered projection where the given column lies."""
        return (center_px + self.pad) * self.upsample


def plan_filter(geometry: SliceGeometry, settings: EngineSettings, upsample: int) -> FilterPlan:
    """Prepare filtering as the settings ask (filter, cutoff, order, padding)."""
    edge = settings.padding == "edge"
    pad = edge_columns(geometry.n_columns) if edge else 0
    columns = geometry.n_columns + 2 * pad
    length = 2 * int(scipy.fft.next_fast_len(columns))
    response = frequency_response(settings.filter, length, settings.cutoff, settings.order)
    response = response * upsample
    response[-1] *= 0.5 if upsample > 1 else 1.0  # the Nyquist term becomes a pair
    return FilterPlan(pad, columns, length, upsample, edge, response.astype(np.float32))


def filter_projections(sinogram: Float32Array, plan: FilterPlan) -> Float32Array:
    """Filter one sinogram.

    Parameters
    ----------
    sinogram
        Shape (angle, column).
    plan
        Made for as many columns.

    Returns
    -------
    filtered
        Shape (angle, fine column), float32, in 1/pixel. Fine column 0 is the centre of the
        first padded column.
    """
    widths = ((0, 0), (plan.pad, plan.pad))
    padded = np.pad(sinogram, widths, mode="edge") if plan.edge else sinogram
    spectrum = scipy.fft.rfft(padded, plan.length, axis=1)
    spectrum *= plan.response
    fine = scipy.fft.irfft(spectrum, plan.length * plan.upsample, axis=1, overwrite_x=True)
    return np.ascontiguousarray(fine[:, : plan.fine_columns])
