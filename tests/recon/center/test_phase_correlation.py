from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alsct_gui.recon.center.phase_correlation import (
    OppositeViews,
    choose_pairs,
    phase_correlation,
)
from tests.recon.ellipses import ellipse_frames, with_noise


def views_of(seed: int, angles: np.ndarray, center: float, photons: float | None = None):
    views = []
    for pair in choose_pairs(angles):
        frames = ellipse_frames(seed, angles[[pair.first, pair.second]], 48, 256, center)
        if photons is not None:
            frames = with_noise(frames, photons, seed)
        views.append(OppositeViews(frames[0], frames[1], pair.mismatch_deg))
    return views


@settings(max_examples=15, deadline=None)
@given(center=st.floats(70, 185), seed=st.integers(0, 1000))
def test_finds_any_axis_from_opposite_views(center, seed):
    estimate = phase_correlation(views_of(seed, np.array([0.0, 180.0]), center))
    assert abs(estimate.column - center) < 0.1
    assert estimate.sigma_px < 0.25


@pytest.mark.parametrize("seed", range(4))
def test_extrapolates_views_that_are_not_quite_opposite(seed):
    angles = np.arange(301) * 180 / 301
    estimate = phase_correlation(views_of(seed, angles, 131.3, photons=1000))
    assert abs(estimate.column - 131.3) < 0.25


@pytest.mark.parametrize("seed", range(4))
def test_holds_in_noise(seed):
    estimate = phase_correlation(views_of(seed, np.array([0.0, 180.0]), 120.7, photons=100))
    assert abs(estimate.column - 120.7) < 0.25


def test_noise_without_a_sample_is_not_trusted():
    noise = np.random.default_rng(0).standard_normal((2, 48, 256)).astype(np.float32)
    estimate = phase_correlation([OppositeViews(noise[0], noise[1])])
    assert estimate.trust / (1 + (estimate.sigma_px / 0.25) ** 2) < 0.4


def test_empty_views_give_no_estimate():
    blank = np.zeros((8, 64), np.float32)
    assert phase_correlation([OppositeViews(blank, blank)]) is None
    assert phase_correlation([]) is None


def test_pairs_of_a_half_turn_have_the_least_mismatch():
    pairs = choose_pairs(np.arange(181) * 180 / 181)
    assert (pairs[0].first, pairs[0].second) == (0, 180)
    assert pairs[0].mismatch_deg == pytest.approx(-180 / 181)
    assert len({pair.mismatch_deg for pair in pairs}) > 1


def test_pairs_of_a_full_turn_are_exact_and_spread():
    pairs = choose_pairs(np.arange(720) * 0.5)
    assert [pair.mismatch_deg for pair in pairs] == pytest.approx([0, 0, 0])
    assert [pair.first for pair in pairs] == [0, 180, 359]


def test_pairs_follow_falling_and_shuffled_angles():
    falling = -np.arange(181.0)
    assert choose_pairs(falling)[0].mismatch_deg == pytest.approx(0)
    shuffled = np.random.default_rng(1).permutation(np.arange(181.0))
    pair = choose_pairs(shuffled)[0]
    assert shuffled[pair.second] - shuffled[pair.first] == pytest.approx(180)


def test_no_pairs_in_a_quarter_turn():
    assert choose_pairs(np.arange(90.0)) == []
