from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.recon.engines.filters import (
    FILTERS,
    edge_columns,
    edge_spectra,
    frequency_response,
    ramp_kernel,
    window,
)

HALF = np.array([0.0, 0.25, 0.5])
QUARTER = {
    "ramp": (1, 1, 1),
    "shepp-logan": (1, np.sin(np.pi / 4) / (np.pi / 4), 2 / np.pi),
    "cosine": (1, np.sqrt(0.5), 0),
    "hann": (1, 0.5, 0),
    "hamming": (1, 0.54, 0.08),
    "parzen": (1, 0.25, 0),
}


@pytest.mark.parametrize("name", QUARTER)
def test_windows_at_zero_half_and_full_nyquist(name: str) -> None:
    assert window(name, HALF) == pytest.approx(QUARTER[name], abs=1e-12)


@pytest.mark.parametrize("name", QUARTER)
def test_cutoff_moves_the_end_of_a_window(name: str) -> None:
    assert window(name, HALF / 2, cutoff=0.5) == pytest.approx(QUARTER[name], abs=1e-12)
    assert not window(name, np.array([0.26, 0.5]), cutoff=0.5).any()


def test_butterworth_is_one_half_at_its_cutoff_in_cycles_per_pixel() -> None:
    found = window("butterworth", HALF, cutoff=0.25, order=2)
    assert found == pytest.approx([1, 0.5, 1 / 17])


def test_the_ramp_is_the_transform_of_the_band_limited_kernel() -> None:
    kernel = ramp_kernel(64)
    assert kernel[[0, 1, 2, 3, 63]] == pytest.approx(
        [0.25, -1 / np.pi**2, 0, -1 / (9 * np.pi**2), -1 / np.pi**2]
    )
    response = frequency_response("ramp", 4096)
    assert response == pytest.approx(np.fft.rfftfreq(4096), abs=2e-4)
    assert response[0] > 0  # a ramp sampled in frequency has 0 here, and loses the mean


def test_no_filter_is_all_ones() -> None:
    assert (frequency_response("none", 32) == 1).all()


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("n_columns", [40, 41])
def test_edge_spectra_do_what_padding_does(name: str, n_columns: int) -> None:
    length = 96
    row = np.random.default_rng(0).normal(size=n_columns) + 3
    cutoff = 0.3 if name == "butterworth" else 1.0
    left, right = edge_spectra(name, n_columns, length, cutoff)
    response = frequency_response(name, length, cutoff)
    spectrum = np.fft.rfft(row, length) * response + row[0] * left + row[-1] * right
    found = np.fft.irfft(spectrum, length)[:n_columns]
    pad = edge_columns(n_columns)
    long = 4096
    padded = np.pad(row, pad, mode="edge")
    wanted = np.fft.irfft(np.fft.rfft(padded, long) * frequency_response(name, long, cutoff), long)
    assert found == pytest.approx(wanted[pad : pad + n_columns], abs=2e-5)


def test_edge_padding_reaches_sqrt_2_of_the_width() -> None:
    assert 2560 + 2 * edge_columns(2560) == pytest.approx(2560 * np.sqrt(2), abs=2)


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(RecipeError, match="not a window"):
        window("none", HALF)
