"""What happens between the source and the numbers in the file; each effect can be off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Beam:
    """Light without a sample."""

    photons: float = 20000.0
    """Photons per pixel and frame where the beam is brightest."""
    structured: bool = True
    """A beam profile with horizontal bands, and scintillator dust; else an even field."""
    dust_per_mpx: float = 40.0
    """Dust specks per million pixels; they stay on the detector when the beam moves."""
    drift_px: float = 0.0
    """How far the beam moves down the detector from the first frame to the last."""
    wobble_px: float = 0.0
    """Amplitude of a slow vertical oscillation on top of the drift (three periods a scan)."""
    current_ma: float = 500.0
    """Beam current at the start; light is proportional to it."""
    lifetime_h: float | None = None
    """Decay time of the current; None keeps it constant."""
    top_up_every_s: float = 0.0
    """Time between refills to ``current_ma``; 0 for none."""


@dataclass(frozen=True, slots=True)
class Camera:
    """What the detector adds."""

    counts_per_photon: float = 1.0
    """Gain."""
    dark_counts: float = 100.0
    """Mean counts without light."""
    dark_pattern: float = 5.0
    """Standard deviation of the fixed pattern of the dark counts, in counts."""
    read_noise: float = 2.0
    """Standard deviation of read noise in counts."""
    hot_share: float = 0.0
    """Share of pixels that give nearly full counts without light."""
    dead_share: float = 0.0
    """Share of pixels that do not answer to light."""
    zingers_per_mpx: float = 0.0
    """Stray hits per million pixels and frame (a Poisson rate), in every kind of frame."""
    bits: int = 16
    """Counts are cut off at 2**bits - 1."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Columns that answer differently from what the flats say, over all rows."""

    gain: int = 0
    """Narrow columns (1 px) whose gain changed after the flats."""
    wide: int = 0
    """Bands of 5 to 15 columns whose gain changed after the flats."""
    nonlinear: int = 0
    """Columns whose response bends: the error depends on the brightness."""
    partial: int = 0
    """Columns whose gain is wrong during a part of the scan only."""
    strength: float = 0.03
    """Standard deviation of the relative error."""

    @property
    def count(self) -> int:
        """Number of stripes of all kinds."""
        return self.gain + self.wide + self.nonlinear + self.partial


@dataclass(frozen=True, slots=True)
class PhaseContrast:
    """Free-space propagation of a homogeneous sample."""

    delta_beta: float = 300.0
    """Ratio of the refractive decrement to the absorption index."""
    pad_px: int = 64
    """Border added on every side for the transforms."""


@dataclass(frozen=True, slots=True)
class Physics:
    """All effects. The default is a good scan: noise, dark current, structured flats."""

    noise: bool = True
    """Poisson noise of the photons."""
    beam: Beam = field(default_factory=Beam)
    """Source and flats."""
    camera: Camera = field(default_factory=Camera)
    """Detector."""
    rings: Rings = field(default_factory=Rings)
    """Causes of ring artefacts."""
    phase: PhaseContrast | None = None
    """Fringes; None for pure absorption."""

    @classmethod
    def ideal(cls) -> Self:
        """Return no noise, an even field, no dark current: only rounding to counts is left."""
        beam = Beam(photons=60000.0, structured=False)
        camera = Camera(dark_counts=0.0, dark_pattern=0.0, read_noise=0.0)
        return cls(noise=False, beam=beam, camera=camera)

    @classmethod
    def harsh(cls) -> Self:
        """Return a bad day: everything but fringes is on."""
        return cls(
            beam=Beam(photons=8000.0, drift_px=1.5, wobble_px=0.5, lifetime_h=2.0),
            camera=Camera(hot_share=2e-5, dead_share=2e-5, zingers_per_mpx=20.0),
            rings=Rings(gain=12, wide=3, nonlinear=4, partial=4),
        )
