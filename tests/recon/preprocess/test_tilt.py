from __future__ import annotations

from math import cos, radians, sin, tan

import numpy as np
import pytest

from alsct_gui.recon.center.phase_correlation import OppositeViews, phase_correlation
from alsct_gui.recon.preprocess.tilt import (
    center_after_turning,
    estimate_tilt,
    margin_rows,
    turn_frames,
)

SHAPE = (160, 200)


def blobs(tilt_deg: float, center: float, *, opposite: bool = False) -> np.ndarray:
    """Line integrals (row, column) of Gaussian blobs about an axis with this tilt."""
    random = np.random.default_rng(4)
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    down, right = row - (SHAPE[0] - 1) / 2, column - center
    # Coordinates along the axis and across it; the axis leans right at the top.
    across = right * cos(radians(tilt_deg)) + down * sin(radians(tilt_deg))
    along = -right * sin(radians(tilt_deg)) + down * cos(radians(tilt_deg))
    if opposite:
        across = -across
    total = np.zeros(SHAPE)
    for _ in range(60):
        u, v = random.uniform(-65, 65), random.uniform(-78, 78)
        width, value = random.uniform(2, 6), random.uniform(0.1, 0.5)
        total += value * np.exp(-((across - u) ** 2 + (along - v) ** 2) / (2 * width**2))
    return total.astype(np.float32)


def pair(tilt_deg: float, center: float) -> OppositeViews:
    return OppositeViews(blobs(tilt_deg, center), blobs(tilt_deg, center, opposite=True))


@pytest.mark.parametrize("tilt_deg", [-1.5, -0.2, 0.0, 0.4, 2.0])
def test_estimates_the_tilt_with_its_sign(tilt_deg):
    found, sure = estimate_tilt(pair(tilt_deg, 104.3))
    assert found == pytest.approx(tilt_deg, abs=0.05)
    assert sure > 0.3


def test_noise_alone_is_not_trusted():
    noise = np.random.default_rng(0).standard_normal((2, *SHAPE)).astype(np.float32)
    _, sure = estimate_tilt(OppositeViews(noise[0], noise[1]))
    assert sure < 0.1


def test_nothing_to_compare():
    blank = np.zeros(SHAPE, np.float32)
    assert estimate_tilt(OppositeViews(blank, blank)) is None
    assert estimate_tilt(OppositeViews(blank[:4], blank[:4])) is None


@pytest.mark.parametrize("order", [1, 3])
def test_turned_frames_are_those_of_an_upright_axis(order):
    tilted = blobs(1.2, 99.5)[None]
    turned = turn_frames(tilted, 1.2, order=order)
    upright = blobs(0.0, 99.5)
    inner = (slice(10, -10), slice(10, -10))
    limit = 0.03 if order == 1 else 0.003
    assert np.abs(turned[0] - upright)[inner].max() < limit
    assert turned.dtype == np.float32


@pytest.mark.parametrize("center", [70.0, 99.5, 126.0])
def test_center_after_turning(center):
    tilt_deg = 3.0
    views = pair(tilt_deg, center)
    turned = turn_frames(np.stack([views.first, views.second]), tilt_deg)
    found = phase_correlation([OppositeViews(turned[0], turned[1])])
    assert found.column == pytest.approx(center_after_turning(center, 200, tilt_deg), abs=0.1)


def test_axis_crosses_the_rows_as_documented():
    tilt_deg, center = 2.0, 104.3
    views = pair(tilt_deg, center)
    top = phase_correlation([OppositeViews(views.first[10:40], views.second[10:40])])
    expected = center - (24.5 - 79.5) * tan(radians(tilt_deg))
    assert top.column == pytest.approx(expected, abs=0.5)
    assert expected > center


def test_a_block_of_rows_turns_like_the_whole_frame():
    frame = blobs(1.0, 104.3)[None]
    margin = margin_rows(1.0, 200)
    whole = turn_frames(frame, 1.0, order=1)[0, 60:80]
    block = frame[:, 60 - margin : 80 + margin]
    part = turn_frames(
        block, 1.0, pivot_row=79.5 - (60 - margin), pivot_column=99.5, order=1, threads=2
    )
    assert part[0, margin:-margin] == pytest.approx(whole, abs=1e-5)


def test_no_tilt_no_work():
    frames = np.ones((1, 4, 5), np.float32)
    assert turn_frames(frames, 0.0) is frames
    assert margin_rows(0.0, 200) == 0
