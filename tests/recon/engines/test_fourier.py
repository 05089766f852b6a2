from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import Engine, SliceGeometry
from alsct_gui.recon.engines.fourier import FourierEngine
from tests.recon.engines.analytic import Ellipse, blobs, circle, coordinates, error, sinogram

RAMP = EngineSettings()
ZERO = EngineSettings(padding="zero")


@pytest.fixture(scope="module")
def engine() -> FourierEngine:
    return FourierEngine()


def half_turn(n_angles: int) -> np.ndarray:
    return np.arange(n_angles) * 180.0 / n_angles


def test_it_is_an_engine(engine: FourierEngine) -> None:
    assert isinstance(engine, Engine)
    assert engine.capabilities().name == RAMP.name
    assert engine.check().ok


@pytest.mark.parametrize("n_columns", [64, 65, 96, 127, 200])
@pytest.mark.parametrize("shift_px", [0.0, 0.37, -7.25])
def test_smooth_phantom(engine: FourierEngine, n_columns: int, shift_px: float) -> None:
    center = (n_columns - 1) / 2 + shift_px
    phantom = blobs(n_columns / 2 - abs(shift_px))
    angles = half_turn(2 * n_columns + 1)
    projections = sinogram(phantom, angles, n_columns, center)[None]
    found = engine.reconstruct(projections, SliceGeometry(angles, n_columns, center), RAMP)
    assert error(found[0], phantom) < 3e-5


@pytest.mark.parametrize("n_pixels", [40, 41, 150, 151])
def test_slices_smaller_and_larger_than_the_detector(engine: FourierEngine, n_pixels: int) -> None:
    phantom = blobs(20)
    angles = half_turn(201)
    geometry = SliceGeometry(angles, 100, 51.3, n_pixels)
    found = engine.reconstruct(sinogram(phantom, angles, 100, 51.3)[None], geometry, RAMP)
    assert found.shape == (1, n_pixels, n_pixels)
    assert error(found[0], phantom, min(1.0, 96 / n_pixels)) < 1e-4


def test_orientation_with_row_0_on_top(engine: FourierEngine) -> None:
    n = 128
    phantom = [Ellipse(30, 20, 6, 6, 1.0)]  # right and up
    angles = half_turn(180)
    geometry = SliceGeometry(angles, n, 63.5)
    found = engine.reconstruct(sinogram(phantom, angles, n, 63.5)[None], geometry, RAMP)[0]
    x, y = coordinates(n)
    weight = np.where(found > 0.5, found, 0)
    assert np.sum(weight * x) / weight.sum() == pytest.approx(30, abs=0.1)
    assert np.sum(weight * y) / weight.sum() == pytest.approx(20, abs=0.1)
    assert found[int(63.5 - 20), int(63.5 + 30)] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("padding", ["edge", "zero"])
def test_values_of_a_disc_are_its_attenuation(engine: FourierEngine, padding: str) -> None:
    n = 200
    phantom = [Ellipse(5.3, -3.1, 70, 70, 0.0125)]
    angles = half_turn(315)
    projections = sinogram(phantom, angles, n, 99.5)[None]
    recipe = EngineSettings(padding=padding)
    found = engine.reconstruct(projections, SliceGeometry(angles, n, 99.5), recipe)[0]
    x, y = coordinates(n)
    distance = np.hypot(x - 5.3, y + 3.1)
    assert found[distance < 60].mean() == pytest.approx(0.0125, rel=1e-3)
    assert abs(found[(distance > 80) & circle(n)].mean()) < 1e-3 * 0.0125


def test_turned_ellipses(engine: FourierEngine) -> None:
    n = 256
    phantom = [Ellipse(20, 30, 70, 30, 1.0, 25), Ellipse(-60, -40, 20, 45, 0.5, -10)]
    angles = half_turn(402)
    geometry = SliceGeometry(angles, n, 127.5)
    hann = EngineSettings(filter="hann")
    found = engine.reconstruct(sinogram(phantom, angles, n, 127.5)[None], geometry, hann)[0]
    inner = [Ellipse(20, 30, 62, 22, 1.0, 25), Ellipse(-60, -40, 13, 36, 0.5, -10)]
    x, y = coordinates(n)
    for part in inner:
        inside = part.sample(x, y) > 0
        assert found[inside].mean() == pytest.approx(part.value, rel=2e-3)
        assert found[inside].std() < 0.02 * part.value


ANGLES = {
    "full turn": np.arange(400) * 0.9,
    "full turn with its end": np.linspace(0, 360, 401),
    "overscan": np.arange(240) * 0.9,
    "half turn with its end": np.linspace(0, 180, 201),
    "backwards, from elsewhere": 77.7 - half_turn(200),
    "shuffled": np.random.default_rng(1).permutation(half_turn(200)),
    "two speeds": np.concatenate([np.arange(0, 90, 0.5), np.arange(90, 180, 1.0)]),
    "golden angle": np.mod(np.arange(300) * 111.246117975, 180),
}


@pytest.mark.parametrize("name", ANGLES)
def test_angles_of_any_order_and_spacing(engine: FourierEngine, name: str) -> None:
    angles = ANGLES[name]
    phantom = blobs(45)
    projections = sinogram(phantom, angles, 96, 48.2)[None]
    found = engine.reconstruct(projections, SliceGeometry(angles, 96, 48.2), RAMP)
    assert error(found[0], phantom) < 2e-3


@pytest.mark.parametrize("n_slices", [2, 3, 8, 9, 17])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_slice_is_the_same_to_the_bit_in_any_batch(
    engine: FourierEngine, n_slices: int, threads: int
) -> None:
    rng = np.random.default_rng(n_slices)
    sinograms = rng.normal(size=(n_slices, 61, 75)).astype(np.float32)
    centers = 37 + rng.uniform(-5, 5, n_slices)
    angles = half_turn(61)
    batch = engine.reconstruct(sinograms, SliceGeometry(angles, 75, centers), RAMP, threads=threads)
    for k in range(n_slices):
        alone = engine.reconstruct(
            sinograms[k : k + 1], SliceGeometry(angles, 75, float(centers[k])), RAMP
        )
        assert np.array_equal(batch[k], alone[0])


def test_each_slice_has_its_own_center(engine: FourierEngine) -> None:
    centers = np.array([46.0, 47.5, 49.25])
    angles = half_turn(200)
    phantom = blobs(44)
    sinograms = np.stack([sinogram(phantom, angles, 96, c) for c in centers])
    found = engine.reconstruct(sinograms, SliceGeometry(angles, 96, centers), RAMP)
    assert [error(slice_, phantom) < 3e-5 for slice_ in found] == [True] * 3
    wrong = engine.reconstruct(sinograms, SliceGeometry(angles, 96, 48.7), RAMP)
    assert [error(slice_, phantom) > 1e-3 for slice_ in wrong] == [True] * 3


def test_memory_order_of_input_and_output_does_not_matter(engine: FourierEngine) -> None:
    rng = np.random.default_rng(3)
    frames = rng.normal(size=(40, 3, 50)).astype(np.float32)  # (angle, row, column)
    sinograms = frames.transpose(1, 0, 2)
    geometry = SliceGeometry(half_turn(40), 50, 24.5)
    wanted = engine.reconstruct(np.ascontiguousarray(sinograms), geometry, RAMP)
    wide = np.zeros((3, 50, 64), np.float32)
    given_back = engine.reconstruct(sinograms, geometry, RAMP, out=wide[:, :, :50])
    assert np.shares_memory(given_back, wide)
    assert np.array_equal(wide[:, :, :50], wanted)
    assert not wide[:, :, 50:].any()


def test_input_is_not_changed(engine: FourierEngine) -> None:
    sinograms = np.random.default_rng(4).normal(size=(3, 20, 33)).astype(np.float32)
    before = sinograms.copy()
    engine.reconstruct(sinograms, SliceGeometry(half_turn(20), 33, 16.0), RAMP)
    assert np.array_equal(sinograms, before)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 30),
    st.integers(0, 4),
    st.floats(-0.5, 1.5),
    st.sampled_from(["edge", "zero"]),
)
def test_any_shape_gives_finite_linear_results(
    n_angles: int, n_columns: int, n_pixels: int, n_slices: int, place: float, padding: str
) -> None:
    engine = FourierEngine()
    rng = np.random.default_rng(n_angles)
    sinograms = rng.normal(size=(n_slices, n_angles, n_columns)).astype(np.float32)
    geometry = SliceGeometry(half_turn(n_angles), n_columns, place * n_columns, n_pixels)
    recipe = EngineSettings(padding=padding)
    found = engine.reconstruct(sinograms, geometry, recipe)
    assert found.shape == (n_slices, n_pixels, n_pixels)
    assert np.isfinite(found).all()
    doubled = engine.reconstruct(2 * sinograms, geometry, recipe)
    assert np.allclose(doubled, 2 * found, rtol=1e-5, atol=1e-6)


def test_empty_and_constant_input(engine: FourierEngine) -> None:
    geometry = SliceGeometry(half_turn(90), 64, 31.5)
    nothing = engine.reconstruct(np.zeros((0, 90, 64), np.float32), geometry, RAMP)
    assert nothing.shape == (0, 64, 64)
    zeros = engine.reconstruct(np.zeros((1, 90, 64), np.float32), geometry, RAMP)
    assert not zeros.any()
    ones = engine.reconstruct(np.ones((1, 90, 64), np.float32), geometry, RAMP)
    assert np.isfinite(ones).all()
    # An edge-padded constant is nearly the mean that the ramp removes.
    assert np.abs(ones[0][circle(64, 0.9)]).max() < 0.02


def test_a_nan_stays_in_its_slice(engine: FourierEngine) -> None:
    sinograms = np.ones((4, 30, 32), np.float32)
    sinograms[2, 3, 4] = np.nan
    found = engine.reconstruct(sinograms, SliceGeometry(half_turn(30), 32, 15.5), RAMP)
    assert [bool(np.isnan(slice_).any()) for slice_ in found] == [False, False, True, False]


def test_edge_padding_helps_where_the_sample_is_wider_than_the_view(engine: FourierEngine) -> None:
    n = 128
    phantom = [Ellipse(0, 0, 100, 100, 0.01)]  # the view has a radius of 64
    angles = half_turn(201)
    projections = sinogram(phantom, angles, n, 63.5)[None]
    geometry = SliceGeometry(angles, n, 63.5)
    edge = engine.reconstruct(projections, geometry, RAMP)[0]
    zero = engine.reconstruct(projections, geometry, ZERO)[0]
    rim = circle(n, 0.97) & ~circle(n, 0.85)
    spread = {"edge": np.ptp(edge[rim]), "zero": np.ptp(zero[rim])}
    assert spread["edge"] < 0.3 * spread["zero"]


@pytest.mark.parametrize("padding", ["edge", "zero"])
@pytest.mark.parametrize("name", ["ramp", "butterworth", "parzen"])
def test_the_same_as_convolving_and_summing_by_hand(
    engine: FourierEngine, padding: str, name: str
) -> None:
    """Backprojection as its definition says, with no wrap: the middle of truncated data."""
    from alsct_gui.recon.engines.filters import edge_columns, frequency_response

    n, angles = 50, half_turn(31)
    rng = np.random.default_rng(5)
    # Smooth enough for exact interpolation between columns, and cut off at the edges.
    smooth = [np.convolve(row, np.hanning(15), "valid") for row in rng.normal(size=(31, n + 14))]
    projections = np.array(smooth).astype(np.float32)
    recipe = EngineSettings(filter=name, cutoff=0.25 if name == "butterworth" else 1.0,
                            padding=padding)  # fmt: skip
    pad = edge_columns(n) if padding == "edge" else 0
    padded = np.pad(projections.astype(np.float64), ((0, 0), (pad, pad)), mode="edge")
    long = 4096
    response = frequency_response(name, long, recipe.cutoff, recipe.order)
    filtered = np.fft.irfft(np.fft.rfft(padded, long) * response, long)
    spectrum = np.fft.fftfreq(long)
    x, y = coordinates(n)
    inside = circle(n, 0.5)
    column = (
        24.6 + x[inside][:, None] * np.cos(np.deg2rad(angles))
        + y[inside][:, None] * np.sin(np.deg2rad(angles))
    ) + pad  # fmt: skip
    wanted = np.zeros(inside.sum())
    for k in range(31):
        values = np.fft.fft(filtered[k]) / long
        wanted += np.pi / 31 * (np.exp(2j * np.pi * column[:, k, None] * spectrum) @ values).real
    found = engine.reconstruct(projections[None], SliceGeometry(angles, n, 24.6), recipe)[0]
    # The plain ramp is largest at the Nyquist frequency, where what lies between the columns
    # beside a cut edge is open; a window leaves no such doubt.
    bound = 2e-2 if name == "ramp" else 2e-3
    assert np.abs(found[inside] - wanted).max() < bound * np.abs(wanted).max()


def test_agrees_with_scikit_image(engine: FourierEngine) -> None:
    n = 128
    phantom = blobs(60)
    angles = half_turn(201)
    projections = sinogram(phantom, angles, n, 64.0)
    found = engine.reconstruct(projections[None], SliceGeometry(angles, n, 64.0, 129), RAMP)[0]
    # scikit-image turns about column n // 2 and puts it on pixel n // 2, y up.
    other = iradon(projections.T.astype(np.float64), theta=angles, filter_name="ramp", circle=True)
    inside = circle(n, 0.9)
    assert np.abs(found[:n, :n] - other)[inside].max() < 0.02  # it interpolates linearly


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        (SliceGeometry(np.array([0.0, np.nan]), 8, 4.0), InputError),
        (SliceGeometry(np.array([0.0, 90.0]), 8, np.nan), InputError),
        (SliceGeometry(np.array([0.0, 90.0]), 8, 1e9), InputError),
        (SliceGeometry(np.array([0.0, 90.0]), 8, 4.0, 0), InputError),
        (SliceGeometry(np.array([0.0, 90.0, 91.0]), 8, 4.0), ValueError),
        (SliceGeometry(np.array([0.0, 90.0]), 9, 4.0), ValueError),
    ],
)
def test_absurd_geometry_is_refused(
    engine: FourierEngine, geometry: SliceGeometry, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        engine.reconstruct(np.zeros((1, 2, 8), np.float32), geometry, RAMP)


def test_absurd_arrays_and_settings_are_refused(engine: FourierEngine) -> None:
    geometry = SliceGeometry(np.array([0.0, 90.0]), 8, 4.0)
    good = np.zeros((1, 2, 8), np.float32)
    with pytest.raises(ValueError, match="float64"):
        engine.reconstruct(good.astype(np.float64), geometry, RAMP)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out is"):
        engine.reconstruct(good, geometry, RAMP, out=np.zeros((1, 8, 9), np.float32))
    with pytest.raises(RecipeError):
        engine.reconstruct(good, geometry, EngineSettings(algorithm="sirt"))


def test_work_space_is_what_memory_needed_says(engine: FourierEngine) -> None:
    rng = np.random.default_rng(6)
    geometry = SliceGeometry(half_turn(300), 256, 127.5)
    for n_slices in (1, 2, 8, 11):
        fresh = FourierEngine()
        fresh.reconstruct(rng.normal(size=(n_slices, 300, 256)).astype(np.float32), geometry, RAMP)
        held = sum(array.nbytes for array in fresh._kept.values())
        assert 0.1 * fresh.memory_needed(geometry, n_slices, RAMP) < held
        assert held < fresh.memory_needed(geometry, n_slices, RAMP)
        fresh.release()
        assert not fresh._kept
