from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.geometry import Window
from alsct_gui.model.recipe import Center
from alsct_gui.recon.center.find import CenterInput, combine, find_center
from alsct_gui.recon.center.image_metric import image_metric
from alsct_gui.recon.center.local import LocalEstimate, confidence
from tests.recon.ellipses import ellipse_sinogram

ANGLES = np.arange(240) * 180 / 240
CENTER = 270.6


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.stack([ellipse_sinogram(seed, ANGLES, 512, CENTER) for seed in range(2)])


def backproject(sinogram, angles_deg, centers):
    """Filtered back projection with linear interpolation; slow, plain."""
    n_columns = sinogram.shape[1]
    size = n_columns
    ramp = np.abs(np.fft.rfftfreq(2 * size))
    lines = np.fft.irfft(np.fft.rfft(sinogram, 2 * size, axis=1) * ramp, axis=1)[:, :n_columns]
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    slices = np.zeros((len(centers), size, size), np.float32)
    for line, angle in zip(lines, np.deg2rad(angles_deg), strict=True):
        along = x * np.cos(angle) - y * np.sin(angle)
        for k, center in enumerate(centers):
            slices[k] += np.interp(along + center, np.arange(n_columns), line)
    return slices


def test_same_value_for_cropped_and_binned_input(rows):
    for window in (Window(0, 1), Window(37, 1), Window(0, 2), Window(30, 4)):
        stop = window.start + (500 - window.start) // window.binning * window.binning
        cut = rows[:, :, window.start : stop]
        binned = cut.reshape(*cut.shape[:2], -1, window.binning).mean(axis=-1)
        found = find_center(CenterInput(binned, ANGLES, window), Center())
        assert abs(found.result.center_px - CENTER) < 0.25, window
        assert found.result.confidence > 0.5
        assert found.findings == ()
        assert found.side is None


def test_one_method_alone(rows):
    for method in ("phase-correlation", "sinogram"):
        found = find_center(CenterInput(rows, ANGLES), Center(method=method))
        assert [estimate.method for estimate in found.result.estimates] == [method]
        assert abs(found.result.center_px - CENTER) < 0.25


def test_search_is_honoured(rows):
    found = find_center(
        CenterInput(rows, ANGLES, Window(100, 1)), Center(center_px=380.0, search_px=20.0)
    )
    assert abs(found.result.center_px - (CENTER + 100)) < 0.25
    with pytest.raises(RecipeError, match="not on the part of the detector"):
        find_center(CenterInput(rows, ANGLES), Center(center_px=5000.0, search_px=3.0))


def test_manual_is_taken_as_it_is(rows):
    found = find_center(
        CenterInput(rows, ANGLES, Window(10, 2)), Center(method="manual", center_px=123.4)
    )
    assert found.result.center_px == 123.4
    assert found.result.estimates[0].method == "manual"


def test_nothing_to_find_says_what_to_do():
    blank = np.zeros((1, 240, 64), np.float32)
    with pytest.raises(RecipeError, match="Give center_px"):
        find_center(CenterInput(blank, ANGLES), Center())


def test_image_metric_finds_the_axis():
    angles = np.arange(90) * 2.0
    rows = np.stack([ellipse_sinogram(seed, angles, 128, 66.8) for seed in range(2)])
    estimate = image_metric(rows, angles, backproject, 63.5, reach=8.0)
    assert abs(estimate.column - 66.8) < 0.25
    found = find_center(
        CenterInput(rows, angles, Window(1000, 1)),
        Center(method="image-metric", center_px=1064.0, search_px=8.0),
        reconstruct=backproject,
    )
    assert abs(found.result.center_px - 1066.8) < 0.25


def test_an_outlier_loses_and_is_told():
    result = combine(
        [
            CenterEstimate("phase-correlation", 100.1, 0.9),
            CenterEstimate("sinogram", 100.0, 0.9),
            CenterEstimate("image-metric", 130.0, 0.8),
        ]
    )
    assert result.center_px == pytest.approx(100.05)
    assert result.disagreement_px == pytest.approx(30.0)
    assert result.confidence < 0.7


def test_disagreement_is_a_finding(rows, monkeypatch):
    wrong = LocalEstimate("phase-correlation", CENTER + 5, 0.01, 1.0)
    monkeypatch.setattr("alsct_gui.recon.center.find.phase_correlation", lambda *_, **__: wrong)
    found = find_center(CenterInput(rows, ANGLES), Center())
    assert [finding.name for finding in found.findings] == ["centers-disagree"]
    assert "phase-correlation 275.60" in found.findings[0].message


@given(
    st.lists(
        st.tuples(st.floats(0, 2560), st.floats(0, 1)),
        min_size=1,
        max_size=4,
    )
)
def test_combination_lies_between_its_estimates(pairs):
    result = combine([CenterEstimate("sinogram", column, sure) for column, sure in pairs])
    columns = [column for column, _ in pairs]
    assert min(columns) - 1e-6 <= result.center_px <= max(columns) + 1e-6
    assert 0 <= result.confidence <= 1


@given(st.integers(0, 500), st.integers(1, 8), st.floats(0, 300))
def test_conversion_is_the_windows_and_no_other(start, binning, column):
    window = Window(start, binning)
    estimate = LocalEstimate("sinogram", column, 0.1, 1.0).on_full_detector(window)
    assert window.to_local(estimate.center_px) == pytest.approx(column, abs=1e-9)


def test_confidence_halves_at_the_tolerance():
    assert confidence(0.25, 1.0) == pytest.approx(0.5)
    assert confidence(float("inf"), 1.0) == 0.0
