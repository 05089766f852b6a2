"""Specimens of balls: touching particles, and a foam whose porosity is known exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator.specimens.degrade import Degradation, degrade
from alsct_gui.simulator.specimens.specimen import Float32Array, Float64Array, Rows, Specimen

_SUBPOINTS = 5
"""Points along each edge of a voxel that a surface cuts."""


@dataclass(frozen=True, slots=True)
class BallSpec:
    """Balls in a box of voxels."""

    shape: tuple[int, int, int] = (230, 230, 230)
    """Voxels (slice, y, x)."""
    count: int = 900
    radius_px: float = 11.0
    """Median radius."""
    spread: float = 0.2
    """Sigma of the logarithm of the radii."""
    voxel_um: float = 1.3
    inside: float = 1.0
    """Grey level of a ball."""
    outside: float = 0.0
    """Grey level around the balls."""
    degradation: Degradation = field(default_factory=Degradation)
    seed: int = 0


def touching_spheres(spec: BallSpec) -> Specimen:
    """Particles pressed together until they touch, none of them cut by the box.

    Table ``spheres``: place and ``radius_um``; facts ``phase_share`` (of the balls) and
    ``contacts`` (pairs less than half a voxel apart).
    """
    radius = _radii(spec)
    center = _pressed(radius, spec)
    return _specimen(spec, center, radius, "spheres", {"contacts": _contacts(center, radius)})


def foam(spec: BallSpec) -> Specimen:
    """Voids that neither overlap nor are cut by the box: the porosity is a sum of volumes.

    Table ``voids``: place and ``radius_um``; table ``heights``: ``z_um`` and ``share`` of each
    slice, integrated over its thickness; fact ``phase_share``: the porosity.
    """
    center, radius = _scattered(np.sort(_radii(spec))[::-1], spec)
    heights: Rows = [
        {"z_um": index * spec.voxel_um, "share": share}
        for index, share in enumerate(_shares(center, radius, spec.shape))
    ]
    return _specimen(spec, center, radius, "voids", {}, {"heights": heights})


def _radii(spec: BallSpec) -> Float64Array:
    rng = np.random.default_rng([spec.seed, 11])
    logs = rng.normal(0.0, spec.spread, spec.count).clip(-2.5 * spec.spread, 2.5 * spec.spread)
    return spec.radius_px * np.exp(logs)


def _specimen(
    spec: BallSpec,
    center: Float64Array,
    radius: Float64Array,
    table: str,
    facts: dict[str, float],
    tables: dict[str, Rows] | None = None,
) -> Specimen:
    values = np.full(spec.shape, spec.outside, np.float32)
    paint_balls(values, center, radius, spec.inside - spec.outside)
    degrade(values, spec.degradation, abs(spec.inside - spec.outside), spec.seed)
    rows: Rows = [
        {
            "z_um": float(z), "y_um": float(y), "x_um": float(x), "radius_um": float(r),
        }
        for (z, y, x), r in zip(
            center * spec.voxel_um, radius * spec.voxel_um, strict=True
        )
    ]  # fmt: skip
    share = float((4 / 3 * np.pi * radius**3).sum() / math.prod(spec.shape))
    all_facts = {"phase_share": share, "inside": spec.inside, "outside": spec.outside, **facts}
    return Specimen(values, spec.voxel_um, all_facts, {table: rows, **(tables or {})})


def _pressed(radius: Float64Array, spec: BallSpec) -> Float64Array:
    """Places at which no two balls overlap by more than a thousandth of a radius."""
    rng = np.random.default_rng([spec.seed, 12])
    room = np.array(spec.shape, np.float64)
    low = radius[:, None] - 0.5 + 1.0  # a voxel stays free along the walls
    high = room - 1.0 - low
    if (high <= low).any():
        raise RecipeError("a ball is larger than the box", where="specimen.shape")
    center = low + rng.random((len(radius), 3)) * (high - low)
    if not _push_apart(center, radius, low, high, 20_000):
        raise RecipeError(
            f"{len(radius)} balls do not fit the box", where="specimen.shape",
            fix="Enlarge the box or take fewer or smaller balls",
        )  # fmt: skip
    return center


def _scattered(radius: Float64Array, spec: BallSpec) -> tuple[Float64Array, Float64Array]:
    """Random places, largest first, with a wall of a voxel between any two balls."""
    rng = np.random.default_rng([spec.seed, 13])
    room = np.array(spec.shape, np.float64) - 1.0
    center = np.empty((len(radius), 3))
    for index, r in enumerate(radius):
        for _ in range(20_000):
            low, high = r + 0.5, room - r - 0.5
            place = low + rng.random(3) * (high - low)
            apart = np.linalg.norm(center[:index] - place, axis=1) - radius[:index] - r
            if not index or apart.min() > 1.0:
                center[index] = place
                break
        else:
            raise RecipeError(
                f"only {index} of {len(radius)} voids fit the box", where="specimen.shape",
                fix="Enlarge the box or take fewer or smaller voids",
            )  # fmt: skip
    return center, radius


def _contacts(center: Float64Array, radius: Float64Array) -> float:
    apart = np.linalg.norm(center[:, None] - center[None], axis=2)
    apart -= radius[:, None] + radius[None]
    return float((apart[np.triu_indices(len(radius), 1)] < 0.5).sum())


def _shares(center: Float64Array, radius: Float64Array, shape: tuple[int, int, int]) -> list[float]:
    """Exact share of the balls in each slice, over its thickness of a voxel."""
    bounds = np.arange(shape[0] + 1) - 0.5
    height = np.clip(bounds[None] - center[:, :1], -radius[:, None], radius[:, None])
    below = np.pi * (radius[:, None] ** 2 * height - height**3 / 3)
    return [float(v) for v in np.diff(below.sum(axis=0)) / (shape[1] * shape[2])]


@njit(cache=True, nogil=True)
def _push_apart(
    center: Float64Array, radius: Float64Array, low: Float64Array, high: Float64Array, rounds: int
) -> bool:
    """Move overlapping balls apart, in place; False when some still overlap at the end."""
    count = len(radius)
    for _ in range(rounds):
        worst = 0.0
        for i in range(count):
            for j in range(i + 1, count):
                touch = radius[i] + radius[j]
                dz = center[j, 0] - center[i, 0]
                if abs(dz) >= touch:
                    continue
                dy, dx = center[j, 1] - center[i, 1], center[j, 2] - center[i, 2]
                apart = math.sqrt(dz * dz + dy * dy + dx * dx)
                overlap = touch - apart
                if overlap <= 0.0:
                    continue
                worst = max(worst, overlap / touch)
                step = 0.5 * overlap / max(apart, 1e-9)
                center[i, 0] -= step * dz
                center[i, 1] -= step * dy
                center[i, 2] -= step * dx
                center[j, 0] += step * dz
                center[j, 1] += step * dy
                center[j, 2] += step * dx
            for axis in range(3):
                center[i, axis] = min(max(center[i, axis], low[i, 0]), high[i, axis])
        if worst < 1e-3:
            return True
    return False


@njit(cache=True, nogil=True)
def paint_balls(
    values: Float32Array, center: Float64Array, radius: Float64Array, added: float
) -> None:
    """Add balls to a volume; a voxel on a surface gets its share of `added`.

    Parameters
    ----------
    values
        Shape (slice, y, x), changed in place.
    center, radius
        Shapes (ball, 3) and (ball,), in voxels.
    added
        Grey value inside a ball, above what is there.
    """
    near = 0.867  # half the diagonal of a voxel
    for ball in range(len(radius)):
        z0, y0, x0 = center[ball]
        r = radius[ball]
        reach = r + 1.0
        for z in range(max(0, int(z0 - reach)), min(values.shape[0], int(z0 + reach) + 2)):
            for y in range(max(0, int(y0 - reach)), min(values.shape[1], int(y0 + reach) + 2)):
                for x in range(max(0, int(x0 - reach)), min(values.shape[2], int(x0 + reach) + 2)):
                    dz, dy, dx = z - z0, y - y0, x - x0
                    distance = math.sqrt(dz * dz + dy * dy + dx * dx)
                    if distance <= r - near:
                        values[z, y, x] += added
                    elif distance < r + near:
                        values[z, y, x] += added * _coverage(dz, dy, dx, r)


@njit(cache=True, nogil=True)
def _coverage(dz: float, dy: float, dx: float, radius: float) -> float:
    """Share of a voxel, given by its centre from that of a ball, that the ball covers."""
    inside = 0.0
    for a in range(_SUBPOINTS):
        z = dz + (a + 0.5) / _SUBPOINTS - 0.5
        for b in range(_SUBPOINTS):
            y = dy + (b + 0.5) / _SUBPOINTS - 0.5
            rest = radius * radius - z * z - y * y
            if rest < 0.0:
                continue
            # The rest of the row is exact.
            root = math.sqrt(rest)
            low, high = max(-root, dx - 0.5), min(root, dx + 0.5)
            if high > low:
                inside += high - low
    return inside / (_SUBPOINTS * _SUBPOINTS)
