"""Which dips are breaks, where they are, and how wide they stand open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_alsct_fibers.dips import Dips, find_dips, flattened, robust_deviation
from napari_alsct_fibers.gaps import fit_gap
from napari_alsct_fibers.profiles import FibreProfiles

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_WIDE_SLICES = (8, 6, 4, 1)
"""A wide dip reaches the bottom in its middle: the depth of a gap is told from the widest."""
_FEWEST_WIDE = 5
_CLEAR_OF_NOISE = 6.0
"""A gap is at least so many standard deviations of a core's grey value deep."""
_SLIM = 1e-9
_BLUNT = (0.25, 0.5, 0.25)
"""Noise must not make a dip deep."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """When a dip is a break."""

    least_z: float = 5.0
    """It stands out of the noise so many standard deviations."""
    least_depth: float = 0.4
    """Its deepest place reaches so far from the fibre's grey value to that of a gap."""
    bleeding: float = 0.2
    """How much of the dip of what is about the fibre may show in the fibre; so much is taken
    off before it is judged. A crack of the matrix that the fibre bridges darkens the
    surroundings, and a little of that shows."""
    narrowest_slices: float = 0.7
    """Narrower gaps cannot be told from noise."""
    widest_slices: float = 40.0
    """Wider ones are not looked for."""
    end_slices: float = 3.0
    """Dips so near to an end of the fibre are not judged."""


@dataclass(frozen=True, eq=False)
class Breaks:
    """Breaks of fibres, each array of shape (break,)."""

    fibre: NDArray[np.intp]
    """Number of the fibre, from 0."""
    slice: Float64Array
    """Middle of the gap along the fibre, in slices."""
    opening: Float64Array
    """How wide the gap stands open along the first axis, in slices."""
    z_score: Float64Array
    """How far the dip stands out of the noise."""
    depth: Float64Array
    """Deepest place of the brighter half of the core, from 0 (as the fibre) to 1 (as a gap)."""
    around: Float64Array
    """The same of the surroundings."""
    certainty: Float64Array
    """From 0, just a break (or no break at all), to 1."""


@dataclass(frozen=True, eq=False)
class Found:
    """What was found along the fibres."""

    breaks: Breaks
    rejected: Breaks
    """Dips that stand out of the noise but are no breaks: cracks of the matrix, rings."""
    gap_depth: float
    """Grey value of a fibre less that of a gap."""
    noise: float
    """Robust standard deviation of a core's grey value from slice to slice."""


def find_breaks(
    profiles: FibreProfiles,
    judgement: Judgement,
    *,
    gap_depth: float | None = None,
    least_gap_depth: float = 0.0,
) -> Found:
    """Find breaks along fibres.

    Parameters
    ----------
    profiles
        Grey values of cores and rings.
    judgement
        When a dip is a break.
    gap_depth
        Grey value of a fibre less that of a gap; None finds it from wide dips.
    least_gap_depth
        It is at least so much when it is found: where nothing is broken, there are no gaps to
        tell it from.

    Returns
    -------
    found
        Breaks in the order of fibre and slice; middle and opening are those of `gaps.fit_gap`.
    """
    window = 2 * int(2.5 * judgement.widest_slices / 2) + 31
    core, _usual = flattened(profiles.core, window)
    ring, _ = flattened(profiles.ring, window)
    dips = find_dips(core, judgement.widest_slices, judgement.least_z)
    dips = _clear_of_ends(dips, profiles.core, judgement.end_slices)
    full = gap_depth if gap_depth is not None else max(
        _gap_depth(core, dips), least_gap_depth
    )  # fmt: skip
    bright, _ = flattened(profiles.bright, window)
    breaks = _single(_measured(core, bright, ring, dips, full, judgement))
    judged = breaks.depth - judgement.bleeding * breaks.around >= judgement.least_depth
    judged &= breaks.opening >= judgement.narrowest_slices
    noise = robust_deviation(core.astype(np.float64))
    return Found(_chosen(breaks, judged), _chosen(breaks, ~judged), full, noise)


def _clear_of_ends(dips: Dips, core: Float32Array, end: float) -> Dips:
    known = np.isfinite(core)
    n = core.shape[1]
    first, last = known.argmax(axis=1), n - 1 - known[:, ::-1].argmax(axis=1)
    clear = (dips.slice >= first[dips.fibre] + end) & (dips.slice <= last[dips.fibre] - end)
    return Dips(dips.fibre[clear], dips.slice[clear], dips.width[clear], dips.z_score[clear])


def _gap_depth(core: Float32Array, dips: Dips) -> float:
    """How deep a gap is: what the wide, deep dips have in common in their middle.

    It is at least so deep that no noise is taken for a gap where there is none.
    """
    least = _CLEAR_OF_NOISE * robust_deviation(core.astype(np.float64))
    if not len(dips.fibre):
        return max(least, _SLIM)
    bottom = np.array(
        [
            np.mean(_around(core[fibre], at, max(0, width // 4)))
            for fibre, at, width in zip(
                dips.fibre.tolist(), dips.slice.tolist(), dips.width.tolist(), strict=True
            )
        ]
    )  # fmt: skip
    # Cracks and rings make shallow dips; narrow gaps are filled up by blur.
    deep = bottom >= 0.5 * np.median(np.sort(bottom)[-_FEWEST_WIDE:])
    for width in _WIDE_SLICES:
        chosen = bottom[deep & (dips.width >= width)]
        if len(chosen) >= _FEWEST_WIDE:
            return max(float(np.median(chosen)), least)
    return max(float(np.median(bottom[deep])), least)


def _measured(
    core: Float32Array,
    bright: Float32Array,
    ring: Float32Array,
    dips: Dips,
    full: float,
    judgement: Judgement,
) -> Breaks:
    n = len(dips.fibre)
    middle, opening, depth, around = (np.empty(n) for _ in range(4))
    for index, (fibre, at, width) in enumerate(
        zip(dips.fibre.tolist(), dips.slice.tolist(), dips.width.tolist(), strict=True)
    ):
        # The whole dip with the blur at both sides.
        reach = width // 2 + 3
        first = max(0, at - reach)
        part = core[fibre, first : at + reach + 1].astype(np.float64)
        missing = np.clip(part, 0, None)
        total = missing.sum()
        about = first + (missing * np.arange(len(part))).sum() / max(total, _SLIM)
        row = core[fibre].astype(np.float64) / full
        middle[index], opening[index] = fit_gap(row, about, max(0.0, part.sum() / full))
        least = bright[fibre, first : at + reach + 1]
        depth[index] = np.convolve(np.pad(least, 1, "edge"), _BLUNT, "valid").max() / full
        near = _around(ring[fibre], at, width // 2 + 1)
        around[index] = max(0.0, float(np.max(near))) / full
    # How far the nearer of the two bounds is passed, over the bound itself.
    margin = np.minimum(
        (depth - judgement.bleeding * around) / judgement.least_depth,
        dips.z_score / judgement.least_z,
    )
    certainty = 1 - np.exp(-np.clip(margin - 1, 0, None) * 2)
    return Breaks(
        dips.fibre, middle, opening, dips.z_score, depth, around, certainty
    )  # fmt: skip


def _single(breaks: Breaks) -> Breaks:
    """Of dips that are parts of one gap, keep the one that stands out most."""
    order = np.argsort(-breaks.z_score, kind="stable")
    kept = np.zeros(len(order), np.bool_)
    for index in order.tolist():
        same = kept & (breaks.fibre == breaks.fibre[index])
        apart = np.abs(breaks.slice - breaks.slice[index])
        reach = np.maximum(breaks.opening, breaks.opening[index]) / 2 + 2
        kept[index] = not (same & (apart < reach)).any()
    return _chosen(breaks, kept)


def _around(row: Float32Array, at: int, reach: int) -> Float32Array:
    return row[max(0, at - reach) : at + reach + 1]


def _chosen(breaks: Breaks, kept: NDArray[np.bool_]) -> Breaks:
    return Breaks(
        breaks.fibre[kept], breaks.slice[kept], breaks.opening[kept], breaks.z_score[kept],
        breaks.depth[kept], breaks.around[kept], breaks.certainty[kept],
    )  # fmt: skip
