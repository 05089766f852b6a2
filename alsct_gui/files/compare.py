"""Two volumes side by side: whether they can be compared, and how they differ.

All functions are pure. Values are compared where both are finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume

VOXEL_TOLERANCE = 1e-3
"""Relative difference of voxel edges that still counts as the same size."""
DISPLAY_PERCENT = (0.5, 99.5)
"""Percentiles that common display limits take."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether and how two volumes fit together."""

    comparable: bool
    """Whether slices can be laid over each other and subtracted."""
    slice_offset: int
    """Slice ``i`` of the first is at the height of slice ``i + slice_offset`` of the second."""
    n_shared: int
    """Slices of the first that the second has too."""
    reasons: tuple[str, ...]
    """Sentences: why they cannot be compared."""
    notes: tuple[str, ...]
    """Sentences: what to keep in mind when they are."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Figures of ``a - b`` over the pixels that are finite in both; NaN when there are none."""

    n_pixels: int
    """Pixels that were compared."""
    mean: float
    rms: float
    largest: float
    """Largest absolute difference."""
    psnr_db: float
    """``20 log10(range / rms)``, with the range of finite values of `a` among the compared;
    infinite when the slices are equal."""
    correlation: float
    """Pearson's coefficient; NaN when either slice is flat."""


def compare_volumes(a: Volume, b: Volume) -> Comparison:
    """Say whether two volumes show the same place in the same way."""
    reasons, notes = [], []
    if a.shape[1:] != b.shape[1:]:
        reasons.append(f"Slices are {_plane(a)} and {_plane(b)} pixels.")
    if a.voxel_um is None or b.voxel_um is None:
        if a.voxel_um != b.voxel_um:
            notes.append("One of the volumes does not tell its voxel size.")
    elif not np.allclose(a.voxel_um, b.voxel_um, rtol=VOXEL_TOLERANCE, atol=0):
        reasons.append(f"Voxels are {_edges(a)} and {_edges(b)} µm (slice, y, x).")
    if a.units != b.units:
        if a.units and b.units:
            reasons.append(f"Values are in {a.units} and in {b.units}.")
        else:
            notes.append("One of the volumes does not tell the unit of its values.")
    offset, doubt = _slice_offset(a, b)
    if doubt:
        notes.append(doubt)
    n_shared = max(0, min(a.shape[0], b.shape[0] - offset) - max(0, -offset))
    if n_shared == 0:
        reasons.append("They have no slice in common: their ranges of rows do not meet.")
    elif offset or a.shape[0] != b.shape[0]:
        notes.append(f"{n_shared} slices are in both.")
    scans = (a.provenance.get("input_identity"), b.provenance.get("input_identity"))
    if all(scans) and scans[0] != scans[1]:
        notes.append("They come from different scans.")
    return Comparison(not reasons, offset, n_shared, tuple(reasons), tuple(notes))


def difference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
    """Return ``a - b`` as float32, NaN where either is not finite.

    Parameters
    ----------
    a, b
        Physical values of one shape.

    Raises
    ------
    InputError
        The shapes differ.
    """
    _same_shape(a, b)
    with np.errstate(invalid="ignore", over="ignore"):
        out = np.subtract(a, b, dtype=np.float32)
    out[~np.isfinite(out)] = np.nan
    return out


def common_limits(
    a: NDArray[Any], b: NDArray[Any], percent: tuple[float, float] = DISPLAY_PERCENT
) -> tuple[float, float]:
    """Return display limits for both: the wider of their percentiles, robust against spikes.

    Without any finite value it is (0, 1); limits never coincide.
    """
    pairs = []
    for values in (a, b):
        finite = values[np.isfinite(values)]
        if finite.size:
            pairs.append(np.percentile(finite, percent))
    if not pairs:
        return 0.0, 1.0
    low, high = float(min(p[0] for p in pairs)), float(max(p[1] for p in pairs))
    return (low, high) if low < high else (low, low + max(1.0, abs(low)) * 1e-6)


def difference_figures(a: NDArray[Any], b: NDArray[Any]) -> Difference:
    """Sum up how two slices differ.

    Raises
    ------
    InputError
        The shapes differ.
    """
    _same_shape(a, b)
    both = np.isfinite(a) & np.isfinite(b)
    n_pixels = int(np.count_nonzero(both))
    if not n_pixels:
        return Difference(0, *[math.nan] * 5)
    x, y = a[both].astype(np.float64), b[both].astype(np.float64)
    delta = x - y
    rms = math.sqrt(float(np.mean(delta**2)))
    span = float(x.max() - x.min())
    return Difference(
        n_pixels=n_pixels,
        mean=float(delta.mean()),
        rms=rms,
        largest=float(np.abs(delta).max()),
        psnr_db=_psnr_db(span, rms),
        correlation=_correlation(x, y),
    )


def _psnr_db(span: float, rms: float) -> float:
    if rms == 0:
        return math.inf
    return 20 * math.log10(span / rms) if span > 0 else -math.inf


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if x.min() == x.max() or y.min() == y.max():
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    norm = math.sqrt(float(x @ x) * float(y @ y))
    return float(np.clip(float(x @ y) / norm, -1, 1)) if norm > 0 else math.nan


def _same_shape(a: NDArray[Any], b: NDArray[Any]) -> None:
    if a.shape != b.shape:
        raise InputError(
            f"slices of {a.shape} and {b.shape} cannot be compared",
            fix="Compare volumes whose slices have one size",
        )


def _slice_offset(a: Volume, b: Volume) -> tuple[int, str]:
    """Return the offset of `Comparison` from the detector rows, and what is doubtful of it."""
    rows = [_first_row_and_step(volume.provenance) for volume in (a, b)]
    if rows[0] is None or rows[1] is None:
        return 0, "It is not known at which detector row each begins; first slices are paired."
    (first_a, step_a), (first_b, step_b) = rows[0], rows[1]
    if step_a != step_b:
        return 0, f"One has every {step_a}. detector row, the other every {step_b}.; first " \
                  "slices are paired."  # fmt: skip
    offset, rest = divmod(first_a - first_b, step_a)
    return offset, "Their slices lie between each other by part of a step." if rest else ""


def _first_row_and_step(provenance: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the detector row of the first slice and the rows from slice to slice."""
    resolved = provenance.get("resolved")
    region = resolved.get("region") if isinstance(resolved, Mapping) else None
    if not isinstance(region, Mapping):
        return None
    rows, step = region.get("rows"), region.get("row_step", 1)
    first = rows[0] if isinstance(rows, list | tuple) and rows else 0 if rows is None else None
    if type(first) is not int or type(step) is not int or step < 1:
        return None
    return first + step * _slices_left_out(provenance), step


def _slices_left_out(provenance: Mapping[str, Any]) -> int:
    """Return how many slices conversions cut off at the start."""
    steps = provenance.get("converted")
    total = 0
    for step in steps if isinstance(steps, list) else ():
        part = step.get("slices") if isinstance(step, Mapping) else None
        if isinstance(part, list) and part and type(part[0]) is int:
            total += part[0]
    return total


def _plane(volume: Volume) -> str:
    return f"{volume.shape[1]} × {volume.shape[2]}"


def _edges(volume: Volume) -> str:
    return " × ".join(f"{edge:.4g}" for edge in volume.voxel_um or ())
