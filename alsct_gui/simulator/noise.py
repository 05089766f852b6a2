"""Counter-based random numbers, and the detector's answer to a frame of photons.

Every frame has a key of its own, made from the seed, the kind of frame and its index, and
every pixel draws from a hash of the key and its place. So a frame is the same whatever
was made before it, and by however many threads.

The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). Below a mean of
`POISSON_EXACT_BELOW` photons are drawn by inversion of the Poisson distribution; above, by
the first two terms of its Cornish-Fisher expansion, which has the right mean, variance
(to 0.3 % at the threshold) and skewness.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

POISSON_EXACT_BELOW = 60.0
"""Mean number of photons from which a normal approximation is taken."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_UNIT32 = 1.0 / 4294967296.0


def frame_key(seed: int, kind: int, index: int) -> np.uint64:
    """Return the 64-bit key of a frame; different for every (seed, kind, index)."""
    return np.random.SeedSequence([seed, kind, index]).generate_state(1, np.uint64)[0]


@njit(cache=True, nogil=True, inline="always")
def _hash(key: int, counter: int) -> int:
    z = uint64(key) + uint64(counter) * _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True)
def _poisson_small(mean: float, uniform: float) -> float:
    """Invert the Poisson distribution by adding up its terms from zero."""
    term = math.exp(-mean)
    total = term
    count = 0.0
    while uniform > total and count < 400.0:
        count += 1.0
        term *= mean / count
        total += term
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def detect_photons(
    photons: Float32Array,
    key: int,
    noisy: bool,
    gain: Float32Array,
    bend: Float32Array,
    full: float,
    offset: Float32Array,
    read_noise: float,
) -> None:
    """Replace expected photons by detector counts, in place.

    Parameters
    ----------
    photons
        Expected photons per pixel, shape (row, column); on return counts, not yet rounded.
    key
        The frame's key.
    noisy
        True: draw photons from a Poisson distribution.
    gain
        Counts per photon, shape (column,).
    bend, full
        The answer to n photons is ``gain * n * (1 + bend * (1 - n / full))``; shape (column,).
    offset
        Counts without light, shape (row, column).
    read_noise
        Standard deviation of the normal read noise, in counts.
    """
    rows, columns = photons.shape
    for row in range(rows):
        for column in range(columns):
            mean = float(photons[row, column])
            value, reading = mean, 0.0
            if noisy or read_noise > 0.0:
                place = 2 * (row * columns + column)
                bits = _hash(key, place)
                # Two normals at once (Box and Muller): one for photons, one for reading.
                length = math.sqrt(-2.0 * math.log((float(bits >> _S32) + 0.5) * _UNIT32))
                turn = 2.0 * math.pi * (float(bits & _LOW) + 0.5) * _UNIT32
                reading = read_noise * length * math.sin(turn)
                if noisy and mean < POISSON_EXACT_BELOW:
                    uniform = (float(_hash(key, place + 1) >> _S32) + 0.5) * _UNIT32
                    value = _poisson_small(mean, uniform)
                elif noisy:
                    normal = length * math.cos(turn)
                    drawn = mean + math.sqrt(mean) * normal + (normal * normal - 1.0) / 6.0
                    value = max(0.0, math.floor(drawn + 0.5))
            answer = gain[column] * value * (1.0 + bend[column] * (1.0 - value / full))
            photons[row, column] = answer + reading + offset[row, column]


@njit(cache=True, nogil=True, error_model="numpy")
def digitise(counts: Float32Array, ceiling: float, out: NDArray[np.uint16]) -> None:
    """Round counts to whole numbers between 0 and ``ceiling``."""
    rows, columns = counts.shape
    for row in range(rows):
        for column in range(columns):
            value = math.floor(counts[row, column] + 0.5)
            out[row, column] = min(max(value, 0.0), ceiling)
