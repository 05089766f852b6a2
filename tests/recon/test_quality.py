from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.recon.quality import noise_level, ring_strength


def picture(rng: np.random.Generator, noise: float, rings: float) -> np.ndarray:
    axis = np.arange(301) - 150
    radius = np.hypot(axis[:, None], axis[None, :])
    ripple = rng.standard_normal(300)[np.minimum(np.rint(radius), 299).astype(int)]
    disk = np.hypot(axis[:, None] - 20, axis[None, :] + 12) < 90  # not round about the axis
    smooth = np.where(disk, 1.0 + radius / 100, 0.0)
    return (smooth + rings * ripple + noise * rng.standard_normal(radius.shape)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.02, 0.5])
def test_noise_is_the_standard_deviation_though_there_are_edges(sigma: float) -> None:
    value = noise_level(picture(np.random.default_rng(1), sigma, 0.0))
    assert value == pytest.approx(sigma, rel=0.05)


def test_ring_strength_follows_the_rings_and_not_the_structure() -> None:
    rng = np.random.default_rng(2)
    without = ring_strength(picture(rng, 0.1, 0.0), 0.1)
    with_rings = ring_strength(picture(rng, 0.1, 0.1), 0.1)
    assert without < 0.1
    assert with_rings == pytest.approx(1.0, rel=0.3)
    spots = picture(rng, 0.1, 0.0)
    spots[100:130, 200:215] += 2
    assert ring_strength(spots, 0.1) < 0.3


def test_tiny_and_empty_pictures_have_no_rings() -> None:
    assert ring_strength(np.zeros((5, 5), np.float32), 0.1) == 0
    assert noise_level(np.zeros((2, 2), np.float32)) == 0
