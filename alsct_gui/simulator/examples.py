"""Scans that the demo, the tour and the self-test are made on."""

from __future__ import annotations

from alsct_gui.simulator.physics import Beam, Camera, Physics, Rings
from alsct_gui.simulator.spec import SimulationSpec


def demo_scan() -> SimulationSpec:
    """A foam with the faults of a real scan: rings, zingers, dead pixels, axis off the middle."""
    return SimulationSpec(
        phantom="foam",
        n_columns=640,
        n_rows=96,
        n_angles=721,
        center_px=326.4,
        flats_after=True,
        physics=Physics(
            beam=Beam(drift_px=0.5),
            camera=Camera(hot_share=1e-5, dead_share=1e-5, zingers_per_mpx=2.0),
            rings=Rings(gain=8, nonlinear=2),
        ),
        seed=832,
        title="foam",
    )
