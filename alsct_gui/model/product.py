"""What comes out: quality figures and provenance, stored inside every product.

A reconstruction carries a `Provenance`, whatever an analysis step made a `StepProvenance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alsct_gui.model.center import CenterResult
from alsct_gui.model.finding import Finding
from alsct_gui.model.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures that tell whether a reconstruction can be trusted."""

    slices_expected: int
    """Slices that the plan announced."""
    slices_found: int
    """Slices that were read back from what was written."""
    center_confidence: float
    """From 0 to 1."""
    ring_strength: float
    """What the azimuthal means of all sectors have in common, rms, as a share of the noise."""
    noise: float
    """Robust standard deviation of neighbouring-pixel differences, in the slices' unit."""
    saturated_share: float
    """Share of raw projection pixels at the detector's maximum."""
    clipped_share: float
    """Share of transmission values that the lower clamp changed."""
    nan_count: int
    """Values that are not finite in the slices."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a product was made; enough to make it again."""

    recipe: Recipe
    """As asked for."""
    resolved: Recipe
    """With everything that was found filled in: the centre is manual, ranges are given."""
    input_path: str
    """The scan as it was named."""
    input_identity: str
    """Quick identity of the scan (start time and sampled frames), known before it is read."""
    input_sha256: str
    """Checksum of all frames and angles; empty until the product is whole."""
    center: CenterResult
    """The centre that was used; the value is also in `resolved`."""
    versions: Mapping[str, str]
    """This program, Python and the libraries that touched the values."""
    engine: str
    """Engine and version."""
    batch_slices: int
    """Slices that the engine got at once; some engines pair neighbours."""
    created: str
    """ISO 8601, UTC."""
    pixel_size_um: float | None
    """Edge of a voxel; None when unknown."""
    units: str
    """Unit of the stored values before integer scaling."""
    scale: tuple[float, float] | None = None
    """For integers: value = scale[0] + stored * scale[1]; None for float32."""
    quality: Quality | None = None
    """Filled in when the product is whole."""
    findings: tuple[Finding, ...] = ()
    """Warnings of the scan and of the run."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by stage."""


@dataclass(frozen=True, slots=True)
class InputMark:
    """Something that a step was given."""

    name: str
    """As the step calls it."""
    kind: str
    """``volume``, ``labels``, ``table``, ``scan`` …"""
    path: str
    """As it was named."""
    identity: str
    """What tells it from others without reading all of it; see `files.identity`."""
    sha256: str = ""
    """Checksum of all its values; empty until the product is whole."""
    made: Mapping[str, object] = field(default_factory=dict)
    """Its own provenance, so that a chain of steps is told from its beginning."""


@dataclass(frozen=True, slots=True)
class StepProvenance:
    """How an analysis step made a product; enough to make it again."""

    step: str
    """Name of the step: ``filter.median``."""
    title: str
    """The step for people."""
    parameters: Mapping[str, object]
    """All of them, as the step takes them."""
    inputs: tuple[InputMark, ...]
    """What it was given."""
    output: str
    """Which of the step's outputs this is."""
    versions: Mapping[str, str]
    """This program, Python, the step's package and the libraries that touched the values."""
    created: str
    """ISO 8601, UTC."""
    units: str = ""
    """Unit of the values before integer scaling."""
    voxel_um: tuple[float, float, float] | None = None
    """Edges of a voxel (slice, y, x); None when unknown, or when it has none."""
    scale: tuple[float, float] | None = None
    """For integers: value = scale[0] + stored * scale[1]; None when they are values."""
    seconds: float | None = None
    """Wall time; None until the product is whole."""
    record: Mapping[str, object] = field(default_factory=dict)
    """What else the step tells of this run; of one's own code its files by checksum, where it
    ran, the packages there, and what it printed."""
