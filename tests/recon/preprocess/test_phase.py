from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.recipe import Phase
from alsct_gui.recon.preprocess.phase import (
    half_value_frequency_per_m,
    paganin,
    paganin_area_m2,
)

GEOMETRY = Geometry(
    angles_deg=np.zeros(1),
    n_rows=96,
    n_columns=128,
    pixel_size_um=1.3,
    distance_mm=60.0,
    energy_kev=25.0,
)
PHASE = Phase(delta_beta=500.0)


def wave(cycles: int, columns: int = 256, rows: int = 64) -> np.ndarray:
    """Transmission (1, row, column) with a weak wave of so many cycles over its width."""
    column = np.arange(columns)
    line = 0.5 + 0.05 * np.cos(2 * pi * cycles * (column + 0.5) / columns)
    return np.broadcast_to(line.astype(np.float32), (1, rows, columns)).copy()


def amplitude_left(cycles: int, phase: Phase, geometry: Geometry) -> float:
    """Share of a weak wave's amplitude that the filter leaves, far from the edges."""
    transmission = np.exp(-paganin(wave(cycles), phase, geometry)[0, 32])
    inner = slice(64, 192)
    column = np.arange(256)
    pattern = np.cos(2 * pi * cycles * (column + 0.5) / 256)[inner]
    fitted = np.linalg.lstsq(
        np.stack([pattern, np.ones(128)], axis=1), transmission[inner], rcond=None
    )[0]
    return float(fitted[0] / 0.05)


def test_area_in_square_metres():
    # 12.39842 keV is a wavelength of exactly 1 angstrom.
    geometry = replace(GEOMETRY, distance_mm=1000.0, energy_kev=12.39841984)
    assert paganin_area_m2(Phase(delta_beta=4 * pi), geometry) == pytest.approx(1e-10, rel=1e-9)


def test_half_value_lies_at_the_physical_frequency():
    cycles = 16
    frequency_per_m = cycles / (256 * 1.3e-6)
    # The distance at which the formula's half value falls on this wave, by hand.
    wavelength_m = 1.239841984e-9 / 25.0
    distance_m = 4 * pi / (wavelength_m * 500.0 * (2 * pi * frequency_per_m) ** 2)
    geometry = replace(GEOMETRY, distance_mm=distance_m * 1e3)
    area = paganin_area_m2(PHASE, geometry)
    assert half_value_frequency_per_m(area) == pytest.approx(frequency_per_m)
    assert amplitude_left(cycles, PHASE, geometry) == pytest.approx(0.5, abs=0.01)


def test_a_distance_in_the_wrong_unit_shows():
    cycles = 16
    wavelength_m = 1.239841984e-9 / 25.0
    frequency_per_m = cycles / (256 * 1.3e-6)
    distance_m = 4 * pi / (wavelength_m * 500.0 * (2 * pi * frequency_per_m) ** 2)
    ten_times = replace(GEOMETRY, distance_mm=distance_m * 1e4)
    # Ten times too far leaves 1/11 of the wave instead of a half.
    assert amplitude_left(cycles, PHASE, ten_times) == pytest.approx(1 / 11, abs=0.01)


def test_uniform_sample_keeps_its_line_integral():
    uniform = np.full((2, 40, 50), np.exp(-1.25), np.float32)
    assert paganin(uniform, PHASE, GEOMETRY) == pytest.approx(1.25, abs=1e-5)


def test_undoes_the_propagation_of_a_weak_object():
    """Transport of intensity turns exp(-p) into exp(-p) - a laplace(exp(-p)): invert that."""
    row, column = np.mgrid[:96, :128]
    integral = 0.8 * np.exp(-((row - 48) ** 2 + (column - 64) ** 2) / (2 * 9.0**2))
    contact = np.exp(-integral)
    area_px2 = paganin_area_m2(PHASE, GEOMETRY) / (1.3e-6) ** 2
    k2 = (2 * pi * np.fft.fftfreq(96))[:, None] ** 2 + (2 * pi * np.fft.fftfreq(128))[None] ** 2
    seen = np.fft.ifft2(np.fft.fft2(contact) * (1 + area_px2 * k2)).real.astype(np.float32)
    assert np.abs(seen - contact).max() > 0.05
    assert paganin(seen[None], PHASE, GEOMETRY)[0] == pytest.approx(integral, abs=2e-3)


def test_binning_keeps_the_physical_cut_off():
    coarse = wave(8, 128)
    by_binning = paganin(coarse, PHASE, GEOMETRY, binning=2)
    by_pixel = paganin(coarse, PHASE, replace(GEOMETRY, pixel_size_um=2.6))
    assert np.array_equal(by_binning, by_pixel)


def test_threads_and_out_give_the_same():
    frames = np.random.default_rng(0).uniform(0.2, 1, (3, 33, 47)).astype(np.float32)
    plain = paganin(frames, PHASE, GEOMETRY)
    in_place = frames.copy()
    assert paganin(in_place, PHASE, GEOMETRY, threads=2, out=in_place) is in_place
    assert np.array_equal(plain, in_place)
    assert plain.dtype == np.float32


def test_recipe_goes_before_scan():
    given = replace(PHASE, distance_mm=30.0, energy_kev=50.0)
    assert paganin_area_m2(given, GEOMETRY) == pytest.approx(
        paganin_area_m2(PHASE, GEOMETRY) / 4, rel=1e-12
    )


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("distance_mm", "Give it in millimetres"),
        ("energy_kev", "Give it in keV"),
        ("pixel_size_um", "pixel size"),
    ],
)
def test_what_is_missing_is_asked_for(missing, words):
    geometry = replace(GEOMETRY, **{missing: None})
    with pytest.raises(RecipeError, match=words):
        paganin(wave(4), PHASE, geometry)
