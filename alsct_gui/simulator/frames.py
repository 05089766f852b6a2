"""Any frame of a simulated scan, by itself and in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsct_gui.simulator import phase
from alsct_gui.simulator.beam import BeamProfile, current_ma, shift_px
from alsct_gui.simulator.camera import DARK, FLAT, PROJECTION, SimulatedCamera
from alsct_gui.simulator.shapes import Detector, Phantom, bin_mean
from alsct_gui.simulator.spec import SimulationSpec

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
UInt16Array = NDArray[np.uint16]

_READOUT_S = 0.02


class Timeline:
    """When each frame is taken: darks, then flat groups between the projections.

    Parameters
    ----------
    spec
        The scan.
    """

    def __init__(self, spec: SimulationSpec) -> None:
        groups = spec.flat_groups_at
        projection = np.arange(spec.n_angles)
        groups_before = np.searchsorted(groups, projection, side="right")
        order = {
            DARK: np.arange(spec.n_darks),
            FLAT: np.concatenate(
                [
                    at + number * spec.n_flats + np.arange(spec.n_flats)
                    for number, at in enumerate(groups)
                ]
                or [np.empty(0, dtype=np.intp)]
            )
            + spec.n_darks,
            PROJECTION: projection + groups_before * spec.n_flats + spec.n_darks,
        }
        period_s = spec.exposure_s + _READOUT_S
        self.time_s: dict[int, Float64Array] = {k: v * period_s for k, v in order.items()}
        """Start of every frame since the first, by kind, shape (frame,)."""
        self.duration_s = sum(len(v) for v in order.values()) * period_s
        """Of the whole scan."""
        self.current_ma: dict[int, Float64Array] = {
            kind: current_ma(spec.physics.beam, times) for kind, times in self.time_s.items()
        }
        """Beam current at every frame, by kind, shape (frame,)."""


class FrameSource:
    """Makes frames; calls from several threads are safe, and order does not matter.

    Parameters
    ----------
    spec
        The scan.
    phantom
        What `SimulationSpec.build` gave.
    """

    def __init__(self, spec: SimulationSpec, phantom: Phantom) -> None:
        self._spec, self._phantom = spec, phantom
        self.timeline = Timeline(spec)
        self._angles_deg = spec.angles_deg
        n_rows = spec.repeat_rows or spec.n_rows
        first = (spec.n_rows - n_rows) // 2
        self._rows = slice(first, first + n_rows)
        self._shape = (n_rows, spec.n_columns)
        self._profile = BeamProfile(spec.physics.beam, n_rows, spec.n_columns, spec.seed)
        moves = spec.physics.beam.drift_px != 0 or spec.physics.beam.wobble_px != 0
        self._still = None if moves else self._profile.frame(0.0)
        self.camera = SimulatedCamera(
            spec.physics, n_rows, spec.n_columns, spec.n_angles, spec.seed
        )
        self._fine = spec.detector.finer(spec.oversample)
        if spec.physics.phase is not None:
            self._fine = self._with_border(self._fine, spec.physics.phase.pad_px)
            self._check_phase()

    @property
    def counts(self) -> dict[int, int]:
        """Number of frames by kind."""
        return {kind: len(times) for kind, times in self.timeline.time_s.items()}

    def make(self, kind: int, index: int) -> UInt16Array:
        """Return one frame as stored, shape (row, column).

        Parameters
        ----------
        kind
            `camera.DARK`, `camera.FLAT` or `camera.PROJECTION`.
        index
            Which one, counted within its kind.
        """
        if kind == DARK:
            photons = np.zeros(self._shape, dtype=np.float32)
        else:
            photons = self._light(kind, index)
            if kind == PROJECTION:
                photons *= self.transmission(float(self._angles_deg[index]))
        frame = self.camera.detect(photons, kind, index)
        if frame.shape[0] != self._spec.n_rows:
            frame = frame[np.arange(self._spec.n_rows) % frame.shape[0]]
        return frame

    def transmission(self, angle_deg: float) -> Float32Array:
        """Return the relative intensity behind the sample, shape (row, column)."""
        spec = self._spec
        if spec.physics.phase is None:
            rows = slice(self._rows.start * spec.oversample, self._rows.stop * spec.oversample)
            integrals = self._phantom.project_fine(self._fine, angle_deg, rows)
            return bin_mean(np.exp(-integrals), spec.oversample)
        integrals = self._phantom.project_fine(self._fine, angle_deg)
        intensity = phase.propagate(integrals, spec.physics.phase.delta_beta, self._fresnel)
        n_rows, n_columns = (size * spec.oversample for size in self._shape)
        top = (self._fine.n_rows - n_rows) // 2
        left = (self._fine.n_columns - n_columns) // 2
        inner = np.ascontiguousarray(intensity[top : top + n_rows, left : left + n_columns])
        return bin_mean(inner, spec.oversample)

    def _light(self, kind: int, index: int) -> Float32Array:
        """Return expected photons without a sample."""
        beam, timeline = self._spec.physics.beam, self.timeline
        share = timeline.time_s[kind][index] / timeline.duration_s
        strength = timeline.current_ma[kind][index] / beam.current_ma
        profile = self._still
        if profile is None:
            profile = self._profile.frame(shift_px(beam, float(share)))
        light: Float32Array = profile * np.float32(beam.photons * strength)
        return light

    @property
    def _fresnel(self) -> float:
        spec = self._spec
        return phase.fresnel_px2(spec.energy_kev, spec.distance_mm, self._fine.pixel_size_um)

    def _with_border(self, fine: Detector, pad_px: int) -> Detector:
        """Return a larger detector about the same axis: the border is real sample, not a guess."""
        pad = pad_px * self._spec.oversample
        n_rows = phase.padded_size(fine.n_rows, pad)
        n_columns = phase.padded_size(fine.n_columns, pad)
        center = fine.center_px + (n_columns - fine.n_columns) / 2
        return Detector(n_rows, n_columns, fine.pixel_size_um, center, fine.tilt_deg)

    def _check_phase(self) -> None:
        settings = self._spec.physics.phase
        assert settings is not None  # noqa: S101 - narrows the type; the caller looked
        integrals = self._phantom.project_fine(self._fine, float(self._angles_deg[0]))
        aliased = phase.aliased_share(integrals, settings.delta_beta)
        size = min(self._fine.n_rows, self._fine.n_columns)
        phase.check_sampling(self._fresnel, size, settings.pad_px * self._spec.oversample, aliased)
