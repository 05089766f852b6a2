"""Zingers: isolated pixels that a stray X-ray made bright in one frame.

A pixel p is a zinger when ``p > median * (1 + threshold)`` over a window around it. This is
so exactly when more than half of the window's values q fulfil ``p > q * (1 + threshold)``:
counting takes the place of sorting, and the median is found for the few zingers alone.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.recipe import Zingers
from alsct_gui.recon.parallel import run_split

Frames = NDArray[Any]


def halo_rows(zingers: Zingers | None) -> int:
    """Rows needed above and below a block for a result as in the whole frame."""
    return 0 if zingers is None else zingers.size_px // 2


def remove_zingers(frames: Frames, zingers: Zingers, threads: int = 1) -> int:
    """Replace zingers by the median around them, in place.

    Parameters
    ----------
    frames
        Shape (angle, row, column), C order, integer or float32; changed. At the edges the
        window holds mirrored pixels, as in ``scipy.ndimage.median_filter(mode="reflect")``.
    zingers
        Window and threshold.
    threads
        Threads to use.

    Returns
    -------
    count
        How many pixels were replaced.
    """
    n_angles, n_rows, n_columns = frames.shape
    half = zingers.size_px // 2
    factor = np.float32(1 + zingers.threshold)
    counts = np.zeros(n_angles, np.int64)

    def work(start: int, stop: int) -> None:
        padded = np.empty((n_rows + 2 * half, n_columns + 2 * half), np.float32)
        limits = np.empty_like(padded)
        for angle in range(start, stop):
            counts[angle] = _clean(frames[angle], half, factor, padded, limits)

    run_split(n_angles, threads, work)
    return int(counts.sum())


@numba.njit(nogil=True, cache=True)
def _mirrored(index: int, count: int) -> int:
    index = index % (2 * count)
    return index if index < count else 2 * count - 1 - index


@numba.njit(nogil=True, cache=True)
def _pad(frame: Frames, half: int, padded: NDArray[np.float32]) -> None:
    n_rows, n_columns = frame.shape
    for i in range(padded.shape[0]):
        source = frame[_mirrored(i - half, n_rows)]
        line = padded[i]
        for j in range(n_columns):
            line[half + j] = source[j]
        for j in range(half):
            line[j] = source[_mirrored(j - half, n_columns)]
            line[half + n_columns + j] = source[_mirrored(n_columns + j, n_columns)]


@numba.njit(nogil=True, cache=True)
def _count_below(
    pixels: NDArray[np.float32], limits: NDArray[np.float32], below: NDArray[np.int32]
) -> None:
    for j in range(pixels.size):
        below[j] += np.int32(pixels[j] > limits[j])


@numba.njit(nogil=True, cache=True)
def _clean(
    frame: Frames,
    half: int,
    factor: np.float32,
    padded: NDArray[np.float32],
    limits: NDArray[np.float32],
) -> int:
    n_rows, n_columns = frame.shape
    size = 2 * half + 1
    majority = (size * size + 1) // 2
    below = np.empty(n_columns, np.int32)
    replaced = 0
    _pad(frame, half, padded)
    for i in range(padded.shape[0]):
        for j in range(padded.shape[1]):
            limits[i, j] = padded[i, j] * factor
    for row in range(n_rows):
        pixels = padded[row + half, half : half + n_columns]
        below[:] = 0
        for i in range(size):
            for j in range(size):
                _count_below(pixels, limits[row + i, j : j + n_columns], below)
        for column in range(n_columns):
            if below[column] >= majority:
                window = padded[row : row + size, column : column + size].copy().ravel()
                window.sort()
                frame[row, column] = window[majority - 1]
                replaced += 1
    return replaced
