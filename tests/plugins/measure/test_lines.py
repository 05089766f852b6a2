"""Profiles, boxes, distances, angles; the same as the program's own in a slice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.ui.look import profiles as own
from napari_alsct_measure.lines import (
    angle_deg,
    box_figures,
    distance_um,
    line_profile,
    radial_profile,
    sample,
)

VOXEL = (2.0, 0.5, 0.5)
VALUES = np.random.default_rng(4).random((9, 40, 50)).astype(np.float32)
VALUES[4, 17, 24] = np.nan


def test_a_line_in_a_slice_is_the_programs_own() -> None:
    found = line_profile(VALUES, (4, 3.2, 5.0), (4, 31.5, 44.1), VOXEL)
    expected = own.line_profile(VALUES[4], (3.2, 5.0), (31.5, 44.1), pixel_um=(0.5, 0.5))
    np.testing.assert_allclose(found.distance_um, expected.distance)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6)
    assert np.isnan(found.values).any()


def test_a_circle_in_a_slice_is_the_programs_own() -> None:
    found = radial_profile(VALUES, (4, 19.0, 22.5), 14.0, VOXEL)
    expected = own.radial_profile(VALUES[4], (19.0, 22.5), 14.0, pixel_um=(0.5, 0.5))
    np.testing.assert_allclose(found.distance_um, expected.distance)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6)
    np.testing.assert_allclose(found.deviation, expected.deviation, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, expected.counts)


def test_a_region_of_a_slice_is_the_programs_own() -> None:
    found = box_figures(VALUES, (4, 3.4, 5.5), (4, 30.2, 41.0), VOXEL)
    expected = own.region_statistics(VALUES[4], (3.4, 5.5), (30.2, 41.0))
    assert (found.n, found.n_missing) == (expected.n, expected.n_missing)
    for name in ("mean", "std", "minimum", "maximum", "median"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-6)


def test_a_ramp_is_a_ramp_in_any_direction() -> None:
    z, y, x = np.indices((30, 30, 30)).astype(np.float32)
    ramp = 2 * z - y + 0.5 * x
    found = line_profile(ramp, (2, 25, 3), (27, 4, 20), (1.0, 1.0, 1.0), width_px=5)
    share = found.distance_um / found.distance_um[-1]
    start, end = 2 * 2 - 25 + 1.5, 2 * 27 - 4 + 10
    np.testing.assert_allclose(found.values, start + share * (end - start), atol=1e-4)
    assert set(found.counts[3:-3].tolist()) == {21}


def test_a_long_line_reads_what_it_passes() -> None:
    read: list[int] = []

    class Watched:
        shape = (400, 300, 300)

        def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
            sizes = [len(range(*part.indices(n))) for part, n in zip(key, self.shape, strict=True)]
            read.append(math.prod(sizes))
            return np.ones(sizes, np.float32)

    found = line_profile(Watched(), (0, 0, 0), (399, 299, 299), VOXEL)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.values, 1)
    assert sum(read) < math.prod(Watched.shape) / 50


def test_beyond_the_volume_there_is_no_value() -> None:
    points = np.array([[0.0, 0.0, 0.0], [-0.1, 0, 0], [8.0, 39.0, 49.0], [8.0, 39.0, 49.2]])
    found = sample(VALUES, points)
    assert np.isfinite(found).tolist() == [True, False, True, False]


def test_boxes_over_several_slices() -> None:
    found = box_figures(VALUES, (6, 39, 49), (2, 0, 0), VOXEL)
    part = VALUES[2:7]
    assert found.n == part.size - 1
    assert found.mean == pytest.approx(np.nanmean(part), rel=1e-6)
    assert found.std == pytest.approx(np.nanstd(part), rel=1e-5)
    assert found.median == pytest.approx(np.nanmedian(part))
    assert found.volume_um3 == part.size * 0.5


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(RecipeError, match="no voxel"):
        box_figures(VALUES, (20, 0, 0), (25, 5, 5), VOXEL)


def test_distances_and_angles_are_in_micrometres() -> None:
    assert distance_um((0, 0, 0), (1, 4, 0), VOXEL) == pytest.approx(math.sqrt(8))
    assert angle_deg((1, 0, 0), (0, 0, 0), (0, 4, 0), VOXEL) == pytest.approx(90)
    assert angle_deg((1, 4, 0), (0, 0, 0), (0, 4, 0), VOXEL) == pytest.approx(45)
    assert math.isnan(angle_deg((0, 0, 0), (0, 0, 0), (0, 0, 0), VOXEL))
