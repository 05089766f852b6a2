"""Phase retrieval from one distance.

D. Paganin et al., "Simultaneous phase and amplitude extraction from a single defocused
image of a homogeneous object", J. Microsc. 206, 33 (2002). For a sample of one material
with refractive index 1 - delta + i beta, the transmission T at distance z gives the line
integral of the attenuation coefficient mu = 4 pi beta / lambda as

    p = -ln F^-1[ F[T] / (1 + a |k|^2) ],    a = z lambda (delta / beta) / (4 pi),

with k = 2 pi f the angular spatial frequency (rad/m), f in cycles/m, and z, lambda in m, so
that a is an area in m^2 (z delta / mu in Paganin's notation). The filter leaves half of the
signal at |k| = 1 / sqrt(a). It is 1 at k = 0, so values stay line integrals of mu.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.recipe import Phase
from alsct_gui.recon.parallel import run_split

Float32Array = NDArray[np.float32]

HC_KEV_M = 1.239841984e-9
"""Planck's constant times the speed of light, keV m."""
PAD_LENGTHS = 4.0
"""Frames are padded by so many times sqrt(a), the range of the filter's kernel."""


def paganin_area_m2(phase: Phase, geometry: Geometry) -> float:
    """Return ``a = z lambda (delta / beta) / (4 pi)`` in m^2.

    Distance and energy come from the recipe, or else from the scan.

    Raises
    ------
    RecipeError
        Distance or energy is known to neither, or is zero.
    """
    distance_mm = geometry.distance_mm if phase.distance_mm is None else phase.distance_mm
    energy_kev = geometry.energy_kev if phase.energy_kev is None else phase.energy_kev
    if distance_mm is None or not distance_mm > 0:
        raise RecipeError(
            "phase retrieval needs the distance from sample to detector, which the scan does "
            "not tell",
            where="recipe.phase.distance_mm",
            fix="Give it in millimetres, or leave phase out",
        )
    if energy_kev is None or not energy_kev > 0:
        raise RecipeError(
            "phase retrieval needs the photon energy, which the scan does not tell",
            where="recipe.phase.energy_kev",
            fix="Give it in keV (white beam: its mean), or leave phase out",
        )
    wavelength_m = HC_KEV_M / energy_kev
    return distance_mm * 1e-3 * wavelength_m * phase.delta_beta / (4 * pi)


def half_value_frequency_per_m(area_m2: float) -> float:
    """Return the spatial frequency, in cycles/m, at which the filter leaves one half."""
    return 1.0 / (2 * pi * sqrt(area_m2))


def paganin(
    transmission: Float32Array,
    phase: Phase,
    geometry: Geometry,
    *,
    binning: int = 1,
    transmission_min: float = 1e-6,
    threads: int = 1,
    out: Float32Array | None = None,
) -> Float32Array:
    """Retrieve line integrals from propagated transmission.

    Parameters
    ----------
    transmission
        Flat-field corrected, shape (angle, row, column); not changed unless it is ``out``.
    phase
        Ratio delta/beta; distance (mm) and energy (keV), where the scan does not tell them.
    geometry
        Of the scan; its pixel size (um) is needed.
    binning
        How many detector pixels make one pixel of the frames.
    transmission_min
        Lower clamp of the filtered transmission before the logarithm.
    threads
        Frames are shared among so many threads.
    out
        Where to put the result; made when None.

    Returns
    -------
    line_integrals
        Shape (angle, row, column), float32, no unit: -log of the filtered transmission.

    Raises
    ------
    RecipeError
        Distance, energy or pixel size is unknown; says what to give.
    """
    if geometry.pixel_size_um is None or not geometry.pixel_size_um > 0:
        raise RecipeError(
            "phase retrieval needs the pixel size, which the scan does not tell",
            where="recipe.phase",
            fix="Add the pixel size to the scan, or leave phase out",
        )
    n_angles, n_rows, n_columns = transmission.shape
    pixel_m = geometry.pixel_size_um * 1e-6 * binning
    area_px2 = paganin_area_m2(phase, geometry) / pixel_m**2
    pad = int(PAD_LENGTHS * sqrt(area_px2)) + 2
    shape = (_padded_size(n_rows, pad, real=False), _padded_size(n_columns, pad, real=True))
    gain = _gain(shape, area_px2)
    result = np.empty_like(transmission, dtype=np.float32) if out is None else out

    def work(start: int, stop: int) -> None:
        frame = np.empty(shape, np.float32)
        for angle in range(start, stop):
            _pad_edges(transmission[angle], frame)
            spectrum = scipy.fft.rfft2(frame, overwrite_x=True)
            spectrum *= gain
            filtered = scipy.fft.irfft2(spectrum, shape, overwrite_x=True)[:n_rows, :n_columns]
            np.maximum(filtered, np.float32(transmission_min), out=result[angle])
            np.log(result[angle], out=result[angle])
            np.negative(result[angle], out=result[angle])

    run_split(n_angles, threads, work)
    return result


def _padded_size(size: int, pad: int, *, real: bool) -> int:
    # A kernel wider than the frame is not worth more than twice the work.
    return int(scipy.fft.next_fast_len(size + min(pad, size), real=real))


def _gain(shape: tuple[int, int], area_px2: float) -> Float32Array:
    """1 / (1 + a |k|^2) for rfft2, k in rad per pixel."""
    k_row = 2 * pi * scipy.fft.fftfreq(shape[0])
    k_column = 2 * pi * scipy.fft.rfftfreq(shape[1])
    squared = k_row[:, None] ** 2 + k_column[None, :] ** 2
    return (1.0 / (1.0 + area_px2 * squared)).astype(np.float32)


def _pad_edges(frame: Float32Array, out: Float32Array) -> None:
    """Copy a frame into the corner of a larger one and fade between its opposite edges.

    The transform is periodic: beyond the last column comes the first. What lies between is
    a straight line from the one edge value to the other, so there is no step anywhere.
    """
    n_rows, n_columns = frame.shape
    out[:n_rows, :n_columns] = frame
    gap = out.shape[1] - n_columns
    fade = ((np.arange(gap, dtype=np.float32) + 1) / (gap + 1))[None, :]
    out[:n_rows, n_columns:] = frame[:, -1:] * (1 - fade) + frame[:, :1] * fade
    gap = out.shape[0] - n_rows
    fade = ((np.arange(gap, dtype=np.float32) + 1) / (gap + 1))[:, None]
    out[n_rows:] = out[n_rows - 1 : n_rows] * (1 - fade) + out[:1] * fade
