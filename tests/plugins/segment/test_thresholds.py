"""Thresholds are those of scikit-image, and the same block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage import filters

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import array_volume
from napari_alsct_segment import thresholds
from napari_alsct_segment.histogram import Histogram, array_histogram, volume_histogram

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def volume() -> Array:
    """Three grey levels with noise."""
    rng = np.random.default_rng(2)
    field = ndimage.gaussian_filter(rng.normal(size=(24, 60, 70)), 3)
    levels = np.digitize(field, np.quantile(field, [0.5, 0.8])).astype(np.float64)
    noisy = 1 + levels + rng.normal(0, 0.15, field.shape)
    return noisy.astype(np.float32)


@pytest.fixture(scope="module")
def histogram(volume: Array) -> Histogram:
    return array_histogram(volume, Reporter())


def test_the_histogram_counts_all_but_zeros_and_what_is_no_number(volume: Array) -> None:
    masked = volume.copy()
    masked[:, :5] = 0
    masked[3, 10, 10], masked[4, 10, 10] = np.nan, -np.inf
    told: list[Any] = []
    found = array_histogram(masked, Reporter(progress=told.append))
    assert found.total == volume.size - 24 * 5 * 70 - 2
    assert told[-1].done == 24
    assert array_histogram(masked, Reporter(), skip_zeros=False).total == volume.size - 2
    far = masked.copy()
    far[0, 20, 20] = 1e9  # one bright voxel does not stretch the range
    assert array_histogram(far, Reporter()).centers[-1] < 10
    with pytest.raises(InputError, match="no values"):
        array_histogram(np.zeros((2, 3, 4), np.float32), Reporter())
    even = array_histogram(np.full((2, 3, 4), 7.0, np.float32), Reporter())
    assert even.centers[even.counts.argmax()] == pytest.approx(7, abs=0.01)


def test_it_is_remembered_while_the_volume_is_open(volume: Array) -> None:
    opened = array_volume(volume)
    first = volume_histogram(opened, Reporter())
    assert volume_histogram(opened, Reporter()) is first
    assert volume_histogram(opened, Reporter(), skip_zeros=False) is not first


def test_values_are_those_of_scikit_image(volume: Array, histogram: Histogram) -> None:
    width = float(histogram.centers[1] - histogram.centers[0])
    for mine, theirs in (
        (thresholds.otsu(histogram), filters.threshold_otsu(volume, nbins=4096)),
        (thresholds.li(histogram), filters.threshold_li(volume, tolerance=1e-6)),
    ):
        assert mine == pytest.approx(float(theirs), abs=4 * width)
    found = thresholds.multi_otsu(histogram, 3)
    wanted = filters.threshold_multiotsu(volume, 3)
    np.testing.assert_allclose(found, wanted, atol=32 * width)
    assert 1.3 < found[0] < 1.7 < 2.3 < found[1] < 2.7
    with pytest.raises(InputError, match="do not part"):
        thresholds.multi_otsu(array_histogram(np.ones((2, 3, 4), np.float32), Reporter()), 5)


def test_cuts_count_the_thresholds_that_are_passed(volume: Array) -> None:
    found = thresholds.cut(volume, (1.5, 2.5))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[...], (volume > 1.5).astype(int) + (volume > 2.5))
    dark = thresholds.cut(volume, (1.5, 2.5), dark=True)[...]
    np.testing.assert_array_equal(dark, 2 - found[...])
    broken = volume.copy()
    broken[0, 0, 0] = np.nan
    assert thresholds.cut(broken, (1.5,))[0, 0, 0] == 0
    assert thresholds.cut(broken, (1.5,), dark=True)[0, 0, 0] == 0


def test_local_cuts_are_those_of_a_gaussian_mean(volume: Array) -> None:
    slope = volume + np.linspace(0, 5, 70, dtype=np.float32)
    lazy = thresholds.cut_locally(slope, window_px=13, offset=0.2)
    mean = ndimage.gaussian_filter(slope.astype(np.float64), 2.0, truncate=3.0)
    wanted = slope - mean > 0.2
    sure = np.abs(slope - mean - 0.2) > 1e-5
    whole = lazy.compute(Reporter(threads=2, memory_bytes=4_000_000))
    np.testing.assert_array_equal(whole[sure], wanted[sure])
    np.testing.assert_array_equal(lazy[5], whole[5])
    dark = thresholds.cut_locally(slope, window_px=13, offset=0.2, dark=True)[...]
    sure = np.abs(mean - slope - 0.2) > 1e-5
    np.testing.assert_array_equal(dark[sure], (mean - slope > 0.2)[sure])


@pytest.mark.parametrize("memory_bytes", [10_000_000, 200_000])
def test_hysteresis_joins_pieces_across_slabs(volume: Array, memory_bytes: int) -> None:
    reporter = Reporter(memory_bytes=memory_bytes)
    found = thresholds.hysteresis(volume, 1.6, 2.7, reporter)
    wanted = filters.apply_hysteresis_threshold(volume, 1.6, 2.7)
    np.testing.assert_array_equal(found, wanted)
    dark = thresholds.hysteresis(volume, 1.4, 0.7, reporter, dark=True)
    np.testing.assert_array_equal(dark, filters.apply_hysteresis_threshold(-volume, -1.4, -0.7))
    assert not thresholds.hysteresis(volume, 50, 60, reporter).any()


def test_hysteresis_values(volume: Array, histogram: Histogram) -> None:
    lenient, strict = thresholds.hysteresis_pair(histogram)
    assert lenient < strict == thresholds.otsu(histogram)
    lenient, strict = thresholds.hysteresis_pair(histogram, dark=True)
    assert lenient > strict
    with pytest.raises(RecipeError, match="stricter"):
        thresholds.hysteresis(volume, 3, 2, Reporter())
    with pytest.raises(RecipeError, match="stricter"):
        thresholds.hysteresis(volume, 2, 3, Reporter(), dark=True)
