"""Fringes obey wave optics."""

from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator import phase
from alsct_gui.simulator.camera import PROJECTION
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.physics import PhaseContrast, Physics
from alsct_gui.simulator.shapes import Cylinders, Phantom
from alsct_gui.simulator.spec import SimulationSpec


def test_fresnel_number_has_the_right_units() -> None:
    # 10 keV is 1.2398 angstrom; over 0.1 m that is 12.398 um^2.
    assert phase.fresnel_px2(10.0, 100.0, 1.0) == pytest.approx(12.39842, rel=1e-5)
    assert phase.fresnel_px2(20.0, 100.0, 2.0) == pytest.approx(12.39842 / 8, rel=1e-5)


@pytest.mark.parametrize("cycles", [3, 11, 24])
@pytest.mark.parametrize("along", [0, 1])
def test_weak_object_follows_the_contrast_transfer_function(cycles: int, along: int) -> None:
    """Guigay 1977: I - 1 = -(cos chi + (delta / beta) sin chi) p, chi = pi lambda z f^2."""
    size, delta_beta, fresnel = 96, 40.0, 1.7
    wave = 1e-5 * np.cos(2 * np.pi * cycles * np.arange(size) / size)
    integrals = np.broadcast_to(wave if along else wave[:, None], (size, size)).astype(np.float32)
    found = phase.propagate(integrals, delta_beta, fresnel).astype(np.float64) - 1
    chi = np.pi * fresnel * (cycles / size) ** 2
    expected = -(np.cos(chi) + delta_beta * np.sin(chi)) * integrals
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_propagation_keeps_energy_and_zero_distance_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.uniform(0, 0.3, (12, 12)), np.ones((8, 8))).astype(np.float32)
    here = phase.propagate(coarse, 20.0, 0.0)
    there = phase.propagate(coarse, 20.0, 2.0)
    np.testing.assert_allclose(here, np.exp(-coarse), atol=1e-5)
    assert there.mean() == pytest.approx(here.mean(), rel=1e-5)
    assert there.max() > 1.1


def test_fringes_outline_a_rod_and_only_move_light_about() -> None:
    rod = Phantom("rod", cylinders=Cylinders.from_lists([[0, 0, 0]], [0, 0, 1], 25, 1e4, 40))
    spec = SimulationSpec(
        phantom=rod, n_columns=128, n_rows=24, n_angles=3, distance_mm=30.0, oversample=2,
        physics=Physics(phase=PhaseContrast(delta_beta=100.0)),
    )  # fmt: skip
    source = FrameSource(spec, rod)
    fringes = source.transmission(0.0)
    absorption = np.exp(-rod.project(spec.detector, [0.0], oversample=2)[0])
    assert fringes.shape == source.make(PROJECTION, 0).shape == (24, 128)
    assert fringes.mean() == pytest.approx(absorption.mean(), rel=1e-4)
    # Light is taken from the rod's sides and put just outside them.
    side = round(63.5 - 25 / spec.pixel_size_um)
    assert fringes[12, side - 3 : side].max() > 1.05
    assert (fringes[12] - absorption[12])[side + 1 : side + 4].min() < -0.02


def test_the_border_is_real_sample_not_a_guess() -> None:
    """A frame cut from a taller detector has the same fringes, up to its upper edge."""
    physics = Physics(phase=PhaseContrast(delta_beta=50.0, pad_px=48))
    tall = SimulationSpec(
        n_columns=64, n_rows=64, n_angles=2, optical_depth=0.1, physics=physics, phantom="foam"
    )
    phantom = tall.build()
    short = SimulationSpec(
        n_columns=64, n_rows=24, n_angles=2, optical_depth=0.1, physics=physics, phantom=phantom
    )
    whole = FrameSource(tall, phantom).transmission(20.0)
    part = FrameSource(short, phantom).transmission(20.0)
    np.testing.assert_allclose(part, whole[20:44], atol=2e-3)


@pytest.mark.parametrize(("size", "pad"), [(100, 10), (101, 10), (2160, 64), (7, 1)])
def test_padded_size_keeps_parity(size: int, pad: int) -> None:
    padded = phase.padded_size(size, pad)
    assert padded >= size + 2 * pad
    assert (padded - size) % 2 == 0


def test_what_the_grid_cannot_hold_is_refused() -> None:
    far = SimulationSpec(distance_mm=20000.0, physics=Physics(phase=PhaseContrast(pad_px=8)))
    with pytest.raises(RecipeError, match="pad_px"):
        FrameSource(far, far.build())
    strong = SimulationSpec(n_columns=32, physics=Physics(phase=PhaseContrast(delta_beta=3000.0)))
    with pytest.raises(RecipeError, match="delta_beta"):
        FrameSource(strong, strong.build())
