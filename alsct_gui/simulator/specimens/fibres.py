"""Specimens of fibre composites: fibres with breaks, in a matrix with cracks that they bridge.

A bundle is drawn once, as geometry; it is painted at each load, with the breaks that exist by
then, wider than before, and with the specimen stretched and moved a little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator.specimens.degrade import Degradation, degrade
from alsct_gui.simulator.specimens.fibrekernels import keep_apart, paint_fibres, paint_rims
from alsct_gui.simulator.specimens.specimen import Float64Array, Rows, Specimen

_END_PX = 10.0
"""Breaks keep this distance from the first and the last slice."""
_MODES = 4
"""Waves that a crack's roughness is made of."""
_TRIES = 100
"""Places that are tried for a break, on average."""
_KNOTS = 5
"""Heights at which fibres are kept apart; between them they run smoothly."""


@dataclass(frozen=True, slots=True)
class LoadStep:
    """What a load does to the specimen."""

    breaks_share: float = 1.0
    """Share of the breaks that exist by then; earlier ones stay."""
    opening: float = 1.0
    """Factor on all openings."""
    strain: float = 0.0
    """Stretch along z, about the middle."""
    shift_px: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far the specimen has moved (z, y, x)."""
    turn_deg: float = 0.0
    """How far it has turned about z."""


@dataclass(frozen=True, slots=True)
class FibreSpec:
    """A tow of fibres that run nearly along z."""

    n_slices: int = 300
    n_fibres: int = 550
    radius_px: float = 4.5
    density: float = 0.5
    """Share of the tow's cross-section that fibres take."""
    slope: float = 0.01
    """Standard deviation of dx/dz and dy/dz."""
    lean: tuple[float, float] = (0.0, 0.0)
    """(dy/dz, dx/dz) that all fibres share."""
    n_breaks: int = 150
    openings_px: tuple[float, float] = (1.5, 9.0)
    """Smallest and largest opening, along z."""
    tilt: float = 0.15
    """Standard deviation of the slope of fracture planes."""
    n_cracks: int = 0
    """Cracks of the matrix, across the fibres."""
    crack_opening_px: float = 3.0
    crack_breaks: float = 0.04
    """Share of the fibres at a crack that are broken there; they count among the breaks."""
    debond_px: float = 0.0
    """How far from a crack fibres have come loose: a dark ring of a pixel about each."""
    fibre: float = 1.0
    """Grey level of a fibre."""
    matrix: float = 0.4
    """Grey level of the matrix."""
    air: float = 0.0
    """Grey level of gaps, cracks and outside."""
    voxel_um: float = 1.3
    degradation: Degradation = field(default_factory=lambda: Degradation(blur_px=0.7))
    seed: int = 0

    @property
    def room_px(self) -> float:
        """Radius of the tow."""
        return self.radius_px * math.sqrt(self.n_fibres / self.density)

    @property
    def edge_px(self) -> int:
        """Edge of a slice."""
        aside = max(abs(slope) for slope in self.lean) * self.n_slices
        return math.ceil(2 * self.room_px + aside + 14)


@dataclass(frozen=True, eq=False)
class Breaks:
    """Breaks of a bundle, each array of shape (break,)."""

    fibre: NDArray[np.int64]
    z: Float64Array
    """Where the middle of the gap is, in slices."""
    opening: Float64Array
    """Along z, in slices."""
    tilt: Float64Array
    """(dz/dy, dz/dx) of the fracture planes, shape (break, 2)."""
    born: Float64Array
    """Share of all breaks that exist before this one."""
    at_crack: NDArray[np.bool_]
    """Whether it lies in a crack of the matrix."""


@dataclass(frozen=True, eq=False)
class Crack:
    """A rough plane across a part of the tow."""

    z: float
    slope: tuple[float, float]
    """(dz/dy, dz/dx)."""
    opening: float
    side: float
    """Angle of the normal of the line where it ends, in radians."""
    reach: float
    """Distance of that line from the middle, along the normal."""
    waves: Float64Array
    """(amplitude, ky, kx, phase) of its roughness, shape (wave, 4)."""

    def height(self, y: Float64Array, x: Float64Array) -> Float64Array:
        """Return its z at places from the middle; infinity where it does not reach."""
        z = self.z + self.slope[0] * y + self.slope[1] * x
        for amplitude, ky, kx, phase in self.waves:
            z = z + amplitude * np.sin(ky * y + kx * x + phase)
        within = math.cos(self.side) * y + math.sin(self.side) * x < self.reach
        return np.where(within, z, np.inf)


@dataclass(frozen=True, eq=False)
class Bundle:
    """The geometry of a specimen without load; places are pixels from the tow's middle."""

    spec: FibreSpec
    heights: Float64Array
    """Of the knots, from the middle slice, shape (knot,)."""
    knots: Float64Array
    """(y, x) of the fibres there, shape (knot, fibre, 2)."""
    breaks: Breaks
    cracks: tuple[Crack, ...]

    def places(self, z: float, derivative: int = 0) -> Float64Array:
        """Return (y, x) of all fibres at a height from the middle slice, shape (fibre, 2)."""
        found: Float64Array = self._spline(z, derivative)
        return found

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicSpline

        return CubicSpline(self.heights, self.knots)


def make_bundle(spec: FibreSpec) -> Bundle:
    """Draw the fibres, cracks and breaks of a specimen.

    Raises
    ------
    RecipeError
        The fibres or the breaks do not fit.
    """
    rng = np.random.default_rng([spec.seed, 31])
    heights = np.linspace(-0.5, 0.5, _KNOTS) * spec.n_slices
    knots = _packed(spec, heights, rng)
    cracks = tuple(_cracks(spec, rng))
    whole = Bundle(spec, heights, knots, _no_breaks(), cracks)
    return replace(whole, breaks=_draw_breaks(whole, rng))


def paint_bundle(bundle: Bundle, step: LoadStep = LoadStep()) -> Specimen:
    """Paint a bundle at a load.

    Tables: ``fibres`` (number, place at the middle slice, slopes), ``breaks`` (number of the
    fibre, place of the gap's middle, ``opening_um``, ``at_crack``) and ``cracks`` (place of the
    middle, ``opening_um``).
    """
    spec = bundle.spec
    edge = spec.edge_px
    values = np.empty((spec.n_slices, edge, edge), np.float32)
    middle = (edge - 1) / 2
    turn = np.deg2rad(step.turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    center = np.array([middle + step.shift_px[1], middle + step.shift_px[2]])
    y, x = np.mgrid[:edge, :edge].astype(np.float64)
    # The grid in the specimen's own frame.
    own = np.stack([y - center[0], x - center[1]], axis=-1) @ rotation
    heights = [crack.height(own[..., 0], own[..., 1]) for crack in bundle.cracks]
    tow = np.hypot(own[..., 0], own[..., 1]) < spec.room_px + 2
    exist = bundle.breaks.born < step.breaks_share
    gaps = _gaps(bundle, exist, step.opening)
    for index, picture in enumerate(values):
        z = _own_height(index, spec, step)
        places = bundle.places(z)
        loose, matrix = _matrix(bundle, heights, tow, z, step.opening)
        picture[:] = spec.air + (spec.matrix - spec.air) * matrix
        shown = places @ rotation.T + center
        if loose is not None:
            paint_rims(picture, shown, spec.radius_px, loose, spec.air)
        paint_fibres(picture, shown, spec.radius_px, z, gaps, spec.fibre, spec.air)
    degrade(values, spec.degradation, abs(spec.fibre - spec.matrix), spec.seed)
    return Specimen(
        values, spec.voxel_um, _facts(spec), _tables(bundle, step, rotation, center, exist)
    )


def _packed(spec: FibreSpec, heights: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Places of fibres that do not overlap, at each height."""
    apart = 2 * (spec.radius_px + 0.4)
    around = rng.uniform(0, 2 * np.pi, spec.n_fibres)
    distance = spec.room_px * np.sqrt(rng.random(spec.n_fibres))
    start = np.column_stack([distance * np.sin(around), distance * np.cos(around)])
    slopes = rng.normal(0, spec.slope, (spec.n_fibres, 2))
    step = heights[1] - heights[0]
    knots: list[Float64Array] = []
    places = start
    for height in heights:
        if knots:
            # From where they are, so that no fibre has to jump.
            places = places + slopes * step + rng.normal(0, spec.radius_px / 20, start.shape)
        places = places.copy()
        if not keep_apart(places, apart, spec.room_px - spec.radius_px, 20_000):
            raise RecipeError(
                f"{spec.n_fibres} fibres do not fit the tow", where="specimen.density",
                fix="Take a lower density",
            )  # fmt: skip
        knots.append(places + np.array(spec.lean) * height)
    return np.array(knots)


def _own_height(index: float, spec: FibreSpec, step: LoadStep) -> float:
    """Height in the unloaded specimen of what a slice shows, from the middle slice."""
    return (index - (spec.n_slices - 1) / 2 - step.shift_px[0]) / (1 + step.strain)


def _slice_of(z: Float64Array, spec: FibreSpec, step: LoadStep) -> Float64Array:
    return z * (1 + step.strain) + (spec.n_slices - 1) / 2 + step.shift_px[0]


def _cracks(spec: FibreSpec, rng: np.random.Generator) -> Iterator[Crack]:
    span = spec.n_slices - 2 * _END_PX
    for index in range(spec.n_cracks):
        z = (index + rng.uniform(0.3, 0.7)) * span / spec.n_cracks - span / 2
        number = 2 * np.pi / rng.uniform(20, 120, (_MODES, 2))
        amplitude = rng.uniform(0.2, 0.6, _MODES)
        waves = np.column_stack([amplitude, number, rng.uniform(0, 2 * np.pi, _MODES)])
        slope = rng.normal(0, 0.02, 2)
        yield Crack(
            z, (float(slope[0]), float(slope[1])),
            spec.crack_opening_px * rng.uniform(0.5, 1.5), rng.uniform(0, 2 * np.pi),
            rng.uniform(0.0, 1.0) * spec.room_px, waves,
        )  # fmt: skip


def _no_breaks() -> Breaks:
    none = np.empty(0)
    return Breaks(
        np.empty(0, np.int64), none, none, np.empty((0, 2)), none, np.empty(0, np.bool_)
    )  # fmt: skip


def _draw_breaks(bundle: Bundle, rng: np.random.Generator) -> Breaks:
    """Draw breaks: some at cracks, the others anywhere; on a fibre they keep apart."""
    spec = bundle.spec
    chosen: list[tuple[int, float, bool]] = []
    taken: dict[int, list[float]] = {}
    half = (spec.n_slices - 1) / 2 - _END_PX
    apart = spec.openings_px[1] + 4 * spec.radius_px

    def add(fibre: int, z: float, at_crack: bool) -> None:
        others = taken.setdefault(fibre, [])
        if abs(z) < half and all(abs(z - other) > apart for other in others):
            others.append(z)
            chosen.append((fibre, z, at_crack))

    for crack in bundle.cracks:
        places = bundle.places(crack.z)
        heights = crack.height(places[:, 0], places[:, 1])
        reached = np.flatnonzero(np.isfinite(heights))
        for fibre in reached[rng.random(len(reached)) < spec.crack_breaks]:
            add(int(fibre), float(heights[fibre]), True)
    chosen = chosen[: spec.n_breaks]
    for _ in range(spec.n_breaks * _TRIES):
        if len(chosen) >= spec.n_breaks:
            break
        fibre, z = int(rng.integers(spec.n_fibres)), float(rng.uniform(-half, half))
        if not _near_crack(bundle, fibre, z):
            add(fibre, z, False)
    if len(chosen) < spec.n_breaks:
        raise RecipeError(
            f"only {len(chosen)} of {spec.n_breaks} breaks fit", where="specimen.n_breaks"
        )
    order = rng.permutation(spec.n_breaks)
    return Breaks(
        fibre=np.array([item[0] for item in chosen], np.int64),
        z=np.array([item[1] for item in chosen]),
        opening=rng.uniform(*spec.openings_px, spec.n_breaks),
        tilt=rng.normal(0, spec.tilt, (spec.n_breaks, 2)),
        born=order / spec.n_breaks,
        at_crack=np.array([item[2] for item in chosen], np.bool_),
    )


def _near_crack(bundle: Bundle, fibre: int, z: float) -> bool:
    """Whether a break would lie half in a crack, where its opening could not be told."""
    spec = bundle.spec
    if not bundle.cracks:
        return False
    place = bundle.places(z)[fibre]
    room = spec.openings_px[1] + spec.crack_opening_px
    return any(
        abs(float(crack.height(place[0], place[1])) - z) < room
        for crack in bundle.cracks
    )  # fmt: skip


def _gaps(bundle: Bundle, exist: NDArray[np.bool_], opening: float) -> Float64Array:
    """Rows (fibre, z, half opening, dz/dy, dz/dx), ordered by fibre, for the painter."""
    breaks = bundle.breaks
    rows = np.column_stack(
        [breaks.fibre, breaks.z, breaks.opening * opening / 2, breaks.tilt]
    )[exist]  # fmt: skip
    return np.ascontiguousarray(rows[np.argsort(rows[:, 0], kind="stable")])


def _matrix(
    bundle: Bundle,
    heights: list[Float64Array],
    tow: NDArray[np.bool_],
    z: float,
    opening: float,
) -> tuple[NDArray[np.bool_] | None, Float64Array]:
    """Return where fibres have come loose, and the share of matrix in each pixel of a slice."""
    share = tow.astype(np.float64)
    loose = None
    for crack, height in zip(bundle.cracks, heights, strict=True):
        wide = crack.opening * opening
        far = np.abs(height - z)
        overlap = np.minimum(0.5, far + wide / 2) - np.maximum(-0.5, far - wide / 2)
        share = share * (1 - np.clip(np.where(np.isfinite(far), overlap, 0), 0, 1))
        if bundle.spec.debond_px > 0:
            near = far < bundle.spec.debond_px
            loose = near if loose is None else loose | near
    return loose, share


def _facts(spec: FibreSpec) -> dict[str, float]:
    return {
        "fibre": spec.fibre, "matrix": spec.matrix, "air": spec.air,
        "radius_um": spec.radius_px * spec.voxel_um,
    }  # fmt: skip


def _tables(
    bundle: Bundle,
    step: LoadStep,
    rotation: Float64Array,
    center: Float64Array,
    exist: NDArray[np.bool_],
) -> dict[str, Rows]:
    spec, breaks = bundle.spec, bundle.breaks
    edge = spec.voxel_um
    feet = bundle.places(0.0) @ rotation.T + center
    slopes = bundle.places(0.0, 1) @ rotation.T
    z_middle = _slice_of(np.zeros(1), spec, step)[0]
    fibres: Rows = [
        {
            "fibre": index, "z_um": z_middle * edge, "y_um": float(foot[0]) * edge,
            "x_um": float(foot[1]) * edge, "slope_y": float(slope[0]), "slope_x": float(slope[1]),
        }
        for index, (foot, slope) in enumerate(zip(feet, slopes, strict=True))
    ]  # fmt: skip
    own = [bundle.places(z)[fibre] for z, fibre in zip(breaks.z, breaks.fibre, strict=True)]
    shown = np.array(own).reshape(-1, 2) @ rotation.T + center
    z = _slice_of(breaks.z, spec, step)
    openings = breaks.opening * step.opening * (1 + step.strain)
    found: Rows = [
        {
            "break": int(index), "fibre": int(breaks.fibre[index]), "z_um": float(z[index]) * edge,
            "y_um": float(shown[index, 0]) * edge, "x_um": float(shown[index, 1]) * edge,
            "opening_um": float(openings[index]) * edge,
            "at_crack": float(breaks.at_crack[index]),
        }
        for index in np.flatnonzero(exist)
    ]  # fmt: skip
    cracks: Rows = [
        {
            "z_um": float(_slice_of(np.array([crack.z]), spec, step)[0]) * edge,
            "opening_um": crack.opening * step.opening * edge,
        }
        for crack in bundle.cracks
    ]
    return {"fibres": fibres, "breaks": found, "cracks": cracks}
