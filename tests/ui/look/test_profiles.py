"""Figures against images whose figures are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alsct_gui.ui.look.profiles import (
    histogram,
    line_profile,
    radial_profile,
    region_statistics,
    sample,
)

PLACES = st.tuples(st.floats(0, 19), st.floats(0, 29))


def _plane(shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (2.0 * rows - 0.5 * columns + 3.0).astype(np.float64)


@given(PLACES, PLACES)
def test_between_pixels_a_plane_stays_a_plane(start: Any, end: Any) -> None:
    rows, columns = np.array([start[0], end[0]]), np.array([start[1], end[1]])
    assert np.allclose(sample(_plane(), rows, columns), 2 * rows - 0.5 * columns + 3)


@given(PLACES, PLACES)
def test_a_line_over_a_plane_is_straight_and_as_long_as_it_is(start: Any, end: Any) -> None:
    profile = line_profile(_plane(), start, end, pixel_um=(2.0, 0.5))
    length_um = math.hypot(2 * (end[0] - start[0]), 0.5 * (end[1] - start[1]))
    assert profile.length_unit == "µm"
    assert profile.distance[0] == 0
    assert profile.distance[-1] == pytest.approx(length_um)
    ends = [2 * place[0] - 0.5 * place[1] + 3 for place in (start, end)]
    wanted = np.linspace(ends[0], ends[1], profile.values.size)
    assert np.allclose(profile.values, wanted)
    assert profile.values.size >= math.hypot(end[0] - start[0], end[1] - start[1])


def test_a_line_along_a_row_gives_its_pixels() -> None:
    image = np.random.default_rng(0).normal(size=(5, 9))
    profile = line_profile(image, (2, 0), (2, 8))
    assert np.array_equal(profile.values, image[2])
    assert np.array_equal(profile.distance, np.arange(9))
    assert profile.length_unit == "px"
    back = line_profile(image, (2, 8), (2, 0))
    assert np.array_equal(back.values, image[2, ::-1])


def test_a_wide_line_averages_across_and_says_how_much() -> None:
    image = np.random.default_rng(1).normal(size=(7, 9))
    profile = line_profile(image, (3, 0), (3, 8), width_px=3)
    assert np.allclose(profile.values, image[2:5].mean(axis=0))
    assert profile.deviation is not None
    assert np.allclose(profile.deviation, image[2:5].std(axis=0))
    assert profile.counts is not None
    assert (profile.counts == 3).all()


def test_a_line_beyond_the_picture_has_no_values_there() -> None:
    profile = line_profile(np.ones((4, 4)), (1, -2), (1, 5))
    assert np.isnan(profile.values[[0, 1, -1, -2]]).all()
    assert (profile.values[2:6] == 1).all()


def test_nan_stays_where_it_is() -> None:
    image = np.ones((3, 9))
    image[1, 4] = np.nan
    values = line_profile(image, (1, 0), (1, 8)).values
    assert np.flatnonzero(np.isnan(values)).tolist() == [4]
    wide = line_profile(image, (1, 0), (1, 8), width_px=3)
    assert np.array_equal(wide.values, np.ones(9))
    assert wide.counts is not None
    assert wide.counts[4] == 2


def test_a_point_is_a_line_without_length() -> None:
    profile = line_profile(_plane(), (3, 4), (3, 4), width_px=5)
    assert profile.distance.tolist() == [0, 0]
    assert np.allclose(profile.values, 2 * 3 - 0.5 * 4 + 3)


@given(st.floats(10, 30), st.floats(10, 30), st.floats(1, 30), st.floats(0.2, 5))
def test_rings_hold_every_pixel_within_once(
    row: float, column: float, radius: float, edge: float
) -> None:
    image = np.full((40, 40), 7.0)
    profile = radial_profile(image, (row, column), radius, (edge, edge))
    rows, columns = np.indices(image.shape)
    distance = np.hypot(rows - row, columns - column)
    assert profile.counts is not None
    assert profile.counts.sum() == np.count_nonzero(distance < int(radius) + 0.5)
    filled = profile.counts > 0
    assert np.allclose(profile.values[filled], 7)
    assert np.isnan(profile.values[~filled]).all()
    assert profile.distance[-1] == pytest.approx(int(radius) * edge)


def test_a_cone_falls_by_its_slope() -> None:
    rows, columns = np.indices((101, 101))
    image = np.hypot(rows - 50, columns - 50)
    profile = radial_profile(image, (50, 50), 40)
    assert np.allclose(profile.values, profile.distance, atol=0.25)
    assert profile.deviation is not None
    assert (profile.deviation < 0.35).all()


def test_rings_are_round_when_pixels_are_not_square() -> None:
    rows, columns = np.indices((61, 121))
    image = np.hypot((rows - 30) * 2.0, columns - 60.0)
    profile = radial_profile(image, (30, 60), 50, (4.0, 2.0))
    assert np.allclose(profile.values, profile.distance / 2, atol=0.35)


@given(
    hnp.arrays(np.float32, (12, 17), elements=st.floats(-1e3, 1e3, width=32)),
    st.tuples(st.integers(0, 11), st.integers(0, 16)),
    st.tuples(st.integers(0, 11), st.integers(0, 16)),
)
def test_statistics_are_those_of_numpy(image: Any, first: Any, second: Any) -> None:
    found = region_statistics(image, first, second, (0.5, 0.25))
    rows = slice(min(first[0], second[0]), max(first[0], second[0]) + 1)
    columns = slice(min(first[1], second[1]), max(first[1], second[1]) + 1)
    part = image[rows, columns].astype(np.float64)
    assert found.n == part.size == found.rows * found.columns
    assert found.mean == pytest.approx(part.mean())
    assert found.std == pytest.approx(part.std())
    assert found.median == pytest.approx(np.median(part))
    assert (found.minimum, found.maximum) == (part.min(), part.max())
    assert found.area_um2 == pytest.approx(part.size * 0.125)
    assert found.width_um == pytest.approx(part.shape[1] * 0.25)


def test_statistics_leave_out_what_has_no_value() -> None:
    image = np.array([[1.0, np.nan, 3.0], [np.inf, 5.0, -np.inf]])
    found = region_statistics(image, (-0.5, -0.5), (1.5, 2.5))
    assert (found.n, found.n_missing, found.mean) == (3, 3, 3.0)
    assert found.area_um2 is None
    nothing = region_statistics(np.full((2, 2), np.nan), (0, 0), (1, 1))
    assert nothing.n == 0
    assert math.isnan(nothing.mean)
    beside = region_statistics(image, (10, 10), (20, 20), (1.0, 1.0))
    assert (beside.n, beside.area_um2) == (0, 0)


def test_a_rectangle_between_pixels_holds_none() -> None:
    assert region_statistics(np.ones((5, 5)), (1.2, 1.2), (1.8, 3.0)).n == 0


def test_a_histogram_counts_every_pixel_of_a_small_image() -> None:
    image = np.random.default_rng(2).normal(size=(64, 64))
    found = histogram(image, bins=32)
    assert found.counts.sum() == image.size == found.n_sample
    assert found.edges.size == found.counts.size + 1
    assert (found.minimum, found.maximum) == (image.min(), image.max())
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(image, (0.5, 99.5))))


def test_a_hot_pixel_does_not_squeeze_the_rest() -> None:
    image = np.random.default_rng(3).normal(size=(100, 100))
    image[0, 0] = 1e6
    found = histogram(image)
    assert found.maximum == 1e6
    assert found.edges[-1] < 10
    assert found.counts.sum() == image.size - 1


def test_whole_numbers_leave_no_gaps() -> None:
    image = np.arange(1000, dtype=np.uint16).repeat(10).reshape(100, 100)
    found = histogram(image, bins=256)
    assert found.counts.sum() == image.size
    assert len(set(np.diff(found.edges))) == 1
    assert (found.counts[:-1] == 40).all()
    few = histogram((image % 3).astype(np.uint16))
    assert few.counts.size == 3
    assert few.counts.sum() == image.size


def test_a_large_image_is_looked_at_in_part() -> None:
    image = np.random.default_rng(4).normal(size=(300, 400)).astype(np.float32)
    found = histogram(image, most=1000)
    assert 500 <= found.n_sample <= 1000
    assert found.minimum == image.min()


@pytest.mark.parametrize(
    "image",
    [np.full((4, 4), np.nan), np.zeros((4, 4)), np.full((4, 4), 3e-9), np.zeros((3, 3), np.uint8),
     np.array([[np.inf, -np.inf], [np.nan, 1.0]]), np.zeros((0, 5)), np.full((2, 2), -4e30)],
)  # fmt: skip
def test_odd_images_have_a_histogram(image: Any) -> None:
    found = histogram(image)
    assert (np.diff(found.edges) > 0).all()
    assert found.counts.sum() == np.isfinite(image).sum()
    assert math.isfinite(found.low)
    assert math.isfinite(found.high)
