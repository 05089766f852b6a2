"""Noise has the right statistics; beam and detector do what their settings say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from alsct_gui.simulator.beam import BeamProfile, current_ma
from alsct_gui.simulator.camera import DARK, FLAT, PROJECTION, SimulatedCamera
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.noise import POISSON_EXACT_BELOW, detect_photons, frame_key
from alsct_gui.simulator.physics import Beam, Camera, Physics, Rings
from alsct_gui.simulator.spec import SimulationSpec

SHAPE = (300, 400)
QUIET = Camera(dark_counts=0.0, dark_pattern=0.0, read_noise=0.0)


def draw(
    mean: float, key: int, *, noisy: bool = True, read_noise: float = 0.0
) -> NDArray[np.float64]:
    frame = np.full(SHAPE, mean, dtype=np.float32)
    one, zero = np.ones(SHAPE[1], np.float32), np.zeros(SHAPE[1], np.float32)
    offset = np.zeros(SHAPE, np.float32)
    detect_photons(frame, np.uint64(key), noisy, one, zero, 1.0, offset, read_noise)
    return frame.astype(np.float64)


@pytest.mark.parametrize("mean", [0.3, 4.0, 30.0, POISSON_EXACT_BELOW + 1, 900.0, 20000.0])
def test_photons_are_poisson(mean: float) -> None:
    found = draw(mean, frame_key(1, PROJECTION, int(mean)))
    n = found.size
    assert np.array_equal(found, np.round(found))
    assert found.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n))
    variance_error = mean * np.sqrt((2 + 1 / mean) / n)
    assert found.var() == pytest.approx(mean, abs=5 * variance_error + 0.15)
    assert stats.skew(found.ravel()) == pytest.approx(mean**-0.5, abs=5 * np.sqrt(6 / n) + 0.02)


@pytest.mark.parametrize("mean", [2.0, 50.0, 70.0])
def test_photons_follow_the_whole_distribution(mean: float) -> None:
    found = draw(mean, frame_key(2, FLAT, int(mean))).ravel()
    levels = np.unique(stats.poisson.ppf(np.linspace(0.01, 0.99, 21), mean))
    below = np.searchsorted(np.sort(found), levels, side="right") / found.size
    # Kolmogorov's bound at one in a million, and what the normal approximation may add.
    allowed = 2.7 / np.sqrt(found.size) + (0.002 if mean > POISSON_EXACT_BELOW else 0.0)
    assert np.abs(below - stats.poisson.cdf(levels, mean)).max() < allowed


def test_read_noise_is_normal_and_apart_from_the_photons() -> None:
    quiet, loud = draw(500.0, 7), draw(500.0, 7, read_noise=3.0)
    reading = loud - quiet
    assert reading.std() == pytest.approx(3.0, rel=0.01)
    assert abs(np.corrcoef(reading.ravel(), quiet.ravel())[0, 1]) < 5 / np.sqrt(quiet.size)
    assert abs(stats.kurtosis(reading.ravel())) < 0.1


def test_pixels_and_frames_are_independent() -> None:
    first, second = (
        draw(1000.0, frame_key(0, PROJECTION, 0)),
        draw(1000.0, frame_key(0, PROJECTION, 1)),
    )
    bound = 5 / np.sqrt(first.size)
    pairs = [
        (first, second),
        (first[:, 1:], first[:, :-1]),
        (first[1:], first[:-1]),
        (first[:, 2:], first[:, :-2]),
    ]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < bound


def spec_of(physics: Physics, **changes: object) -> SimulationSpec:
    plain = SimulationSpec(n_columns=120, n_rows=90, n_angles=30, n_flats=4, physics=physics)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_nothing_is_random_without_noise() -> None:
    source = FrameSource(spec_of(Physics.ideal()), spec_of(Physics.ideal()).build())
    np.testing.assert_array_equal(source.make(FLAT, 0), np.full((90, 120), 60000))
    np.testing.assert_array_equal(source.make(DARK, 0), np.zeros((90, 120)))
    expected = np.exp(-source._phantom.project(spec_of(Physics.ideal()).detector, [-180.0])[0])
    assert np.abs(source.make(PROJECTION, 29) / 60000 - expected).max() < 1e-5


def test_darks_have_a_pattern_under_the_read_noise() -> None:
    spec = spec_of(Physics(), n_darks=60)
    source = FrameSource(spec, spec.build())
    darks = np.stack([source.make(DARK, index) for index in range(60)]).astype(float)
    assert darks.mean() == pytest.approx(100.0, abs=1.5)
    # Rounding to whole counts adds a variance of 1/12.
    assert darks.std(axis=0).mean() == pytest.approx(np.sqrt(4 + 1 / 12), rel=0.02)
    assert darks.mean(axis=0).std() == pytest.approx(5.0, rel=0.15)


def test_flats_are_structured_and_still_without_drift() -> None:
    spec = spec_of(Physics(camera=QUIET))
    source = FrameSource(spec, spec.build())
    one, other = source.make(FLAT, 0).astype(float), source.make(FLAT, 3).astype(float)
    assert one.max() <= 20000 + 6 * np.sqrt(20000)
    assert one.std() > 5 * np.sqrt(one.mean())
    assert (one - other).var() == pytest.approx(2 * one.mean(), rel=0.05)


def test_drift_moves_the_beam_but_not_the_dust() -> None:
    clean = BeamProfile(Beam(dust_per_mpx=0), 90, 120, seed=1)
    np.testing.assert_allclose(clean.frame(3.0)[3:], clean.frame(0.0)[:-3], atol=1e-6)
    dusty = BeamProfile(Beam(dust_per_mpx=2000), 90, 120, seed=1)
    specks = [dusty.frame(shift) / clean.frame(shift) for shift in (0.0, 3.0)]
    np.testing.assert_allclose(specks[0], specks[1], atol=1e-5)
    assert specks[0].min() < 0.95


def test_drift_goes_from_the_first_frame_to_the_last() -> None:
    physics = replace(Physics.ideal(), beam=Beam(drift_px=6.0, photons=50000, dust_per_mpx=0))
    spec = spec_of(physics, flats_after=True)
    source = FrameSource(spec, spec.build())
    first, last = source.make(FLAT, 0).astype(float), source.make(FLAT, 7).astype(float)
    trials = [np.abs(last[10:] - first[10 - shift : 90 - shift]).mean() for shift in range(10)]
    assert int(np.argmin(trials)) in (5, 6)


def test_current_decays_and_is_topped_up() -> None:
    times = np.array([0.0, 1800.0, 3599.0, 3600.0])
    found = current_ma(Beam(lifetime_h=2.0, top_up_every_s=3600.0), times)
    np.testing.assert_allclose(found, 500 * np.exp([0, -0.25, -3599 / 7200, 0]))
    np.testing.assert_array_equal(current_ma(Beam(), times), 500.0)


def test_light_follows_the_current() -> None:
    physics = replace(Physics.ideal(), beam=Beam(structured=False, photons=50000, lifetime_h=0.001))
    spec = spec_of(physics)
    source = FrameSource(spec, spec.build())
    air = [source.make(PROJECTION, index)[0, 0] for index in range(30)]
    expected = 50000 * source.timeline.current_ma[PROJECTION] / 500
    np.testing.assert_allclose(air, expected, atol=0.6)
    assert air[-1] < 0.5 * air[0]


def camera_of(physics: Physics, shape: tuple[int, int] = (200, 250)) -> SimulatedCamera:
    return SimulatedCamera(physics, *shape, n_angles=100, seed=4)


def test_hot_and_dead_pixels_show_in_every_frame() -> None:
    camera = camera_of(
        Physics(noise=False, camera=replace(QUIET, hot_share=0.001, dead_share=0.002))
    )
    assert 20 < camera.hot.size < 90
    assert 60 < camera.dead.size < 150
    for kind in (DARK, FLAT, PROJECTION):
        light = 0.0 if kind == DARK else 5000.0
        frame = camera.detect(np.full((200, 250), light, np.float32), kind, 3).ravel()
        assert (frame[camera.hot] > 50000).all()
        assert (frame[camera.dead] == 0).all()
        assert np.count_nonzero(frame == light) >= frame.size - camera.hot.size - camera.dead.size


def test_zingers_come_at_their_rate_and_elsewhere_each_time() -> None:
    camera = camera_of(Physics(noise=False, camera=replace(QUIET, zingers_per_mpx=400.0)))
    hits = [
        set(np.flatnonzero(camera.detect(np.full((200, 250), 10, np.float32), PROJECTION, i) > 100))
        for i in range(50)
    ]
    total = sum(map(len, hits))
    assert total == pytest.approx(1000, abs=5 * np.sqrt(1000))
    assert len(set.union(*hits)) > 0.9 * total


def test_counts_saturate() -> None:
    camera = camera_of(Physics(camera=replace(QUIET, bits=12)))
    frame = camera.detect(np.full((200, 250), 5000, np.float32), FLAT, 0)
    assert frame.min() == frame.max() == 4095


def test_stripes_differ_from_what_the_flats_say() -> None:
    rings = Rings(gain=3, wide=1, partial=2, nonlinear=2, strength=0.1)
    camera = camera_of(Physics(noise=False, camera=QUIET, beam=Beam(photons=50000), rings=rings))
    assert len(camera.stripes) == rings.count

    def columns(kind: int, index: int, photons: float) -> NDArray[np.float64]:
        return camera.detect(np.full((200, 250), photons, np.float32), kind, index)[50] / photons

    full, half, flat = (
        columns(PROJECTION, 50, 5e4),
        columns(PROJECTION, 50, 2.5e4),
        columns(FLAT, 0, 5e4),
    )
    np.testing.assert_allclose(flat, 1.0, atol=1e-4)
    wrong_gain, bent = np.zeros(250), np.zeros(250)
    for stripe in camera.stripes:
        where = slice(stripe.column, stripe.column + stripe.width)
        if stripe.kind == "nonlinear":
            bent[where] = stripe.error
        elif stripe.first <= 50 <= stripe.last:
            wrong_gain[where] = (1 + wrong_gain[where]) * (1 + stripe.error) - 1
    np.testing.assert_allclose(full, 1 + wrong_gain, atol=1e-4)
    np.testing.assert_allclose(half, (1 + wrong_gain) * (1 + bent / 2), atol=1e-4)
    assert np.abs(wrong_gain).max() > 0.01
    assert np.abs(bent).max() > 0.01
