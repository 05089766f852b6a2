"""Second stage of the Fourier engine: spectra onto the grid, and the transform along y.

The slices are real, so only half of the frequency plane is kept: columns kx = 0 ... size/2,
rows ky = -size/2 ... size/2 - 1. The half is cut into strips of columns. A strip is
accumulated in cache from the samples that touch it (on each ray they are a run), transformed
along ky at once, and only the rows of the slice are kept; the whole grid never exists. Strips
share nothing, so threads need no locks, and a grid point gets its samples in the order of
projection and frequency, whatever the thread, the batch or the kernel: same input, same bits.

Two kernels do this: `grid_slices` runs across eight slices (the lanes are slices), and
`grid_one` across eight columns of one slice.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.engines.kernel import BINS, TABLE_ROW, WIDTH
from alsct_gui.recon.engines.lanes_fft import ELEMENT, transform
from alsct_gui.recon.engines.simd import LANES, load, store, transpose

STRIP_SLICES = 16
"""Columns of a strip for eight slices."""
STRIP_ONE = 32
"""Columns of a strip for one slice."""
GUARD = WIDTH
"""Columns on both sides of a strip that samples may touch without a check."""
MARGIN = WIDTH // 2 + 1
"""Rows above and below the grid that samples may touch without a check."""
_ONE_COLUMNS = -(-(STRIP_ONE + 2 * GUARD + TABLE_ROW - WIDTH) // LANES) * LANES


def strip_width(n_lanes: int) -> int:
    """Columns of a strip, by the number of slices in the lanes."""
    return STRIP_SLICES if n_lanes > 1 else STRIP_ONE


def count_strips(size: int, n_lanes: int) -> int:
    """Strips of the half grid."""
    return -(-(size // 2 + 1) // strip_width(n_lanes))


def halfway_size(size: int, n_blocks: int, n_lanes: int) -> int:
    """float32 numbers of the kernels' output, for so many blocks of lines."""
    return count_strips(size, n_lanes) * n_blocks * strip_width(n_lanes) * ELEMENT


def column_places(size: int, n_blocks: int, n_lanes: int) -> NDArray[np.int64]:
    """Where each column of the half grid lies in the first block of lines, in elements."""
    width = strip_width(n_lanes)
    strip, column = np.divmod(np.arange(size // 2 + 1), width)
    return np.asarray(strip * n_blocks * width + column)


def scratch_size(size: int, n_lanes: int) -> int:
    """float32 numbers of work space of a kernel for a grid of `size`."""
    columns = (STRIP_SLICES + 2 * GUARD) * ELEMENT if n_lanes > 1 else 2 * _ONE_COLUMNS
    return (size + 2 * MARGIN) * columns + 2 * size * ELEMENT + LANES * ELEMENT


@njit(nogil=True)
def _run(step, first_column, width, n_frequencies):  # type: ignore[no-untyped-def]
    """Frequencies of a ray (`step` columns apart) that can touch a strip: [start, stop)."""
    low = first_column - WIDTH / 2
    high = first_column + width - 1 + WIDTH / 2
    if step * n_frequencies <= high and low <= 0:
        return 0, n_frequencies
    if step * n_frequencies < low:
        return 0, 0
    start = max(0, math.floor(low / step) + 1)
    stop = min(n_frequencies, math.floor(high / step) + 1)
    return start, stop


@njit(nogil=True)
def _fold(w, size, row, first, width, column_step, im, count):  # type: ignore[no-untyped-def]
    """Bring what lies outside the half grid back into it.

    Rows beyond the edges are their neighbours from the other side; columns left of 0 and
    right of size/2 are the complex conjugates of those inside, mirrored through the origin.
    `row` and `column_step` are strides in `w`, `im` the offset of the imaginary plane, and
    `count` the numbers of a grid point in one plane.
    """
    n_columns = width + 2 * GUARD
    for r in range(2 * MARGIN):
        outside = r if r < MARGIN else size + r
        inside = outside + size if r < MARGIN else outside - size
        for c in range(n_columns):
            for i in range(count):
                a = inside * row + c * column_step + i
                b = outside * row + c * column_step + i
                w[a] += w[b]
                w[a + im] += w[b + im]
    half = size // 2
    for c in range(width):
        kx = first + c
        mirror = -kx if kx <= MARGIN else size - kx
        if mirror < first - GUARD or mirror >= first + width + GUARD or kx > half:
            continue
        for ky in range(-half, half):
            opposite = -ky if ky > -half else ky
            if mirror == kx and ky > opposite:
                continue
            a = (ky + half + MARGIN) * row + (c + GUARD) * column_step
            b = (opposite + half + MARGIN) * row + (mirror - first + GUARD) * column_step
            for i in range(count):
                re, im_ = w[a + i] + w[b + i], w[a + im + i] - w[b + im + i]
                w[a + i], w[a + im + i] = re, im_
                if mirror == kx:
                    w[b + i], w[b + im + i] = re, -im_


@njit(nogil=True, cache=True)
def grid_slices(  # type: ignore[no-untyped-def]
    start, stop, scratch, spectra, directions, cells, n_frequencies, taps, size, radices,
    twiddles, rows, row_gains, halfway,
):  # fmt: skip
    """Grid eight slices and transform along y: strips `start` to `stop`.

    Parameters
    ----------
    scratch
        `scratch_size` numbers.
    spectra
        From `spectra.project`: (angle, frequency, plane, slice).
    directions, cells
        Shape (angle, 2): direction of each ray, x not negative; grid cells per frequency.
    taps
        `kernel.tap_table`.
    size, radices, twiddles
        Edge of the grid and the plan of its transform.
    rows, row_gains
        For each row of the slice its place in the transform's output, and its factor.
    halfway
        Output, flat: (strip, row of the slice, column of the strip, plane, slice). A strip's
        stretch is written while it is in cache; whole rows would scatter it over all memory.
    """
    # A column is one stretch, so that its transform reads it in order.
    column_step = (size + 2 * MARGIN) * ELEMENT
    y = (STRIP_SLICES + 2 * GUARD) * column_step
    spare = y + size * ELEMENT
    wx = np.empty(TABLE_ROW, np.float32)
    wy = np.empty(TABLE_ROW, np.float32)
    for strip in range(start, stop):
        first = strip * STRIP_SLICES
        scratch[:y] = 0.0
        for angle in range(directions.shape[0]):
            step_x, step_y = directions[angle, 0] * cells, directions[angle, 1] * cells
            k0, k1 = _run(step_x, first, STRIP_SLICES, n_frequencies)
            for k in range(k0, k1):
                ux = k * step_x - first + (GUARD - WIDTH / 2)
                uy = k * step_y + (size // 2 + MARGIN - WIDTH / 2)
                ix, iy = math.ceil(ux), math.ceil(uy)
                _taps(taps, ix - ux, wx)
                _taps(taps, iy - uy, wy)
                sample = (angle * n_frequencies + k) * ELEMENT
                re, im = load(spectra, sample), load(spectra, sample + LANES)
                for j in range(WIDTH):
                    a = ix * column_step + (iy + j) * ELEMENT
                    tr, ti = re * wy[j], im * wy[j]
                    for i in range(WIDTH):
                        b = a + i * column_step
                        store(scratch, b, load(scratch, b) + tr * wx[i])
                        store(scratch, b + LANES, load(scratch, b + LANES) + ti * wx[i])
        _fold(scratch, size, ELEMENT, first, STRIP_SLICES, column_step, LANES, LANES)
        for column in range(min(STRIP_SLICES, size // 2 + 1 - first)):
            x = (column + GUARD) * column_step + MARGIN * ELEMENT
            z = transform(
                scratch, x, ELEMENT, LANES, 0, y, spare, size, radices, twiddles, LANES, 0
            )
            for i in range(rows.size):
                a = z + rows[i] * ELEMENT
                b = ((strip * rows.size + i) * STRIP_SLICES + column) * ELEMENT
                store(halfway, b, load(scratch, a) * row_gains[i])
                store(halfway, b + LANES, load(scratch, a + LANES) * row_gains[i])


@njit(nogil=True)
def _taps(table, shift, out):  # type: ignore[no-untyped-def]
    """Weights of the grid points of a sample, from its place in [0, 1) within a cell."""
    place = shift * BINS
    row = int(place)
    part = np.float32(place - row)
    low, high = load(table, row * TABLE_ROW), load(table, (row + 1) * TABLE_ROW)
    store(out, 0, low + (high - low) * part)


@njit(nogil=True, cache=True)
def grid_one(  # type: ignore[no-untyped-def]
    start, stop, scratch, spectra, directions, cells, n_frequencies, taps, size, radices,
    twiddles, rows, row_gains, halfway,
):  # fmt: skip
    """Grid one slice and transform along y: strips `start` to `stop`.

    As `grid_slices`, but `spectra` is (block of eight angles, frequency, plane, angle in
    block) and `halfway` (strip, block of eight rows, column of the strip, plane, row in block).
    """
    im = _ONE_COLUMNS
    row = 2 * im
    y = (size + 2 * MARGIN) * row
    spare = y + size * ELEMENT
    block = spare + size * ELEMENT
    n_blocks = (rows.size + LANES - 1) // LANES
    wy = np.empty(TABLE_ROW, np.float32)
    wx = np.empty(TABLE_ROW, np.float32)
    for strip in range(start, stop):
        first = strip * STRIP_ONE
        scratch[:y] = 0.0
        for angle in range(directions.shape[0]):
            step_x, step_y = directions[angle, 0] * cells, directions[angle, 1] * cells
            k0, k1 = _run(step_x, first, STRIP_ONE, n_frequencies)
            sample = (angle // LANES) * n_frequencies * ELEMENT + angle % LANES
            for k in range(k0, k1):
                ux = k * step_x - first + (GUARD - WIDTH / 2)
                uy = k * step_y + (size // 2 + MARGIN - WIDTH / 2)
                ix, iy = math.ceil(ux), math.ceil(uy)
                _taps(taps, ix - ux, wx)
                _taps(taps, iy - uy, wy)
                across = load(wx, 0)
                re, im_ = spectra[sample + k * ELEMENT], spectra[sample + k * ELEMENT + LANES]
                for j in range(WIDTH):
                    a = (iy + j) * row + ix
                    store(scratch, a, load(scratch, a) + across * (re * wy[j]))
                    a += im
                    store(scratch, a, load(scratch, a) + across * (im_ * wy[j]))
        _fold(scratch, size, row, first, STRIP_ONE, 1, im, 1)
        for column in range(0, STRIP_ONE, LANES):
            if first + column > size // 2:
                break
            x = MARGIN * row + column + GUARD
            z = transform(scratch, x, row, im, 0, y, spare, size, radices, twiddles, LANES, 0)
            for i in range(0, rows.size, LANES):
                for j in range(LANES):
                    a, b = z + rows[min(i + j, rows.size - 1)] * ELEMENT, block + j * ELEMENT
                    gain = row_gains[min(i + j, rows.size - 1)]
                    store(scratch, b, load(scratch, a) * gain)
                    store(scratch, b + LANES, load(scratch, a + LANES) * gain)
                a = ((strip * n_blocks + i // LANES) * STRIP_ONE + column) * ELEMENT
                transpose(scratch, block, ELEMENT, halfway, a, ELEMENT)
                transpose(scratch, block + LANES, ELEMENT, halfway, a + LANES, ELEMENT)
