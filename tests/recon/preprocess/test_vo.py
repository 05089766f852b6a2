from __future__ import annotations

import numpy as np
import pytest
from algotom.prep import removal

from alsct_gui.recon.preprocess.rings.vo import (
    find_stripes,
    remove_all_stripes,
    remove_stripes_by_sorting,
)
from tests.recon.preprocess.stripes import noisy_sinogram, smooth_sinogram, striped_sinogram

SHAPES = [(57, 101), (181, 257), (64, 64), (33, 200), (16, 91)]


@pytest.mark.parametrize("shape", SHAPES)
def test_sorting_equals_algotom(shape: tuple[int, int]) -> None:
    for size in (5, 6, 21):
        sinogram = striped_sinogram(*shape)
        expected = removal.remove_stripe_based_sorting(sinogram.copy(), size)
        remove_stripes_by_sorting(sinogram, size)
        assert (sinogram == expected).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("snr", [1.5, 3.0])
def test_all_stripes_equals_algotom(shape: tuple[int, int], snr: float) -> None:
    for large, small in ((21, 5), (20, 6), (61, 21)):
        sinogram = striped_sinogram(*shape)
        expected = removal.remove_all_stripe(sinogram.copy(), snr, large, small)
        remove_all_stripes(sinogram, snr, large, small)
        np.testing.assert_allclose(sinogram, expected, rtol=3e-7, atol=0)


def test_with_equal_values_the_sorted_columns_still_equal_algotoms() -> None:
    # Which of two equal values comes first is chance in algotom, and the angle here.
    sinogram = np.round(striped_sinogram(90, 120), 2)
    expected = removal.remove_stripe_based_sorting(sinogram.copy(), 9)
    remove_stripes_by_sorting(sinogram, 9)
    assert (sinogram != expected).any()
    assert (np.sort(sinogram, axis=0) == np.sort(expected, axis=0)).all()


def test_a_dead_column_becomes_like_its_neighbours() -> None:
    clean = noisy_sinogram(120, 150)
    dead = clean.copy()
    dead[:, 70] = 0.0
    remove_all_stripes(dead, 3.0, 61, 5)
    assert np.abs(dead[:, 70] - clean[:, 70]).max() < 0.15


def test_a_sinogram_without_noise_has_no_outliers_to_find() -> None:
    assert not find_stripes(np.ones(100), 3.0).any()
    sinogram = smooth_sinogram(60, 90) + np.float32(0.3)
    before = sinogram.copy()
    remove_all_stripes(sinogram, 3.0, 21, 5)
    assert np.sqrt(np.mean((sinogram - before) ** 2)) < 0.03


def test_outliers_are_found_on_both_sides() -> None:
    profile = 1 + 0.01 * np.sin(np.arange(200.0))
    profile[20], profile[30] = 1.5, 0.5
    assert np.flatnonzero(find_stripes(profile, 3.0)).tolist() == [20, 30]


def test_columns_of_negative_mean_are_still_in_order_after_levelling() -> None:
    # A column that is negative among positive ones has a negative gain.
    sinogram = noisy_sinogram(80, 100)
    sinogram[:, 40] *= -1
    expected = removal.remove_all_stripe(sinogram.copy(), 1e6, 21, 5)
    remove_all_stripes(sinogram, 1e6, 21, 5)
    np.testing.assert_allclose(sinogram, expected, rtol=3e-7, atol=1e-7)


def test_tiny_sinograms_come_through() -> None:
    for shape in ((1, 1), (1, 30), (30, 1), (3, 4), (20, 5)):
        sinogram = np.random.default_rng(0).normal(1, 0.1, shape).astype(np.float32)
        remove_all_stripes(sinogram, 3.0, 61, 21)
        assert np.isfinite(sinogram).all()


def test_all_zero_sinogram_stays_zero() -> None:
    sinogram = np.zeros((20, 30), np.float32)
    remove_all_stripes(sinogram, 3.0, 21, 5)
    assert (sinogram == 0).all()
