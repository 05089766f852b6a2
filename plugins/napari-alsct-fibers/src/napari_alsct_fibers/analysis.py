"""From a volume to fibres and their breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter
from napari_alsct_fibers.breaks import Found, Judgement, find_breaks
from napari_alsct_fibers.direction import Axis, Direction, Turned, found_direction
from napari_alsct_fibers.link import Linker
from napari_alsct_fibers.paths import Paths, smooth_paths
from napari_alsct_fibers.profiles import FibreProfiles, fibre_profiles
from napari_alsct_fibers.spots import WIDTH, find_spots, found_radius

Float32Array = NDArray[np.float32]

_STEP_SLICES = 3
"""Fibres are looked for in every third slice, in the mean of seven."""
_HALF_MEAN = 3
_STEEPEST = 0.6
"""Fibres that lean more are better looked at along another axis of a turned volume."""
_LEAST_ORDER = 0.2
_LEAST_GAP = 0.7
"""A gap is at least so deep, as a share of the way from the fibres to the darkest places."""
_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Search:
    """How fibres are looked for; lengths in voxels."""

    radius_px: float | None = None
    """Of a fibre; None finds it."""
    bright: bool = True
    """Whether fibres are brighter than the matrix."""
    axis: Literal["found", "z", "y", "x"] = "found"
    """Axis of the volume that the fibres run along."""
    patience_slices: float = 45.0
    """A fibre goes on over so many slices without being seen."""
    stiffness_slices: float = 15.0
    """Bends that are shorter are smoothed away."""
    rings: bool = True
    """Whether rings of the scanner are taken out, about the middle of the slices along z."""
    gap_value: float | None = None
    """Grey value of a gap; None finds it."""


@dataclass(frozen=True, eq=False)
class Composite:
    """What was found in a volume; places are those of the turned volume."""

    axis: Axis
    """Axis that the fibres run along: the first of the turned volume."""
    direction: Direction
    radius_px: float
    paths: Paths
    profiles: FibreProfiles
    found: Found


def analyse(
    volume: LazyArray, search: Search, judgement: Judgement, reporter: Reporter
) -> Composite:
    """Find fibres and their breaks; the volume is read twice, slice by slice.

    Parameters
    ----------
    volume
        Shape (slice, y, x).
    search
        How fibres are looked for.
    judgement
        When a dip is a break.
    reporter
        Threads, progress and cancel.

    Raises
    ------
    InputError
        No fibres are found, or they run across all axes.
    """
    direction = found_direction(volume)
    if search.axis == "found":
        _require_direction(direction)
    axis: Axis = direction.axis if search.axis == "found" else search.axis
    turned = volume if axis == "z" else Turned(volume, axis)
    lean = direction.lean if axis == direction.axis else (0.0, 0.0)
    sign = np.float32(1 if search.bright else -1)
    radius_px = search.radius_px
    if radius_px is None:
        middle = turned.shape[0] // 2
        radius_px = found_radius(sign * _mean_of(turned, middle, middle, lean))
    paths = _find_paths(turned, sign, radius_px, lean, search, reporter)
    reporter.say(f"{paths.n_fibres:,} fibres")
    axis_px = None
    if search.rings and axis == "z":
        axis_px = ((turned.shape[1] - 1) / 2, (turned.shape[2] - 1) / 2)
    profiles = fibre_profiles(turned, paths, radius_px, reporter, axis_px=axis_px)
    gap_depth = None
    if search.gap_value is not None:
        gap_depth = float(np.nanmedian(profiles.core)) - search.gap_value
        if gap_depth <= 0:
            raise InputError(
                f"a gap of {search.gap_value:g} is not darker than the fibres", where="gap_value",
                fix="Give the grey value of air in this volume, or none",
            )  # fmt: skip
    dark = _dark_level(turned, radius_px, lean)
    least = _LEAST_GAP * (float(np.nanmedian(profiles.core)) - dark)
    found = find_breaks(profiles, judgement, gap_depth=gap_depth, least_gap_depth=least)
    return Composite(axis, direction, radius_px, paths, profiles, found)


def _require_direction(direction: Direction) -> None:
    steep = max(abs(slope) for slope in direction.lean)
    if direction.order < _LEAST_ORDER or steep > _STEEPEST:
        raise InputError(
            "the fibres have no common direction along an axis of the volume",
            where="fibres", fix="Say along which axis they run, or turn the volume first",
        )  # fmt: skip


def _find_paths(
    turned: LazyArray,
    sign: np.float32,
    radius_px: float,
    lean: tuple[float, float],
    search: Search,
    reporter: Reporter,
) -> Paths:
    n_slices, n_y, n_x = turned.shape
    linker = Linker(radius_px, lean, search.patience_slices)
    half = min(_HALF_MEAN, max(0, (n_slices - 1) // 2))
    heights = list(range(half, n_slices - half, _STEP_SLICES))
    batch = max(1, 2 * reporter.threads)
    with ThreadPoolExecutor(reporter.threads, "alsct-fibres") as pool:
        for start in reporter.each(range(0, len(heights), batch), "cross-sections"):
            now = heights[start : start + batch]
            first, last = now[0] - half, now[-1] + half
            block = np.asarray(turned[first : last + 1], np.float32)
            pictures = [sign * _leaning_mean(block, height - first, half, lean) for height in now]
            spots = pool.map(lambda picture: find_spots(picture, radius_px), pictures)
            for height, found in zip(now, spots, strict=True):
                linker.add(float(height), found.places)
    tracks = linker.finish()
    least = min(2 * search.patience_slices, 0.5 * n_slices)
    tracks = [track for track in tracks if track.heights[-1] - track.heights[0] >= least]
    if not tracks:
        raise InputError(
            "no fibres are found", where="fibres",
            fix="Give the diameter of a fibre, or say whether fibres are bright or dark",
        )  # fmt: skip
    return smooth_paths(
        tracks, (n_slices, n_y, n_x), radius_px, search.stiffness_slices, search.patience_slices
    )


def _dark_level(turned: LazyArray, radius_px: float, lean: tuple[float, float]) -> float:
    """Grey value of the darkest hundredth of the volume, without noise: air, where it shows."""
    from scipy.ndimage import gaussian_filter

    last = turned.shape[0] - 1
    levels = []
    for at in np.unique(np.linspace(0, last, _LOOKS + 2).astype(int)[1:-1]).tolist():
        smooth = gaussian_filter(_mean_of(turned, at, at, lean), WIDTH * radius_px)
        levels.append(float(np.percentile(smooth, 1)))
    return float(np.median(levels))


def _mean_of(turned: LazyArray, first: int, last: int, lean: tuple[float, float]) -> Float32Array:
    low = max(0, first - _HALF_MEAN)
    block = np.asarray(turned[low : last + _HALF_MEAN + 1], np.float32)
    return _leaning_mean(block, first - low, _HALF_MEAN, lean)


def _leaning_mean(
    block: Float32Array, at: int, half: int, lean: tuple[float, float]
) -> Float32Array:
    """Mean of slices about one, each shifted so that leaning fibres stay in their place."""
    from scipy.ndimage import shift

    part = block[max(0, at - half) : at + half + 1]
    if max(abs(slope) for slope in lean) * half < 0.4:
        return np.nan_to_num(part.mean(axis=0, dtype=np.float32))
    first = max(0, at - half) - at
    moved = [
        shift(np.nan_to_num(picture), (-lean[0] * off, -lean[1] * off), order=1, mode="nearest")
        for off, picture in enumerate(part, start=first)
    ]
    return np.mean(moved, axis=0, dtype=np.float32)
