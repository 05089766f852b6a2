"""An asymmetric analytic phantom with exact line integrals, for tests of engines.

Positions are in pixels from the rotation axis, x right and y up; attenuations in 1/pixel.
Nothing here comes from the program: it is the truth that the program is held to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Disc:
    """Uniform inside a radius."""

    x: float
    y: float
    radius: float
    mu: float

    def chord(self, distance: Array) -> Array:
        return 2 * self.mu * np.sqrt(np.clip(self.radius**2 - distance**2, 0, None))

    def value(self, dx: Array, dy: Array) -> Array:
        return self.mu * (dx**2 + dy**2 < self.radius**2)


@dataclass(frozen=True)
class Blob:
    """A Gaussian of a width (one standard deviation)."""

    x: float
    y: float
    width: float
    mu: float

    def chord(self, distance: Array) -> Array:
        height = self.mu * self.width * np.sqrt(2 * np.pi)
        return height * np.exp(-(distance**2) / (2 * self.width**2))

    def value(self, dx: Array, dy: Array) -> Array:
        return self.mu * np.exp(-(dx**2 + dy**2) / (2 * self.width**2))


DISC = Disc(-11.0, -13.0, 12.0, 0.010)
BLOBS = (Blob(11.0, 17.0, 3.5, 0.020), Blob(-17.0, 12.0, 2.5, 0.030), Blob(22.0, -9.0, 3.0, 0.015))
PHANTOM: tuple[Disc | Blob, ...] = (DISC, *BLOBS)
"""Fits in a circle of 32 pixels; no symmetry maps it onto itself."""


def project(
    angles_deg: Array, n_columns: int, center_px: float, shapes: tuple[Disc | Blob, ...] = PHANTOM
) -> NDArray[np.float32]:
    """Exact line integrals, shape (angle, column), float32."""
    a = np.deg2rad(angles_deg)[:, np.newaxis]
    column = np.arange(n_columns)
    total = np.zeros((len(angles_deg), n_columns))
    for shape in shapes:
        total += shape.chord(column - center_px - shape.x * np.cos(a) - shape.y * np.sin(a))
    return total.astype(np.float32)


def draw(size: int, shapes: tuple[Disc | Blob, ...] = PHANTOM) -> Array:
    """Mean value of each pixel, shape (size, size); row 0 is the top."""
    fine = 4
    axis = (np.arange(size * fine) - (size * fine - 1) / 2) / fine
    x, y = axis[np.newaxis, :], -axis[:, np.newaxis]
    picture = np.zeros((size * fine, size * fine))
    for shape in shapes:
        picture += shape.value(x - shape.x, y - shape.y)
    return picture.reshape(size, fine, size, fine).mean(axis=(1, 3))


def offsets(size: int, shape: Disc | Blob) -> tuple[Array, Array]:
    """Distance of each pixel from a shape's middle in x and in y (up)."""
    axis = np.arange(size) - (size - 1) / 2
    dx, dy = np.meshgrid(axis - shape.x, -axis - shape.y)
    return dx, dy


def disc_value(slice_: NDArray[np.float32], disc: Disc = DISC) -> float:
    """Mean over the inner three quarters of a disc."""
    dx, dy = offsets(slice_.shape[0], disc)
    return float(slice_[np.hypot(dx, dy) < 0.75 * disc.radius].mean(dtype=np.float64))


def blob_position(slice_: NDArray[np.float32], blob: Blob) -> tuple[float, float]:
    """Centre of mass of a blob against where it should be, in x and y, in pixels."""
    dx, dy = offsets(slice_.shape[0], blob)
    near = np.hypot(dx, dy) < 2.2 * blob.width
    mass = slice_[near].astype(np.float64)
    return float((dx[near] * mass).sum() / mass.sum()), float((dy[near] * mass).sum() / mass.sum())
