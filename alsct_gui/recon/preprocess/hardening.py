"""Beam hardening: line integrals made linear in thickness by a polynomial."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]


def correct_hardening(
    sinograms: Float32Array, coefficients: Sequence[float], threads: int = 1
) -> Float32Array:
    """Replace line integrals x by ``c0 x + c1 x^2 + ...``, in place.

    A polychromatic beam hardens as it goes through the sample, so that the measured -log of
    transmission grows more slowly than the thickness; see G. T. Herman, "Correction for beam
    hardening in computed tomography", Phys. Med. Biol. 24, 81 (1979).

    Parameters
    ----------
    sinograms
        Line integrals of any shape, float32, C order; changed.
    coefficients
        Lowest power first, starting with the linear one; at least one.
    threads
        Threads to use.

    Returns
    -------
    sinograms
        The same array.
    """
    flat = sinograms.reshape(-1)
    factors = np.asarray(coefficients, dtype=np.float32)

    def work(start: int, stop: int) -> None:
        _polynomial(flat[start:stop], factors)

    run_split(flat.size, threads, work)
    return sinograms


@numba.njit(nogil=True, cache=True)
def _polynomial(values: Float32Array, factors: Float32Array) -> None:
    for i in range(values.size):
        x = values[i]
        total = np.float32(0.0)
        for power in range(factors.size - 1, -1, -1):
            total = (total + factors[power]) * x
        values[i] = total
