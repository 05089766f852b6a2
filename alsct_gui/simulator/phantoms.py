"""Phantoms to choose by name; each fills the field of view it is given.

A builder takes the radius and half height of the field of view and a seed, and gives a
`Phantom` whose largest line integral is near ``optical_depth`` whatever the size, so that
the attenuation in 1/cm is known and the simulated counts are sensible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator.packing import pack_lines, pack_spheres
from alsct_gui.simulator.shapes import CM_PER_UM, Cylinders, Phantom, Quadrics


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """The room a phantom may take, and how much it attenuates."""

    radius_um: float
    """Radius of the circle that the detector sees."""
    half_height_um: float
    """Half of the detector's height."""
    optical_depth: float = 1.5
    """Line integral of a body that fills the circle."""

    @property
    def reference_per_cm(self) -> float:
        """Attenuation of a body that fills the circle."""
        return self.optical_depth / (2 * self.radius_um * CM_PER_UM)

    @property
    def scale_um(self) -> NDArray[np.float64]:
        """Size of the field of view along x, y, z, from its middle."""
        return np.array([self.radius_um, self.radius_um, self.half_height_um])

    @property
    def depth_um(self) -> float:
        """Half height over which small things are spread: a thin slab cuts through a sample."""
        return max(self.half_height_um, self.radius_um / 2)


Builder = Callable[[FieldOfView, int], Phantom]


def build_phantom(name: str, view: FieldOfView, *, seed: int = 0) -> Phantom:
    """Build a phantom by its name; the same seed gives the same phantom.

    Raises
    ------
    RecipeError
        There is no phantom of that name.
    """
    builder = PHANTOMS.get(name)
    if builder is None:
        raise RecipeError(
            f"there is no phantom {name!r}", where="simulate.phantom",
            fix=f"Take one of {', '.join(PHANTOMS)}",
        )  # fmt: skip
    return builder(view, seed)


def rotation_about(axis: str, angle_deg: float) -> NDArray[np.float64]:
    """Return the matrix that turns by an angle about x, y or z, counter-clockwise."""
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix


def _head(view: FieldOfView, seed: int) -> Phantom:
    """Shepp-Logan's head in three dimensions, after Kak & Slaney (1988), table 3.1 with depth."""
    # value, semi-axes x y z, centre x y z, turn about z in degrees; edge of the room is 1.
    rows = np.array(
        [
            [2.0, 0.69, 0.92, 0.90, 0.0, 0.0, 0.0, 0.0],
            [-0.98, 0.6624, 0.874, 0.88, 0.0, -0.0184, 0.0, 0.0],
            [-0.4, 0.11, 0.31, 0.22, 0.22, 0.0, -0.1, -18.0],
            [-0.4, 0.16, 0.41, 0.28, -0.22, 0.0, 0.1, 18.0],
            [0.3, 0.21, 0.25, 0.41, 0.0, 0.35, 0.15, 0.0],
            [0.3, 0.046, 0.046, 0.05, 0.0, 0.1, -0.25, 0.0],
            [0.3, 0.046, 0.046, 0.05, 0.0, -0.1, 0.25, 0.0],
            [0.3, 0.046, 0.023, 0.05, -0.08, -0.605, 0.0, 0.0],
            [0.3, 0.023, 0.023, 0.02, 0.0, -0.606, 0.0, 0.0],
            [0.3, 0.023, 0.046, 0.02, 0.06, -0.605, 0.0, 0.0],
        ]
    )
    turns = [rotation_about("z", angle) for angle in rows[:, 7]]
    # The reference gives the optical depth along y, through 0.12 of shell and 1.75 of inside.
    ellipsoids = Quadrics.from_axes(
        rows[:, 4:7] * view.scale_um,
        rows[:, 1:4] * view.scale_um,
        rows[:, 0] * view.reference_per_cm * 0.9,
        turns,
    )
    return Phantom("ellipsoids", ellipsoids=ellipsoids)


def _asymmetric(view: FieldOfView, seed: int) -> Phantom:
    """Bodies with no mirror or turn symmetry: any flip, turn or swap shows."""
    rows = np.array(
        [
            [0.8, 0.80, 0.80, 2.50, 0.0, 0.0, 0.0, 0.0, 0.0],
            [1.2, 0.10, 0.10, 0.25, 0.45, 0.40, -0.45, 0.0, 0.0],
            [0.7, 0.28, 0.07, 0.30, -0.30, 0.45, 0.10, 25.0, 10.0],
            [-0.8, 0.16, 0.16, 0.35, -0.25, -0.35, 0.30, 0.0, 0.0],
            [0.5, 0.06, 0.22, 1.20, 0.45, -0.20, 0.00, -20.0, 0.0],
            [1.6, 0.05, 0.05, 0.12, 0.05, -0.62, -0.20, 0.0, 0.0],
            [0.3, 0.12, 0.20, 0.20, 0.05, 0.10, 0.55, 35.0, -20.0],
        ]
    )
    turns = [
        rotation_about("z", about_z) @ rotation_about("x", about_x)
        for about_z, about_x in rows[:, 7:9]
    ]
    ellipsoids = Quadrics.from_axes(
        rows[:, 4:7] * view.scale_um,
        rows[:, 1:4] * view.scale_um,
        rows[:, 0] * view.reference_per_cm,
        turns,
    )
    return Phantom("asymmetric", ellipsoids=ellipsoids)


def _smooth(view: FieldOfView, seed: int) -> Phantom:
    """A sum of Gaussians: no edges, so that an engine's error is not the grid's."""
    rng = np.random.default_rng(seed)
    n_bodies = 20
    # Six sigmas fit between the outermost centre and the edge of the view.
    axes = rng.uniform(0.03, 0.08, (n_bodies, 3))
    axes[:, 2] = rng.uniform(0.2, 0.6, n_bodies)
    reach = 0.55 * np.sqrt(rng.random(n_bodies))
    around = rng.uniform(0, 2 * np.pi, n_bodies)
    height = rng.uniform(-0.7, 0.7, n_bodies)
    center = np.stack([reach * np.cos(around), reach * np.sin(around), height], axis=1)
    axes[0], center[0] = (0.15, 0.12, 1.0), (0.02, -0.03, 0.0)
    turns = [rotation_about("z", angle) for angle in rng.uniform(0, 180, n_bodies)]
    value = rng.uniform(0.5, 1.5, n_bodies) * view.reference_per_cm * 2
    value[0] = view.reference_per_cm
    scale = np.array([view.radius_um, view.radius_um, view.depth_um])
    gaussians = Quadrics.from_axes(center * scale, axes * scale, value, turns)
    return Phantom("smooth", gaussians=gaussians)


def _rod(view: FieldOfView, radius: float, value: float) -> Cylinders:
    """Return an upright cylinder that reaches beyond the field of view."""
    return Cylinders.from_lists(
        np.zeros((1, 3)), [0, 0, 1], radius * view.radius_um, 3 * view.half_height_um, value
    )


def _join(*parts: Cylinders) -> Cylinders:
    return Cylinders(*(np.concatenate(lists) for lists in zip(*map(_arrays, parts), strict=True)))


def _arrays(part: Cylinders) -> list[NDArray[np.float64]]:
    return [part.center_um, part.axis, part.radius_um, part.half_length_um, part.value_per_cm]


def _ball_rows(center: NDArray[np.float64], radius: NDArray[np.float64]) -> list[dict[str, float]]:
    return [
        {"x_um": float(x), "y_um": float(y), "z_um": float(z), "radius_um": float(r)}
        for (x, y, z), r in zip(center, radius, strict=True)
    ]


def _foam(view: FieldOfView, seed: int) -> Phantom:
    """Spherical voids that do not overlap, in an upright cylinder."""
    rng = np.random.default_rng(seed)
    wanted = view.radius_um * np.sort(rng.lognormal(np.log(0.07), 0.45, 500).clip(0.02, 0.25))
    center, radius = pack_spheres(wanted[::-1], 0.82 * view.radius_um, view.half_height_um, seed)
    value = view.reference_per_cm * 1.5
    return Phantom(
        "foam",
        ellipsoids=_balls(center, radius, -value),
        cylinders=_rod(view, 0.85, value),
        tables={"voids": _ball_rows(center, radius)},
    )


def _spheres(view: FieldOfView, seed: int) -> Phantom:
    """Loose spheres in air with log-normal radii: median 6 % of the view, sigma of log 0.3."""
    rng = np.random.default_rng(seed)
    wanted = view.radius_um * np.sort(rng.lognormal(np.log(0.06), 0.3, 600).clip(0.02, 0.2))
    center, radius = pack_spheres(wanted[::-1], 0.9 * view.radius_um, view.half_height_um, seed)
    return Phantom(
        "spheres",
        ellipsoids=_balls(center, radius, view.reference_per_cm * 3),
        tables={"spheres": _ball_rows(center, radius)},
    )


def _balls(center: NDArray[np.float64], radius: NDArray[np.float64], value: float) -> Quadrics:
    return Quadrics.from_axes(
        center, np.repeat(radius[:, None], 3, axis=1), np.full(len(radius), value)
    )


def _fibres(view: FieldOfView, seed: int) -> Phantom:
    """A bundle of nearly parallel fibres in a matrix, with breaks: gaps full of air."""
    rng = np.random.default_rng(seed)
    radius = 0.028 * view.radius_um
    depth = view.depth_um
    feet, slopes = pack_lines(350, radius * 1.08, 0.78 * view.radius_um, depth, 0.02, seed)
    matrix, fibre = view.reference_per_cm * 0.6, view.reference_per_cm * 1.6
    spans, gaps = _broken(len(feet), radius, depth, rng)
    parts = [
        _rod(view, 0.85, matrix),
        _segments(feet, slopes, spans, radius, fibre - matrix),
        _segments(feet, slopes, gaps, radius, -matrix),
    ]
    along = np.sqrt(1 + (slopes**2).sum(axis=1))
    breaks = []
    for index, low, high in gaps:
        if low > view.half_height_um or high < -view.half_height_um:
            continue
        middle = (low + high) / 2
        x, y = feet[index] + slopes[index] * middle
        breaks.append(
            {
                "fibre": index, "x_um": float(x), "y_um": float(y), "z_um": middle,
                "opening_um": float((high - low) * along[index]), "radius_um": radius,
            }
        )  # fmt: skip
    fibres = [
        {
            "fibre": index, "x_um": float(foot[0]), "y_um": float(foot[1]),
            "slope_x": float(slope[0]), "slope_y": float(slope[1]), "radius_um": radius,
        }
        for index, (foot, slope) in enumerate(zip(feet, slopes, strict=True))
    ]  # fmt: skip
    return Phantom("fibres", cylinders=_join(*parts), tables={"fibres": fibres, "breaks": breaks})


Spans = list[tuple[int, float, float]]
"""Pieces of fibres: index of the fibre, and where the piece starts and ends in z."""


def _broken(
    count: int, radius_um: float, depth_um: float, rng: np.random.Generator
) -> tuple[Spans, Spans]:
    """Draw up to two breaks a fibre; return the pieces of fibres and the gaps between them."""
    spans: Spans = []
    gaps: Spans = []
    ends = 1.3 * depth_um
    for index in range(count):
        n_breaks = min(2, rng.poisson(0.5))
        low = -ends
        # Breaks of one fibre are kept apart by drawing each in its own part of the height.
        for part in range(n_breaks):
            width = 2 * depth_um / n_breaks
            place = -depth_um + width * (part + rng.uniform(0.15, 0.85))
            opening = min(rng.uniform(0.5, 3.0) * radius_um, 0.2 * width)
            spans.append((index, low, place - opening / 2))
            gaps.append((index, place - opening / 2, place + opening / 2))
            low = place + opening / 2
        spans.append((index, low, ends))
    return spans, gaps


def _segments(
    feet: NDArray[np.float64],
    slopes: NDArray[np.float64],
    spans: Spans,
    radius_um: float,
    value: float,
) -> Cylinders:
    """Return pieces of fibres as cylinders."""
    if not spans:
        return Cylinders.none()
    index = np.array([span[0] for span in spans])
    low, high = np.array([span[1:] for span in spans]).T
    middle = (low + high) / 2
    direction = np.column_stack([slopes[index], np.ones(len(index))])
    center = np.column_stack([feet[index] + slopes[index] * middle[:, None], middle])
    half = (high - low) / 2 * np.linalg.norm(direction, axis=1)
    return Cylinders.from_lists(center, direction, radius_um, half, value)


PHANTOMS: dict[str, Builder] = {
    "ellipsoids": _head,
    "asymmetric": _asymmetric,
    "smooth": _smooth,
    "foam": _foam,
    "fibres": _fibres,
    "spheres": _spheres,
}
"""Every phantom by its name."""
