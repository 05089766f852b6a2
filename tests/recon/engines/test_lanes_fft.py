from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from alsct_gui.recon.engines.lanes_fft import ELEMENT, good_length, make_plan, transform


@njit(cache=True)
def _strided(w, x, stride, y, spare, length, radices, twiddles, re, im):  # type: ignore[no-untyped-def]
    return transform(w, x, stride, re, im, y, spare, length, radices, twiddles, re, im)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 8, 9, 10, 16, 25, 32, 48, 60, 128, 240, 1600])
@pytest.mark.parametrize("stride", [ELEMENT, 3 * ELEMENT])
def test_transforms_are_those_of_numpy(length: int, stride: int) -> None:
    plan = make_plan(length)
    rng = np.random.default_rng(length)
    signals = rng.normal(size=(length, 2, 8)).astype(np.float32)
    numbers = signals[:, 0] + 1j * signals[:, 1]
    forward, backward = np.fft.fft(numbers, axis=0), np.fft.ifft(numbers, axis=0) * length
    for (re, im), wanted in {(0, 8): forward, (8, 0): backward}.items():
        w = np.zeros(length * (stride + 2 * ELEMENT), np.float32)
        w[: length * stride].reshape(length, stride)[:, :ELEMENT] = signals.reshape(length, ELEMENT)
        y = length * stride
        at = _strided(w, 0, stride, y, y + length * ELEMENT, length, plan.radices, plan.twiddles,
                      re, im)  # fmt: skip
        out = w[at : at + length * ELEMENT].reshape(length, 2, 8)
        found = out[:, 0] + 1j * out[:, 1]
        assert np.abs(found - wanted).max() < 1e-6 * np.abs(wanted).max()


def test_good_lengths_are_smooth_and_not_too_long() -> None:
    assert [good_length(n) for n in (1, 32, 33, 3200, 3201, 5120)] == [32, 32, 48, 3200, 3456, 5120]
    for n in range(1, 6000, 37):
        assert n <= good_length(n) <= max(32, 1.26 * n + 16)


@pytest.mark.parametrize("length", [0, 1, 7, 22])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="not a product"):
        make_plan(length)
