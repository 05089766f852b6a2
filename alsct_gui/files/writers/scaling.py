"""Float values to stored integers, and how to go back.

An integer type stores ``round((value - low) / (high - low) * top)``, where ``top`` is 255
or 65535, clipped to 0 and ``top``; values that are not a number become 0. The way back is
``value = scale[0] + stored * scale[1]`` with the pair of `scale_of`, which travels in
``Provenance.scale``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray


class Scaled(NamedTuple):
    """Slices as they are stored, and what was lost."""

    values: NDArray[Any]
    """Shape as given, of the stored type."""
    clipped: int
    """Values that lay outside the range by more than half an integer step; values that
    are not a number do not count."""


def scale_to_dtype(
    slices: NDArray[np.float32], dtype: DTypeLike, value_range: tuple[float, float] | None
) -> Scaled:
    """Scale a block of slices to the stored type.

    Parameters
    ----------
    slices
        Any shape, float32.
    dtype
        float32 (returned as it is), uint16 or uint8.
    value_range
        Values that become 0 and the highest integer; needed for integers.

    Returns
    -------
    scaled
        The stored values, and how many were clipped.

    Raises
    ------
    ValueError
        An integer type without a range, or a range that is empty or not finite.
    """
    kind = np.dtype(dtype)
    if kind == np.float32:
        return Scaled(slices, 0)
    offset, step = scale_of(kind, value_range)
    stored = np.empty(slices.shape, kind)
    top = np.float32(np.iinfo(kind).max)
    flat = np.ascontiguousarray(slices).reshape(-1)
    clipped = _scale(flat, stored.reshape(-1), np.float32(offset), np.float32(1.0 / step), top)
    return Scaled(stored, int(clipped))


def scale_of(dtype: DTypeLike, value_range: tuple[float, float] | None) -> tuple[float, float]:
    """Return (offset, step) with ``value = offset + stored * step``."""
    if value_range is None or not np.isfinite(value_range).all():
        raise ValueError(f"an integer type needs a finite range of values, not {value_range}")
    low, high = value_range
    if not low < high:
        raise ValueError(f"the range {value_range} of values is empty")
    return float(low), (float(high) - float(low)) / np.iinfo(np.dtype(dtype)).max


@njit(nogil=True, cache=True)
def _scale(
    values: NDArray[Any], out: NDArray[Any], offset: np.float32, factor: np.float32, top: np.float32
) -> int:
    half, zero = np.float32(0.5), np.float32(0)
    clipped = 0
    for i in range(values.size):
        level = (values[i] - offset) * factor + half
        # Comparisons with NaN are false, so that it counts as neither and becomes 0.
        clipped += (level < zero) + (level >= top + np.float32(1))
        level = level if level >= zero else zero
        level = level if level <= top else top
        out[i] = np.uint32(level)
    return clipped
