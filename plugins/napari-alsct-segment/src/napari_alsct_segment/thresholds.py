"""Thresholds: where to cut the grey values, and the cut itself, block by block.

Otsu (IEEE Trans. SMC 9, 62, 1979), several classes after Liao, Chen and Chung (J. Inf. Sci.
Eng. 17, 713, 2001), minimum cross entropy by Li and Tam (Pattern Recognit. Lett. 19, 771,
1998), hysteresis after Canny (IEEE Trans. PAMI 8, 679, 1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.features.recipe import gaussian, radius_px
from napari_alsct_segment.features.smoothing import smooth
from napari_alsct_segment.histogram import Histogram
from napari_alsct_segment.surrounded import Surrounded

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]

_LI_STEPS = 1000
_MULTI_BINS = 256


def otsu(histogram: Histogram) -> float:
    """Return the value that parts two classes with the least variance within them."""
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(hist=(histogram.counts, histogram.centers)))


def multi_otsu(histogram: Histogram, classes: int) -> tuple[float, ...]:
    """Return the values, growing, that part so many classes.

    Raises
    ------
    InputError
        The volume has fewer different values than classes.
    """
    from skimage.filters import threshold_multiotsu

    # Its table grows with the square of the bins: 256 are enough for a cut.
    merge = len(histogram.counts) // _MULTI_BINS
    counts = histogram.counts.reshape(-1, merge).sum(axis=1)
    centers = histogram.centers.reshape(-1, merge).mean(axis=1)
    try:
        found = threshold_multiotsu(classes=classes, hist=(counts, centers))
    except ValueError as error:
        raise InputError(
            f"its values do not part into {classes} classes", where="multi-otsu",
            fix="Take fewer classes",
        ) from error  # fmt: skip
    return tuple(float(value) for value in found)


def li(histogram: Histogram) -> float:
    """Return the value of the least cross entropy between the volume and its two classes."""
    counts = histogram.counts.astype(np.float64)
    # The method's logarithms want values above zero.
    lowest = histogram.centers[np.flatnonzero(counts)[0]]
    width = histogram.centers[1] - histogram.centers[0]
    values = histogram.centers - lowest + width
    threshold = float((counts * values).sum() / counts.sum())
    for _ in range(_LI_STEPS):
        above = values > threshold
        weight_above, weight_below = counts[above].sum(), counts[~above].sum()
        if not weight_above or not weight_below:
            break
        high = (counts * values)[above].sum() / weight_above
        low = (counts * values)[~above].sum() / weight_below
        if high <= low:
            break
        found = float((high - low) / (np.log(high) - np.log(low)))
        if abs(found - threshold) < width / 2:
            threshold = found
            break
        threshold = found
    return threshold + float(lowest - width)


def hysteresis_pair(histogram: Histogram, *, dark: bool = False) -> tuple[float, float]:
    """Return a lenient and a strict value where none are given.

    The strict one is Otsu's; the lenient one lies half-way from it to the mean of what it cuts
    off: below it, or with `dark` above.
    """
    strict = otsu(histogram)
    off = histogram.centers > strict if dark else histogram.centers <= strict
    weight = histogram.counts[off].sum()
    mean = float((histogram.counts * histogram.centers)[off].sum() / max(weight, 1))
    return (strict + mean) / 2, strict


def cut(
    array: LazyArray | NDArray[Any], values: tuple[float, ...], *, dark: bool = False
) -> Blockwise:
    """Cut grey values into classes.

    Parameters
    ----------
    array
        Shape (slice, y, x).
    values
        Thresholds, growing.
    dark
        Count classes from the bright end.

    Returns
    -------
    labels
        uint8: the number of thresholds that a voxel is above; with `dark` that it is not above.
        Voxels that are not finite are 0.
    """
    return Blockwise(partial(_classes, values=values, dark=dark), (array,), dtype=np.uint8)


def _classes(block: NDArray[Any], *, values: tuple[float, ...], dark: bool) -> UInt8Array:
    labels = np.zeros(block.shape, np.uint8)
    for value in values:
        labels += (block <= value) if dark else (block > value)
    return labels


def cut_locally(
    array: LazyArray | NDArray[Any], *, window_px: int, offset: float, dark: bool = False
) -> Surrounded:
    """Cut each voxel by the Gaussian mean of its surroundings.

    Parameters
    ----------
    array
        Shape (slice, y, x).
    window_px
        Width of the surroundings; the Gaussian's sigma is (width - 1) / 6.
    offset
        How far a voxel must be above its surroundings (with `dark`, below).

    Returns
    -------
    labels
        uint8, 0 and 1.
    """
    sigma = (window_px - 1) / 6
    reach = (radius_px(sigma),) * 3
    work: Callable[[Float32Array], UInt8Array] = partial(
        _against_mean, sigma=sigma, offset=offset, dark=dark
    )
    return Surrounded(work, array, reach=reach, dtype=np.uint8, voxel_bytes=14)


def _against_mean(block: Float32Array, *, sigma: float, offset: float, dark: bool) -> UInt8Array:
    weights = gaussian(sigma)
    reach = weights.size - 1
    core = block[tuple(slice(reach, size - reach) for size in block.shape)]
    mean = np.empty(core.shape, np.float32)
    smooth(block, (reach,) * 3, weights, weights, mean)
    above = (mean - core) if dark else (core - mean)
    return (above > np.float32(offset)).view(np.uint8)


@dataclass(frozen=True, slots=True)
class _Slab:
    """Pieces of one slab of slices."""

    first: int
    stop: int
    offset: int
    """What is added to a piece's number in the slab to number it in the volume."""


def hysteresis(
    array: LazyArray | NDArray[Any],
    lenient: float,
    strict: float,
    reporter: Reporter,
    *,
    dark: bool = False,
) -> UInt8Array:
    """Keep what is above the lenient value and hangs together with something above the strict.

    Pieces hang together by the faces of their voxels, over the whole volume.

    Parameters
    ----------
    array
        Shape (slice, y, x); read twice, slab by slab.
    lenient, strict
        The two values.
    reporter
        Progress, cancel, memory, and scratch space for the result.
    dark
        Keep what is below, not above.

    Returns
    -------
    labels
        uint8, 0 and 1, on the scratch disk.

    Raises
    ------
    RecipeError
        The lenient value is stricter than the strict one.
    """
    if (lenient < strict) if dark else (lenient > strict):
        raise RecipeError(
            f"the low value {lenient:g} is stricter than the value, {strict:g}",
            where="parameters.low", fix="Give one on the other side of it",
        )  # fmt: skip
    sign = np.float32(-1 if dark else 1)
    slabs, kept = _joined_pieces(array, sign, lenient, strict, reporter)
    out = reporter.scratch_array(tuple(array.shape), np.uint8)
    for slab in reporter.each(slabs, "pieces kept"):
        pieces, _ = _pieces(array, slab.first, slab.stop, sign, lenient)
        count = int(pieces.max())
        own = np.concatenate([[False], kept[slab.offset + 1 : slab.offset + 1 + count]])
        out[slab.first : slab.stop] = own[pieces]
    return out


def _joined_pieces(
    array: LazyArray | NDArray[Any],
    sign: np.float32,
    lenient: float,
    strict: float,
    reporter: Reporter,
) -> tuple[list[_Slab], NDArray[np.bool_]]:
    """Number the pieces of all slabs from 1 on; say which are kept, by their number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    slices, rows, columns = array.shape
    # Of a slab there are values, pieces and masks at a time.
    thick = int(np.clip(reporter.memory_bytes // (rows * columns * 16), 1, slices))
    slabs, offset = [], 0
    touching = [np.empty((2, 0), np.int64)]
    strong = [np.zeros(1, np.bool_)]
    last = np.zeros((rows, columns), np.int64)
    for first in reporter.each(range(0, slices, thick), "pieces found"):
        stop = min(first + thick, slices)
        pieces, values = _pieces(array, first, stop, sign, lenient)
        found = np.zeros(int(pieces.max()) + 1, np.bool_)
        found[pieces[values > sign * np.float32(strict)]] = True
        strong.append(found[1:])
        top = np.where(pieces[0] > 0, pieces[0] + offset, 0)
        both = (last > 0) & (top > 0)
        touching.append(np.unique(np.stack([last[both], top[both]]), axis=1))
        last = np.where(pieces[-1] > 0, pieces[-1] + offset, 0)
        slabs.append(_Slab(first, stop, offset))
        offset += len(found) - 1
    edges = np.concatenate(touching, axis=1)
    links = coo_array((np.ones(edges.shape[1], np.bool_), edges), (offset + 1, offset + 1))
    n_groups, group = connected_components(links, directed=False)
    group_kept = np.zeros(n_groups, np.bool_)
    group_kept[group[np.concatenate(strong)]] = True
    kept: NDArray[np.bool_] = group_kept[group]
    kept[0] = False
    return slabs, kept


def _pieces(
    array: LazyArray | NDArray[Any], first: int, stop: int, sign: np.float32, lenient: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pieces of a slab that hang together, numbered from 1 on, and its signed values."""
    from scipy.ndimage import label

    values = np.asarray(array[first:stop], np.float32) * sign
    pieces, _ = label(values > sign * np.float32(lenient))
    return pieces, values
