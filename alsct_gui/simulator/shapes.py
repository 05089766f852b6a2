"""What phantoms are made of, and their exact projections and voxel values.

Coordinates are micrometres from the point where the rotation axis crosses the middle of
the detector's height: x right and y up as in a shown slice, z along the axis towards
larger detector rows (`alsct_gui.model.geometry` has the rest of the convention).
Attenuation is in 1/cm and adds up where bodies overlap, so a void is a negative body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alsct_gui.simulator import kernels

Float64Array = NDArray[np.float64]
Float32Array = NDArray[np.float32]

CM_PER_UM = 1e-4


@dataclass(frozen=True, slots=True)
class Detector:
    """Where a frame's pixels are."""

    n_rows: int
    """Rows of a frame."""
    n_columns: int
    """Columns of a frame."""
    pixel_size_um: float
    """Edge of a pixel in the sample's plane."""
    center_px: float
    """Column of the rotation axis at the middle of the rows."""
    tilt_deg: float = 0.0
    """Axis against the columns, positive clockwise in a frame."""

    @property
    def middle_row(self) -> float:
        """Row at z = 0, about which the axis is tilted."""
        return (self.n_rows - 1) / 2

    def finer(self, times: int) -> Detector:
        """Return the same detector with every pixel split into ``times`` x ``times``."""
        center = (self.center_px + 0.5) * times - 0.5
        return Detector(
            self.n_rows * times, self.n_columns * times, self.pixel_size_um / times,
            center, self.tilt_deg,
        )  # fmt: skip

    def directions(self, angle_deg: float) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return unit vectors (x, y, z) along columns, rows and the beam."""
        angle, tilt = np.deg2rad(angle_deg), np.deg2rad(self.tilt_deg)
        across = np.array([np.cos(angle), np.sin(angle), 0.0])
        beam = np.array([-np.sin(angle), np.cos(angle), 0.0])
        down = np.array([0.0, 0.0, 1.0])
        column = np.cos(tilt) * across - np.sin(tilt) * down
        row = np.sin(tilt) * across + np.cos(tilt) * down
        return column, row, beam


@dataclass(frozen=True, eq=False)
class Quadrics:
    """Ellipsoids of constant value, or Gaussians."""

    center_um: Float64Array
    """Shape (body, 3): x, y, z."""
    matrix_um2: Float64Array
    """Shape (body, 3, 3): ``R diag(s^2) R^T`` with semi-axes, or sigmas, s."""
    value_per_cm: Float64Array
    """Shape (body,): attenuation inside, or at a Gaussian's peak."""

    @classmethod
    def from_axes(
        cls,
        center_um: ArrayLike,
        axes_um: ArrayLike,
        value_per_cm: ArrayLike,
        rotation: ArrayLike | None = None,
    ) -> Self:
        """Build from semi-axes (or sigmas) of shape (body, 3) and rotations (body, 3, 3)."""
        axes = np.asarray(axes_um, dtype=np.float64).reshape(-1, 3)
        turn = np.broadcast_to(np.eye(3), (len(axes), 3, 3))
        if rotation is not None:
            turn = np.asarray(rotation, dtype=np.float64).reshape(-1, 3, 3)
        matrix = np.einsum("bij,bj,bkj->bik", turn, axes**2, turn)
        center = np.asarray(center_um, dtype=np.float64).reshape(-1, 3)
        return cls(center, matrix, np.asarray(value_per_cm, dtype=np.float64).reshape(-1))

    @classmethod
    def none(cls) -> Self:
        """Return an empty set."""
        return cls(np.empty((0, 3)), np.empty((0, 3, 3)), np.empty(0))

    def shadow_terms(self, detector: Detector, angle_deg: float, *, gaussian: bool) -> Float64Array:
        """Return the terms of `kernels.project_quadrics` for one angle."""
        pixel = detector.pixel_size_um
        columns, rows, _ = detector.directions(angle_deg)
        plane = np.stack([columns, rows])
        shadow = np.einsum("ui,bij,vj->buv", plane, self.matrix_um2, plane) / pixel**2
        inverse = np.linalg.inv(shadow)
        # The chord through the centre is 2 sqrt(det M / det shadow): volumes are kept.
        depth = np.sqrt(np.linalg.det(self.matrix_um2) / np.linalg.det(shadow)) / pixel**2
        factor = np.sqrt(2 * np.pi) if gaussian else 2.0
        middle = self.center_um @ plane.T / pixel
        return np.column_stack(
            [
                middle[:, 0] + detector.center_px,
                middle[:, 1] + detector.middle_row,
                inverse[:, 0, 0],
                inverse[:, 0, 1],
                inverse[:, 1, 1],
                self.value_per_cm * CM_PER_UM * factor * depth,
            ]
        )

    def slice_terms(self, *, gaussian: bool) -> Float64Array:
        """Return the terms of `kernels.fill_quadrics`."""
        inverse = np.linalg.inv(self.matrix_um2)
        longest = np.sqrt(np.linalg.eigvalsh(self.matrix_um2)[:, -1])
        reach = longest * (np.sqrt(kernels.GAUSSIAN_REACH) if gaussian else 1.0)
        upper = [inverse[:, i, j] for i in range(3) for j in range(i, 3)]
        return np.column_stack([self.center_um, *upper, reach, self.value_per_cm])


@dataclass(frozen=True, eq=False)
class Cylinders:
    """Cylinders with flat caps."""

    center_um: Float64Array
    """Shape (body, 3): x, y, z."""
    axis: Float64Array
    """Shape (body, 3): unit vectors."""
    radius_um: Float64Array
    """Shape (body,)."""
    half_length_um: Float64Array
    """Shape (body,)."""
    value_per_cm: Float64Array
    """Shape (body,): attenuation inside."""

    @classmethod
    def from_lists(
        cls,
        center_um: ArrayLike,
        axis: ArrayLike,
        radius_um: ArrayLike,
        half_length_um: ArrayLike,
        value_per_cm: ArrayLike,
    ) -> Self:
        """Build from anything array-like; axes are normalised, single numbers repeated."""
        center = np.asarray(center_um, dtype=np.float64).reshape(-1, 3)
        direction = np.broadcast_to(np.asarray(axis, dtype=np.float64).reshape(-1, 3), center.shape)
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        plain = [
            np.broadcast_to(np.asarray(item, dtype=np.float64), (len(center),)).copy()
            for item in (radius_um, half_length_um, value_per_cm)
        ]
        return cls(center, direction, *plain)

    @classmethod
    def none(cls) -> Self:
        """Return an empty set."""
        empty = np.empty(0)
        return cls(np.empty((0, 3)), np.empty((0, 3)), empty, empty, empty)

    def shadow_terms(self, detector: Detector, angle_deg: float) -> Float64Array:
        """Return the terms of `kernels.project_cylinders` for one angle."""
        pixel = detector.pixel_size_um
        frame = np.stack(detector.directions(angle_deg))
        middle = self.center_um @ frame[:2].T / pixel
        return np.column_stack(
            [
                middle[:, 0] + detector.center_px,
                middle[:, 1] + detector.middle_row,
                self.axis @ frame.T,
                self.radius_um / pixel,
                self.half_length_um / pixel,
                self.value_per_cm * CM_PER_UM * pixel,
            ]
        )

    def slice_terms(self) -> Float64Array:
        """Return the terms of `kernels.fill_cylinders`."""
        return np.column_stack(
            [self.center_um, self.axis, self.radius_um, self.half_length_um, self.value_per_cm]
        )


@dataclass(frozen=True, eq=False)
class Phantom:
    """A sample with known truth."""

    name: str
    """Name of the builder, or the user's own."""
    ellipsoids: Quadrics = field(default_factory=Quadrics.none)
    """Bodies of constant attenuation; ``matrix_um2`` holds semi-axes."""
    gaussians: Quadrics = field(default_factory=Quadrics.none)
    """Smooth bodies; ``matrix_um2`` holds sigmas."""
    cylinders: Cylinders = field(default_factory=Cylinders.none)
    """Rods, fibres, gaps."""
    tables: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)
    """What a measurement should find: rows of ``fibres``, ``breaks``, ``spheres`` …"""

    def project(
        self,
        detector: Detector,
        angles_deg: ArrayLike,
        rows: slice = slice(None),
        *,
        oversample: int = 1,
    ) -> Float32Array:
        """Return exact line integrals.

        Parameters
        ----------
        detector
            Where the pixels are.
        angles_deg
            Shape (angle,), in the sense of `alsct_gui.model.geometry`.
        rows
            Detector rows to compute; contiguous.
        oversample
            1: the ray through each pixel's centre. n: the mean of n x n rays in a pixel.

        Returns
        -------
        integrals
            Minus the logarithm of transmission, shape (angle, row, column), float32.
        """
        angles = np.atleast_1d(np.asarray(angles_deg, dtype=np.float64))
        start, stop, _ = rows.indices(detector.n_rows)
        out = np.empty((len(angles), stop - start, detector.n_columns), dtype=np.float32)
        for frame, angle in zip(out, angles, strict=True):
            fine = self.project_fine(detector.finer(oversample), float(angle),
                                     slice(start * oversample, stop * oversample))  # fmt: skip
            frame[:] = bin_mean(fine, oversample)
        return out

    def project_fine(
        self, detector: Detector, angle_deg: float, rows: slice = slice(None)
    ) -> Float32Array:
        """Return the rays through the pixel centres of one frame, shape (row, column)."""
        start, stop, _ = rows.indices(detector.n_rows)
        frame = np.zeros((stop - start, detector.n_columns), dtype=np.float32)
        for bodies, gaussian in ((self.ellipsoids, False), (self.gaussians, True)):
            terms = bodies.shadow_terms(detector, angle_deg, gaussian=gaussian)
            terms[:, 1] -= start
            kernels.project_quadrics(frame, terms, gaussian)
        terms = self.cylinders.shadow_terms(detector, angle_deg)
        terms[:, 1] -= start
        kernels.project_cylinders(frame, terms)
        return frame

    def voxels(
        self,
        detector: Detector,
        slices: slice = slice(None),
        *,
        size: int | None = None,
        oversample: int = 1,
    ) -> Float32Array:
        """Return the true slices.

        Parameters
        ----------
        detector
            Gives the pixel size, the number of slices (rows) and, by default, the size.
        slices
            Slices to compute; contiguous.
        size
            Edge of the square slices in pixels; the detector's columns when None.
        oversample
            1: the value at each voxel's centre. n: the mean of n x n x n points in it.

        Returns
        -------
        slices
            Attenuation in 1/cm, shape (slice, y, x), float32, row 0 on top (largest y).
        """
        start, stop, _ = slices.indices(detector.n_rows)
        edge = detector.n_columns if size is None else size
        step = detector.pixel_size_um / oversample
        first_z = (start - detector.middle_row) * detector.pixel_size_um
        first_z -= (oversample - 1) / 2 * step
        out = np.zeros((stop - start, edge, edge), dtype=np.float32)
        for index, picture in enumerate(out):
            fine = np.zeros((edge * oversample, edge * oversample), dtype=np.float32)
            for part in range(oversample):
                self._fill(fine, first_z + (index * oversample + part) * step, step)
            picture[:] = bin_mean(fine, oversample) / oversample
        return out

    def _fill(self, picture: Float32Array, z_um: float, step_um: float) -> None:
        for bodies, gaussian in ((self.ellipsoids, False), (self.gaussians, True)):
            terms = bodies.slice_terms(gaussian=gaussian)
            kernels.fill_quadrics(picture, z_um, step_um, terms, gaussian)
        kernels.fill_cylinders(picture, z_um, step_um, self.cylinders.slice_terms())

    def to_plain(self) -> dict[str, Any]:
        """Return lists and numbers that `from_plain` takes back."""
        return {
            "name": self.name,
            "ellipsoids": _listed(self.ellipsoids),
            "gaussians": _listed(self.gaussians),
            "cylinders": _listed(self.cylinders),
            "tables": {name: [dict(row) for row in rows] for name, rows in self.tables.items()},
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """Build from what `to_plain` gave."""
        return cls(
            name=data["name"],
            ellipsoids=_quadrics(data["ellipsoids"]),
            gaussians=_quadrics(data["gaussians"]),
            cylinders=Cylinders.from_lists(**data["cylinders"]),
            tables=data["tables"],
        )


def bin_mean(fine: Float32Array, times: int) -> Float32Array:
    """Return the mean of each ``times`` x ``times`` block of an array (row, column)."""
    if times == 1:
        return fine
    rows, columns = (edge // times for edge in fine.shape)
    blocks = fine.reshape(rows, times, columns, times)
    mean: Float32Array = blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    return mean


def _listed(bodies: Quadrics | Cylinders) -> dict[str, Any]:
    return {name: value.tolist() for name, value in vars(bodies).items()}


def _quadrics(data: Mapping[str, Any]) -> Quadrics:
    return Quadrics(
        np.asarray(data["center_um"], dtype=np.float64).reshape(-1, 3),
        np.asarray(data["matrix_um2"], dtype=np.float64).reshape(-1, 3, 3),
        np.asarray(data["value_per_cm"], dtype=np.float64).reshape(-1),
    )
