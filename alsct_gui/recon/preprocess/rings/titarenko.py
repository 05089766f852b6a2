"""Stripe suppression by a regularised flattening of the mean profile.

After S. Titarenko, P. J. Withers, A. Yagola, "An analytical formula for ring artefact
suppression in X-ray tomography", Applied Mathematics Letters 23, 1489 (2010), and
E. X. Miqueles et al., "Generalized Titarenko's algorithm for ring artefacts reduction",
J. Synchrotron Rad. 21, 1333 (2014).

A stripe is one number q added to a column over a block of angles. It is found as the
smallest q that makes the block's mean profile p smooth: the minimum of
``|D (p + q)|^2 + lambda |q|^2``, where D takes the first or the second difference. Both
orders are solved and the two results averaged (the generalised form).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_PERIOD_PX = 20.0
"""Period in columns, per unit of alpha, at which half of a wave in the profile is damped."""


def remove_stripes_by_regularization(sinogram: Float32Array, alpha: float, blocks: int) -> None:
    """Suppress stripes that are constant over a block of angles, in place.

    Parameters
    ----------
    sinogram
        Line integrals, shape (angle, column), float32.
    alpha
        Strength: structures of the mean profile narrower than about ``20 * alpha`` columns
        are taken for stripes. With 0 nothing changes.
    blocks
        How many blocks of angles are treated apart; 0 for one.
    """
    n_angles, n_columns = sinogram.shape
    if alpha == 0 or n_columns < 3:
        return
    n_blocks = min(max(blocks, 1), n_angles)
    for block in range(n_blocks):
        part = sinogram[block * n_angles // n_blocks : (block + 1) * n_angles // n_blocks]
        profile = part.mean(axis=0, dtype=np.float64)
        part += stripe_heights(profile, alpha).astype(np.float32)


def stripe_heights(profile: Float64Array, alpha: float) -> Float64Array:
    """What to add to each column, shape (column,), for a mean profile of that shape."""
    # A wave of frequency w has |D w|^2 = 4 sin^2(w / 2); half of it is damped where that
    # equals lambda, and squared for the second order, so that both cut at the same period.
    regularization = 4 * np.sin(min(np.pi / (_PERIOD_PX * alpha), np.pi / 2)) ** 2
    first = _solve(profile, 1, regularization)
    second = _solve(profile, 2, regularization**2)
    return (first + second) / 2


def _solve(profile: Float64Array, order: int, regularization: float) -> Float64Array:
    """Solve ``(D^T D + lambda) q = -D^T D p``; the matrix has few diagonals."""
    stencil = np.array([-1.0, 1.0]) if order == 1 else np.array([1.0, -2.0, 1.0])
    n, rows = profile.size, profile.size - order
    bands = np.zeros((order + 1, n))
    right = np.zeros(n)
    roughness = np.convolve(profile, stencil[::-1], mode="valid")
    for i in range(order + 1):
        right[i : i + rows] -= stencil[i] * roughness
        for j in range(i + 1):
            # Row r of D has stencil[i] in column r + i: an upper band in LAPACK's layout.
            bands[order - (i - j), i : i + rows] += stencil[i] * stencil[j]
    bands[order] += regularization
    heights: Float64Array = solveh_banded(bands, right)
    return heights
