from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from alsct_gui.recon.center.full_turn import axis_side, full_turn_center
from alsct_gui.recon.center.turns import half_turn, opposite
from tests.recon.ellipses import ellipse_sinogram, with_noise, with_rings
from tests.shared_data import shared_file


@settings(max_examples=15, deadline=None)
@given(center=st.floats(20, 235), seed=st.integers(0, 1000), odd=st.booleans())
def test_finds_any_axis_also_near_an_edge(center, seed, odd):
    n_angles = 361 if odd else 360
    angles = np.arange(n_angles) * 360 / n_angles
    wide = 0.9 * max(center, 255 - center)
    sinogram = ellipse_sinogram(seed, angles, 256, center, radius=wide)
    estimate = full_turn_center(sinogram[None], angles)
    assert abs(estimate.column - center) < 0.25


@pytest.mark.parametrize("seed", range(3))
def test_offset_scan_with_noise_and_rings(seed):
    angles = np.arange(500) * 360 / 500
    sinogram = ellipse_sinogram(seed, angles, 256, 215.3, radius=180)
    noisy = with_rings(with_noise(sinogram, 1000, seed), 0.05, seed)
    estimate = full_turn_center(noisy[None], angles)
    assert abs(estimate.column - 215.3) < 0.25
    assert axis_side(estimate.column, 256) == "right"


def test_side_of_the_axis():
    assert axis_side(20, 256) == "left"
    assert axis_side(240, 256) == "right"
    assert axis_side(120, 256) is None


def test_opposite_views_wrap_round():
    assert opposite(np.arange(8) * 45.0) == pytest.approx([4, 5, 6, 7, 0, 1, 2, 3])
    assert opposite(np.arange(5) * 72.0) == pytest.approx([2.5, 3.5, 4.5, 0.5, 1.5])
    assert opposite(-np.arange(8) * 45.0) == pytest.approx([4, 5, 6, 7, 0, 1, 2, 3])


def test_opposite_views_outside_a_half_turn_are_unknown():
    index = opposite(np.linspace(0, 190, 20))
    assert index[0] == pytest.approx(18)
    assert np.isnan(index[-1])


def test_half_turn_leaves_the_repeated_view_out():
    assert half_turn(np.arange(181.0)).tolist() == list(range(180))
    assert half_turn(np.arange(360.0)).tolist() == list(range(180))
    assert half_turn(np.arange(170.0)) is None


def test_half_turn_scan_is_refused():
    assert full_turn_center(np.ones((1, 180, 64), np.float32), np.arange(180.0)) is None


@pytest.mark.data
def test_neutron_wood_without_help():
    sinogram = tifffile.imread(shared_file("neutron_wood_sinogram_360deg.tif"))
    estimate = full_turn_center(sinogram[None], np.arange(625) * 360 / 625)
    assert abs(estimate.column - 284) < 1.5
    assert estimate.trust > 0.5
