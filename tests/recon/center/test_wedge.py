from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.recon.center.wedge import cost_terms, profile_cost, seam_spectra, sum_power
from tests.recon.ellipses import ellipse_sinogram, with_rings

ANGLES = np.arange(180.0)


@pytest.fixture(scope="module")
def sinogram() -> np.ndarray:
    return ellipse_sinogram(4, ANGLES, 200, 97.3)


def test_spectra_are_those_of_the_mirrored_sinogram(sinogram):
    """Against a transform of the half turn and its mirror image about a whole column."""
    middle = 100
    spectra = seam_spectra(sinogram[None], float(middle))
    window = seam_spectra(np.ones_like(sinogram)[None], float(middle))
    assert (spectra.middle, window.middle) == (middle, middle)
    inside = np.arange(201) - 100.0
    taper = np.clip((100 - np.abs(inside)) / 30, 0, 1)
    half = np.pad(sinogram, ((0, 0), (0, 1))) * (0.5 - 0.5 * np.cos(np.pi * taper))
    both = np.concatenate((half, half[:, ::-1]))
    w = spectra.frequency[5]
    direct = np.fft.fft(both @ np.exp(-1j * w * inside))[:181]
    ours = spectra.plus[0, :, 5] + spectra.minus[0, :, 5]
    assert np.abs(ours - direct).max() < 1e-4 * np.abs(direct).max()


def test_both_costs_are_least_at_the_axis(sinogram):
    spectra = seam_spectra(sinogram[None], 98.0)
    power = sum_power(spectra)
    distances = np.arange(-3, 3, 0.05)
    for cost in (
        profile_cost(power, spectra.frequency, distances),
        cost_terms(spectra, power, 0.0).cost(distances),
    ):
        assert spectra.middle + distances[np.argmin(cost)] == pytest.approx(97.3, abs=0.1)


def test_rings_do_not_change_where_the_cost_is_least(sinogram):
    spectra = seam_spectra(with_rings(sinogram, 0.1, 0)[None], 97.3)
    terms = cost_terms(spectra, sum_power(spectra), 97.3 - spectra.middle)
    distances = np.arange(-3, 3, 0.05) + 97.3 - spectra.middle
    best = distances[np.argmin(terms.cost(distances))]
    assert spectra.middle + best == pytest.approx(97.3, abs=0.1)


def test_noise_alone_prefers_no_axis():
    noise = np.random.default_rng(0).standard_normal((1, 180, 200)).astype(np.float32)
    spectra = seam_spectra(noise, 99.5)
    terms = cost_terms(spectra, sum_power(spectra), 0.0)
    assert terms.sigma_px(0.0) > 0.25


def test_more_rows_make_it_surer():
    center, random = 97.3, np.random.default_rng(0)
    rows = np.stack([ellipse_sinogram(seed, ANGLES, 200, center) for seed in range(6)])
    rows += 0.2 * random.standard_normal(rows.shape).astype(np.float32)

    def sigma_px(some: np.ndarray) -> float:
        spectra = seam_spectra(some, center)
        distance = center - spectra.middle
        return cost_terms(spectra, sum_power(spectra), distance).sigma_px(distance)

    assert sigma_px(rows) < 0.7 * sigma_px(rows[:1])
