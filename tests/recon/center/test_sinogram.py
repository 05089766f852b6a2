from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alsct_gui.recon.center.local import confidence
from alsct_gui.recon.center.sinogram import wedge_center
from tests.recon.ellipses import ellipse_sinogram, with_noise, with_rings
from tests.shared_data import shared_file

ANGLES = np.arange(241) * 180 / 241


@settings(max_examples=15, deadline=None)
@given(center=st.floats(80, 175), seed=st.integers(0, 1000))
def test_finds_any_axis(center, seed):
    sinogram = ellipse_sinogram(seed, ANGLES, 256, center)
    estimate = wedge_center(sinogram[None], ANGLES)
    assert abs(estimate.column - center) < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_holds_in_noise_with_several_rows(seed):
    center = 121.4 + seed
    rows = np.stack([ellipse_sinogram(seed * 10 + k, ANGLES, 256, center) for k in range(5)])
    estimate = wedge_center(with_noise(rows, 1000, seed), ANGLES)
    assert abs(estimate.column - center) < 0.25


@pytest.mark.parametrize("seed", range(6))
def test_one_row_in_noise(seed):
    angles = np.arange(263) * 180 / 263
    center = 255.5 + 7.37 * (seed - 2)
    sinogram = with_noise(ellipse_sinogram(seed, angles, 512, center), 1000, seed)
    estimate = wedge_center(sinogram[None], angles)
    assert abs(estimate.column - center) < 0.25


def test_one_row_in_noise_at_full_width():
    angles = np.arange(1313) * 180 / 1313
    sinogram = with_noise(ellipse_sinogram(1, angles, 2560, 1237.65), 1000, 1)
    estimate = wedge_center(sinogram[None], angles)
    assert abs(estimate.column - 1237.65) < 0.25
    assert estimate.sigma_px < 0.25


@pytest.mark.parametrize("photons", [1000, 100, 50])
def test_error_is_mostly_below_two_sigma_and_never_hidden(photons):
    within, n_seeds = 0, 16
    for seed in range(n_seeds):
        center = 127.5 + np.random.default_rng(seed).uniform(-15, 15)
        sinogram = with_noise(ellipse_sinogram(seed, ANGLES, 256, center), photons, seed)
        estimate = wedge_center(sinogram[None], ANGLES)
        error = abs(estimate.column - center)
        within += error < 2 * estimate.sigma_px
        assert error < 1 or confidence(estimate.sigma_px, estimate.trust) < 0.5
    assert within >= 0.75 * n_seeds


@pytest.mark.parametrize("seed", range(4))
def test_rings_and_noise_together(seed):
    sinogram = with_noise(ellipse_sinogram(seed, ANGLES, 256, 130.8), 1000, seed)
    estimate = wedge_center(with_rings(sinogram, 0.05, seed)[None], ANGLES)
    assert abs(estimate.column - 130.8) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_rings_do_not_pull_it(seed):
    rows = np.stack([ellipse_sinogram(seed * 10 + k, ANGLES, 256, 133.6) for k in range(4)])
    estimate = wedge_center(with_rings(rows, 0.05, seed), ANGLES)
    assert abs(estimate.column - 133.6) < 0.25


@pytest.mark.parametrize("seed", range(3))
def test_sample_wider_than_the_detector(seed):
    rows = np.stack(
        [ellipse_sinogram(seed * 10 + k, ANGLES, 256, 119.2, radius=180) for k in range(3)]
    )
    estimate = wedge_center(rows, ANGLES)
    assert abs(estimate.column - 119.2) < 0.25


def test_agrees_with_the_library():
    library = pytest.importorskip("algotom.prep.calculation")
    sinogram = with_noise(ellipse_sinogram(3, ANGLES, 256, 124.3), 10000, 3)
    ours = wedge_center(sinogram[None], ANGLES).column
    theirs = library.find_center_vo(sinogram, start=115, stop=135, ncore=1)
    assert abs(ours - theirs) <= 0.25


def test_the_view_at_180_degrees_does_not_count_twice():
    angles = np.linspace(0, 180, 242)
    sinogram = ellipse_sinogram(5, angles, 256, 130.2)
    assert abs(wedge_center(sinogram[None], angles).column - 130.2) < 0.1


def test_falling_angles_give_the_same():
    sinogram = ellipse_sinogram(5, -ANGLES, 256, 130.2)
    assert abs(wedge_center(sinogram[None], -ANGLES).column - 130.2) < 0.1


def test_no_half_turn_no_estimate():
    sinogram = ellipse_sinogram(5, ANGLES[:160], 256, 130.2)
    assert wedge_center(sinogram[None], ANGLES[:160]) is None
    assert wedge_center(np.zeros((1, 241, 256), np.float32), ANGLES) is None


@pytest.mark.data
def test_tooth_with_its_strong_rings():
    with h5py.File(shared_file("aps_tooth.h5")) as file:
        exchange = file["exchange"]
        dark = exchange["data_dark"][:].mean(axis=0)
        flat = exchange["data_white"][:].mean(axis=0)
        transmission = (exchange["data"][:] - dark) / (flat - dark)
        angles = exchange["theta"][:].astype(np.float64)
    sinograms = -np.log(np.maximum(transmission, 0.01)).astype(np.float32).transpose(1, 0, 2)
    estimate = wedge_center(sinograms, angles)
    assert abs(estimate.column - 296) < 0.5
    assert estimate.trust > 0.5
