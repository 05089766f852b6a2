from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.recon.preprocess.rings.titarenko import (
    remove_stripes_by_regularization,
    stripe_heights,
)
from tests.recon.preprocess.stripes import noisy_sinogram, striped_sinogram


@pytest.mark.parametrize("n_columns", [3, 10, 57])
def test_heights_minimise_what_they_should(n_columns: int) -> None:
    profile = np.cumsum(np.random.default_rng(0).normal(size=n_columns))
    for alpha in (0.05, 0.5, 1.5):
        weight = 4 * np.sin(min(np.pi / (20 * alpha), np.pi / 2)) ** 2
        heights = np.zeros(n_columns)
        for order in (1, 2):
            D = np.diff(np.eye(n_columns), n=order, axis=0)
            matrix = D.T @ D + weight**order * np.eye(n_columns)
            heights += np.linalg.solve(matrix, -D.T @ D @ profile) / 2
        np.testing.assert_allclose(stripe_heights(profile, alpha), heights, atol=1e-9)


def test_half_of_a_wave_of_the_stated_period_is_damped() -> None:
    x = np.arange(3000)
    wave = np.cos(2 * np.pi * x / 30)
    left = wave + stripe_heights(wave, 1.5)
    assert np.abs(left[1000:2000]).max() == pytest.approx(0.5, abs=0.01)


def test_each_block_is_treated_by_itself() -> None:
    sinogram = striped_sinogram(61, 80)
    whole = sinogram.copy()
    remove_stripes_by_regularization(whole, 1.5, 3)
    for start, stop in ((0, 20), (20, 40), (40, 61)):
        part = sinogram[start:stop].copy()
        remove_stripes_by_regularization(part, 1.5, 0)
        assert (part == whole[start:stop]).all()


def test_result_scales_with_the_sinogram_and_without_strength_nothing_changes() -> None:
    sinogram = noisy_sinogram(40, 60)
    one, four, none = sinogram.copy(), 4 * sinogram, sinogram.copy()
    remove_stripes_by_regularization(one, 1.5, 0)
    remove_stripes_by_regularization(four, 1.5, 0)
    remove_stripes_by_regularization(none, 0.0, 0)
    np.testing.assert_allclose(four, 4 * one, rtol=1e-5)
    assert (none == sinogram).all()
