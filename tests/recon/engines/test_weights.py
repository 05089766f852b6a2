from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import InputError
from alsct_gui.recon.engines.weights import angle_weights


@pytest.mark.parametrize("range_deg", [180.0, 360.0, 540.0])
def test_even_angles_weigh_the_same(range_deg: float) -> None:
    weights = angle_weights(np.arange(120) * range_deg / 120)
    assert weights == pytest.approx(np.pi / 120)


def test_both_ends_of_a_half_turn_share_one_direction() -> None:
    weights = angle_weights(np.linspace(0, 180, 5))
    assert weights == pytest.approx(np.array([0.5, 1, 1, 1, 0.5]) * np.pi / 4)


def test_three_views_of_one_direction_share_it() -> None:
    weights = angle_weights(np.array([0.0, 90.0, 180.0, 270.0, 360.0]))
    assert weights == pytest.approx(np.array([1 / 3, 1 / 2, 1 / 3, 1 / 2, 1 / 3]) * np.pi / 2)


def test_rounding_at_180_degrees_does_not_make_another_direction() -> None:
    weights = angle_weights(np.array([0.0, 60.0, 120.0, 180.0 - 1e-12]))
    assert weights == pytest.approx(np.array([0.5, 1, 1, 0.5]) * np.pi / 3)


def test_uneven_angles_get_half_the_gaps_beside_them() -> None:
    weights = angle_weights(np.array([0.0, 30.0, 90.0, 110.0]))
    assert np.rad2deg(weights) == pytest.approx([50, 45, 40, 45])


def test_a_missing_wedge_is_not_filled_by_its_neighbours() -> None:
    weights = angle_weights(np.arange(120.0))
    assert weights == pytest.approx(np.deg2rad(1.0))


def test_one_projection() -> None:
    assert angle_weights(np.array([33.0])) == pytest.approx([np.pi])


@given(st.lists(st.integers(-3600, 3600), min_size=1, max_size=40))
def test_weights_are_not_negative_and_sum_to_at_most_pi(tenths: list[int]) -> None:
    angles = np.array(tenths) / 10
    weights = angle_weights(angles)
    assert (weights > 0).all()
    assert weights.sum() <= np.pi + 1e-9
    # the order of the projections, half turns and the zero of the angle do not matter
    assert angle_weights(angles[::-1] + 180) == pytest.approx(weights[::-1])


@pytest.mark.parametrize("angles", [[], [0.0, np.nan], [np.inf]])
def test_no_angles_and_no_numbers_are_refused(angles: list[float]) -> None:
    with pytest.raises(InputError):
        angle_weights(np.array(angles))
