"""The recipe's ring filters on a batch of sinograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.recipe import RingFilter
from alsct_gui.recon.parallel import run_split
from alsct_gui.recon.preprocess.rings.titarenko import remove_stripes_by_regularization
from alsct_gui.recon.preprocess.rings.vo import remove_all_stripes, remove_stripes_by_sorting
from alsct_gui.recon.preprocess.rings.wavelet import remove_stripes_by_wavelet

Float32Array = NDArray[np.float32]


def apply_rings(
    sinograms: Float32Array, rings: Sequence[RingFilter], threads: int = 1
) -> Float32Array:
    """Apply the filters in order, in place.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column), float32, C order; changed.
    rings
        Filters of a recipe.
    threads
        Sinograms filtered at a time. No result depends on it, nor on the batch.

    Returns
    -------
    sinograms
        The same array.
    """

    def work(start: int, stop: int) -> None:
        for sinogram in sinograms[start:stop]:
            for ring in rings:
                filter_sinogram(sinogram, ring)

    run_split(len(sinograms), threads, work)
    return sinograms


def filter_sinogram(sinogram: Float32Array, ring: RingFilter) -> None:
    """Apply one filter to one sinogram, shape (angle, column), in place."""
    if ring.method == "vo-all":
        remove_all_stripes(sinogram, ring.snr, ring.size_large_px, ring.size_small_px)
    elif ring.method == "sorting":
        remove_stripes_by_sorting(sinogram, ring.size_small_px)
    elif ring.method == "titarenko":
        remove_stripes_by_regularization(sinogram, ring.alpha, ring.blocks)
    else:
        remove_stripes_by_wavelet(sinogram, ring.sigma, ring.level, ring.wavelet, ring.pad)
