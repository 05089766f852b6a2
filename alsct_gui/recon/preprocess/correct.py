"""From counts to line integrals, in one pass over the memory.

One kernel subtracts the dark, divides by the flat interpolated to the projection, clamps,
takes the logarithm and transposes to sinogram order, so that each value is read once and
written once. The logarithm is a polynomial that the compiler can vectorise, without a division:
with x = 2^e m, sqrt(1/2) <= m < sqrt(2) and f = m - 1, ln x = e ln 2 + f - f^2/2 + f^3 p(f).
The p of degree 6 with the least largest relative error (3e-8, half a unit in the last place of
float32) was found by iteratively reweighted least squares; it is close to 1/3 - f/4 + f^2/5 - ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.recipe import Correction
from alsct_gui.recon.parallel import run_split
from alsct_gui.recon.preprocess.flatfield import FlatField

Float32Array = NDArray[np.float32]

_LN2 = np.float32(np.log(2.0))
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_INFINITE = np.float32(np.inf)
# Of f^3 to f^9 in ln(1 + f); the module's docstring says where they come from.
_L3 = np.float32(0.33333910737174405)
_L4 = np.float32(-0.2500133703770529)
_L5 = np.float32(0.19963063803993164)
_L6 = np.float32(-0.16577584673125073)
_L7 = np.float32(0.14914767876964605)
_L8 = np.float32(-0.14267486970730844)
_L9 = np.float32(0.08700435915656035)
_FAST = {"contract", "reassoc", "nsz", "arcp"}
"""What the compiler may assume; not that values are finite, because files may hold any."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many values were out of the ordinary."""

    values: int = 0
    """Values corrected."""
    saturated: int = 0
    """Raw values at the detector's maximum."""
    clipped: int = 0
    """Transmissions that the lower clamp changed: too low, or not finite."""
    dead: int = 0
    """Values of pixels whose flat is not above the dark; taken as fully transmitted."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.values + other.values,
            self.saturated + other.saturated,
            self.clipped + other.clipped,
            self.dead + other.dead,
        )

    def __sub__(self, other: Counts) -> Counts:
        return Counts(
            self.values - other.values,
            self.saturated - other.saturated,
            self.clipped - other.clipped,
            self.dead - other.dead,
        )

    @property
    def saturated_share(self) -> float:
        """Share of saturated values."""
        return self.saturated / self.values if self.values else 0.0

    @property
    def clipped_share(self) -> float:
        """Share of clamped values."""
        return self.clipped / self.values if self.values else 0.0


@dataclass(frozen=True, eq=False)
class Blend:
    """Per projection: which flats, and how bright the beam was."""

    group: NDArray[np.intp]
    """Flat group before the projection, shape (angle,)."""
    weight: Float32Array
    """Share of the next group, shape (angle,)."""
    scale: Float32Array
    """What the counts are multiplied by (ring current), shape (angle,)."""

    def part(self, use: slice) -> Blend:
        """Return the same of some of the projections."""
        return Blend(self.group[use], self.weight[use], self.scale[use])


def make_blend(
    field: FlatField,
    projections: NDArray[np.intp],
    correction: Correction,
    beam_current_ma: NDArray[np.float64] | None = None,
) -> Blend:
    """Work out flats and beam for the projections in use.

    Parameters
    ----------
    field
        Flats and where they were taken.
    projections
        Projection indices, ascending, shape (angle,).
    correction
        Settings.
    beam_current_ma
        Ring current of every projection of the scan; needed with ``correction.beam_current``.
    """
    group, weight = field.blend(projections, correction.flat_interpolation)
    scale = np.ones(len(projections))
    if correction.beam_current and beam_current_ma is not None and len(beam_current_ma):
        current = np.asarray(beam_current_ma, dtype=np.float64)
        places = np.arange(len(current))
        at_flats = np.interp(field.at_projection, places, current)
        following = np.minimum(group + 1, len(at_flats) - 1)
        flat_current = (1 - weight) * at_flats[group] + weight * at_flats[following]
        now = current[np.minimum(projections, len(current) - 1)]
        usable = (now > 0) & (flat_current > 0)
        scale = np.where(usable, flat_current / np.where(usable, now, 1.0), 1.0)
    return Blend(group, weight, scale.astype(np.float32))


def correct_to_sinograms(
    frames: NDArray[Any],
    field: FlatField,
    blend: Blend,
    *,
    frame_row: int,
    field_row: int,
    n_rows: int,
    correction: Correction,
    saturation: float = np.inf,
    threads: int = 1,
    out: Float32Array | None = None,
) -> tuple[Float32Array, Counts]:
    """Correct raw frames to line integrals in sinogram order.

    Parameters
    ----------
    frames
        Raw counts, shape (angle, row, column), contiguous; any real type.
    field, blend
        Flats, darks and beam of these projections.
    frame_row, field_row, n_rows
        First row in ``frames`` and in ``field``, and how many are corrected.
    correction
        Settings.
    saturation
        Count that means saturated.
    threads
        Threads to use.
    out
        Where to put the sinograms; made when None. Memory that was used before saves a
        third of the time: fresh memory must first be mapped page by page.

    Returns
    -------
    sinograms
        -ln of transmission, shape (row, angle, column).
    counts
        Values out of the ordinary.
    """
    n_angles, _, n_columns = frames.shape
    shape = (n_rows, n_angles, n_columns)
    sinograms = np.empty(shape, np.float32) if out is None else out
    counts = np.zeros((n_rows, 3), np.int64)
    frames = np.ascontiguousarray(frames)

    def work(start: int, stop: int) -> None:
        for row in range(start, stop):
            _sinogram(
                frames, frame_row + row, field.dark, field.flats, field_row + row,
                blend.group, blend.weight, blend.scale,
                np.float32(correction.transmission_min), np.float32(saturation),
                correction.background_columns, sinograms[row], counts[row],
            )  # fmt: skip

    run_split(n_rows, threads, work)
    saturated, clipped, dead = (int(value) for value in counts.sum(axis=0))
    return sinograms, Counts(sinograms.size, saturated, clipped, dead)


def correct_to_transmission(
    frames: NDArray[Any],
    field: FlatField,
    blend: Blend,
    *,
    field_row: int,
    correction: Correction,
    saturation: float = np.inf,
    threads: int = 1,
) -> tuple[Float32Array, Counts]:
    """Correct raw frames to clamped transmission in frame order, shape (angle, row, column).

    ``blend`` holds these projections alone; rows of ``frames`` begin at ``field_row`` of the
    field. The rest is as for `correct_to_sinograms`.
    """
    n_angles, n_rows, n_columns = frames.shape
    out = np.empty((n_angles, n_rows, n_columns), np.float32)
    counts = np.zeros((n_angles, 3), np.int64)
    frames = np.ascontiguousarray(frames)

    def work(start: int, stop: int) -> None:
        for angle in range(start, stop):
            _frame(
                frames[angle], field.dark, field.flats, field_row, blend.group[angle],
                blend.weight[angle], blend.scale[angle], np.float32(correction.transmission_min),
                np.float32(saturation), correction.background_columns, out[angle], counts[angle],
            )  # fmt: skip

    run_split(n_angles, threads, work)
    saturated, clipped, dead = (int(value) for value in counts.sum(axis=0))
    return out, Counts(out.size, saturated, clipped, dead)


def negative_log(values: Float32Array, threads: int = 1) -> Float32Array:
    """Return -ln(values) by the vectorised polynomial, in place; any shape, values > 0."""
    flat = values.reshape(-1)

    def work(start: int, stop: int) -> None:
        _negative_log(flat[start:stop])

    run_split(flat.size, threads, work)
    return values


@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def _ln(x: np.float32) -> np.float32:
    bits = np.float32(x).view(np.int32)
    shifted = np.int32(bits - _SQRT_HALF_BITS)
    exponent = np.int32(shifted >> np.int32(23))
    m = np.int32(bits - np.int32(exponent << np.int32(23))).view(np.float32)
    f = m - np.float32(1)
    square = f * f
    series = _L9
    series = series * f + _L8
    series = series * f + _L7
    series = series * f + _L6
    series = series * f + _L5
    series = series * f + _L4
    series = series * f + _L3
    return np.float32(exponent) * _LN2 + (f + square * (f * series - np.float32(0.5)))


@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _negative_log(values: Float32Array) -> None:
    for i in range(values.size):
        values[i] = -_ln(values[i])


def _line_kernel(logarithm: bool) -> Callable[..., None]:
    """Compile the correction of one line: to clamped transmission, or on to line integrals.

    Either is a function of its own, called line by line: inside the loop over lines the compiler
    made it slower (2.7 against 2.4 ms a sinogram of 2560 x 1313).
    """

    @numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
    def correct_line(
        counts_line: NDArray[Any],
        dark: Float32Array,
        flat: Float32Array,
        following: Float32Array,
        weight: np.float32,
        scale: np.float32,
        least: np.float32,
        saturation: np.float32,
        out: Float32Array,
        tally: NDArray[np.int64],
    ) -> None:
        zero = np.float32(0)
        one = np.float32(1)
        # Counted in float32, exact for any line: numba widens integer sums to 64 bits, which
        # made the whole loop half as fast again.
        saturated = zero
        clipped = zero
        dead = zero
        for column in range(out.size):
            count = np.float32(counts_line[column])
            beam = flat[column] + weight * (following[column] - flat[column])
            alive = beam > np.float32(0)
            value = scale * (count - dark[column]) / beam
            value = value if alive else one
            # So worded that what is not a number fails it too.
            usable = least <= value < _INFINITE
            saturated += one if count >= saturation else zero
            clipped += zero if usable else one
            dead += zero if alive else one
            # Last, and chosen in place: written otherwise, the loop is compiled to slower code.
            if logarithm:
                out[column] = -_ln(value if usable else least)
            else:
                out[column] = value if usable else least
        tally[0] += np.int64(saturated)
        tally[1] += np.int64(clipped)
        tally[2] += np.int64(dead)

    kernel: Callable[..., None] = correct_line
    return kernel


_transmission_line = _line_kernel(logarithm=False)
_integral_line = _line_kernel(logarithm=True)


@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def _flatten_background(line: Float32Array, columns: int) -> None:
    """Divide a line of transmissions by the mean of its outer columns."""
    width = min(columns, line.size // 2)
    if width == 0:
        return
    total = np.float32(0)
    for column in range(width):
        total += line[column] + line[line.size - 1 - column]
    mean = total / np.float32(2 * width)
    if mean > 0:
        for column in range(line.size):
            line[column] /= mean


@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _sinogram(
    frames: NDArray[Any],
    row: int,
    dark: Float32Array,
    flats: Float32Array,
    field_row: int,
    group: NDArray[np.intp],
    weight: Float32Array,
    scale: Float32Array,
    least: np.float32,
    saturation: np.float32,
    background_columns: int,
    out: Float32Array,
    tally: NDArray[np.int64],
) -> None:
    for angle in range(out.shape[0]):
        before = group[angle]
        after = min(before + 1, flats.shape[0] - 1)
        line = out[angle]
        counts_line = frames[angle, row]
        flat, following = flats[before, field_row], flats[after, field_row]
        if background_columns == 0:
            _integral_line(
                counts_line, dark[field_row], flat, following, weight[angle], scale[angle],
                least, saturation, line, tally,
            )  # fmt: skip
        else:
            _transmission_line(
                counts_line, dark[field_row], flat, following, weight[angle], scale[angle],
                least, saturation, line, tally,
            )  # fmt: skip
            _flatten_background(line, background_columns)
            _negative_log(line)


@numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")
def _frame(
    frame: NDArray[Any],
    dark: Float32Array,
    flats: Float32Array,
    field_row: int,
    before: int,
    weight: np.float32,
    scale: np.float32,
    least: np.float32,
    saturation: np.float32,
    background_columns: int,
    out: Float32Array,
    tally: NDArray[np.int64],
) -> None:
    after = min(before + 1, flats.shape[0] - 1)
    for row in range(out.shape[0]):
        _transmission_line(
            frame[row], dark[field_row + row], flats[before, field_row + row],
            flats[after, field_row + row], weight, scale, least, saturation, out[row], tally,
        )  # fmt: skip
        _flatten_background(out[row], background_columns)
