"""Reconstruction filters: the ramp and the windows on it, as frequency responses.

Frequencies are in cycles per pixel (0 to 0.5, the Nyquist frequency). The ramp is the
transform of the band-limited kernel h[0] = 1/4, h[odd n] = -1/(pi n)^2 (Ramachandran and
Lakshminarayanan 1971; Kak and Slaney 1988, section 3.3), not |f| on a grid of frequencies,
whose zero at f = 0 costs the mean of every slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import FilterName

FILTERS: tuple[FilterName, ...] = (
    "ramp", "shepp-logan", "cosine", "hann", "hamming", "butterworth", "parzen", "none",
)  # fmt: skip
"""Every filter; the first is the default."""

FloatArray = NDArray[np.float64]

_OVERSAMPLING = 16
"""Finer steps of frequency, on which windows are applied to the ramp."""


def _parzen(share: FloatArray) -> FloatArray:
    inner = 1.0 - 6.0 * share**2 * (1.0 - share)
    return np.where(share <= 0.5, inner, 2.0 * (1.0 - share) ** 3)


_SHAPES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "ramp": np.ones_like,
    "shepp-logan": lambda share: np.asarray(np.sinc(share / 2)),
    "cosine": lambda share: np.asarray(np.cos(np.pi * share / 2)),
    "hann": lambda share: np.asarray(0.5 + 0.5 * np.cos(np.pi * share)),
    "hamming": lambda share: np.asarray(0.54 + 0.46 * np.cos(np.pi * share)),
    "parzen": _parzen,
}
"""Windows over frequency as a share of the cut-off."""


def ramp_kernel(length: int) -> FloatArray:
    """Band-limited ramp kernel in 1/pixel^2, cyclic order, shape (length,), even length.

    Multiplied by the pixel (1) it turns line integrals per pixel into filtered ones.
    """
    lag = np.arange(length)
    lag = np.minimum(lag, length - lag)
    kernel = np.zeros(length)
    odd = lag % 2 == 1
    kernel[odd] = -1.0 / (math.pi * lag[odd]) ** 2
    kernel[0] = 0.25
    return kernel


def window(
    name: FilterName, frequency: FloatArray, cutoff: float = 1.0, order: float = 2.0
) -> FloatArray:
    """Window that multiplies the ramp.

    Parameters
    ----------
    name
        One of `FILTERS`; ``ramp`` is a box, ``none`` is not a window and is refused.
    frequency
        Cycles per pixel, 0 to 0.5.
    cutoff
        Share of the Nyquist frequency at which the window ends (beyond it is 0). For
        ``butterworth`` cycles per pixel, as in the production recipe and in tomopy's
        gridrec: the response there is one half.
    order
        Of ``butterworth``: 1 / (1 + (frequency / cutoff)^(2 order)).
    """
    if name == "butterworth":
        return np.asarray(1.0 / (1.0 + (frequency / cutoff) ** (2.0 * order)))
    share = np.asarray(frequency / (0.5 * cutoff))
    if name not in _SHAPES:
        raise RecipeError(
            f"{name!r} is not a window", where="recipe.engine.filter",
            fix=f"Take one of {', '.join(FILTERS)}",
        )  # fmt: skip
    return np.where(share <= 1.0 + 1e-12, _SHAPES[name](share), 0.0)


def frequency_response(
    name: FilterName, length: int, cutoff: float = 1.0, order: float = 2.0
) -> FloatArray:
    """Real response of a filter for projections padded to an even `length`.

    Returns
    -------
    response
        Shape (length // 2 + 1,), for the frequencies of ``numpy.fft.rfftfreq(length)``. The
        projections' spectra times it are the filtered projections' (linear convolution when
        `length` is at least twice the number of columns); ``none`` is all ones.
    """
    if name == "none":
        return np.ones(length // 2 + 1)
    # The windowed kernel, too, is made in space and cut to the lags that occur: a window
    # sampled at so few frequencies would fold the kernel's tails back onto them.
    long = _OVERSAMPLING * length
    frequency = np.asarray(np.fft.rfftfreq(long), dtype=np.float64)
    ramp = np.asarray(np.fft.rfft(ramp_kernel(long)).real, dtype=np.float64)
    kernel = np.fft.irfft(ramp * window(name, frequency, cutoff, order), long)
    half = length // 2
    cut = np.concatenate([kernel[:half], kernel[-half:]])
    return np.asarray(np.fft.rfft(cut).real, dtype=np.float64)


def edge_columns(n_columns: int) -> int:
    """Columns that edge padding adds on either side: to sqrt(2) of the width, as production."""
    return math.ceil(0.5 * (math.sqrt(2.0) - 1.0) * n_columns)


def edge_spectra(
    name: FilterName, n_columns: int, length: int, cutoff: float = 1.0, order: float = 2.0
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """What edge padding adds to the spectrum of a filtered, zero-padded projection.

    Padding a projection p by its edge values is linear in these two numbers, so nothing
    need be padded: its filtered spectrum is ``response * rfft(p, length) + p[0] * left +
    p[-1] * right``. The convolution is linear on all padded columns.

    Returns
    -------
    left, right
        Each of shape (length // 2 + 1,), complex; column 0 is the origin of phase.
    """
    pad = edge_columns(n_columns)
    before = (length - n_columns) // 2  # columns of the cyclic array that lie left of column 0
    reach = max(pad, before)
    long = 2 * (n_columns + 2 * reach)
    response = frequency_response(name, long, cutoff, order)
    spectra = []
    for block in (slice(reach - pad, reach), slice(reach + n_columns, reach + n_columns + pad)):
        step = np.zeros(long)
        step[block] = 1.0
        filtered = np.fft.irfft(np.fft.rfft(step) * response, long)
        cyclic = np.roll(filtered[reach - before : reach - before + length], -before)
        spectra.append(np.fft.rfft(cyclic))
    return spectra[0], spectra[1]
