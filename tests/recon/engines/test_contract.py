"""What every engine has to keep: orientation, scale, centre, and the Protocol's promises.

Every installed engine is held to it that can run here; the others skip with their reason.
The GPU engine's code also runs on torch's CPU device, where torch is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import Engine, SliceGeometry
from alsct_gui.recon.engines.gpu_engine import GpuEngine
from alsct_gui.recon.engines.mbir_engine import MbirEngine
from alsct_gui.recon.engines.registry import engine_names, load_engine
from tests.recon.engines.phantom import BLOBS, DISC, blob_position, disc_value, draw, project

# tomopy, astra and torch warn of things that are theirs to mend.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning")

N_COLUMNS, CENTER_PX, N_ANGLES = 96, 44.3, 130
ANGLES_DEG = np.arange(N_ANGLES) * 180.0 / N_ANGLES


@dataclass(frozen=True)
class Promise:
    """How close an engine's algorithm comes to the phantom."""

    value: float = 0.01
    """Relative error of the disc's attenuation."""
    rms: float = 0.02
    """Root mean square error over the field of view, of the phantom's maximum."""
    position_px: float = 0.03
    """Error of a blob's position."""
    iterations: int = 1


PROMISES = {
    "fourier": Promise(),
    "astra fbp": Promise(),
    "astra sirt": Promise(iterations=150),
    "astra cgls": Promise(iterations=15),
    "gpu fbp": Promise(),
    "gpu-code-on-cpu fbp": Promise(),
    # gridrec's values are its own, see its note; where things are is held to as elsewhere.
    "tomopy gridrec": Promise(value=0.15, rms=0.06),
    "tomopy sirt": Promise(value=0.03, rms=0.03, position_px=0.1, iterations=150),
    "mbir mbir": Promise(value=0.01, iterations=40, position_px=0.06),
}


@pytest.fixture(params=[*engine_names(), "gpu-code-on-cpu"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Engine]]:
    name: str = request.param
    engine: Engine
    if name == "gpu-code-on-cpu":
        engine = GpuEngine("cpu")
    elif name == "mbir":
        engine = MbirEngine(tmp_path / "cache")
    else:
        engine = load_engine(name)
    state = engine.check()
    if not state.ok:
        pytest.skip(f"{name}: {state.reason}")
    return name, engine


def promised(named: tuple[str, Engine]) -> list[tuple[str, Promise]]:
    """The algorithms of an engine, each with what it promises."""
    name, engine = named
    exact = Promise()
    return [
        (algorithm, PROMISES.get(f"{name} {algorithm}", PROMISES.get(name, exact)))
        for algorithm in engine.capabilities().algorithms
    ]


def settings_for(algorithm: str, promise: Promise) -> EngineSettings:
    return EngineSettings(algorithm=algorithm, iterations=promise.iterations)


def field_of_view(size: int) -> np.ndarray:
    axis = np.arange(size) - (size - 1) / 2
    return np.hypot(*np.meshgrid(axis, axis)) < 36


def assert_is_phantom(slice_: np.ndarray, promise: Promise, factor: float = 1.0) -> None:
    """The slice shows the phantom, times a factor: values, places and everything else."""
    truth, inside = factor * draw(slice_.shape[0]), field_of_view(slice_.shape[0])
    assert disc_value(slice_) == pytest.approx(factor * DISC.mu, rel=promise.value)
    for blob in BLOBS:
        dx, dy = blob_position(slice_, blob)
        assert abs(dx) < promise.position_px, f"{blob} is {dx:.3f} px too far right"
        assert abs(dy) < promise.position_px, f"{blob} is {dy:.3f} px too high"
    smooth = inside & ~near_disc_edge(slice_.shape[0])
    error = np.sqrt(np.mean((slice_ - truth)[smooth] ** 2)) / truth.max()
    assert error < promise.rms
    for turn in range(1, 8):
        other = np.rot90(truth, turn % 4)
        other = other[:, ::-1] if turn >= 4 else other
        wrong = np.sqrt(np.mean((slice_ - other)[inside] ** 2)) / truth.max()
        assert wrong > 2 * error, "another orientation fits about as well"


def near_disc_edge(size: int) -> np.ndarray:
    """Pixels at the disc's step, where every band-limited method rings."""
    axis = np.arange(size) - (size - 1) / 2
    dx, dy = np.meshgrid(axis - DISC.x, -axis - DISC.y)
    return np.abs(np.hypot(dx, dy) - DISC.radius) < 4


def test_orientation_scale_and_off_centre_axis(named: tuple[str, Engine]) -> None:
    sinograms = project(ANGLES_DEG, N_COLUMNS, CENTER_PX)[np.newaxis]
    given = sinograms.copy()
    geometry = SliceGeometry(ANGLES_DEG, N_COLUMNS, CENTER_PX)
    for algorithm, promise in promised(named):
        slices = named[1].reconstruct(sinograms, geometry, settings_for(algorithm, promise))
        assert slices.dtype == np.float32
        assert slices.shape == (1, N_COLUMNS, N_COLUMNS)
        assert_is_phantom(slices[0], promise)
    np.testing.assert_array_equal(sinograms, given)


@pytest.mark.parametrize("n_pixels", [85, 110])
def test_slices_of_another_size_hold_the_same_at_the_same_scale(
    named: tuple[str, Engine], n_pixels: int
) -> None:
    sinograms = project(ANGLES_DEG, N_COLUMNS, CENTER_PX)[np.newaxis]
    geometry = SliceGeometry(ANGLES_DEG, N_COLUMNS, CENTER_PX, n_pixels)
    for algorithm, promise in promised(named):
        slices = named[1].reconstruct(sinograms, geometry, settings_for(algorithm, promise))
        assert slices.shape == (1, n_pixels, n_pixels)
        assert_is_phantom(slices[0], promise)


def test_each_slice_has_its_own_centre_and_place_in_out(named: tuple[str, Engine]) -> None:
    centers, factors = np.array([44.3, 44.3, 49.1]), (1.0, 1.2, 0.9)
    sinograms = np.stack(
        [
            np.float32(factor) * project(ANGLES_DEG, N_COLUMNS, center)
            for factor, center in zip(factors, centers, strict=True)
        ]
    )
    geometry = SliceGeometry(ANGLES_DEG, N_COLUMNS, centers, 90)
    algorithm, promise = promised(named)[0]
    if named[0] == "mbir":  # it smooths across slices, here by steps of 20 %
        promise = Promise(value=0.02, rms=0.04, position_px=0.06, iterations=40)
    out = np.full((3, 90, 90), np.nan, np.float32)
    settings = settings_for(algorithm, promise)
    slices = named[1].reconstruct(sinograms, geometry, settings, out=out, threads=2)
    assert slices is out
    for slice_, factor in zip(slices, factors, strict=True):
        assert_is_phantom(slice_, promise, factor)


@pytest.mark.parametrize(
    "angles_deg",
    [
        np.arange(260) * 360.0 / 260,
        180.0 - ANGLES_DEG,
        np.sort(np.random.default_rng(8).uniform(0, 180, 260)),
    ],
    ids=["full-turn", "backwards", "uneven"],
)
def test_angles_may_be_any(named: tuple[str, Engine], angles_deg: np.ndarray) -> None:
    sinograms = project(angles_deg, N_COLUMNS, CENTER_PX)[np.newaxis]
    geometry = SliceGeometry(angles_deg, N_COLUMNS, CENTER_PX)
    algorithm, promise = promised(named)[0]
    slices = named[1].reconstruct(sinograms, geometry, settings_for(algorithm, promise))
    assert_is_phantom(slices[0], promise)


def test_memory_needed_is_positive_and_grows(named: tuple[str, Engine]) -> None:
    engine = named[1]
    settings = EngineSettings(algorithm=engine.capabilities().algorithms[0])

    def needed(n_slices: int, n_columns: int, n_angles: int) -> int:
        geometry = SliceGeometry(np.arange(n_angles) * 1.0, n_columns, n_columns / 2)
        return engine.memory_needed(geometry, n_slices, settings)

    assert needed(1, 256, 180) > 0
    assert needed(1, 256, 180) <= needed(8, 256, 180) <= needed(64, 256, 180)
    assert needed(8, 256, 180) <= needed(8, 512, 180)
    assert needed(8, 256, 180) <= needed(8, 256, 720)


def test_an_unknown_algorithm_is_refused_with_those_that_exist(named: tuple[str, Engine]) -> None:
    geometry = SliceGeometry(ANGLES_DEG, N_COLUMNS, CENTER_PX)
    sinograms = np.zeros((1, N_ANGLES, N_COLUMNS), np.float32)
    with pytest.raises(RecipeError) as caught:
        named[1].reconstruct(sinograms, geometry, EngineSettings(algorithm="magic"))
    assert named[1].capabilities().algorithms[0] in caught.value.sentence


def test_capabilities_and_check_agree_with_the_name(named: tuple[str, Engine]) -> None:
    name, engine = named
    capabilities, state = engine.capabilities(), engine.check()
    assert capabilities.name == ("gpu" if name == "gpu-code-on-cpu" else name)
    assert capabilities.algorithms
    assert state.version
    assert not state.reason
