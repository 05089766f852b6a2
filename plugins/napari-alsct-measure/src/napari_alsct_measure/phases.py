"""Shares of phases, and how they change with height, to better than a voxel at the surfaces.

A voxel that a surface cuts has a grey value between those of the two phases. Counting voxels
puts it wholly on one side; here it is shared out by its grey value. Where no surface is near,
voxels count as wholes, so that noise and shading within a phase do no harm:

1. The volume is smoothed a little and cut into phases by thresholds.
2. A voxel is *pure* when no other phase is within `BAND_PX` of it. The mean grey value of a
   phase's pure voxels is its level.
3. A pure voxel counts for its phase. Any other is mixed of the two phases whose pure voxels are
   nearest, in the proportion in which its unsmoothed grey value lies between their levels. The
   proportion is not clipped: noise averages out, blur moves grey values but keeps their sum.

Features that have no pure voxel (thinner than about six voxels) are told by their grey value
alone, which is right between two phases; a thin layer of a third is taken for a mixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.volume import LazyArray
from napari_alsct_measure.blocks import Room
from napari_alsct_measure.distance import distance_within

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
UInt8Array = NDArray[np.uint8]

BAND_PX = 3
"""A voxel with another phase so near is not pure."""
SMOOTHING_PX = 1.0
"""Sigma of the smoothing before thresholds are used."""
MOST_LABELS = 64
"""A segmentation with more numbers than this is taken for one of objects."""
_REACH_PX = 12
"""Pure voxels farther away are not looked for."""
_SAMPLE = 1 << 20
_BINS = 512


@dataclass(frozen=True, eq=False)
class PhaseShares:
    """Shares of phases, from the darkest to the brightest."""

    thresholds: tuple[float, ...]
    """Grey values between neighbouring phases."""
    levels: Float64Array
    """Grey value of each phase's pure voxels; NaN when it has none. Shape (phase,)."""
    shares: Float64Array
    """Share of each phase of the region, shape (phase,)."""
    counted: Float64Array
    """The same by counting voxels, shape (phase,)."""
    by_slice: Float64Array
    """Shares in each slice, NaN where the region is empty; shape (slice, phase)."""
    n_voxels: int
    """Of the region."""


def found_thresholds(
    grey: LazyArray, n_phases: int, inside: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Thresholds between phases by Otsu's method, from a sample of the volume.

    Parameters
    ----------
    grey
        Shape (slice, y, x).
    n_phases
        From 2 to 4.
    inside
        Pixels of a slice that belong to the region, shape (y, x).

    Raises
    ------
    InputError
        All values are one, or none is finite.
    """
    from skimage.filters import threshold_multiotsu

    n_slices = grey.shape[0]
    wanted = max(1, min(n_slices, _SAMPLE // max(1, int(inside.sum()))))
    indices = np.unique(np.linspace(0, n_slices - 1, wanted).round().astype(int))
    values = np.concatenate([np.asarray(grey[index])[inside] for index in indices.tolist()])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, (0.1, 99.9)) if len(values) else (0.0, 0.0)
    if not high > low:
        raise InputError("its values are all the same", where="thresholds",
                         fix="Take another volume or another region")  # fmt: skip
    counts, edges = np.histogram(values, _BINS, (low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    try:
        found = threshold_multiotsu(classes=n_phases, hist=(counts, middles))
    except ValueError as error:
        raise InputError(
            f"no {n_phases} phases can be told apart", where="thresholds",
            fix="Ask for fewer phases, or give the thresholds",
        ) from error  # fmt: skip
    return tuple(float(value) for value in found)


def phase_shares(
    grey: LazyArray,
    thresholds: tuple[float, ...],
    inside: NDArray[np.bool_],
    room: Room,
    *,
    smoothing_px: float = SMOOTHING_PX,
) -> PhaseShares:
    """Measure the shares of phases.

    Parameters
    ----------
    grey
        Shape (slice, y, x); what is not finite is left out.
    thresholds
        Ascending; one fewer than there are phases.
    inside
        Pixels of every slice that belong to the region, shape (y, x).
    room
        Memory, threads, progress and cancel.
    smoothing_px
        Sigma of the smoothing before the thresholds are used; 0 for none.

    Raises
    ------
    RecipeError
        The thresholds do not ascend.
    """
    if list(thresholds) != sorted(set(thresholds)):
        raise RecipeError("the thresholds do not ascend", where="thresholds")
    n = len(thresholds) + 1
    n_slices = grey.shape[0]
    total, count, counted = np.zeros(n), np.zeros(n), np.zeros(n)
    for part in _parts(grey, thresholds, inside, room, smoothing_px, 0):
        for phase in range(n):
            here = part.known & (part.phase == phase)
            pure = here & part.pure
            counted[phase] += here.sum()
            count[phase] += pure.sum()
            total[phase] += part.values[pure].sum(dtype=np.float64)
        room.step("levels", part.stop, n_slices)
    with np.errstate(invalid="ignore"):
        levels = total / count
    shares = np.full((n_slices, n), np.nan)
    voxels = np.zeros(n_slices)
    for part in _parts(grey, thresholds, inside, room, smoothing_px, _REACH_PX if n > 2 else 0):
        weights = _weights(part, levels, room.threads)
        voxels[part.start : part.stop] = part.known.sum(axis=(1, 2))
        for phase in range(n):
            summed = np.where(part.known, weights[phase], 0).sum(axis=(1, 2), dtype=np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                shares[part.start : part.stop, phase] = summed / part.known.sum(axis=(1, 2))
        room.step("shares", part.stop, n_slices)
    n_voxels = int(voxels.sum())
    whole = np.nansum(shares * voxels[:, None], axis=0) / max(1, n_voxels)
    return PhaseShares(thresholds, levels, whole, counted / max(1, n_voxels), shares, n_voxels)


@dataclass(frozen=True, eq=False)
class _Part:
    """A slab, with the phases about it."""

    start: int
    stop: int
    core: slice
    """The slab within `phase_about` and `pure_about`."""
    values: Float32Array
    """Of the slab."""
    known: NDArray[np.bool_]
    """In the region, and finite."""
    phase_about: UInt8Array
    pure_about: NDArray[np.bool_]

    @property
    def phase(self) -> UInt8Array:
        return self.phase_about[self.core]

    @property
    def pure(self) -> NDArray[np.bool_]:
        return self.pure_about[self.core]


def _parts(
    grey: LazyArray,
    thresholds: tuple[float, ...],
    inside: NDArray[np.bool_],
    room: Room,
    smoothing_px: float,
    reach: int,
) -> Iterator[_Part]:
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

    n_slices = grey.shape[0]
    halo = int(4 * smoothing_px + 0.5) + BAND_PX + reach
    for start, stop in room.slabs(n_slices, halo):
        begin, end = max(0, start - halo), min(n_slices, stop + halo)
        values = np.asarray(grey[begin:end], np.float32)
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, np.float32(thresholds[0]))
        smooth = gaussian_filter(values, smoothing_px) if smoothing_px > 0 else values
        phase = np.zeros(smooth.shape, np.uint8)
        for threshold in thresholds:
            phase += smooth >= threshold
        size = 2 * BAND_PX + 1
        del smooth
        pure = maximum_filter(phase, size) == minimum_filter(phase, size)
        core = slice(start - begin, stop - begin)
        yield _Part(start, stop, core, values[core], finite[core] & inside, phase, pure)


def _weights(part: _Part, levels: Float64Array, threads: int) -> list[Float32Array]:
    """Share of each phase in each voxel of a slab."""
    n = len(levels)
    weights = [
        (part.pure & (part.phase == phase)).astype(np.float32) for phase in range(n)
    ]  # fmt: skip
    mixed = ~part.pure
    values = part.values[mixed].astype(np.float64)
    one, other = _nearest_two(part, levels, mixed, threads)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (values - levels[other]) / (levels[one] - levels[other])
    # A single phase has nothing to be mixed with, and one without a level cannot be weighed.
    share = np.where(np.isfinite(share), share, 1.0)
    for phase in range(n):
        part_of = np.where(one == phase, share, 0) + np.where(other == phase, 1 - share, 0)
        weights[phase][mixed] = part_of
    return weights


def _nearest_two(
    part: _Part, levels: Float64Array, mixed: NDArray[np.bool_], threads: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The two phases that each mixed voxel consists of."""
    n = len(levels)
    if n == 2:
        count = int(mixed.sum())
        return np.zeros(count, np.intp), np.ones(count, np.intp)
    ratio = (1.0, 1.0, 1.0)
    far = np.stack(
        [
            distance_within(
                ~(part.pure_about & (part.phase_about == phase)), ratio, threads
            )[part.core][mixed]
            for phase in range(n)
        ]
    )  # fmt: skip
    far = np.minimum(far, np.float32(_REACH_PX**2))
    # Where no pure voxel is in reach, the voxel's own phase comes first.
    own = part.phase[mixed]
    far[own, np.arange(len(own))] -= 0.5
    order = np.argsort(far, axis=0, kind="stable")
    return order[0], order[1]


def label_shares(
    labels: LazyArray, inside: NDArray[np.bool_], room: Room
) -> tuple[list[str], PhaseShares]:
    """Return the numbers that occur in a segmentation, as texts, and the share of each.

    Parameters
    ----------
    labels
        Integers, shape (slice, y, x).
    inside
        Pixels of every slice that belong to the region, shape (y, x).
    room
        Memory, progress and cancel.

    Raises
    ------
    InputError
        There are more than `MOST_LABELS` numbers: these are objects, not phases.
    """
    n_slices = labels.shape[0]
    counts: dict[int, Float64Array] = {}
    for start, stop in room.slabs(n_slices):
        for index, picture in enumerate(np.asarray(labels[start:stop]), start=start):
            numbers, sizes = np.unique(picture[inside], return_counts=True)
            for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
                counts.setdefault(number, np.zeros(n_slices))[index] = size
            if len(counts) > MOST_LABELS:
                raise InputError(
                    f"the segmentation has more than {MOST_LABELS} numbers", where="labels",
                    fix="Give one whose numbers are phases; objects are measured by "
                    "measure.labels",
                )  # fmt: skip
        room.step("shares", stop, n_slices)
    order = sorted(counts)
    by_slice = np.stack([counts[number] for number in order], axis=1) / max(1, int(inside.sum()))
    shares = by_slice.mean(axis=0)
    nothing = np.full(len(order), np.nan)
    found = PhaseShares((), nothing, shares, shares, by_slice, int(inside.sum()) * n_slices)
    return [f"label {number}" for number in order], found
