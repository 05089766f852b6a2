"""Combined wavelet-Fourier stripe filter.

B. Münch, P. Trtik, F. Marone, M. Stampanoni, "Stripe and ring artifact removal with
combined wavelet-Fourier filtering", Optics Express 17, 8567 (2009),
https://doi.org/10.1364/OE.17.008567.

The paper takes the sinogram apart by a 2-D wavelet transform, damps the lowest frequencies
along the angles in each level's vertical details, and puts it together again. Only the
part that is damped away differs between input and output, so that part alone is computed
and subtracted. It is smooth along the angles: its angle axis is spanned by few functions
(160 instead of 1313, at the standard parameters), which depend on the number of angles alone.
The wavelet transform along the columns then runs on so few lines
(docs/decisions/0004-ring-filters.md).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pywt
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-8
"""Share of the largest below which a frequency or a function of the angle is left out."""


@dataclass(frozen=True, eq=False)
class AngleBasis:
    """What the filter does along the angles, in a small basis.

    A stripe part of a sinogram is ``expand @ sum over levels of mix[level] @ (project @ x)``,
    with the wavelet transform along the columns in between.
    """

    project: Float32Array
    """From angles to coefficients, shape (coefficient in, angle)."""
    mix: tuple[Float32Array, ...]
    """For each level from fine to coarse, shape (coefficient out, coefficient in)."""
    expand: Float32Array
    """From coefficients to angles, shape (angle, coefficient out)."""


def remove_stripes_by_wavelet(
    sinogram: Float32Array, sigma: float, level: int, wavelet: str, pad: bool
) -> None:
    """Remove stripes with the wavelet-Fourier filter, in place.

    Parameters
    ----------
    sinogram
        Line integrals, shape (angle, column), float32.
    sigma
        Width of the damping, in frequency bins of a level's height.
    level
        Number of decompositions.
    wavelet
        Name of a discrete wavelet as in PyWavelets.
    pad
        Extend the sinogram by an eighth of its angles, half at each end, by its edge
        values: else the Fourier transform joins the first angle to the last.

    Raises
    ------
    RecipeError
        The wavelet is not known.
    """
    n_angles = sinogram.shape[0]
    basis = angle_basis(n_angles, n_angles // 8 if pad else 0, sigma, level, wavelet)
    subtract_stripes(sinogram, basis, wavelet)


def subtract_stripes(sinogram: Float32Array, basis: AngleBasis, wavelet: str) -> None:
    """Subtract the part that `basis` calls stripes, in place."""
    approximation = basis.project @ sinogram
    stripes = []
    for mix in basis.mix:
        approximation, detail = pywt.dwt(approximation, wavelet, axis=1)
        stripes.append(mix @ detail)
    total = None
    for detail in reversed(stripes):
        if total is not None:
            total = total[:, : detail.shape[1]]
        total = pywt.idwt(total, detail, wavelet, axis=1)
    if total is not None:
        sinogram -= basis.expand @ np.ascontiguousarray(total[:, : sinogram.shape[1]])


@lru_cache(maxsize=8)
def angle_basis(n_angles: int, padding: int, sigma: float, level: int, wavelet: str) -> AngleBasis:
    """Compute the filter's action along the angles; kept for the scan's next slices.

    Parameters
    ----------
    n_angles, padding
        Angles of the sinogram, and how many repetitions of the edge are added in all.
    sigma, level, wavelet
        As in `remove_stripes_by_wavelet`.
    """
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise RecipeError(
            f"{wavelet!r} is not a discrete wavelet",
            where="recipe.rings.wavelet",
            fix="Take one of PyWavelets' names, for example db5",
        )
    above = padding // 2
    lines = np.clip(np.arange(n_angles + padding) - above, 0, n_angles - 1)
    analysis: Float64Array = np.eye(n_angles)[lines]
    heights = [len(lines)]
    projections, expansions = [], []
    for _ in range(level):
        analysis = pywt.dwt(analysis, wavelet, axis=0)[0]
        heights.append(len(analysis))
        modes, gains = _low_frequencies(len(analysis), sigma)
        projections.append(modes.T @ analysis)
        expansions.append(_synthesise(modes * gains, heights, wavelet)[above : above + n_angles])
    project, from_project = _compress(np.vstack(projections))
    expand, from_expand = _compress(np.hstack(expansions).T)
    ends = np.cumsum([0] + [len(lines) for lines in projections])
    mix = tuple(
        (from_expand[a:b].T @ from_project[a:b]).astype(np.float32)
        for a, b in itertools.pairwise(ends)
    )
    return AngleBasis(project.astype(np.float32), mix, expand.T.astype(np.float32, order="C"))


def _low_frequencies(height: int, sigma: float) -> tuple[Float64Array, Float64Array]:
    """Orthonormal real Fourier modes that are damped, and by how much.

    Returns
    -------
    modes
        Shape (height, mode).
    gains
        Share of each that is taken away, ``exp(-k^2 / 2 sigma^2)``, shape (mode,).
    """
    phase = 2 * np.pi * np.arange(height) / height
    modes, gains = [], []
    for k in range(height // 2 + 1):
        gain = 1.0 if k == 0 else float(np.exp(-(k**2) / (2 * sigma**2))) if sigma > 0 else 0.0
        if gain < _NEGLIGIBLE:
            break
        waves = [np.cos(k * phase)]
        if 0 < 2 * k < height:
            waves.append(np.sin(k * phase))
        modes += [wave / np.linalg.norm(wave) for wave in waves]
        gains += [gain] * len(waves)
    return np.column_stack(modes), np.array(gains)


def _synthesise(lines: Float64Array, heights: list[int], wavelet: str) -> Float64Array:
    """Inverse wavelet transform along axis 0 from approximations alone, up to level 0."""
    for height in reversed(heights[:-1]):
        lines = pywt.idwt(lines, None, wavelet, axis=0)[:height]
    return lines


def _compress(lines: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Write many lines as combinations of few: ``lines = combine @ few``."""
    left, strength, few = np.linalg.svd(lines, full_matrices=False)
    kept = strength > _NEGLIGIBLE * strength[0]
    return few[kept], left[:, kept] * strength[kept]
