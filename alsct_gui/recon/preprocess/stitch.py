"""Full-turn sinograms with the axis near an edge, stitched to wide half-turn ones.

Each view is joined with the mirror image of its opposite about the rotation axis. Columns
keep their places: the wide sinogram starts at a (possibly negative) column of the one it
was made from, so the centre in full-detector columns is the same before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.geometry import Window
from alsct_gui.recon.center.turns import half_turn, is_full_turn, opposite
from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StitchPlan:
    """What stitching will make; the same for every row of a scan."""

    center: float
    """Rotation axis as a column of the sinograms to stitch."""
    n_columns: int
    """Columns of the sinograms to stitch."""
    offset: int
    """Column of the sinograms to stitch that becomes column 0 of the wide ones; negative
    when the axis is near the left edge."""
    width: int
    """Columns of the wide sinograms."""
    angles: NDArray[np.intp]
    """Projections of the half turn, shape (wide angle,)."""
    angles_deg: Float64Array
    """Their angles, shape (wide angle,)."""
    other_side: Float64Array
    """Fractional index of the view opposite to each, shape (wide angle,)."""

    @property
    def new_center(self) -> float:
        """Rotation axis as a column of the wide sinograms."""
        return self.center - self.offset

    def new_window(self, window: Window) -> Window:
        """Return which full-detector columns the wide sinograms stand for.

        The start may be negative. ``new_window(w).to_full(new_center)`` equals
        ``w.to_full(center)``.
        """
        return Window(window.start + self.offset * window.binning, window.binning)


def plan_stitch(angles_deg: Float64Array, n_columns: int, center: float) -> StitchPlan:
    """Plan the stitching.

    Parameters
    ----------
    angles_deg
        Shape (angle,), rising or falling steadily over a full turn. When no view lies
        exactly opposite (an odd number of angles), it is interpolated between its two
        neighbours in angle.
    n_columns
        Columns of the sinograms.
    center
        Rotation axis as a column of the sinograms.

    Raises
    ------
    RecipeError
        The scan is no full turn, or the axis is not on the detector.
    """
    chosen = half_turn(angles_deg)
    if not is_full_turn(angles_deg) or chosen is None:
        raise RecipeError(
            "stitching needs a scan over 360 degrees",
            where="recipe.rotation.kind",
            fix="Take kind 180, or auto",
        )
    if not 0 < center < n_columns - 1:
        raise RecipeError(
            f"the rotation axis (column {center:.2f} of {n_columns}) is not on the detector, so "
            "opposite views have nothing in common",
            where="recipe.center.center_px",
            fix="Check the centre, or widen region.columns",
        )
    mirrored = 2 * center - (n_columns - 1)  # where the last column comes to lie
    if mirrored < 0:
        offset = -floor(-mirrored)
        width = n_columns - offset
    else:
        offset = 0
        width = floor(2 * center) + 1
    return StitchPlan(
        center=center,
        n_columns=n_columns,
        offset=offset,
        width=width,
        angles=chosen,
        angles_deg=np.asarray(angles_deg, dtype=np.float64)[chosen],
        other_side=opposite(angles_deg)[chosen],
    )


def stitch(sinograms: Float32Array, plan: StitchPlan, *, threads: int = 1) -> Float32Array:
    """Stitch full-turn sinograms to half-turn ones.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column).
    plan
        From `plan_stitch`.
    threads
        Rows are shared among so many threads.

    Returns
    -------
    wide
        Shape (row, wide angle, width), float32. In the overlap the two views are blended
        linearly from one edge of it to the other; the mirrored one is moved by a fraction
        of a column with Keys' cubic convolution (IEEE Trans. ASSP 29, 1153, 1981).
    """
    n_rows, n_angles, n_columns = sinograms.shape
    columns = plan.offset + np.arange(plan.width)
    source = np.asarray(2 * plan.center - columns, dtype=np.float64)  # of the opposite view
    direct = _share_of_direct(plan, columns)
    taps, weights = _cubic(source, n_columns)
    weights *= 1 - direct
    below = np.floor(plan.other_side).astype(np.intp)
    part = (plan.other_side - below).astype(np.float32)[:, None]
    here = np.clip(columns, 0, n_columns - 1)
    wide = np.empty((n_rows, plan.angles.size, plan.width), np.float32)

    def work(start: int, stop: int) -> None:
        for row in range(start, stop):
            sinogram = sinograms[row]
            other = sinogram[below % n_angles] * (1 - part)
            other += sinogram[(below + 1) % n_angles] * part
            wide[row] = sinogram[plan.angles][:, here] * direct
            for tap, weight in zip(taps, weights, strict=True):
                wide[row] += other[:, tap] * weight

    run_split(n_rows, threads, work)
    return wide


def _share_of_direct(plan: StitchPlan, columns: NDArray[np.intp]) -> Float32Array:
    """Weight (column,) of the view itself against its mirrored opposite."""
    last = plan.n_columns - 1
    mirrored = 2 * plan.center - last
    if mirrored < 0:  # axis left: overlap from 0 to 2 c
        share = columns / (2 * plan.center)
    else:
        share = (last - columns) / max(last - mirrored, 1e-9)
    return np.clip(share, 0.0, 1.0).astype(np.float32)


def _cubic(source: Float64Array, n_columns: int) -> tuple[NDArray[np.intp], Float32Array]:
    """Columns and weights, each (4, column), that interpolate at fractional columns."""
    base = np.floor(source).astype(np.intp)
    t = source - base
    weights = np.stack(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    )
    taps = np.clip(base[None] + np.arange(-1, 3)[:, None], 0, n_columns - 1)
    return taps, weights.astype(np.float32)
