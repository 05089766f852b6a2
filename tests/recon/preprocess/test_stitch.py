from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.geometry import Window
from alsct_gui.recon.preprocess.stitch import plan_stitch, stitch
from tests.recon.ellipses import ellipse_sinogram


def smooth_sinogram(angles_deg: np.ndarray, columns: np.ndarray, center: float) -> np.ndarray:
    """Exact line integrals (angle, column) of three Gaussian blobs."""
    angle = np.deg2rad(angles_deg)[:, None]
    total = np.zeros((angles_deg.size, columns.size))
    for x, y, width, value in ((10, 20, 12, 1.0), (-70, 30, 9, 0.7), (40, -90, 8, 1.3)):
        off = columns[None] - center - x * np.cos(angle) - y * np.sin(angle)
        total += value * np.exp(-(off**2) / (2 * width**2))
    return total.astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(
    center=st.one_of(st.floats(5, 60), st.floats(140, 194)),
    n_angles=st.sampled_from([720, 721]),
)
def test_gives_what_a_wide_detector_sees(center, n_angles):
    angles = np.arange(n_angles) * 360 / n_angles
    plan = plan_stitch(angles, 200, center)
    wide = stitch(smooth_sinogram(angles, np.arange(200), center)[None], plan)
    columns = plan.offset + np.arange(plan.width)
    expected = smooth_sinogram(plan.angles_deg, columns, center)
    assert wide.shape == (1, *expected.shape)
    # Halfway between two views the straight line errs by (step * radius)^2 / 8 times the
    # curvature 1.3 / 8^2 of the narrowest blob: 1.9e-3, and the columns add a little.
    assert np.abs(wide[0] - expected).max() < 3e-3
    assert plan.width >= 2 * max(center, 199 - center) - 1


@given(st.floats(1, 198), st.integers(0, 900), st.integers(1, 4))
def test_center_stays_where_it_is_on_the_full_detector(center, start, binning):
    plan = plan_stitch(np.arange(360.0), 200, center)
    window = Window(start, binning)
    wide = plan.new_window(window)
    assert wide.to_full(plan.new_center) == pytest.approx(window.to_full(center), abs=1e-9)
    # The axis is in the middle of what was made.
    assert abs(plan.new_center - (plan.width - 1) / 2) <= 0.5


def test_overlap_fades_from_one_side_to_the_other():
    angles = np.arange(360.0)
    sinogram = np.zeros((1, 360, 200), np.float32)
    sinogram[:, :180] = 1.0  # seen first, and 0 from the other side
    wide = stitch(sinogram, plan_stitch(angles, 200, 150.0))[0]
    assert np.all(wide[:, :101] == 1.0)
    assert np.all(wide[:, 200:] == 0.0)
    assert wide[5, 101:200] == pytest.approx(1 - np.arange(1, 100) / 98, abs=0.02)
    assert np.all(np.diff(wide[5]) <= 1e-6)


def test_falling_angles_and_threads():
    angles = -np.arange(360.0)
    rows = np.stack([ellipse_sinogram(k, angles, 120, 100.0, radius=90) for k in range(3)])
    plan = plan_stitch(angles, 120, 100.0)
    one, two = stitch(rows, plan), stitch(rows, plan, threads=2)
    assert np.array_equal(one, two)
    expected = ellipse_sinogram(0, plan.angles_deg, 201, 100.0, radius=90)
    assert np.abs(one[0] - expected).mean() < 0.01


def test_half_turn_is_refused():
    with pytest.raises(RecipeError, match="360 degrees"):
        plan_stitch(np.arange(180.0), 200, 150.0)


def test_axis_beside_the_detector_is_refused():
    with pytest.raises(RecipeError, match="not on the detector"):
        plan_stitch(np.arange(360.0), 200, 205.0)
