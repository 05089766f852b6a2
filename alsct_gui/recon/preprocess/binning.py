"""Averaging detector pixels."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]


def bin_frames(frames: NDArray[Any], binning: int, threads: int = 1) -> NDArray[Any]:
    """Average ``binning`` x ``binning`` pixels; rows and columns left over are dropped.

    Parameters
    ----------
    frames
        Shape (angle, row, column).
    binning
        Pixels along both axes; 1 returns the frames themselves.

    Returns
    -------
    binned
        float32, shape (angle, row // binning, column // binning).
    """
    if binning == 1:
        return frames
    n_angles, n_rows, n_columns = frames.shape
    out = np.empty((n_angles, n_rows // binning, n_columns // binning), np.float32)

    def work(start: int, stop: int) -> None:
        for angle in range(start, stop):
            # Frames may be a cut-out of larger ones: copied one at a time, not all at once.
            _bin(np.ascontiguousarray(frames[angle]), binning, out[angle])

    run_split(n_angles, threads, work)
    return out


def bin_picture(picture: Float32Array, binning: int) -> Float32Array:
    """Average a float32 picture of shape (row, column) likewise."""
    return bin_frames(picture[None], binning)[0]


@numba.njit(nogil=True, cache=True)
def _bin(frame: NDArray[Any], binning: int, out: Float32Array) -> None:
    share = 1.0 / (binning * binning)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = 0.0
            for i in range(binning):
                for j in range(binning):
                    total += frame[row * binning + i, column * binning + j]
            out[row, column] = total * share
