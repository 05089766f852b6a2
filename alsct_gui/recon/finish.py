"""The last touch on slices: unit, circular mask, and a count of values that are not finite."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]


def finish_slices(
    slices: Float32Array, *, factor: float, radius_px: float, threads: int = 1
) -> int:
    """Scale slices and mask them outside a circle, in place.

    Parameters
    ----------
    slices
        Shape (slice, y, x).
    factor
        What each value is multiplied by: 1e4 / pixel_size_um turns 1/px into 1/cm.
    radius_px
        Pixels farther than this from the rotation axis become 0; infinite for no mask.
    threads
        Threads to use.

    Returns
    -------
    nan_count
        Values inside the circle that were not finite; they become 0.
    """
    counts = np.zeros(len(slices), dtype=np.int64)

    def work(start: int, stop: int) -> None:
        for index in range(start, stop):
            counts[index] = _finish_one(slices[index], np.float32(factor), radius_px**2)

    run_split(len(slices), threads, work)
    return int(counts.sum())


def mask_radius_px(share: float, size_px: int) -> float:
    """Radius of the circular mask; ``share`` 0 means none (infinite)."""
    return np.inf if share == 0 else share * size_px / 2


@numba.njit(nogil=True, cache=True, fastmath=False)
def _finish_one(picture: Float32Array, factor: np.float32, radius2: float) -> int:
    n_y, n_x = picture.shape
    middle_y, middle_x = (n_y - 1) / 2, (n_x - 1) / 2
    bad = 0
    for y in range(n_y):
        rest = radius2 - (y - middle_y) ** 2
        if rest < 0:
            picture[y, :] = 0
            continue
        half = np.sqrt(rest)
        first = max(0, int(np.ceil(middle_x - half))) if half < n_x else 0
        last = min(n_x, int(np.floor(middle_x + half)) + 1) if half < n_x else n_x
        picture[y, :first] = 0
        picture[y, last:] = 0
        for x in range(first, last):
            value = picture[y, x] * factor
            if np.isfinite(value):
                picture[y, x] = value
            else:
                picture[y, x] = 0
                bad += 1
    return bad
