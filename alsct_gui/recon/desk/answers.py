"""What the desk answers: frozen dataclasses, made in one process and read in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.center import CenterResult
from alsct_gui.model.finding import Finding
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import People

Float32Array = NDArray[np.float32]
FrameKind = Literal["projection", "flat", "dark"]
Stage = Literal["raw", "corrected", "filtered"]


@dataclass(frozen=True, eq=False)
class Look:
    """What lies at a path, at a glance."""

    path: str
    kind: Literal["scan", "volume", "unknown"]
    """``unknown`` when it cannot be opened; `findings` say why."""
    ok: bool
    """False when a finding is an error: it cannot be worked on as it is."""
    findings: tuple[Finding, ...]
    """Gravest first."""
    layout: str = ""
    """As `Scan.layout` or `Volume.layout`."""
    size_bytes: int = 0
    """On disk; of a folder the files directly in it."""
    modified_ns: int = 0
    """Time of the latest change."""
    people: People = field(default_factory=People)
    """Who, for what, with what."""
    quantity: str = ""
    """What a projection's values are; see `Scan.quantity`."""
    n_angles: int = 0
    n_rows: int = 0
    n_columns: int = 0
    n_flats: int = 0
    n_darks: int = 0
    range_deg: float = 0.0
    pixel_um: float | None = None
    distance_mm: float | None = None
    energy_kev: float | None = None
    tilt_deg: float = 0.0
    identity: str = ""
    """Quick identity of a scan; empty for volumes."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Every key, flattened; long lists and texts are cut."""
    shape: tuple[int, ...] = ()
    """Of a volume: slices, y, x."""
    levels: int = 0
    """Of a volume: resolutions."""
    dtype: str = ""
    """Stored type."""
    voxel_um: tuple[float, float, float] | None = None
    """Of a volume: edges of a voxel (slice, y, x)."""
    units: str = ""
    """Of a volume: unit of its values."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Of a volume: how it was made, as plain data."""
    thumbnail: NDArray[np.uint8] | None = None
    """About 96 pixels wide, shape (row, column)."""


@dataclass(frozen=True, slots=True)
class FrameWanted:
    """Which frame, and how."""

    kind: FrameKind = "projection"
    index: int = 0
    """Of its kind, from 0."""
    corrected: bool = False
    """Divide by the flats: transmission instead of counts. For projections alone."""
    binning: int = 1
    """Average n x n pixels into one."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame."""

    image: NDArray[Any]
    """Shape (row, column), uint16 or float32."""
    kind: FrameKind
    index: int
    count: int
    """Frames of this kind."""
    angle_deg: float | None
    """None for flats and darks."""
    pixel_um: float | None
    """Edge of a pixel of the image."""
    quantity: str
    """``counts``, ``transmission`` or ``line-integrals``."""
    low: float
    """Robust lower limit for display."""
    high: float
    """Robust upper limit for display."""


@dataclass(frozen=True, eq=False)
class Opposite:
    """Two corrected frames half a turn apart."""

    first: Float32Array
    """Transmission, shape (row, column)."""
    second: Float32Array
    """The same seen from behind; not mirrored."""
    indices: tuple[int, int]
    angles_deg: tuple[float, float]
    mismatch_deg: float
    """How far the pair is from half a turn."""
    pixel_um: float | None
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Sinogram:
    """One detector row at all angles."""

    image: Float32Array
    """Shape (angle, column)."""
    stage: Stage
    row: int
    """Detector row."""
    angles_deg: NDArray[np.float64]
    """Shape (angle,)."""
    quantity: str
    """``counts`` (or what the scan holds) when raw, else ``line-integrals``."""
    pixel_um: float | None
    low: float
    high: float
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Preview:
    """One reconstructed slice."""

    image: Float32Array
    """Shape (y, x)."""
    row: int
    """Detector row."""
    center_px: float
    """Column of the axis on the full detector."""
    confidence: float
    """Of the centre, from 0 to 1; 1 when it was given."""
    units: str
    pixel_um: float | None
    low: float
    high: float
    seconds: float
    """Time it took to make."""
    resolved: Recipe
    """The recipe with the centre and the rotation filled in."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class Trial:
    """One picture of a sweep."""

    index: int
    """Place in the sweep; the last setting varies fastest."""
    values: tuple[Any, ...]
    """Value of each setting."""
    image: Float32Array
    """Shape (y, x), made small by area means."""
    center_px: float
    units: str
    low: float
    high: float
    error: str = ""
    """Why there is no picture with these values; the image is then empty."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The end of a sweep."""

    count: int
    """Pictures that were made."""
    row: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Centers:
    """The rotation centre by every method."""

    result: CenterResult
    rotation: str
    """``180``, ``360`` or ``360-offset``."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a run would do and need."""

    slices: int
    size_px: int
    memory_bytes: int
    memory_available_bytes: int
    output_bytes: int
    scratch_bytes: int
    disk_free_bytes: int
    seconds_estimate: float | None
    """None when there is nothing to tell it from."""
    engine: str
    slow_engine: bool
    """Seconds a slice rather than milliseconds."""
    center_px: float
    refusal: str
    """Why it will not run, a sentence; empty when it will."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine and whether it can run here."""

    name: str
    title: str
    algorithms: tuple[str, ...]
    filters: tuple[str, ...]
    ok: bool
    version: str
    reason: str
    fix: str
    slow: bool
    quantitative: bool
    device: str
    note: str


@dataclass(frozen=True, slots=True)
class Engines:
    """All engines."""

    rows: tuple[EngineRow, ...]


@dataclass(frozen=True, slots=True)
class PresetRow:
    """A recipe that comes with the program."""

    name: str
    description: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Presets:
    """All presets."""

    rows: tuple[PresetRow, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """The same reconstruction without the window."""

    command: str
    """A line for a shell."""
    python: str
    """A script."""
