"""Phase-contrast fringes: free-space propagation of a homogeneous sample's exit wave.

The exit wave of a sample of one material is ``exp(-p / 2 - i (delta / beta) p / 2)`` with p
the line integral of attenuation. It is carried over the distance z with the paraxial
transfer function ``exp(-i pi lambda z f^2)`` (Paganin, Coherent X-Ray Optics, 2006,
chapter 1), and the intensity is its squared modulus: no linearisation.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError

Float32Array = NDArray[np.float32]

KEV_NM = 1.239841984
"""Photon energy times wavelength."""


def fresnel_px2(energy_kev: float, distance_mm: float, pixel_size_um: float) -> float:
    """Return wavelength times distance in units of the squared pixel."""
    wavelength_um = KEV_NM / energy_kev * 1e-3
    return wavelength_um * distance_mm * 1e3 / pixel_size_um**2


def reach_px(fresnel: float) -> float:
    """Return how far the finest fringe that the pixels hold is diffracted, in pixels."""
    return fresnel / 2


def padded_size(size: int, pad: int) -> int:
    """Return a length good for the FFT, at least ``size + 2 pad``, even or odd as ``size``."""
    from scipy.fft import next_fast_len

    wanted = size + 2 * pad
    while True:
        length = int(next_fast_len(wanted))
        if (length - size) % 2 == 0:
            return length
        wanted = length + 1


def propagate(integrals: Float32Array, delta_beta: float, fresnel: float) -> Float32Array:
    """Return the relative intensity behind a sample, after propagation.

    Parameters
    ----------
    integrals
        Line integrals p, shape (row, column), with a border that is to be cut off: the
        transform wraps round.
    delta_beta
        Ratio of the refractive decrement to the absorption index.
    fresnel
        Wavelength times distance, in squared pixels.
    """
    from scipy import fft

    half = integrals * np.float32(0.5)
    wave = np.exp(-half) * np.exp(np.complex64(-1j * delta_beta) * half)
    spectrum = fft.fft2(wave.astype(np.complex64), overwrite_x=True)
    for axis, size in enumerate(integrals.shape):
        # The transfer function is a product of one factor per axis.
        turn = np.exp(-1j * math.pi * fresnel * fft.fftfreq(size) ** 2).astype(np.complex64)
        spectrum *= turn[:, None] if axis == 0 else turn
    wave = fft.ifft2(spectrum, overwrite_x=True)
    intensity: Float32Array = wave.real**2 + wave.imag**2
    return intensity


def aliased_share(integrals: Float32Array, delta_beta: float) -> float:
    """Return the share of pixels whose phase differs from a neighbour's by more than pi."""
    limit = 2 * math.pi / delta_beta if delta_beta > 0 else math.inf
    steep = np.zeros(integrals.shape, dtype=bool)
    steep[1:] |= np.abs(np.diff(integrals, axis=0)) > limit
    steep[:, 1:] |= np.abs(np.diff(integrals, axis=1)) > limit
    return float(steep.mean())


def check_sampling(fresnel: float, size: int, pad: int, aliased: float) -> None:
    """Refuse a propagation that the grid cannot hold.

    Raises
    ------
    RecipeError
        Fringes wrap round the border, or the phase turns too fast from pixel to pixel.
    """
    reach = reach_px(fresnel)
    if reach > pad or fresnel > size:
        raise RecipeError(
            f"fringes spread over {reach:.0f} pixels, the border has {pad}",
            where="simulate.physics.phase.pad_px",
            fix="Take a wider border, a shorter distance or a higher energy",
        )
    if aliased > 0.05:
        raise RecipeError(
            f"the phase turns by more than pi between neighbours in {aliased:.0%} of the pixels",
            where="simulate.physics.phase.delta_beta",
            fix="Take a larger oversample, a smaller delta_beta or a smaller optical_depth",
        )
