"""A simulated scan, corrected and reconstructed, comes out as its truth and not mirrored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import SliceGeometry
from alsct_gui.recon.engines.fourier import FourierEngine
from alsct_gui.simulator.physics import Physics
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.truth import load_truth
from alsct_gui.simulator.write import simulate_scan


@pytest.mark.parametrize("physics", [Physics.ideal(), Physics()])
def test_simulate_correct_reconstruct(tmp_path: Path, physics: Physics) -> None:
    spec = SimulationSpec(
        phantom="smooth", n_columns=128, n_rows=6, n_angles=201, center_px=61.4, physics=physics
    )
    path = simulate_scan(tmp_path, replace(spec, n_flats=20))
    truth = load_truth(path)
    with open_scan(path) as scan:
        assert scan.flats is not None
        assert scan.darks is not None
        dark = scan.darks.read().mean(axis=0)
        flat = scan.flats.read().mean(axis=0) - dark
        sinograms = -np.log((scan.projections.read() - dark) / flat).transpose(1, 0, 2)
        geometry = SliceGeometry(scan.geometry.angles_deg, 128, truth.detector.center_px)
    slices = FourierEngine().reconstruct(
        np.ascontiguousarray(sinograms, dtype=np.float32), geometry, EngineSettings()
    )
    found = slices / (spec.pixel_size_um * 1e-4)
    expected = truth.slices()
    y, x = np.mgrid[:128, :128] - 63.5
    seen = np.hypot(x, y) < 58
    error = (found - expected)[:, seen]
    assert np.sqrt(np.mean(error**2)) < (0.03 if physics.noise else 0.002) * expected.max()
    assert found[:, seen].mean() == pytest.approx(expected[:, seen].mean(), rel=0.003)
    for flipped in (expected[:, ::-1], expected[:, :, ::-1], expected.transpose(0, 2, 1)):
        assert np.sqrt(np.mean((found - flipped)[:, seen] ** 2)) > 0.08 * expected.max()
