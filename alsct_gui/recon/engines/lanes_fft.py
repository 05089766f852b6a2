"""Fast Fourier transforms of eight signals at a time, one in each SIMD lane.

Stockham's self-sorting mixed-radix algorithm (decimation in frequency; C. Van Loan,
Computational Frameworks for the Fast Fourier Transform, SIAM 1992, section 1.7) for lengths
2^a 3^b 5^c. Signals lie in a flat float32 work array as (element, plane, lane): element k of
all lanes takes 16 numbers, eight in the one plane and eight in the other. With
``re, im = 0, 8`` the transform is forward (exp(-2 pi i ...)); naming the planes the other
way, ``re, im = 8, 0``, gives the backward one; neither is scaled. The first pass may read
from elsewhere in the work array, with a stride of its own, so that a column of a grid is
transformed without a copy.

Each radix is written out: that is what makes it fast, and why the module is long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.recon.engines.simd import load, store

ELEMENT = 16
"""float32 numbers of one complex element across the lanes."""

_HALF = np.float32(0.5)
_SIN3 = np.float32(math.sin(math.pi / 3))
_SQRT_HALF = np.float32(math.sqrt(0.5))
_COS5A, _COS5B = np.float32(math.cos(0.4 * math.pi)), np.float32(math.cos(0.8 * math.pi))
_SIN5A, _SIN5B = np.float32(math.sin(0.4 * math.pi)), np.float32(math.sin(0.8 * math.pi))


@dataclass(frozen=True, eq=False)
class Plan:
    """What a transform of one length needs."""

    length: int
    """Elements."""
    radices: NDArray[np.int64]
    """Radix of each pass."""
    twiddles: NDArray[np.float32]
    """Factors of all passes in the order of use, real and imaginary part in turn."""


@lru_cache(maxsize=32)
def make_plan(length: int) -> Plan:
    """Plan a transform of `length` = 2^a 3^b 5^c elements, at least 2."""
    if length < 2:
        raise ValueError(f"{length} is not a product of 2, 3 and 5")
    radices: list[int] = []
    rest = length
    for radix in (5, 3):
        while rest % radix == 0:
            radices.append(radix)
            rest //= radix
    twos = rest.bit_length() - 1
    if rest != 1 << twos:
        raise ValueError(f"{length} is not a product of 2, 3 and 5")
    powers = []
    while twos:
        take = 2 if twos in (2, 4) else min(twos, 3)
        powers.append(1 << take)
        twos -= take
    radices = powers + radices
    twiddles, rest = [], length
    for radix in radices:
        block, output = np.arange(rest // radix)[:, None], np.arange(1, radix)[None, :]
        factor = np.exp(-2j * np.pi * block * output / rest)
        twiddles.append(np.stack([factor.real, factor.imag], axis=-1).ravel())
        rest //= radix
    return Plan(length, np.array(radices, np.int64), np.concatenate(twiddles).astype(np.float32))


def good_length(minimum: int) -> int:
    """Smallest length >= `minimum` (and >= 32) of the form 16 * 2^a 3^b 5^c."""
    sixteenths = max(2, -(-minimum // 16))
    while True:
        rest = sixteenths
        for radix in (2, 3, 5):
            while rest % radix == 0:
                rest //= radix
        if rest == 1:
            return 16 * sixteenths
        sixteenths += 1


# In every pass: x, stride, xre, xim say where input element j lies: its planes start at
# x + stride * j + xre (or + xim). Output starts at y. There are m blocks of s neighbours.


@njit(nogil=True)
def _radix2(w, x, stride, xre, xim, y, tw, t, m, s, re, im):  # type: ignore[no-untyped-def]
    step = stride * s * m
    for p in range(m):
        wr = tw[t]
        wi = tw[t + 1]
        t += 2
        for q in range(s):
            a = x + stride * (q + s * p)
            b = y + 16 * (q + 2 * s * p)
            ar = load(w, a + xre)
            ai = load(w, a + xim)
            br = load(w, a + step + xre)
            bi = load(w, a + step + xim)
            store(w, b + re, ar + br)
            store(w, b + im, ai + bi)
            dr = ar - br
            di = ai - bi
            store(w, b + 16 * s + re, dr * wr - di * wi)
            store(w, b + 16 * s + im, dr * wi + di * wr)


@njit(nogil=True)
def _radix3(w, x, stride, xre, xim, y, tw, t, m, s, re, im):  # type: ignore[no-untyped-def]
    step = stride * s * m
    for p in range(m):
        w1r = tw[t]
        w1i = tw[t + 1]
        w2r = tw[t + 2]
        w2i = tw[t + 3]
        t += 4
        for q in range(s):
            a = x + stride * (q + s * p)
            b = y + 16 * (q + 3 * s * p)
            ar = load(w, a + xre)
            ai = load(w, a + xim)
            br = load(w, a + step + xre)
            bi = load(w, a + step + xim)
            cr = load(w, a + 2 * step + xre)
            ci = load(w, a + 2 * step + xim)
            tr = br + cr
            ti = bi + ci
            ur = ar - tr * _HALF
            ui = ai - ti * _HALF
            vr = (bi - ci) * _SIN3
            vi = (cr - br) * _SIN3
            store(w, b + re, ar + tr)
            store(w, b + im, ai + ti)
            dr = ur + vr
            di = ui + vi
            er = ur - vr
            ei = ui - vi
            store(w, b + 16 * s + re, dr * w1r - di * w1i)
            store(w, b + 16 * s + im, dr * w1i + di * w1r)
            store(w, b + 32 * s + re, er * w2r - ei * w2i)
            store(w, b + 32 * s + im, er * w2i + ei * w2r)


@njit(nogil=True)
def _radix4(w, x, stride, xre, xim, y, tw, t, m, s, re, im):  # type: ignore[no-untyped-def]
    step = stride * s * m
    for p in range(m):
        w1r = tw[t]
        w1i = tw[t + 1]
        w2r = tw[t + 2]
        w2i = tw[t + 3]
        w3r = tw[t + 4]
        w3i = tw[t + 5]
        t += 6
        for q in range(s):
            a = x + stride * (q + s * p)
            b = y + 16 * (q + 4 * s * p)
            ar = load(w, a + xre)
            ai = load(w, a + xim)
            br = load(w, a + step + xre)
            bi = load(w, a + step + xim)
            cr = load(w, a + 2 * step + xre)
            ci = load(w, a + 2 * step + xim)
            dr = load(w, a + 3 * step + xre)
            di = load(w, a + 3 * step + xim)
            er = ar + cr
            ei = ai + ci
            fr = ar - cr
            fi = ai - ci
            gr = br + dr
            gi = bi + di
            hr = bi - di
            hi = dr - br
            store(w, b + re, er + gr)
            store(w, b + im, ei + gi)
            ar = fr + hr
            ai = fi + hi
            store(w, b + 16 * s + re, ar * w1r - ai * w1i)
            store(w, b + 16 * s + im, ar * w1i + ai * w1r)
            ar = er - gr
            ai = ei - gi
            store(w, b + 32 * s + re, ar * w2r - ai * w2i)
            store(w, b + 32 * s + im, ar * w2i + ai * w2r)
            ar = fr - hr
            ai = fi - hi
            store(w, b + 48 * s + re, ar * w3r - ai * w3i)
            store(w, b + 48 * s + im, ar * w3i + ai * w3r)


@njit(nogil=True)
def _radix5(w, x, stride, xre, xim, y, tw, t, m, s, re, im):  # type: ignore[no-untyped-def]
    step = stride * s * m
    for p in range(m):
        w1r = tw[t]
        w1i = tw[t + 1]
        w2r = tw[t + 2]
        w2i = tw[t + 3]
        w3r = tw[t + 4]
        w3i = tw[t + 5]
        w4r = tw[t + 6]
        w4i = tw[t + 7]
        t += 8
        for q in range(s):
            a = x + stride * (q + s * p)
            b = y + 16 * (q + 5 * s * p)
            ar = load(w, a + xre)
            ai = load(w, a + xim)
            br = load(w, a + step + xre)
            bi = load(w, a + step + xim)
            cr = load(w, a + 2 * step + xre)
            ci = load(w, a + 2 * step + xim)
            dr = load(w, a + 3 * step + xre)
            di = load(w, a + 3 * step + xim)
            er = load(w, a + 4 * step + xre)
            ei = load(w, a + 4 * step + xim)
            pr = br + er
            pi = bi + ei
            mr = br - er
            mi = bi - ei
            qr = cr + dr
            qi = ci + di
            nr = cr - dr
            ni = ci - di
            store(w, b + re, ar + pr + qr)
            store(w, b + im, ai + pi + qi)
            fr = ar + pr * _COS5A + qr * _COS5B
            fi = ai + pi * _COS5A + qi * _COS5B
            gr = ar + pr * _COS5B + qr * _COS5A
            gi = ai + pi * _COS5B + qi * _COS5A
            hr = mi * _SIN5A + ni * _SIN5B
            hi = mr * _SIN5A + nr * _SIN5B
            kr = mi * _SIN5B - ni * _SIN5A
            ki = mr * _SIN5B - nr * _SIN5A
            ar = fr + hr
            ai = fi - hi
            store(w, b + 16 * s + re, ar * w1r - ai * w1i)
            store(w, b + 16 * s + im, ar * w1i + ai * w1r)
            ar = gr + kr
            ai = gi - ki
            store(w, b + 32 * s + re, ar * w2r - ai * w2i)
            store(w, b + 32 * s + im, ar * w2i + ai * w2r)
            ar = gr - kr
            ai = gi + ki
            store(w, b + 48 * s + re, ar * w3r - ai * w3i)
            store(w, b + 48 * s + im, ar * w3i + ai * w3r)
            ar = fr - hr
            ai = fi + hi
            store(w, b + 64 * s + re, ar * w4r - ai * w4i)
            store(w, b + 64 * s + im, ar * w4i + ai * w4r)


@njit(nogil=True)
def _radix8(w, x, stride, xre, xim, y, tw, t, m, s, re, im):  # type: ignore[no-untyped-def]
    step = stride * s * m
    for p in range(m):
        for q in range(s):
            a = x + stride * (q + s * p)
            b = y + 16 * (q + 8 * s * p)
            ar = load(w, a + xre)
            ai = load(w, a + xim)
            er = load(w, a + 4 * step + xre)
            ei = load(w, a + 4 * step + xim)
            a0r = ar + er
            a0i = ai + ei
            a4r = ar - er
            a4i = ai - ei
            br = load(w, a + 2 * step + xre)
            bi = load(w, a + 2 * step + xim)
            fr = load(w, a + 6 * step + xre)
            fi = load(w, a + 6 * step + xim)
            a2r = br + fr
            a2i = bi + fi
            a6r = bi - fi
            a6i = fr - br
            e0r = a0r + a2r
            e0i = a0i + a2i
            e2r = a0r - a2r
            e2i = a0i - a2i
            e1r = a4r + a6r
            e1i = a4i + a6i
            e3r = a4r - a6r
            e3i = a4i - a6i
            ar = load(w, a + step + xre)
            ai = load(w, a + step + xim)
            er = load(w, a + 5 * step + xre)
            ei = load(w, a + 5 * step + xim)
            a0r = ar + er
            a0i = ai + ei
            a4r = ar - er
            a4i = ai - ei
            br = load(w, a + 3 * step + xre)
            bi = load(w, a + 3 * step + xim)
            fr = load(w, a + 7 * step + xre)
            fi = load(w, a + 7 * step + xim)
            a2r = br + fr
            a2i = bi + fi
            a6r = bi - fi
            a6i = fr - br
            o0r = a0r + a2r
            o0i = a0i + a2i
            o2r = a0i - a2i
            o2i = a2r - a0r
            c1r = a4r + a6r
            c1i = a4i + a6i
            c3r = a4r - a6r
            c3i = a4i - a6i
            o1r = (c1r + c1i) * _SQRT_HALF
            o1i = (c1i - c1r) * _SQRT_HALF
            o3r = (c3i - c3r) * _SQRT_HALF
            o3i = (c3r + c3i) * (-_SQRT_HALF)
            store(w, b + re, e0r + o0r)
            store(w, b + im, e0i + o0i)
            ar = e1r + o1r
            ai = e1i + o1i
            wr = tw[t]
            wi = tw[t + 1]
            store(w, b + 16 * s + re, ar * wr - ai * wi)
            store(w, b + 16 * s + im, ar * wi + ai * wr)
            ar = e2r + o2r
            ai = e2i + o2i
            wr = tw[t + 2]
            wi = tw[t + 3]
            store(w, b + 32 * s + re, ar * wr - ai * wi)
            store(w, b + 32 * s + im, ar * wi + ai * wr)
            ar = e3r + o3r
            ai = e3i + o3i
            wr = tw[t + 4]
            wi = tw[t + 5]
            store(w, b + 48 * s + re, ar * wr - ai * wi)
            store(w, b + 48 * s + im, ar * wi + ai * wr)
            ar = e0r - o0r
            ai = e0i - o0i
            wr = tw[t + 6]
            wi = tw[t + 7]
            store(w, b + 64 * s + re, ar * wr - ai * wi)
            store(w, b + 64 * s + im, ar * wi + ai * wr)
            ar = e1r - o1r
            ai = e1i - o1i
            wr = tw[t + 8]
            wi = tw[t + 9]
            store(w, b + 80 * s + re, ar * wr - ai * wi)
            store(w, b + 80 * s + im, ar * wi + ai * wr)
            ar = e2r - o2r
            ai = e2i - o2i
            wr = tw[t + 10]
            wi = tw[t + 11]
            store(w, b + 96 * s + re, ar * wr - ai * wi)
            store(w, b + 96 * s + im, ar * wi + ai * wr)
            ar = e3r - o3r
            ai = e3i - o3i
            wr = tw[t + 12]
            wi = tw[t + 13]
            store(w, b + 112 * s + re, ar * wr - ai * wi)
            store(w, b + 112 * s + im, ar * wi + ai * wr)
        t += 14


@njit(nogil=True)
def transform(w, x, stride, xre, xim, y, spare, length, radices, twiddles, re, im):  # type: ignore[no-untyped-def]
    """Transform eight signals; return where in `w` the result starts (`y` or `spare`).

    Parameters
    ----------
    w
        Work array, flat float32.
    x, stride, xre, xim
        Input: element j has its planes at ``x + stride * j + xre`` and ``... + xim``.
    y, spare
        Two stretches of ``length * ELEMENT`` numbers, apart from each other and the input
        (the input may lie in `spare` when it has at least two passes).
    length, radices, twiddles
        Of a `Plan`.
    re, im
        Planes of the output within an element: 0, 8 forward; 8, 0 backward.
    """
    # Plain integers: each constant is a type of its own to the compiler, which would otherwise
    # compile everything above anew for each way in which this is called, in ten seconds.
    return _transform(
        w, np.int64(x), np.int64(stride), np.int64(xre), np.int64(xim), np.int64(y),
        np.int64(spare), np.int64(length), radices, twiddles, np.int64(re), np.int64(im),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _transform(w, x, stride, xre, xim, y, spare, length, radices, twiddles, re, im):  # type: ignore[no-untyped-def]
    s = 1
    t = 0
    for i in range(radices.size):
        r = radices[i]
        m = length // r
        if r == 8:
            _radix8(w, x, stride, xre, xim, y, twiddles, t, m, s, re, im)
        elif r == 5:
            _radix5(w, x, stride, xre, xim, y, twiddles, t, m, s, re, im)
        elif r == 4:
            _radix4(w, x, stride, xre, xim, y, twiddles, t, m, s, re, im)
        elif r == 3:
            _radix3(w, x, stride, xre, xim, y, twiddles, t, m, s, re, im)
        else:
            _radix2(w, x, stride, xre, xim, y, twiddles, t, m, s, re, im)
        t += 2 * (r - 1) * m
        length = m
        s *= r
        if i == 0:
            x = spare
            stride = ELEMENT
            xre = re
            xim = im
        x, y = y, x
    return x
