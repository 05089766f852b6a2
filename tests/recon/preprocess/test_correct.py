from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.model.recipe import Correction
from alsct_gui.recon.preprocess.correct import (
    Blend,
    correct_to_sinograms,
    correct_to_transmission,
    make_blend,
    negative_log,
)
from alsct_gui.recon.preprocess.flatfield import FlatField

N_ANGLES, N_ROWS, N_COLUMNS = 11, 4, 37


@pytest.fixture
def field() -> FlatField:
    rng = np.random.default_rng(0)
    dark = rng.uniform(90, 110, (N_ROWS, N_COLUMNS)).astype(np.float32)
    flats = rng.uniform(30000, 40000, (3, N_ROWS, N_COLUMNS)).astype(np.float32)
    flats[:, 1, 5] = 0  # a dead pixel
    return FlatField(dark, flats, np.array([0.0, 4.0, 11.0]), (0, N_ROWS))


@pytest.fixture
def frames() -> NDArray[np.uint16]:
    counts = np.random.default_rng(1).integers(150, 40000, (N_ANGLES, N_ROWS, N_COLUMNS))
    counts[3, 2, 7] = 65535
    counts[4, 0, 9] = 0
    return counts.astype(np.uint16)


def expected_transmission(
    frames: NDArray, field: FlatField, scale: NDArray | None = None
) -> NDArray[np.float64]:
    """The correction in float64, flat by flat, unclamped; dead pixels are 1."""
    flats = field.flats.astype(np.float64)
    result = np.ones(frames.shape)
    for angle in range(N_ANGLES):
        i = 0 if angle < 4 else 1
        span = field.at_projection[i + 1] - field.at_projection[i]
        weight = (angle - field.at_projection[i]) / span
        flat = (1 - weight) * flats[i] + weight * flats[i + 1]
        alive = flat > 0
        counts = frames[angle] - field.dark.astype(np.float64)
        result[angle][alive] = counts[alive] / flat[alive]
        if scale is not None:
            result[angle][alive] *= scale[angle]
    return result


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_sinograms_equal_the_formula(
    frames: NDArray, field: FlatField, threads: int, dtype: type
) -> None:
    correction = Correction()
    blend = make_blend(field, np.arange(N_ANGLES), correction)
    truth = expected_transmission(frames, field)
    sinograms, counts = correct_to_sinograms(
        frames.astype(dtype), field, blend, frame_row=1, field_row=1, n_rows=3,
        correction=correction, saturation=65535, threads=threads,
    )  # fmt: skip
    again, same_counts = correct_to_sinograms(
        frames.astype(dtype), field, blend, frame_row=1, field_row=1, n_rows=3,
        correction=correction, saturation=65535, out=np.full_like(sinograms, np.nan),
    )  # fmt: skip
    assert (again == sinograms).all()
    assert same_counts == counts
    used = truth[:, 1:]
    expected = -np.log(np.maximum(used, 0.01)).transpose(1, 0, 2)
    np.testing.assert_allclose(sinograms, expected, rtol=1e-6, atol=3e-6)
    assert counts.values == used.size
    assert counts.saturated == 1
    assert counts.clipped == np.count_nonzero(used < 0.01)
    assert counts.dead == N_ANGLES
    assert (sinograms[0, :, 5] == 0).all()


def test_transmission_in_frame_order_gives_the_same_line_integrals(
    frames: NDArray, field: FlatField
) -> None:
    correction = Correction()
    blend = make_blend(field, np.arange(N_ANGLES), correction)
    sinograms, counts = correct_to_sinograms(
        frames, field, blend, frame_row=0, field_row=0, n_rows=N_ROWS, correction=correction
    )
    transmission, same_counts = correct_to_transmission(
        frames, field, blend, field_row=0, correction=correction
    )
    assert transmission.shape == frames.shape
    assert counts == same_counts
    logs = negative_log(transmission, threads=2).transpose(1, 0, 2)
    np.testing.assert_allclose(logs, sinograms, rtol=1e-6, atol=1e-6)


def test_parts_of_a_scan_are_corrected_as_the_whole(frames: NDArray, field: FlatField) -> None:
    correction = Correction(background_columns=3)
    blend = make_blend(field, np.arange(N_ANGLES), correction)
    whole, _ = correct_to_transmission(frames, field, blend, field_row=0, correction=correction)
    part, _ = correct_to_transmission(
        frames[2:6], field, blend.part(slice(2, 6)), field_row=0, correction=correction
    )
    assert (whole[2:6] == part).all()


def test_background_columns_bring_the_edges_to_one(frames: NDArray, field: FlatField) -> None:
    correction = Correction(background_columns=4)
    bright = np.maximum(frames, 20000)
    blend = make_blend(field, np.arange(N_ANGLES), correction)
    result, _ = correct_to_transmission(bright, field, blend, field_row=0, correction=correction)
    edges = np.concatenate([result[..., :4], result[..., -4:]], axis=-1)
    np.testing.assert_allclose(edges.mean(axis=-1), 1, rtol=1e-5)


def test_beam_current_scales_frames_against_the_flats(field: FlatField, frames: NDArray) -> None:
    correction = Correction(beam_current=True)
    current = np.linspace(500, 400, N_ANGLES)
    current[6] = 0  # not recorded
    blend = make_blend(field, np.arange(N_ANGLES), correction, current)
    at_flats = np.interp(field.at_projection, np.arange(N_ANGLES), current)
    assert blend.scale[0] == 1
    assert blend.scale[6] == 1
    between = at_flats[1] + (9 - 4) / 7 * (at_flats[2] - at_flats[1])
    assert blend.scale[9] == pytest.approx(between / current[9], rel=1e-6)
    result, _ = correct_to_transmission(frames, field, blend, field_row=0, correction=correction)
    expected = np.maximum(expected_transmission(frames, field, blend.scale), 0.01)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("how", ["linear", "nearest"])
def test_flats_outside_the_groups_are_the_nearest_ones(field: FlatField, how: str) -> None:
    group, weight = field.blend(np.array([-5, 0, 3, 4, 11, 20]), how)
    place = group + weight
    expected = [0, 0, 0.75, 1, 2, 2] if how == "linear" else [0, 0, 1, 1, 2, 2]
    assert place.tolist() == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers_never_reach_a_sinogram(field: FlatField, bad: float) -> None:
    frames = np.full((N_ANGLES, N_ROWS, N_COLUMNS), 20000, np.float32)
    frames[2, 3, ::2] = bad
    correction = Correction()
    blend: Blend = make_blend(field, np.arange(N_ANGLES), correction)
    sinograms, counts = correct_to_sinograms(
        frames, field, blend, frame_row=0, field_row=0, n_rows=N_ROWS, correction=correction
    )
    assert np.isfinite(sinograms).all()
    assert counts.clipped == len(range(0, N_COLUMNS, 2))


def test_logarithm_is_exact_to_float32_over_its_range() -> None:
    values = np.exp(np.random.default_rng(0).uniform(-25, 5, 20000)).astype(np.float32)
    values[:4] = [1, 0.01, 1e-9, 0.99999994]
    expected = -np.log(values.astype(np.float64))
    result = negative_log(values.copy())
    assert result[0] == 0
    np.testing.assert_allclose(result, expected, rtol=3e-7, atol=1e-7)


def test_logarithm_is_within_two_units_in_the_last_place_near_one() -> None:
    # Every float32 in steps of some, over several octaves: the ends of the polynomial included.
    bits = np.arange(0x3E800000, 0x40800000, 37, dtype=np.int32)
    values = bits.view(np.float32)
    expected = -np.log(values.astype(np.float64))
    result = negative_log(values.copy())
    unit = np.spacing(np.abs(expected).astype(np.float32))
    assert (np.abs(result - expected) <= 2 * unit).all()


@pytest.mark.parametrize("background_columns", [0, 3])
def test_transmission_and_line_integrals_agree_for_saturated_dead_and_low_pixels(
    frames: NDArray, field: FlatField, background_columns: int
) -> None:
    correction = Correction(background_columns=background_columns)
    blend = make_blend(field, np.arange(N_ANGLES), correction)
    sinograms, counts = correct_to_sinograms(
        frames, field, blend, frame_row=0, field_row=0, n_rows=N_ROWS,
        correction=correction, saturation=65535,
    )  # fmt: skip
    transmission, same_counts = correct_to_transmission(
        frames, field, blend, field_row=0, correction=correction, saturation=65535
    )
    assert counts == same_counts
    assert counts.saturated == 1
    assert counts.clipped >= 1
    assert counts.dead == N_ANGLES
    np.testing.assert_allclose(
        sinograms, -np.log(transmission).transpose(1, 0, 2), rtol=1e-6, atol=3e-7
    )
