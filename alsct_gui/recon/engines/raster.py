"""Last stage of the Fourier engine: the transform along x, and the slices.

Eight lines at a time, one in each SIMD lane: the same line of eight slices, or eight
successive lines of one slice; the two differ in strides alone.
"""

from __future__ import annotations

from numba import njit

from alsct_gui.recon.engines.lanes_fft import ELEMENT, transform
from alsct_gui.recon.engines.simd import LANES, load, store, transpose


def scratch_size(size: int) -> int:
    """float32 numbers of work space for a grid of `size`."""
    return size * ELEMENT + size * LANES


@njit(nogil=True, cache=True)
def draw(  # type: ignore[no-untyped-def]
    start, stop, scratch, halfway, places, width, size, radices, twiddles, split, first_column,
    column_gains, block_stride, lane_stride, lane_counts, slices,
):  # fmt: skip
    """Make blocks `start` to `stop` of eight lines of the slices.

    Parameters
    ----------
    scratch
        `scratch_size` numbers.
    halfway, places, width
        From `gridding`: block b's column k is the element ``places[k] + b * width``.
    size, radices, twiddles, split
        Edge of the grid, the plan of a transform of half of it, exp(2 pi i k / size).
    first_column, column_gains
        Place of the slice's first column in the transform's output (counted on cyclically),
        and a factor for each column.
    block_stride, lane_stride, lane_counts, slices
        Output, flat: line `lane` of block b starts at ``b * block_stride + lane *
        lane_stride``, and block b has so many lines.
    """
    half = size // 2
    lines = size * ELEMENT
    for block in range(start, stop):
        source = block * width
        for k in range(half // 2 + 1):
            # A real backward transform by a complex one of half the length.
            a, b = (source + places[k]) * ELEMENT, (source + places[half - k]) * ELEMENT
            ar, ai = load(halfway, a), load(halfway, a + LANES)
            br, bi = load(halfway, b), load(halfway, b + LANES)
            sum_re, sum_im = ar + br, ai - bi
            dif_re, dif_im = ar - br, ai + bi
            wr, wi = split[2 * k], split[2 * k + 1]
            odd_re, odd_im = dif_re * wr - dif_im * wi, dif_re * wi + dif_im * wr
            a = k * ELEMENT
            store(scratch, a, sum_re - odd_im)
            store(scratch, a + LANES, sum_im + odd_re)
            if k > 0:
                b = (half - k) * ELEMENT
                store(scratch, b, sum_re + odd_im)
                store(scratch, b + LANES, odd_re - sum_im)
        z = transform(
            scratch, 0, ELEMENT, LANES, 0, half * ELEMENT, 0, half, radices, twiddles, LANES, 0
        )
        for column in range(0, size, LANES):
            transpose(scratch, z + column * LANES, LANES, scratch, lines + column, size)
        for lane in range(lane_counts[block]):
            target = block * block_stride + lane * lane_stride
            line = lines + lane * size + first_column
            until = min(column_gains.size, size - first_column)
            for i in range(until):
                slices[target + i] = scratch[line + i] * column_gains[i]
            line -= size
            for i in range(until, column_gains.size):
                slices[target + i] = scratch[line + i] * column_gains[i]
