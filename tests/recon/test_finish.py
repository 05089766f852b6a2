from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.recon.finish import finish_slices, mask_radius_px


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize("threads", [1, 3])
def test_mask_unit_and_not_finite_values(n: int, threads: int) -> None:
    slices = np.full((3, n, n), 2.0, dtype=np.float32)
    slices[1, n // 2, n // 2] = np.nan
    slices[2, n // 2, n // 2] = -np.inf
    slices[0, 0, 0] = np.nan  # in the corner: masked, not counted
    radius = mask_radius_px(0.9, n)
    bad = finish_slices(slices, factor=0.5, radius_px=radius, threads=threads)
    assert bad == 2
    axis = np.arange(n) - (n - 1) / 2
    inside = np.hypot(axis[:, None], axis[None, :]) <= radius
    expected = np.where(inside, np.float32(1.0), np.float32(0.0))
    np.testing.assert_array_equal(slices[0], expected)
    assert slices[1, n // 2, n // 2] == 0


def test_no_mask_keeps_the_corners() -> None:
    slices = np.ones((1, 6, 6), dtype=np.float32)
    finish_slices(slices, factor=3.0, radius_px=mask_radius_px(0, 6))
    assert (slices == 3).all()
