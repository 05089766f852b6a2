"""First stage of the Fourier engine: from projections to filtered, phased, weighted spectra.

Eight projections at a time, one in each SIMD lane: the same projection of eight slices, or
eight successive projections of one slice; the two differ in strides alone.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from alsct_gui.recon.engines.lanes_fft import ELEMENT, transform
from alsct_gui.recon.engines.simd import LANES, load, store, transpose

PHASE_BLOCK = 64
"""The phase ramp is a product of a table of so many steps and a table of strides of it."""


def scratch_size(length: int) -> int:
    """float32 numbers of work space for projections padded to `length`."""
    return length * ELEMENT + (PHASE_BLOCK + length // 2 // PHASE_BLOCK + 1) * ELEMENT


@njit(nogil=True)
def _phase_tables(scratch, fine, coarse, n_coarse, lane, radians, factor):  # type: ignore[no-untyped-def]
    """Fill one lane of both tables of ``factor * exp(i k radians)``; recurrences in float64."""
    step_re, step_im = math.cos(radians), math.sin(radians)
    re, im = factor, 0.0
    for k in range(PHASE_BLOCK):
        scratch[fine + k * ELEMENT + lane] = re
        scratch[fine + k * ELEMENT + LANES + lane] = im
        re, im = re * step_re - im * step_im, re * step_im + im * step_re
    stride = PHASE_BLOCK * radians
    step_re, step_im = math.cos(stride), math.sin(stride)
    re, im = 1.0, 0.0
    for k in range(n_coarse):
        scratch[coarse + k * ELEMENT + lane] = re
        scratch[coarse + k * ELEMENT + LANES + lane] = im
        re, im = re * step_re - im * step_im, re * step_im + im * step_re


@njit(nogil=True)
def _load_rows(sinograms, first, lane_stride, n_lanes, n_columns, scratch):  # type: ignore[no-untyped-def]
    """Put rows side by side as (column, lane) at the start of `scratch`; absent lanes are 0."""
    whole = n_columns - n_columns % LANES if n_lanes == LANES else 0
    for column in range(0, whole, LANES):
        transpose(sinograms, first + column, lane_stride, scratch, column * LANES, LANES)
    for column in range(whole, n_columns):
        for lane in range(LANES):
            value = np.float32(0.0)
            if lane < n_lanes:
                value = sinograms[first + lane * lane_stride + column]
            scratch[column * LANES + lane] = value


@njit(nogil=True, cache=True)
def project(  # type: ignore[no-untyped-def]
    start, stop, scratch, sinograms, n_columns, block_stride, lane_stride, lane_counts,
    shifts_px, weights, signs, length, radices, twiddles, split, response, edges, use_edges,
    spectra,
):  # fmt: skip
    """Make the spectra of blocks `start` to `stop` of eight projections.

    Parameters
    ----------
    scratch
        `scratch_size` numbers.
    sinograms
        Flat float32. Row `lane` of block b starts at ``b * block_stride + lane *
        lane_stride``; `lane_counts` says how many rows block b has.
    shifts_px, weights, signs
        Shape (block, lane): column that the slice's middle projects to; weight; -1 where
        the spectrum is to be conjugated.
    length, radices, twiddles
        Padded length, and the plan of a transform of half of it.
    split, response, edges
        Tables by frequency: exp(-2 pi i k / length) as (re, im); the filter; and for edge
        padding (left re, left im, right re, right im).
    spectra
        Output, flat: (block, frequency, plane, lane), ``length // 2 + 1`` frequencies. The
        first and last one are halved: they have no mirror image.
    """
    half = length // 2
    n_coarse = half // PHASE_BLOCK + 1
    fine = length * ELEMENT
    coarse = fine + PHASE_BLOCK * ELEMENT
    point5 = np.float32(0.5)
    sign = np.empty(LANES, np.float32)
    for block in range(start, stop):
        _load_rows(sinograms, block * block_stride, lane_stride, lane_counts[block], n_columns,
                   scratch)  # fmt: skip
        left = load(scratch, 0)
        right = load(scratch, (n_columns - 1) * LANES)
        scratch[n_columns * LANES : length * LANES] = 0.0
        for lane in range(LANES):
            radians = 2.0 * math.pi * shifts_px[block, lane] / length
            _phase_tables(scratch, fine, coarse, n_coarse, lane, radians, weights[block, lane])
            sign[lane] = signs[block, lane]
        signs_now = load(sign, 0)
        # Columns 2j and 2j + 1 are the two planes of element j: a real transform by a complex
        # one of half the length.
        z = transform(
            scratch, 0, ELEMENT, 0, LANES, half * ELEMENT, 0, half, radices, twiddles, 0, LANES
        )
        target = block * (half + 1) * ELEMENT
        for k in range(half + 1):
            a = z + (k if k < half else 0) * ELEMENT
            b = z + (half - k if k > 0 else 0) * ELEMENT
            ar, ai = load(scratch, a), load(scratch, a + LANES)
            br, bi = load(scratch, b), load(scratch, b + LANES)
            sum_re, sum_im = ar + br, ai - bi
            odd_re, odd_im = ai + bi, br - ar
            wr, wi = split[2 * k], split[2 * k + 1]
            gain = response[k] * point5
            re = (sum_re + (odd_re * wr - odd_im * wi)) * gain
            im = (sum_im + (odd_re * wi + odd_im * wr)) * gain
            if use_edges:
                re = re + left * edges[4 * k] + right * edges[4 * k + 2]
                im = im + left * edges[4 * k + 1] + right * edges[4 * k + 3]
            if k == 0 or k == half:
                re, im = re * point5, im * point5
            f = fine + (k % PHASE_BLOCK) * ELEMENT
            c = coarse + (k // PHASE_BLOCK) * ELEMENT
            fr, fi = load(scratch, f), load(scratch, f + LANES)
            cr, ci = load(scratch, c), load(scratch, c + LANES)
            pr, pi = fr * cr - fi * ci, fr * ci + fi * cr
            store(spectra, target + k * ELEMENT, re * pr - im * pi)
            store(spectra, target + k * ELEMENT + LANES, (re * pi + im * pr) * signs_now)
