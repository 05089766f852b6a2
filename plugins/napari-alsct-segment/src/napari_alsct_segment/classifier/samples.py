"""What the classifier learns from: scribbled voxels and their features."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.features.compute import compute_features
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.surrounded import Mirrored

Float32Array = NDArray[np.float32]

_CELL_PX = 64
"""Edge of the pieces of a slice whose scribbles are looked at together."""
_SAMPLED_SLICES = 8
_ENDS_PERCENT = (1.0, 99.0)
MOST_SCRIBBLES = 5_000_000


@dataclass(frozen=True, slots=True)
class GreyScale:
    """What grey values count as 0 and as 1: features are computed of such values."""

    low: float
    high: float

    def normalise(self, block: Float32Array) -> Float32Array:
        """Return values counted from `low` in units of the range; what is no number becomes 0."""
        step = np.float32(1 / (self.high - self.low))
        counted = (block - np.float32(self.low)) * step
        return np.nan_to_num(counted, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def grey_scale(array: LazyArray | NDArray[Any]) -> GreyScale:
    """Return the 1st and 99th percentile of a few slices of a volume.

    Voxels that are exactly zero, as outside of the circle that was masked, are left out.
    """
    last = array.shape[0] - 1
    chosen = sorted({round(i * last / (_SAMPLED_SLICES - 1)) for i in range(_SAMPLED_SLICES)})
    parts = []
    for index in chosen:
        values = np.asarray(array[index], np.float32)
        parts.append(values[np.isfinite(values) & (values != 0)])
    sample = np.concatenate(parts)
    if not sample.size:
        return GreyScale(0.0, 1.0)
    low, high = (float(value) for value in np.percentile(sample, _ENDS_PERCENT))
    return GreyScale(low, high) if low < high else GreyScale(low - 0.5, low + 0.5)


@dataclass(frozen=True, eq=False)
class Scribbles:
    """Voxels that a person has marked."""

    places: NDArray[np.int64]
    """Shape (voxel, 3): slice, y, x."""
    values: NDArray[np.int64]
    """Label that each was given, shape (voxel,), from 1 on."""

    @property
    def counts(self) -> dict[int, int]:
        """Number of voxels by label."""
        found, counts = np.unique(self.values, return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))


def scribbles_of(labels: LazyArray | NDArray[Any], reporter: Reporter) -> Scribbles:
    """Collect all voxels of an integer array that are not zero.

    Raises
    ------
    InputError
        There are none, or so many that it is no scribbling.
    """
    places, values, total = [], [], 0
    for index in reporter.each(range(labels.shape[0]), "scribbles"):
        piece = np.asarray(labels[index])
        y, x = np.nonzero(piece)
        if y.size:
            places.append(np.stack([np.full(y.size, index), y, x], axis=1))
            values.append(piece[y, x].astype(np.int64))
            total += y.size
        if total > MOST_SCRIBBLES:
            raise InputError(
                f"more than {MOST_SCRIBBLES:,} voxels are marked", where="scribbles",
                fix="A few strokes in each phase are enough",
            )  # fmt: skip
    if not places:
        raise InputError(
            "nothing is marked", where="scribbles",
            fix="Paint a few strokes of each phase into the labels",
        )  # fmt: skip
    return Scribbles(np.concatenate(places), np.concatenate(values))


def features_at(
    array: LazyArray | NDArray[Any],
    places: NDArray[np.int64],
    recipe: FeatureRecipe,
    grey: GreyScale,
    reporter: Reporter,
) -> Float32Array:
    """Compute the features of some voxels.

    Parameters
    ----------
    array
        Grey values, shape (slice, y, x).
    places
        Shape (voxel, 3).
    recipe
        Which features.
    grey
        How values are counted.
    reporter
        Progress and cancel.

    Returns
    -------
    features
        float32, shape (voxel, feature); the same, to the bit, as in the whole volume.

    Raises
    ------
    InputError
        A place lies outside the volume.
    """
    if (places < 0).any() or (places >= np.array(array.shape)).any():
        raise InputError(
            f"scribbles lie outside the volume of {tuple(array.shape)}", where="scribbles",
            fix="Take the labels of this volume",
        )  # fmt: skip
    wide = Mirrored(array, recipe.reach_px)
    out = np.empty((len(places), len(recipe.names)), np.float32)
    for chosen in reporter.each(list(_cells(places)), "features"):
        here = places[chosen]
        low, high = here.min(axis=0), here.max(axis=0) + 1
        z, y, x = (
            slice(int(a), int(b) + 2 * r)
            for a, b, r in zip(low, high, recipe.reach_px, strict=True)
        )
        found = compute_features(grey.normalise(wide[z, y, x]), recipe)
        at = here - low
        out[chosen] = found[:, at[:, 0], at[:, 1], at[:, 2]].T
    return out


def _cells(places: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Groups of places that lie near each other in one slice."""
    cell = np.stack([places[:, 0], places[:, 1] // _CELL_PX, places[:, 2] // _CELL_PX], axis=1)
    order = np.lexsort(cell.T[::-1])
    changes = np.flatnonzero((np.diff(cell[order], axis=0) != 0).any(axis=1)) + 1
    bounds = [0, *changes.tolist(), len(order)]
    for first, stop in itertools.pairwise(bounds):
        yield order[first:stop]
