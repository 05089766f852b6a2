"""Phantoms whose line integrals are known in closed form.

Positions in pixels from the rotation axis, x right and y up; attenuation in 1/pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Blob:
    """A round Gaussian."""

    x: float
    y: float
    sigma: float
    value: float

    def project(self, angle_rad: FloatArray, t: FloatArray) -> FloatArray:
        t = t - self.x * np.cos(angle_rad) - self.y * np.sin(angle_rad)
        return self.value * self.sigma * np.sqrt(2 * np.pi) * np.exp(-0.5 * (t / self.sigma) ** 2)

    def sample(self, x: FloatArray, y: FloatArray) -> FloatArray:
        square = (x - self.x) ** 2 + (y - self.y) ** 2
        return self.value * np.exp(-0.5 * square / self.sigma**2)


@dataclass(frozen=True)
class Ellipse:
    """A uniform ellipse with semi-axes a and b, turned counter-clockwise."""

    x: float
    y: float
    a: float
    b: float
    value: float
    turn_deg: float = 0.0

    def project(self, angle_rad: FloatArray, t: FloatArray) -> FloatArray:
        t = t - self.x * np.cos(angle_rad) - self.y * np.sin(angle_rad)
        phi = angle_rad - np.deg2rad(self.turn_deg)
        width2 = (self.a * np.cos(phi)) ** 2 + (self.b * np.sin(phi)) ** 2
        chord = 2 * self.a * self.b * np.sqrt(np.clip(width2 - t**2, 0, None)) / width2
        return self.value * chord

    def sample(self, x: FloatArray, y: FloatArray) -> FloatArray:
        c, s = np.cos(np.deg2rad(self.turn_deg)), np.sin(np.deg2rad(self.turn_deg))
        dx, dy = x - self.x, y - self.y
        u, v = (c * dx + s * dy) / self.a, (c * dy - s * dx) / self.b
        return self.value * (u**2 + v**2 <= 1)


Phantom = list[Blob] | list[Ellipse]


def sinogram(
    phantom: Phantom, angles_deg: FloatArray, n_columns: int, center_px: float
) -> NDArray[np.float32]:
    """Exact line integrals at the columns' centres, shape (angle, column)."""
    angle = np.deg2rad(np.asarray(angles_deg, dtype=np.float64))[:, None]
    t = np.arange(n_columns)[None, :] - center_px
    return sum(part.project(angle, t) for part in phantom).astype(np.float32)


def coordinates(size: int) -> tuple[FloatArray, FloatArray]:
    """x and y of the pixels of a slice, each of shape (y, x)."""
    middle = (size - 1) / 2
    row, column = np.mgrid[:size, :size].astype(np.float64)
    return column - middle, middle - row


def image(phantom: Phantom, size: int) -> FloatArray:
    """The phantom at the pixels' centres, row 0 on top."""
    x, y = coordinates(size)
    return sum(part.sample(x, y) for part in phantom)


def circle(size: int, share: float = 1.0) -> NDArray[np.bool_]:
    """True inside a share of the inscribed circle."""
    return np.hypot(*coordinates(size)) < share * size / 2


def blobs(radius: float) -> list[Blob]:
    """Smooth, without any symmetry, inside a circle."""
    return [
        Blob(0.3 * radius, 0.4 * radius, 0.08 * radius, 1.0),
        Blob(-0.5 * radius, -0.1 * radius, 0.1 * radius, 0.5),
        Blob(0.1 * radius, -0.65 * radius, 0.06 * radius, 0.8),
    ]


def error(found: NDArray[np.float32], phantom: Phantom, share: float = 1.0) -> float:
    """Root mean square error inside the circle, as a share of the phantom's maximum."""
    size = found.shape[0]
    truth = image(phantom, size)
    return float(np.sqrt(np.mean((found - truth)[circle(size, share)] ** 2)) / truth.max())
