"""A recipe: everything that turns a raw scan into slices, as data.

A recipe is a tree of frozen dataclasses. `recipe_from_dict` builds one from what a JSON or
YAML file holds and refuses unknown keys, wrong types and absurd values by their path
(``rings[0].sigma``); `recipe_to_dict` is its inverse. Fields that are None are found from
the scan when it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import RecipeError

RECIPE_VERSION = 1

RingMethod = Literal["vo-all", "wavelet-fourier", "titarenko", "sorting"]
FilterName = Literal[
    "ramp", "shepp-logan", "cosine", "hann", "hamming", "butterworth", "parzen", "none"
]


@dataclass(frozen=True, slots=True)
class Region:
    """Which part of the scan to use; pairs are [start, stop) on the full detector."""

    rows: tuple[int, int] | None = None
    """Detector rows, hence slices; None for all."""
    columns: tuple[int, int] | None = None
    """Detector columns; None for all."""
    angles: tuple[int, int] | None = None
    """Projection indices; None for all."""
    angle_step: int = field(default=1, metadata={"min": 1})
    """Take every n-th projection."""
    row_step: int = field(default=1, metadata={"min": 1})
    """Reconstruct every n-th row (before binning this is a quick look, not an average)."""
    binning: int = field(default=1, metadata={"min": 1, "max": 16})
    """Average n x n detector pixels into one."""


@dataclass(frozen=True, slots=True)
class Correction:
    """From counts to transmission."""

    flat_interpolation: Literal["linear", "nearest", "mean"] = "linear"
    """How flats are taken between flat groups along the scan."""
    bad_frames: Literal["exclude", "keep"] = "exclude"
    """Whether flats and darks that differ grossly from their group are left out."""
    beam_current: bool = False
    """Scale each frame by the recorded ring current."""
    background_columns: int = field(default=0, metadata={"min": 0})
    """Scale each projection row by the mean of so many columns at both edges; 0 for off."""
    transmission_min: float = field(default=0.01, metadata={"min": 1e-9, "max": 1.0})
    """Lower clamp of the transmission before the logarithm."""


@dataclass(frozen=True, slots=True)
class Zingers:
    """Removal of isolated bright pixels (hits of the camera by stray X-rays)."""

    size_px: int = field(default=3, metadata={"min": 3, "max": 15, "odd": True})
    """Edge of the median window in a frame."""
    threshold: float = field(default=0.2, metadata={"min": 0.0})
    """A pixel brighter than its median by more than this share of it is replaced."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Paganin's single-distance phase retrieval, on projections."""

    delta_beta: float = field(default=1000.0, metadata={"min": 0.0})
    """Ratio of refractive decrement to absorption index."""
    distance_mm: float | None = field(default=None, metadata={"min": 0.0})
    """Sample to detector; None takes the scan's."""
    energy_kev: float | None = field(default=None, metadata={"min": 0.1, "max": 1000.0})
    """Photon energy; None takes the scan's."""


@dataclass(frozen=True, slots=True)
class RingFilter:
    """One stripe filter on sinograms; fields of other methods are ignored."""

    method: RingMethod = "wavelet-fourier"
    """Which filter."""
    sigma: float = field(default=3.0, metadata={"min": 0.0})
    """Wavelet-Fourier: width of the damping."""
    level: int = field(default=8, metadata={"min": 1, "max": 12})
    """Wavelet-Fourier: number of decompositions."""
    wavelet: str = "db5"
    """Wavelet-Fourier: name of the wavelet as in PyWavelets."""
    pad: bool = True
    """Wavelet-Fourier: pad the sinogram by its edge before the transform."""
    snr: float = field(default=3.0, metadata={"min": 0.0})
    """Vo: ratio that tells large stripes and dead columns."""
    size_large_px: int = field(default=61, metadata={"min": 3, "max": 301})
    """Vo: window of the median for large stripes."""
    size_small_px: int = field(default=21, metadata={"min": 3, "max": 301})
    """Vo and sorting: window of the median for small stripes."""
    alpha: float = field(default=1.5, metadata={"min": 0.0})
    """Titarenko: strength of the damping."""
    blocks: int = field(default=0, metadata={"min": 0, "max": 64})
    """Titarenko: number of blocks along the angles; 0 for one."""


@dataclass(frozen=True, slots=True)
class BeamHardening:
    """Polynomial p(x) = c0 x + c1 x^2 + ... applied to line integrals x."""

    coefficients: tuple[float, ...] = (1.0,)
    """Coefficients, lowest power first, starting with the linear one."""


@dataclass(frozen=True, slots=True)
class Center:
    """Where the rotation axis is."""

    method: Literal["auto", "phase-correlation", "sinogram", "image-metric", "manual"] = "auto"
    """How it is found; ``auto`` runs all and weighs them."""
    center_px: float | None = None
    """Column on the full detector; needed by ``manual``, else a starting point."""
    search_px: float | None = field(default=None, metadata={"min": 0.5})
    """Half width of the search; None for a wide one."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How the sample turned."""

    kind: Literal["auto", "180", "360", "360-offset"] = "auto"
    """``360-offset``: half-acquisition with the axis near an edge, stitched to 180 degrees."""
    tilt_deg: float = field(default=0.0, metadata={"min": -45.0, "max": 45.0})
    """Rotation axis against the detector's columns; frames are turned back by it."""
    reverse: bool = False
    """Turn the sense of rotation (mirrors the slices)."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Which engine, and how it reconstructs."""

    name: str = "fourier"
    """An engine of ``alsct engines``."""
    algorithm: str = ""
    """One of the engine's algorithms; empty for its default."""
    filter: FilterName = "ramp"
    """Window on the ramp filter."""
    cutoff: float = field(default=1.0, metadata={"min": 0.01, "max": 1.0})
    """Cut-off of the window as a share of the Nyquist frequency (Butterworth: of the
    sampling frequency, as in the production recipe)."""
    order: float = field(default=2.0, metadata={"min": 0.5, "max": 16.0})
    """Order of the Butterworth window."""
    padding: Literal["edge", "zero"] = "edge"
    """What is assumed beyond the detector's edges."""
    iterations: int = field(default=100, metadata={"min": 1, "max": 10000})
    """Iterations of iterative algorithms."""
    snr_db: float = field(default=40.0, metadata={"min": 1.0, "max": 100.0})
    """MBIR: assumed signal-to-noise ratio of the sinogram."""
    sharpness: float = field(default=0.0, metadata={"min": -10.0, "max": 10.0})
    """MBIR: trade of sharpness against smoothness."""
    p: float = field(default=1.2, metadata={"min": 1.0, "max": 2.0})
    """MBIR: exponent of the prior (qGGMRF)."""
    q: float = field(default=2.0, metadata={"min": 1.0, "max": 2.0})
    """MBIR: exponent of the prior near zero (qGGMRF)."""
    t: float = field(default=0.1, metadata={"min": 0.0})
    """MBIR: edge threshold of the prior."""


@dataclass(frozen=True, slots=True)
class Output:
    """What is written."""

    format: Literal["ome-zarr", "tiff"] = "ome-zarr"
    """Volume format."""
    dtype: Literal["float32", "uint16", "uint8"] = "float32"
    """Stored type; integers are scaled by `value_range`."""
    value_range: tuple[float, float] | None = None
    """Values that map to the lowest and highest integer; None finds them from trial slices."""
    circular_mask: float = field(default=1.0, metadata={"min": 0.0, "max": 1.5})
    """Radius kept, as a share of the circle the detector sees; 0 for no mask."""
    units: Literal["1/cm", "1/px"] = "1/cm"
    """Unit of the values; without a known pixel size it is 1/px and a warning."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that turns a raw scan into slices."""

    name: str = "custom"
    """For people."""
    description: str = ""
    """For people: when to take it."""
    region: Region = field(default_factory=Region)
    correction: Correction = field(default_factory=Correction)
    zingers: Zingers | None = None
    phase: Phase | None = None
    rings: tuple[RingFilter, ...] = ()
    """Applied in order, on line integrals."""
    beam_hardening: BeamHardening | None = None
    center: Center = field(default_factory=Center)
    rotation: Rotation = field(default_factory=Rotation)
    engine: EngineSettings = field(default_factory=EngineSettings)
    output: Output = field(default_factory=Output)
    version: int = field(default=RECIPE_VERSION, metadata={"min": 1, "max": RECIPE_VERSION})
    """Version of this format."""


def recipe_from_dict(data: object) -> Recipe:
    """Build and validate a recipe from plain data (parsed JSON or YAML).

    Raises
    ------
    RecipeError
        Names the setting that is wrong by its path, and what would be right.
    """
    recipe = from_plain(Recipe, data)
    for name in ("rows", "columns", "angles"):
        pair = getattr(recipe.region, name)
        if pair is not None and not 0 <= pair[0] < pair[1]:
            raise RecipeError(
                f"[{pair[0]}, {pair[1]}] is not a range", where=f"recipe.region.{name}",
                fix="Give [start, stop) with 0 <= start < stop",
            )  # fmt: skip
    span = recipe.output.value_range
    if span is not None and not span[0] < span[1]:
        raise RecipeError(
            "the lower value is not below the upper", where="recipe.output.value_range"
        )
    if recipe.center.method == "manual" and recipe.center.center_px is None:
        raise RecipeError(
            "method is manual but center_px is not given", where="recipe.center",
            fix="Give center_px, or take method auto",
        )  # fmt: skip
    if recipe.beam_hardening is not None and not recipe.beam_hardening.coefficients:
        raise RecipeError("needs at least one value", where="recipe.beam_hardening.coefficients")
    return recipe


def recipe_to_dict(recipe: Recipe) -> dict[str, object]:
    """Return the recipe as plain data that `recipe_from_dict` takes back unchanged."""
    plain: dict[str, object] = to_plain(recipe)
    return plain
