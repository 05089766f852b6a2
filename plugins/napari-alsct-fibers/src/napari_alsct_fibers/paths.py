"""Smooth paths of fibres, a place in every slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_alsct_fibers.link import Track

Float64Array = NDArray[np.float64]

_OUTLIER = 0.5
"""A spot farther from the smooth path than this, over the radius, is left out."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of fibres; the first axis of the volume is along them."""

    places: Float64Array
    """(y, x) in each slice, shape (fibre, slice, 2); NaN where the fibre is not in the volume."""
    seen: NDArray[np.bool_]
    """Whether spots were found about the slice, shape (fibre, slice)."""

    @property
    def n_fibres(self) -> int:
        """How many fibres there are."""
        return len(self.places)


def smooth_paths(
    tracks: Sequence[Track],
    shape: tuple[int, int, int],
    radius_px: float,
    stiffness_slices: float,
    patience: float,
) -> Paths:
    """Lay a smooth path through the spots of each track, from end to end of the volume.

    Lines are fitted to the spots about each slice, weighted by a Gaussian of the distance
    (local linear regression: Cleveland, Journal of the American Statistical Association 74,
    829-836, 1979), once more without outliers. Beyond its first and last spot a fibre goes on
    straight for `patience` slices.

    Parameters
    ----------
    tracks
        Of `link.Linker`.
    shape
        Of the volume, the first axis along the fibres.
    radius_px
        Of a fibre.
    stiffness_slices
        Sigma of the Gaussian.
    patience
        Slices.
    """
    n_slices, n_y, n_x = shape
    z = np.arange(n_slices, dtype=np.float64)
    places = np.full((len(tracks), n_slices, 2), np.nan)
    seen = np.zeros((len(tracks), n_slices), np.bool_)
    for index, track in enumerate(tracks):
        heights, spots = np.array(track.heights), np.array(track.places)
        first, last = heights[0] - patience, heights[-1] + patience
        at = z[(z >= first) & (z <= last)]
        rough = _local_lines(heights, spots, heights, stiffness_slices)
        near = np.linalg.norm(spots - rough, axis=1) < _OUTLIER * radius_px
        if near.sum() >= 4:
            heights, spots = heights[near], spots[near]
        found = _local_lines(heights, spots, at, stiffness_slices)
        outside = (found < 0).any(axis=1) | (found > (n_y - 1, n_x - 1)).any(axis=1)
        found[outside] = np.nan
        rows = at.astype(int)
        places[index, rows] = found
        gap = np.abs(at[:, None] - heights[None]).min(axis=1)
        seen[index, rows] = gap <= patience
    return Paths(places, seen)


def _local_lines(
    z: Float64Array, values: Float64Array, at: Float64Array, sigma: float
) -> Float64Array:
    """Value at ``at`` of lines fitted to values about it, shape (at, 2)."""
    off = z[None] - at[:, None]
    # At an end or over a gap the nearest spots must still count for something.
    nearest = np.abs(off).min(axis=1, keepdims=True)
    weight = np.exp(-0.5 * ((np.abs(off) - nearest) / sigma) ** 2)
    s0, s1, s2 = weight.sum(axis=1), (weight * off).sum(axis=1), (weight * off**2).sum(axis=1)
    t0, t1 = weight @ values, (weight * off) @ values
    bend = np.maximum(s0 * s2 - s1**2, 1e-9 * s0**2)
    return np.asarray((s2[:, None] * t0 - s1[:, None] * t1) / bend[:, None])
