"""Sinograms with and without stripes, and plain references of the filters."""

from __future__ import annotations

import numpy as np
import pywt
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


def smooth_sinogram(n_angles: int, n_columns: int) -> Float32Array:
    """Gaussian blobs off the axis as line integrals: no stripes, no noise, (angle, column).

    An object on the axis would be a stripe itself.
    """
    x = np.linspace(-1, 1, n_columns)
    angle = np.linspace(0, np.pi, n_angles, endpoint=False)[:, None]
    total = np.zeros((n_angles, n_columns))
    for width, distance, phase, value in ((0.25, 0.4, 1.0, 1.0), (0.1, 0.6, 0.3, 0.8)):
        offset = x - distance * np.cos(angle - phase)
        total += value * np.exp(-0.5 * (offset / width) ** 2)
    return total.astype(np.float32)


def noisy_sinogram(n_angles: int, n_columns: int, seed: int = 0) -> Float32Array:
    """The same with noise, so that no two values of a column are equal."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (n_angles, n_columns))
    return (smooth_sinogram(n_angles, n_columns) + noise + 0.3).astype(np.float32)


def striped_sinogram(n_angles: int, n_columns: int, seed: int = 0) -> Float32Array:
    """Noise, column gains, a wide stripe and a dead column."""
    sinogram = noisy_sinogram(n_angles, n_columns, seed)
    gains = np.random.default_rng(seed + 1).normal(1, 0.02, n_columns)
    sinogram = sinogram * gains.astype(np.float32)
    sinogram[:, n_columns // 2 : n_columns // 2 + 4] += 0.4
    sinogram[:, n_columns // 3] = 1.0
    return without_ties(sinogram)


def without_ties(sinogram: Float32Array, gap: float = 1e-5) -> Float32Array:
    """Push values of a column apart: libraries put equal values in any order they like."""
    order = np.argsort(sinogram, axis=0, kind="stable")
    steps = gap * np.arange(len(sinogram))[:, None]
    ranked = np.take_along_axis(sinogram.astype(np.float64), order, axis=0)
    ranked = np.maximum.accumulate(ranked - steps, axis=0) + steps
    apart = np.empty_like(sinogram)
    np.put_along_axis(apart, order, ranked.astype(np.float32), axis=0)
    return apart


def stripe_strength(sinogram: Float32Array) -> float:
    """Rms of the mean profile about its neighbours' median."""
    profile = sinogram.mean(axis=0, dtype=np.float64)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(profile, 4, mode="reflect"), 9)
    return float(np.sqrt(np.mean((profile - np.median(around, axis=1)) ** 2)))


def wavelet_reference(
    sinogram: Float32Array,
    sigma: float,
    level: int,
    wavelet: str,
    padding: int,
    *,
    pad_mode: str = "edge",
    half_bin: bool = False,
) -> NDArray[np.float64]:
    """Münch's filter step by step in float64: 2-D transforms, damping, 2-D inverses.

    With ``pad_mode="constant"`` and ``half_bin`` it is what tomopy's remove_stripe_fw
    computes: zeros beyond the ends, and damping centred half a bin off zero in levels of
    even height.
    """
    n_angles, n_columns = sinogram.shape
    above = padding // 2
    widths = ((above, padding - above), (0, 0))
    x = np.pad(sinogram.astype(np.float64), widths, mode=pad_mode)
    details = []
    for _ in range(level):
        x, (horizontal, vertical, diagonal) = pywt.dwt2(x, wavelet)
        height = len(vertical)
        k = np.fft.fftfreq(height, 1 / height)
        if half_bin and height % 2 == 0:
            k = k + 0.5
        damping = 1 - np.exp(-(k**2) / (2 * sigma**2))
        spectrum = np.fft.fft(vertical, axis=0) * damping[:, None]
        details.append((horizontal, np.fft.ifft(spectrum, axis=0).real, diagonal))
    for detail in reversed(details):
        x = x[: detail[0].shape[0], : detail[0].shape[1]]
        x = pywt.idwt2((x, detail), wavelet)
    return x[above : above + n_angles, :n_columns]
